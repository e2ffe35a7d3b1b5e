//! Overlap: how much of uploading hides behind computing.
//!
//! # Formula
//! - one batch at a time: T = T_u + T_c
//! - the next uploaded while one is computed on: T = max(T_u, T_c) + min(T_u, T_c) / n, a pipeline of two
//!   stages whose shorter one shows once, at an end
//! - share of the shorter that hides: (T_u + T_c − T) / (min(T_u, T_c)·(1 − 1/n)), 0 and 1 at these bounds
//!
//! Symbols:
//! - T_u, T_c: seconds for uploading all batches, and for computing on all, each alone
//! - n: batches, n ≥ 2
//!
//! Valid where uploading and computing share nothing.
//!
//! # Source
//! The makespan of a pipeline of two machines: S. M. Johnson, "Optimal two- and three-stage production
//! schedules with setup times included", Naval Research Logistics Quarterly, 1954.

/// Seconds with one batch at a time.
///
/// ```
/// use warplaw::experiments::overlap::law::serial_time;
/// assert_eq!(serial_time(3.0, 5.0), 8.0);
/// ```
#[must_use]
pub fn serial_time(upload_s: f64, compute_s: f64) -> f64 {
    upload_s + compute_s
}

/// Seconds with the next batch uploaded while one of `batches` is computed on.
///
/// ```
/// use warplaw::experiments::overlap::law::pipelined_time;
/// // Four batches: the first upload shows, the others hide.
/// assert_eq!(pipelined_time(4.0, 8.0, 4.0), 9.0);
/// ```
#[must_use]
pub fn pipelined_time(upload_s: f64, compute_s: f64, batches: f64) -> f64 {
    debug_assert!(batches >= 1.0, "batches={batches}");
    upload_s.max(compute_s) + upload_s.min(compute_s) / batches
}

/// Share of the shorter of the two that hides in `both_s`: 1 for a perfect pipeline, 0 for none, less
/// where they hinder each other.
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
        fn the_bounds_are_the_shares_zero_and_one(
            upload in 0.1..100f64, compute in 0.1..100f64, n in 2.0..100f64,
        ) {
            let share = |both| hidden_share(both, upload, compute, n);
            prop_assert!(share(serial_time(upload, compute)).abs() < 1e-9);
            prop_assert!((share(pipelined_time(upload, compute, n)) - 1.0).abs() < 1e-9);
            prop_assert!(pipelined_time(upload, compute, n) <= serial_time(upload, compute));
        }
    }
}
