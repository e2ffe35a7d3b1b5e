//! Dependence: a train of dispatches that wait for one another, and one of dispatches that do not.
//!
//! # Formula
//! - dependent: T(n) = n·(α + t)
//! - independent: T(n) = n·α_i + t·⌈n / s⌉, and (α − α_i) once where the next train waits for this one
//!
//! Symbols:
//! - n: dispatches, n ≥ 1
//! - t: seconds that one takes from start to end, t ≥ 0
//! - α: seconds that a dispatch costs which waits for the one before
//! - α_i: seconds that one costs which does not: what it takes to issue it
//! - s: slots, dispatches that the hardware runs side by side, s ≥ 1; one where it never does, and then both
//!   formulas are one
//!
//! Valid for dispatches too small to fill the hardware.
//!
//! # Source
//! List scheduling of equal tasks on s machines: R. L. Graham, "Bounds on multiprocessing timing anomalies",
//! SIAM Journal on Applied Mathematics, 1969; for one machine the sum of its costs.

/// Seconds for `n` dispatches, each waiting for the one before.
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

/// Seconds for `n` dispatches, none waiting for another, of which `slots` run side by side.
///
/// ```
/// use warplaw::experiments::dependence::law::independent_time;
/// // Nine in four slots take three turns.
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
        fn independence_never_costs_and_at_most_buys_all_but_one_dispatch(
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
