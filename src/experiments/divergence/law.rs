//! Divergence: a subgroup whose lanes take different paths runs each path in turn.
//!
//! # Formula
//! η = 1 / k and T = k·T_path for k equal paths; in general T = t₀ + Σ (T_j − t₀) over the *distinct*
//! paths j that the subgroup takes. For lanes that draw one of k paths uniformly,
//! E\[distinct\] = k·(1 − (1 − 1/k)^W).
//!
//! - k: paths, k ≥ 1
//! - W: lanes in a subgroup, W ≥ 1
//! - T_j: seconds for a subgroup in which every lane takes path j
//! - t₀: seconds that a subgroup spends whatever it takes (choosing the path, loading, storing); the
//!   formula's textbook form has t₀ = 0
//!
//! # Source
//! W. W. L. Fung, I. Sham, G. Yuan, T. M. Aamodt, "Dynamic warp formation and scheduling for efficient
//! GPU control flow", MICRO 2007. The expectation is that of the classical occupancy problem: W balls
//! in k boxes, boxes that are not empty.

/// η: the share of lane slots that do useful work when a subgroup splits over `k` equal paths.
///
/// ```
/// use warplaw::experiments::divergence::law::efficiency;
/// assert_eq!(efficiency(4.0), 0.25); // a 4-way branch is a 4x slowdown
/// ```
#[must_use]
pub fn efficiency(k: f64) -> f64 {
    debug_assert!(k >= 1.0, "k={k}");
    1.0 / k
}

/// Seconds for one subgroup that takes the given distinct paths, each timed alone, over a common `t0`.
///
/// ```
/// use warplaw::experiments::divergence::law::subgroup_time;
/// assert_eq!(subgroup_time(1.0, [5.0, 6.0]), 1.0 + 4.0 + 5.0);
/// ```
#[must_use]
pub fn subgroup_time(t0: f64, distinct_paths: impl IntoIterator<Item = f64>) -> f64 {
    t0 + distinct_paths.into_iter().map(|t_j| t_j - t0).sum::<f64>()
}

/// Seconds for one subgroup that takes so many `distinct` paths, each of `mean_path` alone in the mean, over a
/// common `t0`.
///
/// ```
/// use warplaw::experiments::divergence::law::time_of_paths;
/// assert_eq!(time_of_paths(1.0, 5.5, 2.0), 1.0 + 4.5 + 4.5);
/// ```
#[must_use]
pub fn time_of_paths(t0: f64, mean_path: f64, distinct: f64) -> f64 {
    t0 + distinct * (subgroup_time(t0, [mean_path]) - t0)
}

/// Expected number of distinct paths among `width` lanes that each draw one of `k` paths uniformly.
///
/// ```
/// use warplaw::experiments::divergence::law::expected_distinct;
/// assert_eq!(expected_distinct(1.0, 32.0), 1.0);
/// // Two lanes, two paths: 2 · (1 − 1/4).
/// assert!((expected_distinct(2.0, 2.0) - 1.5).abs() < 1e-12);
/// ```
#[must_use]
pub fn expected_distinct(k: f64, width: f64) -> f64 {
    debug_assert!(k >= 1.0 && width >= 1.0, "k={k} width={width}");
    k * at_least_one(1.0 / k, width)
}

/// Probability that at least one of `width` lanes does what each does with probability `q`.
///
/// ```
/// use warplaw::experiments::divergence::law::at_least_one;
/// assert_eq!(at_least_one(0.5, 2.0), 0.75);
/// ```
#[must_use]
pub fn at_least_one(q: f64, width: f64) -> f64 {
    // 1 − (1 − q)^W, written so that nothing cancels where q is next to nothing.
    -(width * (-q).ln_1p()).exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn distinct_paths_are_bounded_by_paths_and_by_lanes(k in 1u32..256, w in 1u32..129) {
            let d = expected_distinct(f64::from(k), f64::from(w));
            prop_assert!((1.0 - 1e-9..=f64::from(k.min(w)) + 1e-9).contains(&d));
        }

        #[test]
        fn without_common_work_equal_paths_cost_k_times_one(k in 1usize..65, t in 1e-9..1.0f64) {
            let time = subgroup_time(0.0, std::iter::repeat_n(t, k));
            prop_assert!((time * efficiency(k as f64) / t - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn so_many_paths_of_the_mean_cost_what_they_cost_one_by_one() {
        let one_by_one = subgroup_time(1.0, [3.0, 4.0, 8.0]);
        assert_eq!(time_of_paths(1.0, 5.0, 3.0), one_by_one);
    }

    #[test]
    fn the_expectation_agrees_with_enumeration() {
        // 3 lanes, 3 paths, 27 draws: 3 with one distinct path, 18 with two, 6 with three.
        let enumerated = (3.0 * 1.0 + 18.0 * 2.0 + 6.0 * 3.0) / 27.0;
        assert!((expected_distinct(3.0, 3.0) - enumerated).abs() < 1e-12);
    }
}
