//! Divergence: a subgroup whose lanes take different paths runs these paths one after another.
//!
//! # Formula
//! For k equal paths, η = 1 / k and T = k·T_path. In general, T = t₀ + Σ (T_j − t₀) over the *distinct* paths
//! j that the subgroup takes. If each lane draws one of k paths uniformly, the mean number of distinct paths
//! is E\[distinct\] = k·(1 − (1 − 1/k)^W).
//!
//! - η: share of lane slots that do useful work
//! - k: number of paths, k ≥ 1
//! - W: lanes per subgroup, W ≥ 1
//! - T_j: seconds for a subgroup in which every lane takes path j
//! - t₀: seconds that a subgroup spends independently of its paths: selecting the path, loading and storing.
//!   The textbook form of the formula has t₀ = 0.
//!
//! # Source
//! W. W. L. Fung, I. Sham, G. Yuan, T. M. Aamodt, "Dynamic warp formation and scheduling for efficient GPU
//! control flow", MICRO 2007. The expectation is that of the classical occupancy problem: W balls fall into k
//! boxes, and the non-empty boxes are counted.

/// Returns η, the share of lane slots that do useful work if the lanes of a subgroup take `k` equal paths.
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

/// Returns the seconds for one subgroup that takes the given distinct paths. The time of each path is
/// measured alone and includes `t0`.
///
/// ```
/// use warplaw::experiments::divergence::law::subgroup_time;
/// assert_eq!(subgroup_time(1.0, [5.0, 6.0]), 1.0 + 4.0 + 5.0);
/// ```
#[must_use]
pub fn subgroup_time(t0: f64, distinct_paths: impl IntoIterator<Item = f64>) -> f64 {
    t0 + distinct_paths.into_iter().map(|t_j| t_j - t0).sum::<f64>()
}

/// Returns the seconds for one subgroup that takes `distinct` paths, whose mean time alone is `mean_path`.
/// The time of each path includes `t0`.
///
/// ```
/// use warplaw::experiments::divergence::law::time_of_paths;
/// assert_eq!(time_of_paths(1.0, 5.5, 2.0), 1.0 + 4.5 + 4.5);
/// ```
#[must_use]
pub fn time_of_paths(t0: f64, mean_path: f64, distinct: f64) -> f64 {
    t0 + distinct * (subgroup_time(t0, [mean_path]) - t0)
}

/// Returns the expected number of distinct paths among `width` lanes that each draw one of `k` paths
/// uniformly.
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

/// Returns the probability of an event in at least one of `width` lanes, if it occurs in each lane with
/// probability `q`.
///
/// ```
/// use warplaw::experiments::divergence::law::at_least_one;
/// assert_eq!(at_least_one(0.5, 2.0), 0.75);
/// ```
#[must_use]
pub fn at_least_one(q: f64, width: f64) -> f64 {
    // 1 − (1 − q)^W in a form without cancellation for small q.
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
    fn the_mean_time_of_paths_gives_the_sum_of_their_times() {
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
