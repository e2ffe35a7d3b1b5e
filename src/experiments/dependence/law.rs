//! Dependence: sequences of dispatches that wait for one another, and sequences of dispatches that do not.
//!
//! # Formula
//! - dependent: T(n) = n·(α + t)
//! - independent: T(n) = max(n·α_i + t, ⌈n / s⌉·t + r·α_i) with r = 1 + (n − 1) mod s, plus (α − α_i) once if the next
//!   sequence waits for this one. Dispatches are issued while those before them run: either the last one is issued late,
//!   or it waits for a slot. With one slot nothing overlaps, and T(n) = n·(α_i + t).
//!
//! Symbols:
//! - n: dispatches, n ≥ 1
//! - t: execution time of one dispatch in seconds, from start to end, t ≥ 0
//! - α: overhead of a dispatch that waits for the previous one, in seconds
//! - α_i: overhead of a dispatch that does not wait, in seconds: the time to issue it
//! - s: slots, the number of dispatches that the hardware runs concurrently, s ≥ 1
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
/// // Nine dispatches in four slots run in three waves, of which the last one has one dispatch.
/// assert_eq!(independent_time(9.0, 2.0, 10.0, 4.0), 30.0 + 2.0);
/// assert_eq!(independent_time(9.0, 2.0, 10.0, 1.0), 90.0 + 18.0);
/// // With enough slots, the last one ends when it is issued and done.
/// assert_eq!(independent_time(9.0, 2.0, 10.0, 64.0), 18.0 + 10.0);
/// ```
#[must_use]
pub fn independent_time(n: f64, issue_s: f64, dispatch_s: f64, slots: f64) -> f64 {
    debug_assert!(n >= 1.0 && slots >= 1.0, "n={n} slots={slots}");
    if slots <= 1.0 {
        return dependent_time(n, issue_s, dispatch_s);
    }
    let of_the_last_wave = 1.0 + (n - 1.0) % slots;
    (n * issue_s + dispatch_s).max((n / slots).ceil() * dispatch_s + of_the_last_wave * issue_s)
}

/// Returns the number of slots in which `n` independent dispatches took `sequence_s` seconds: the smaller solution s of
/// sequence_s = (n/s)·t + s·α_i.
///
/// Exact if s divides n. If issuing limits the sequence, the result is the smaller of n and t/α_i. A sequence longer than
/// one slot explains is a serial one, and the result is n·(α_i + t)/sequence_s.
///
/// ```
/// use warplaw::experiments::dependence::law::{independent_time, slots_of};
/// let took = independent_time(64.0, 2.0, 100.0, 8.0);
/// assert!((slots_of(64.0, 2.0, 100.0, took) - 8.0).abs() < 1e-9);
/// assert_eq!(slots_of(16.0, 4.0, 28.0, independent_time(16.0, 4.0, 28.0, 1.0)), 1.0);
/// ```
#[must_use]
pub fn slots_of(n: f64, issue_s: f64, dispatch_s: f64, sequence_s: f64) -> f64 {
    let root = (sequence_s.powi(2) - 4.0 * issue_s * n * dispatch_s).max(0.0).sqrt();
    // The usual formula loses its digits if issuing takes no time.
    let slots = 2.0 * n * dispatch_s / (sequence_s + root);
    if slots < 1.0 { dependent_time(n, issue_s, dispatch_s) / sequence_s } else { slots }
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
            prop_assert!(independent_time(n, issue, t, n.max(2.0)) <= together + 1e-9);
        }
    }
}
