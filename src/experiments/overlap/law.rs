//! Overlap: the share of an upload that hides behind computation.
//!
//! # Formula
//! - one batch at a time: T = T_u + T_c
//! - the next batch uploaded during the computation on the current batch:
//!   T = max(T_u, T_d) + min(T_u, T_d) / n, a pipeline of two stages. The shorter stage of one batch stays
//!   visible at the start or at the end. The second stage is what the device does: T_d = T_c + T_p, since it copies and
//!   computes in turn.
//! - hidden share of the shorter stage: (T_u + T_c − T) / (min(T_u, T_c)·(1 − 1/n)). The share is 0 for the
//!   first formula and 1 for the second.
//!
//! Symbols:
//! - T_u, T_c: seconds to upload all batches and seconds to compute on all batches, each alone
//! - T_p: seconds in which the device copies all batches from staging memory
//! - n: number of batches, n ≥ 2
//!
//! The law applies if what the host does and what the device does share no resource.
//!
//! # Source
//! The makespan of a pipeline of two machines: S. M. Johnson, "Optimal two- and three-stage production
//! schedules with setup times included", Naval Research Logistics Quarterly, 1954.

/// Returns the seconds for one batch at a time.
///
/// ```
/// use warplaw::experiments::overlap::law::serial_time;
/// assert_eq!(serial_time(3.0, 5.0), 8.0);
/// ```
#[must_use]
pub fn serial_time(upload_s: f64, compute_s: f64) -> f64 {
    upload_s + compute_s
}

/// Returns the seconds for `batches` batches when each batch is uploaded during the computation on the
/// previous one.
///
/// ```
/// use warplaw::experiments::overlap::law::pipelined_time;
/// // Four batches: the first upload is visible and the others are hidden.
/// assert_eq!(pipelined_time(4.0, 8.0, 4.0), 9.0);
/// ```
#[must_use]
pub fn pipelined_time(upload_s: f64, compute_s: f64, batches: f64) -> f64 {
    debug_assert!(batches >= 1.0, "batches={batches}");
    upload_s.max(compute_s) + upload_s.min(compute_s) / batches
}

/// Returns the hidden share of the shorter of uploading and computing, when both together take `both_s`
/// seconds.
///
/// The share is 1 for a perfect pipeline and 0 without overlap. The share is negative if uploading and
/// computing slow each other down.
///
/// ```
/// use warplaw::experiments::overlap::law::hidden_share;
/// assert_eq!(hidden_share(9.0, 4.0, 8.0, 4.0), 1.0);
/// assert_eq!(hidden_share(12.0, 4.0, 8.0, 4.0), 0.0);
/// ```
#[must_use]
pub fn hidden_share(both_s: f64, upload_s: f64, compute_s: f64, batches: f64) -> f64 {
    debug_assert!(batches > 1.0, "batches={batches}");
    (upload_s + compute_s - both_s) / (upload_s.min(compute_s) * (1.0 - 1.0 / batches))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_hidden_share_is_zero_and_one_at_the_bounds(
            upload in 0.1..100f64, compute in 0.1..100f64, n in 2.0..100f64,
        ) {
            let share = |both| hidden_share(both, upload, compute, n);
            prop_assert!(share(serial_time(upload, compute)).abs() < 1e-9);
            prop_assert!((share(pipelined_time(upload, compute, n)) - 1.0).abs() < 1e-9);
            prop_assert!(pipelined_time(upload, compute, n) <= serial_time(upload, compute));
        }
    }
}
