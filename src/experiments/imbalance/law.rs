//! Imbalance: a subgroup is done when its slowest lane is done.
//!
//! # Formula
//! Lanes that need n₁ … n_W iterations of t seconds occupy their subgroup for T = max(nᵢ)·t. The share
//! η = mean(nᵢ) / max(nᵢ) of this time is useful work.
//!
//! Items in several subgroups cost T = Σ over subgroups of max(nᵢ)·t. The time is shortest if items of
//! similar length share a subgroup. The speed-up by sorting is Σ max (unsorted order) / Σ max (sorted).
//!
//! A share q of the items are stragglers, which take h times as long as the others. If the order is random, a
//! subgroup of W lanes has a straggler with probability 1 − (1 − q)^W. In units of the other items' length,
//! E(max) = 1 + (h − 1)·(1 − (1 − q)^W) and mean = 1 + (h − 1)·q.
//!
//! Symbols:
//! - nᵢ: iterations of lane i, nᵢ ≥ 0, at least one of them positive
//! - t: seconds per loop iteration of a subgroup
//! - W: lanes per subgroup, W ≥ 1
//! - q: share of items that are stragglers, 0 ≤ q ≤ 1
//! - h: iterations of a straggler relative to the other items, h ≥ 1
//!
//! The law applies while the instruction stream bounds the time, and a finished lane waits for the other
//! lanes.
//!
//! # Source
//! T. Aila, S. Laine, "Understanding the efficiency of ray traversal on GPUs", High-Performance Graphics,
//! 2009 (SIMD efficiency of loops of uneven length).

use crate::experiments::divergence::law::at_least_one;

/// Returns the sum of the longest item of each subgroup, in iterations. A subgroup is `width` consecutive
/// items; the last subgroup may have fewer.
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

/// Returns η, the share of lane-iterations that are useful work: mean / max over subgroups of `width`
/// consecutive items.
///
/// ```
/// use warplaw::experiments::imbalance::law::efficiency;
/// // One item of 5 iterations and three of 1: 8 iterations of work, and 4 lanes are held for 5 iterations.
/// assert_eq!(efficiency(&[1, 1, 1, 5], 4), 0.4);
/// // In subgroups of two lanes, the same items waste less.
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

/// Returns the time of a subgroup relative to the mean work of its lanes, if a share `q` of the items takes
/// `h` times as long as the others and the order is random.
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
        fn a_subgroup_of_one_lane_never_waits(iterations in items()) {
            prop_assert_eq!(efficiency(&iterations, 1), 1.0);
        }

        #[test]
        fn no_order_is_faster_than_sorted_order(iterations in items(), log_width in 0u32..6) {
            let mut sorted = iterations.clone();
            sorted.sort_unstable();
            prop_assert!(iterations_held(&sorted, 1 << log_width) <= iterations_held(&iterations, 1 << log_width));
        }

        #[test]
        fn the_slowdown_is_at_most_the_length_of_a_straggler(
            q in 0.0..=1.0f64, h in 1.0..100f64, width in 1.0..129f64,
        ) {
            let slowdown = straggler_slowdown(q, h, width);
            prop_assert!((1.0 - 1e-9..=h + 1e-9).contains(&slowdown));
        }
    }
}
