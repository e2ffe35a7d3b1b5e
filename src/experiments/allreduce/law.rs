//! All-reduce: the time in which p workers sum their messages of m bytes and all receive the sum.
//!
//! # Formula
//! - ring: T(p, m) = 2(p − 1)·α + 2·((p − 1) / p)·β·m
//! - naive: T(p, m) = 2(p − 1)·(α + β·m). Each worker sends its message to one worker, and that worker sends
//!   the sum back, one message after another.
//! - recursive doubling: T(p, m) = ⌈log₂ p⌉·(α + β·m)
//!
//! Symbols:
//! - p: workers, p ≥ 1. A single worker has no partner and takes 0 s.
//! - m: bytes in each worker's message, m ≥ 0
//! - α: seconds per message, independent of the message size
//! - β: seconds per byte
//!
//! β includes the time of the additions.
//!
//! # Source
//! R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective communication operations in
//! MPICH", International Journal of High Performance Computing Applications, 2005.

/// Returns the seconds of a ring all-reduce of `m` bytes among `p` workers.
///
/// ```
/// use warplaw::experiments::allreduce::law::ring_time;
/// // Four workers, 1 µs per message, 1 ns per byte, 1000 bytes: 6 µs + 1.5 µs.
/// assert!((ring_time(4.0, 1000.0, 1e-6, 1e-9) - 7.5e-6).abs() < 1e-15);
/// assert_eq!(ring_time(1.0, 1000.0, 1e-6, 1e-9), 0.0);
/// ```
#[must_use]
pub fn ring_time(p: f64, m: f64, alpha_s: f64, beta_s_per_byte: f64) -> f64 {
    debug_assert!(p >= 1.0 && m >= 0.0, "p={p} m={m}");
    2.0 * (p - 1.0) * alpha_s + 2.0 * (p - 1.0) / p * beta_s_per_byte * m
}

/// Returns the seconds of a gather to one worker followed by a broadcast from there.
///
/// ```
/// use warplaw::experiments::allreduce::law::naive_time;
/// assert_eq!(naive_time(3.0, 10.0, 1.0, 0.5), 24.0);
/// ```
#[must_use]
pub fn naive_time(p: f64, m: f64, alpha_s: f64, beta_s_per_byte: f64) -> f64 {
    debug_assert!(p >= 1.0 && m >= 0.0, "p={p} m={m}");
    2.0 * (p - 1.0) * (alpha_s + beta_s_per_byte * m)
}

/// Returns the seconds of recursive doubling, which sends the whole message in each of ⌈log₂ p⌉ steps.
///
/// ```
/// use warplaw::experiments::allreduce::law::recursive_doubling_time;
/// assert_eq!(recursive_doubling_time(8.0, 10.0, 1.0, 0.5), 18.0);
/// ```
#[must_use]
pub fn recursive_doubling_time(p: f64, m: f64, alpha_s: f64, beta_s_per_byte: f64) -> f64 {
    debug_assert!(p >= 1.0 && m >= 0.0, "p={p} m={m}");
    p.log2().ceil() * (alpha_s + beta_s_per_byte * m)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_bandwidth_term_saturates_and_the_latency_term_does_not(p in 2.0..1e5f64) {
            let m = 1e9;
            prop_assert!(ring_time(p, m, 0.0, 1e-9) < 2.0 * m * 1e-9);
            prop_assert!(ring_time(2.0 * p, 0.0, 1e-6, 0.0) > 2.0 * ring_time(p, 0.0, 1e-6, 0.0));
        }

        #[test]
        fn a_ring_is_never_slower_than_the_naive_algorithm(p in 1.0..1e4f64, m in 0.0..1e9f64) {
            prop_assert!(ring_time(p, m, 1e-6, 1e-9) <= naive_time(p, m, 1e-6, 1e-9));
        }
    }
}
