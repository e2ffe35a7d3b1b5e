//! Speculation: a branch compared with the execution of both paths and a select.
//!
//! # Formula
//! Each lane takes path 1 with probability q, and path 0 otherwise. A subgroup that branches runs each path
//! that at least one of its lanes takes: T_branch = t_b + (1 − q^W)·T₀ + (1 − (1 − q)^W)·T₁. A subgroup that
//! selects runs both paths: T_select = t_s + T₀′ + T₁′.
//!
//! - q: divergence probability, the probability that a lane takes path 1, 0 ≤ q ≤ 1
//! - W: lanes per subgroup, W ≥ 1
//! - T₀, T₁: seconds per subgroup for each path under a branch, both > 0
//! - T₀′, T₁′: seconds per subgroup for each path without a branch. They are often less than T₀ and T₁,
//!   because no lane has to be masked.
//! - t_b, t_s: seconds to choose by branch and by select, independent of the paths, ≥ 0
//!
//! The law applies if the compiled code branches between the paths and lanes choose independently of each
//! other. Compilers turn branches over short paths into selects.
//!
//! # Source
//! The divergence law ([`crate::experiments::divergence::law`]) with the probability that a subgroup takes
//! each path. On when the execution of both paths pays: S. Mahlke et al., "Effective compiler support for
//! predicated execution using the hyperblock", MICRO 25, 1992.

use crate::experiments::divergence::law::at_least_one;

/// Returns the expected seconds for a subgroup of `width` lanes that branches. The subgroup spends `branch_s`
/// to choose, and runs each path with the probability that at least one lane takes the path.
///
/// ```
/// use warplaw::experiments::select::law::branch_time;
/// // Two lanes, q = 1/2: three of four subgroups take each path.
/// assert_eq!(branch_time(1.0, [10.0, 20.0], 0.5, 2.0), 1.0 + 7.5 + 15.0);
/// ```
#[must_use]
pub fn branch_time(branch_s: f64, branched_s: [f64; 2], q: f64, width: f64) -> f64 {
    debug_assert!((0.0..=1.0).contains(&q) && width >= 1.0, "q={q} W={width}");
    branch_s + at_least_one(1.0 - q, width) * branched_s[0] + at_least_one(q, width) * branched_s[1]
}

/// Returns the seconds for a subgroup that runs both paths and selects.
///
/// ```
/// use warplaw::experiments::select::law::select_time;
/// assert_eq!(select_time(0.5, [9.0, 18.0]), 27.5);
/// ```
#[must_use]
pub fn select_time(select_s: f64, straight_s: [f64; 2]) -> f64 {
    select_s + straight_s[0] + straight_s[1]
}

/// Parts of the times of a branch and of a select, in seconds per subgroup.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Time to choose by branch, without a path.
    pub branch_s: f64,
    /// Time to choose by select, without a path.
    pub select_s: f64,
    /// Times of path 0 and path 1 under a branch.
    pub branched_s: [f64; 2],
    /// Times of path 0 and path 1 without a branch.
    pub straight_s: [f64; 2],
}

impl Costs {
    /// Returns the expected seconds for a subgroup of `width` lanes that branches.
    ///
    /// ```
    /// use warplaw::experiments::select::law::Costs;
    /// let costs =
    ///     Costs { branch_s: 1.0, select_s: 0.0, branched_s: [10.0, 20.0], straight_s: [9.0, 18.0] };
    /// assert_eq!(costs.branch_time(0.0, 8.0), 11.0);
    /// assert_eq!(costs.branch_time(1.0, 8.0), 21.0);
    /// // Two lanes, q = 1/2: three of four subgroups take each path.
    /// assert_eq!(costs.branch_time(0.5, 2.0), 1.0 + 7.5 + 15.0);
    /// ```
    #[must_use]
    pub fn branch_time(self, q: f64, width: f64) -> f64 {
        branch_time(self.branch_s, self.branched_s, q, width)
    }

    /// Returns the seconds for a subgroup that runs both paths and selects.
    ///
    /// ```
    /// use warplaw::experiments::select::law::Costs;
    /// let costs =
    ///     Costs { branch_s: 1.0, select_s: 0.5, branched_s: [10.0, 20.0], straight_s: [9.0, 18.0] };
    /// assert_eq!(costs.select_time(), 27.5);
    /// ```
    #[must_use]
    pub fn select_time(self) -> f64 {
        select_time(self.select_s, self.straight_s)
    }

