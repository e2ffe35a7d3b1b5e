//! Latency, and the number of independent chains that hides it.
//!
//! # Formula
//! A lane with c independent chains issues one operation every max(L / c, t) seconds. With few chains, the
//! lane waits for results. With many chains, it waits for the issue of other operations.
//!
//! The knee is at c = L / t chains, which is Little's law for one lane: concurrency = latency × throughput.
//!
//! - L: latency, seconds from an operation to the next one that depends on it, L > 0
//! - t: issue time, seconds between two independent operations, t > 0
//! - c: number of independent chains, c ≥ 1
//!
//! The law applies while all chains fit the registers.
//!
//! # Source
//! V. Volkov, "Better performance at lower occupancy", GPU Technology Conference, 2010; J. D. C. Little,
//! "A proof for the queuing formula: L = λW", Operations Research, 1961.

/// Returns the seconds per operation of a lane with `chains` independent chains.
///
/// ```
/// use warplaw::experiments::ilp::law::step_time;
/// assert_eq!(step_time(8.0, 2.0, 1.0), 8.0);
/// assert_eq!(step_time(8.0, 2.0, 2.0), 4.0);
/// assert_eq!(step_time(8.0, 2.0, 16.0), 2.0);
/// ```
#[must_use]
pub fn step_time(latency_s: f64, issue_s: f64, chains: f64) -> f64 {
    debug_assert!(chains >= 1.0, "chains={chains}");
    (latency_s / chains).max(issue_s)
}

/// Returns the number of independent chains that hides the latency: the knee L / t, and at least 1.
///
/// ```
/// use warplaw::experiments::ilp::law::chains_to_hide;
/// assert_eq!(chains_to_hide(8.0, 2.0), 4.0);
/// assert_eq!(chains_to_hide(1.0, 2.0), 1.0);
/// ```
#[must_use]
pub fn chains_to_hide(latency_s: f64, issue_s: f64) -> f64 {
    (latency_s / issue_s).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chains_give_speed_up_to_the_knee_and_no_further(
            latency in 0.1..100f64, issue in 0.1..100f64, c in 1.0..64f64,
        ) {
            let speed_up = step_time(latency, issue, 1.0) / step_time(latency, issue, c);
            prop_assert!(speed_up <= c + 1e-9);
            prop_assert!(speed_up <= chains_to_hide(latency, issue) + 1e-9);
            prop_assert!(step_time(latency, issue, c + 1.0) <= step_time(latency, issue, c));
        }
    }
}
