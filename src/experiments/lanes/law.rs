//! SIMT amortization: one instruction fetch and decode serves W lanes.
//!
//! # Formula
//! T_scalar(N) = N·(t_f + t_d + t_e); T_SIMT(N, W) = (N / W)·(t_f + t_d + t_e). The speed-up is W, and the
//! control time per item falls from (t_f + t_d) to (t_f + t_d) / W. With a active lanes,
//! T(N, a) = (N / min(a, W))·t. A workgroup of s invocations issues ⌈s / W⌉ subgroups.
//!
//! - N: number of items, a multiple of W
//! - W: lanes per subgroup, W ≥ 1
//! - a: active lanes, a ≥ 1
//! - s: invocations per workgroup, s ≥ 1
//! - t_f, t_d, t_e: seconds to fetch, decode and execute one subgroup instruction
//! - t: seconds per subgroup instruction, t_f + t_d + t_e
//!
//! The law applies while the instruction stream of the subgroup, not memory, bounds the time.
//!
//! # Source
//! M. J. Flynn, "Some computer organizations and their effectiveness", IEEE Transactions on Computers,
//! 1972; E. Lindholm et al., "NVIDIA Tesla: a unified graphics and computing architecture", IEEE
//! Micro, 2008.

/// Returns the seconds for `n` items that execute one at a time.
///
/// ```
/// use warplaw::experiments::lanes::law::scalar_time;
/// assert_eq!(scalar_time(64.0, 1.0, 1.0, 2.0), 256.0);
/// ```
#[must_use]
pub fn scalar_time(n: f64, fetch_s: f64, decode_s: f64, execute_s: f64) -> f64 {
    n * (fetch_s + decode_s + execute_s)
}

/// Returns the seconds for `n` items of which each instruction executes `width`.
///
/// ```
/// use warplaw::experiments::lanes::law::{scalar_time, simt_time};
/// let speed_up = scalar_time(64.0, 1.0, 1.0, 2.0) / simt_time(64.0, 32.0, 1.0, 1.0, 2.0);
/// assert_eq!(speed_up, 32.0);
/// ```
#[must_use]
pub fn simt_time(n: f64, width: f64, fetch_s: f64, decode_s: f64, execute_s: f64) -> f64 {
    debug_assert!(width >= 1.0, "width={width}");
    scalar_time(n, fetch_s, decode_s, execute_s) / width
}

/// Returns the control seconds per item, (t_f + t_d) / W.
///
/// ```
/// use warplaw::experiments::lanes::law::control_per_item;
/// assert_eq!(control_per_item(32.0, 1.0, 1.0), 0.0625);
/// ```
#[must_use]
pub fn control_per_item(width: f64, fetch_s: f64, decode_s: f64) -> f64 {
    (fetch_s + decode_s) / width
}

/// Returns the speed-up of `active` lanes over one lane, min(a, W).
///
/// ```
/// use warplaw::experiments::lanes::law::lane_speed_up;
/// assert_eq!(lane_speed_up(8.0, 32.0), 8.0);
/// assert_eq!(lane_speed_up(64.0, 32.0), 32.0);
/// ```
#[must_use]
pub fn lane_speed_up(active: f64, width: f64) -> f64 {
    debug_assert!(active >= 1.0 && width >= 1.0, "a={active} W={width}");
    active.min(width)
}

/// Returns the number of subgroups that a workgroup of `invocations` issues, ⌈s / W⌉.
///
/// ```
/// use warplaw::experiments::lanes::law::subgroups;
/// assert_eq!(subgroups(33, 32), 2);
/// ```
#[must_use]
pub fn subgroups(invocations: u32, width: u32) -> u32 {
    invocations.div_ceil(width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_speed_up_is_the_width(
            w in 1.0..128f64, f in 0.0..1.0f64, d in 0.0..1.0f64, e in 1e-3..1.0f64,
        ) {
            let s = scalar_time(1024.0, f, d, e) / simt_time(1024.0, w, f, d, e);
            prop_assert!((s / w - 1.0).abs() < 1e-9);
        }
    }
}
