//! SIMT amortization: one fetch and decode serves W lanes.
//!
//! # Formula
//! T_scalar(N) = N·(t_f + t_d + t_e); T_SIMT(N, W) = (N / W)·(t_f + t_d + t_e). The speed-up is W, and
//! control per item falls from (t_f + t_d) to (t_f + t_d) / W. With only a of the lanes active,
//! T(N, a) = (N / min(a, W))·t, and a workgroup of s lanes issues ⌈s / W⌉ subgroups.
//!
//! - N: items, a multiple of W
//! - W: lanes in a subgroup, W ≥ 1
//! - a: active lanes, a ≥ 1
//! - t_f, t_d, t_e, t: seconds to fetch, decode, execute, and all three, for one subgroup instruction
//!
//! Valid while the subgroup's instruction stream, not memory, bounds the time.
//!
//! # Source
//! M. J. Flynn, "Some computer organizations and their effectiveness", IEEE Transactions on Computers,
//! 1972; E. Lindholm et al., "NVIDIA Tesla: a unified graphics and computing architecture", IEEE
//! Micro, 2008.

/// Seconds for `n` items, one lane at a time.
///
/// ```
/// use warplaw::experiments::lanes::law::scalar_time;
/// assert_eq!(scalar_time(64.0, 1.0, 1.0, 2.0), 256.0);
/// ```
#[must_use]
pub fn scalar_time(n: f64, fetch_s: f64, decode_s: f64, execute_s: f64) -> f64 {
    n * (fetch_s + decode_s + execute_s)
}

/// Seconds for `n` items, `width` lanes to an instruction.
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

/// Control seconds per item, (t_f + t_d) / W.
///
/// ```
/// use warplaw::experiments::lanes::law::control_per_item;
/// assert_eq!(control_per_item(32.0, 1.0, 1.0), 0.0625);
/// ```
#[must_use]
pub fn control_per_item(width: f64, fetch_s: f64, decode_s: f64) -> f64 {
    (fetch_s + decode_s) / width
}

/// Speed-up of `active` lanes over one: min(a, W).
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

/// Subgroups that a workgroup of `lanes` lanes issues: ⌈s / W⌉.
///
/// ```
/// use warplaw::experiments::lanes::law::subgroups;
/// assert_eq!(subgroups(33, 32), 2);
/// ```
#[must_use]
pub fn subgroups(lanes: u32, width: u32) -> u32 {
    lanes.div_ceil(width)
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
