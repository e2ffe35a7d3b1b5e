//! All-reduce among processes: the time in which p ranks sum their messages of m bytes and all receive the sum.
//!
//! # Formula
//! - ring: T(p, m) = 2(p − 1)·α + 2·((p − 1) / p)·β·m + ((p − 1) / p)·γ·m
//! - recursive doubling: T(p, m) = log₂ p'·(α + β·m + γ·m), where p' is the largest power of two up to p. If p' < p, one
//!   message, one addition and another message come on top: 2(α₁ + β₁·m) + γ·m.
//! - naive: T(p, m) = 2(p − 1)·(α₁ + β₁·m) + (p − 1)·γ·m. One rank receives and adds all messages one after another, and
//!   sends the sum in the same way.
//!
//! Symbols:
//! - p: ranks, p ≥ 1
//! - m: bytes in each rank's message, m ≥ 0
//! - α, β: seconds per message and per byte while each rank sends and receives at the same time
//! - α₁, β₁: the same while a message goes in one direction alone
//! - γ: seconds for adding a byte
//!
//! # Source
//! R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective communication operations in MPICH", International
//! Journal of High Performance Computing Applications, 2005.

use crate::experiments::allreduce::law as workers;
use crate::gpu::{Algorithm, Traffic};

/// Returns the seconds of a ring all-reduce of `m` bytes among `p` ranks.
///
/// ```
/// use warplaw::experiments::ring::law::ring_time;
/// // Four ranks: six messages of 250 bytes, and three additions of 250 bytes.
/// let time = ring_time(4.0, 1000.0, [1e-6, 1e-9, 0.5e-9]);
/// assert!((time - (6.0 * 1.25e-6 + 3.0 * 0.125e-6)).abs() < 1e-12);
/// ```
#[must_use]
pub fn ring_time(p: f64, m: f64, [alpha_s, beta, gamma]: [f64; 3]) -> f64 {
    // Half of the steps of a ring add.
    workers::ring_time(p, m, alpha_s, beta + gamma / 2.0)
}

/// Returns the seconds of recursive doubling. `one_way` is α₁ and β₁.
///
/// ```
/// use warplaw::experiments::ring::law::doubling_time;
/// assert_eq!(doubling_time(4.0, 10.0, [1.0, 0.5, 0.1], [0.5, 0.25]), 2.0 * 7.0);
/// assert_eq!(doubling_time(5.0, 10.0, [1.0, 0.5, 0.1], [0.5, 0.25]), 2.0 * 7.0 + 2.0 * 3.0 + 1.0);
/// ```
#[must_use]
pub fn doubling_time(p: f64, m: f64, [alpha_s, beta, gamma]: [f64; 3], one_way: [f64; 2]) -> f64 {
    let steps = p.log2().floor();
    let paired_s = steps * (alpha_s + (beta + gamma) * m);
    if p.log2() == steps {
        return paired_s;
    }
    paired_s + 2.0 * (one_way[0] + one_way[1] * m) + gamma * m
}

/// Returns the seconds of the naive algorithm. `one_way` is α₁ and β₁.
///
/// ```
/// use warplaw::experiments::ring::law::naive_time;
/// assert_eq!(naive_time(3.0, 10.0, [1.0, 0.5], 0.1), 4.0 * 6.0 + 2.0);
/// ```
#[must_use]
pub fn naive_time(p: f64, m: f64, one_way: [f64; 2], gamma: f64) -> f64 {
    workers::naive_time(p, m, one_way[0], one_way[1]) + (p - 1.0) * gamma * m
}

/// Returns what all ranks together send in one all-reduce of `words` words; `None` if the message library decides that.
#[must_use]
pub fn traffic(algorithm: Algorithm, ranks: u32, words: u32) -> Option<Traffic> {
    let (p, words) = (u64::from(ranks), u64::from(words));
    let whole = |messages: u64| Traffic { messages, words: messages * words };
    match algorithm {
        // In each of 2(p − 1) steps, the ranks send one part each, which are together one message.
        Algorithm::Ring => Some(Traffic { messages: 2 * p * (p - 1), words: 2 * (p - 1) * words }),
        Algorithm::Doubling => {
            let steps = u64::from(ranks.ilog2());
            let paired = 1 << steps;
            Some(whole(paired * steps + 2 * (p - paired)))
        }
        Algorithm::Naive => Some(whole(2 * (p - 1))),
        Algorithm::Library | Algorithm::LibraryRing => None,
    }
}

/// Returns the bus bandwidth of an all-reduce in bytes per second, as NVIDIA's nccl-tests define it: the algorithm bandwidth
/// m/T times 2(p − 1)/p. A ring that is limited by its links reaches the bandwidth of a link.
///
/// ```
/// use warplaw::experiments::ring::law::bus_bandwidth;
/// assert_eq!(bus_bandwidth(4.0, 1000.0, 1.0), 1500.0);
/// ```
#[must_use]
pub fn bus_bandwidth(p: f64, m: f64, time_s: f64) -> f64 {
    m / time_s * 2.0 * (p - 1.0) / p
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::{Arithmetic, Exchange, Pattern};
    use crate::ranks::{schedules, traffic as sent_by};

    #[test]
    fn the_schedules_send_what_the_law_counts() {
        for ranks in 2..=17 {
            for words in [0, 1, 5, 1000] {
                for algorithm in [Algorithm::Ring, Algorithm::Doubling, Algorithm::Naive] {
                    let pattern = Pattern::AllReduce { algorithm, arithmetic: Arithmetic::Host };
                    let exchange = Exchange { pattern, words, traffic: None };
                    let of = |rank| sent_by(&schedules(exchange, ranks, rank)[0]);
                    let all = (0..ranks).map(of).fold((0, 0), |(messages, sent), of| {
                        (messages + of.messages, sent + of.words)
                    });
                    let law = traffic(algorithm, ranks, words).expect("the law counts it");
                    assert_eq!(all, (law.messages, law.words), "{algorithm:?}, {ranks} ranks");
                }
            }
        }
    }

    #[test]
    fn large_rings_are_limited_by_their_links() {
        let time_s = ring_time(64.0, 1e9, [1e-6, 1e-10, 0.0]);
        assert!((bus_bandwidth(64.0, 1e9, time_s) / 1e10 - 1.0).abs() < 1e-2);
    }
}
