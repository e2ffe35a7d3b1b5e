//! Dependence: sequences of dispatches that wait for one another, and sequences of dispatches that do not.
//!
//! # Formula
//! - dependent: T(n) = n·(α + t)
//! - independent: T(n) = n·α_i + t·⌈n / s⌉, plus (α − α_i) once if the next sequence waits for this one
//!
//! Symbols:
//! - n: dispatches, n ≥ 1
//! - t: execution time of one dispatch in seconds, from start to end, t ≥ 0
//! - α: overhead of a dispatch that waits for the previous one, in seconds
//! - α_i: overhead of a dispatch that does not wait, in seconds: the time to issue it
//! - s: slots, the number of dispatches that the hardware runs concurrently, s ≥ 1. If s = 1, both formulas
//!   have the same form.
//!
//! The law applies to dispatches that are too small to fill the hardware.
//!
//! # Source
//! List scheduling of equal tasks on s machines: R. L. Graham, "Bounds on multiprocessing timing anomalies",
//! SIAM Journal on Applied Mathematics, 1969. On one machine, the time is the sum of the costs.

/// Returns the seconds for `n` dispatches, each of which waits for the previous one.
///
/// ```
/// use warplaw::experiments::dependence::law::dependent_time;
/// assert_eq!(dependent_time(4.0, 2.0, 10.0), 48.0);
/// ```
#[must_use]
pub fn dependent_time(n: f64, alpha_s: f64, dispatch_s: f64) -> f64 {
    debug_assert!(n >= 1.0, "n={n}");
    n * (alpha_s + dispatch_s)
}

/// Returns the seconds for `n` dispatches that do not wait for one another, of which `slots` run
/// concurrently.
///
/// ```
/// use warplaw::experiments::dependence::law::independent_time;
/// // Nine dispatches in four slots run in three waves.
/// assert_eq!(independent_time(9.0, 2.0, 10.0, 4.0), 18.0 + 30.0);
/// assert_eq!(independent_time(9.0, 2.0, 10.0, 1.0), 18.0 + 90.0);
/// ```
#[must_use]
pub fn independent_time(n: f64, issue_s: f64, dispatch_s: f64, slots: f64) -> f64 {
    debug_assert!(n >= 1.0 && slots >= 1.0, "n={n} slots={slots}");
    n * issue_s + dispatch_s * (n / slots).ceil()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn independence_never_costs_time_and_hides_at_most_all_but_one_dispatch(
            n in 1u32..200, alpha in 0.0..10f64, issue in 0.0..1f64, t in 0.1..100f64, slots in 1u32..64,
        ) {
            let (n, slots) = (f64::from(n), f64::from(slots));
            let alpha = alpha + issue;
            let together = independent_time(n, issue, t, slots);
            prop_assert!(together <= dependent_time(n, alpha, t) + 1e-9);
            prop_assert!(together >= n * issue + t);
            prop_assert!(independent_time(n, issue, t, slots + 1.0) <= together);
        }
    }
}
