//! Imbalance: a subgroup is done when its slowest lane is.
//!
//! # Formula
//! Lanes that need n₁ … n_W iterations of t seconds keep their subgroup for T = max(nᵢ)·t, of which the
//! share η = mean(nᵢ) / max(nᵢ) is work. Items spread over several subgroups cost
//! T = Σ over subgroups of max(nᵢ)·t: least when items of like length share a subgroup, so sorting buys
//! Σ max (as they came) / Σ max (sorted).
//!
//! One item in each 1/q that takes h times as long as the others, dropped at random, holds up a subgroup
//! of W lanes with probability 1 − (1 − q)^W: E(max) = 1 + (h − 1)·(1 − (1 − q)^W), mean = 1 + (h − 1)·q.
//!
//! - nᵢ: iterations of lane i, nᵢ ≥ 0, at least one of them positive
//! - t: seconds of one iteration of a whole subgroup
//! - W: lanes in a subgroup, W ≥ 1
//! - q: share of items that straggle, 0 ≤ q ≤ 1
//! - h: iterations of a straggler over iterations of the others, h ≥ 1
//!
//! Valid while the instruction stream bounds the time and a lane that is done waits for the others.
//!
//! # Source
//! T. Aila, S. Laine, "Understanding the efficiency of ray traversal on GPUs", High-Performance Graphics,
//! 2009 (SIMD efficiency of loops of uneven length).

use crate::experiments::divergence::law::at_least_one;

/// Σ over subgroups of `width` neighbours of the longest among them, in iterations; the last may be short.
///
/// ```
/// use warplaw::experiments::imbalance::law::iterations_held;
/// assert_eq!(iterations_held(&[1, 5, 1, 1], 2), 6);
/// assert_eq!(iterations_held(&[5, 1, 1, 1], 4), 5);
/// ```
#[must_use]
pub fn iterations_held(iterations: &[u32], width: u32) -> u64 {
    debug_assert!(width >= 1, "width={width}");
    let longest = |lanes: &[u32]| u64::from(lanes.iter().copied().max().unwrap_or(0));
    iterations.chunks(width as usize).map(longest).sum()
}

/// Share of lane-iterations that are work, mean / max over subgroups of `width` neighbours.
///
/// ```
/// use warplaw::experiments::imbalance::law::efficiency;
/// // One straggler of 5 among three of 1: 8 iterations of work in 4 lanes held for 5.
/// assert_eq!(efficiency(&[1, 1, 1, 5], 4), 0.4);
/// // Sorted into subgroups of two it wastes less.
/// assert_eq!(efficiency(&[1, 1, 1, 5], 2), 8.0 / 12.0);
/// ```
#[must_use]
pub fn efficiency(iterations: &[u32], width: u32) -> f64 {
    let held = iterations_held(iterations, width);
    debug_assert!(
        held > 0 && iterations.len().is_multiple_of(width as usize),
        "{iterations:?} width={width}"
    );
    let work: u64 = iterations.iter().map(|&n| u64::from(n)).sum();
    work as f64 / (held as f64 * f64::from(width))
}

/// How many times as long a subgroup is held as its mean lane works, when a share `q` of items takes `h`
/// times as long as the others and they come in random order.
///
/// ```
/// use warplaw::experiments::imbalance::law::straggler_slowdown;
/// // Two lanes, half of the items three times as long: E(max) = 1 + 2·(3/4), mean = 2.
/// assert!((straggler_slowdown(0.5, 3.0, 2.0) - 1.25).abs() < 1e-12);
/// assert_eq!(straggler_slowdown(0.1, 10.0, 1.0), 1.0);
/// ```
#[must_use]
pub fn straggler_slowdown(q: f64, h: f64, width: f64) -> f64 {
    debug_assert!((0.0..=1.0).contains(&q) && h >= 1.0 && width >= 1.0, "q={q} h={h} W={width}");
    let mean = |share: f64| 1.0 + (h - 1.0) * share;
    mean(at_least_one(q, width)) / mean(q)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items() -> impl Strategy<Value = Vec<u32>> {
        proptest::collection::vec(1u32..1000, 32)
    }

    proptest! {
        #[test]
        fn mean_over_max_is_at_most_one(iterations in items(), log_width in 0u32..6) {
            let eta = efficiency(&iterations, 1 << log_width);
            prop_assert!(eta <= 1.0 && eta > 0.0);
        }

        #[test]
        fn one_lane_waits_for_nobody(iterations in items()) {
            prop_assert_eq!(efficiency(&iterations, 1), 1.0);
        }

        #[test]
        fn no_order_beats_the_sorted_one(iterations in items(), log_width in 0u32..6) {
            let mut sorted = iterations.clone();
            sorted.sort_unstable();
            prop_assert!(iterations_held(&sorted, 1 << log_width) <= iterations_held(&iterations, 1 << log_width));
        }

        #[test]
        fn stragglers_slow_at_most_as_far_as_they_straggle(
            q in 0.0..=1.0f64, h in 1.0..100f64, width in 1.0..129f64,
        ) {
            let slowdown = straggler_slowdown(q, h, width);
            prop_assert!((1.0 - 1e-9..=h + 1e-9).contains(&slowdown));
        }
    }
}