    /// Returns the lowest and the highest divergence probability at which a select costs at most the time of
    /// a branch. Returns `None` if the branch is cheaper at every probability. The select is cheaper in the
    /// complete interval between both, because T_branch is concave in q.
    ///
    /// ```
    /// use warplaw::experiments::select::law::Costs;
    /// // One lane: at every q, the branch costs 2 + 10 and the select costs 20.
    /// let paths_s = [10.0, 10.0];
    /// let costs = Costs { branch_s: 2.0, select_s: 0.0, branched_s: paths_s, straight_s: paths_s };
    /// assert_eq!(costs.selecting_pays(1.0), None);
    /// // 64 lanes almost surely take both paths, and the select saves the 2 s to choose by branch.
    /// let [from, to] = costs.selecting_pays(64.0).unwrap();
    /// assert!(from < 0.05 && (from + to - 1.0).abs() < 1e-9);
    /// ```
    #[must_use]
    pub fn selecting_pays(self, width: f64) -> Option<[f64; 2]> {
        let pays = |q: f64| self.select_time() <= self.branch_time(q, width);
        let peak = self.dearest_branch(width);
        if !pays(peak) {
            return None;
        }
        let edge = |outside: f64| {
            if pays(outside) {
                return outside;
            }
            let (mut out, mut within) = (outside, peak);
            for _ in 0..60 {
                let middle = 0.5 * (out + within);
                if pays(middle) { within = middle } else { out = middle }
            }
            within
        };
        Some([edge(0.0), edge(1.0)])
    }

    /// Returns the divergence probability at which a branch costs most.
    #[must_use]
    pub fn dearest_branch(self, width: f64) -> f64 {
        let (mut lo, mut hi) = (0.0, 1.0);
        // T_branch is concave in q, so a ternary search finds its maximum. On a flat part, every point is a
        // maximum.
        for _ in 0..200 {
            let (left, right) = (lo + (hi - lo) / 3.0, hi - (hi - lo) / 3.0);
            match self.branch_time(left, width).total_cmp(&self.branch_time(right, width)) {
                std::cmp::Ordering::Less => lo = left,
                std::cmp::Ordering::Greater => hi = right,
                std::cmp::Ordering::Equal => (lo, hi) = (left, right),
            }
        }
        0.5 * (lo + hi)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn costs() -> impl Strategy<Value = Costs> {
        let path_s = || 0.1..10.0f64;
        (0.0..5.0f64, 0.0..5.0f64, [path_s(), path_s()], [path_s(), path_s()]).prop_map(
            |(branch_s, select_s, branched_s, straight_s)| Costs {
                branch_s,
                select_s,
                branched_s,
                straight_s,
            },
        )
    }

    proptest! {
        #[test]
        fn a_branch_costs_at_most_its_choice_and_both_paths(
            costs in costs(), q in 0.0..=1.0f64, width in 1.0..129f64,
        ) {
            let both = costs.branch_s + costs.branched_s[0] + costs.branched_s[1];
            prop_assert!(costs.branch_time(q, width) <= both + 1e-9);
        }

        #[test]
        fn a_branch_costs_one_path_if_all_lanes_agree(costs in costs(), width in 1.0..129f64) {
            prop_assert!((costs.branch_time(0.0, width) - costs.branch_s - costs.branched_s[0]).abs() < 1e-9);
            prop_assert!((costs.branch_time(1.0, width) - costs.branch_s - costs.branched_s[1]).abs() < 1e-9);
        }

        #[test]
        fn selecting_pays_exactly_between_its_ends(
            costs in costs(), q in 0.0..=1.0f64, width in 1.0..129f64,
        ) {
            let pays = costs.select_time() <= costs.branch_time(q, width) * (1.0 + 1e-9);
            match costs.selecting_pays(width) {
                Some([from, to]) => {
                    let inside = (from..=to).contains(&q);
                    let near = (q - from).abs() < 1e-6 || (q - to).abs() < 1e-6;
                    prop_assert!(near || inside == pays, "{from}..{to}, q={q}");
                }
                None => prop_assert!(costs.select_time() > costs.branch_time(q, width) * (1.0 - 1e-9)),
            }
        }
    }
}
