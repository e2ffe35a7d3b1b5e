//! Coordination: the time to combine N items into one.
//!
//! # Formula
//! T = r + Σ over dispatches of (α + s·t_s + max(b·t_b, τ) + a·t_a): the sum of the read time and of all
//! costs of coordination.
//!
//! - r: seconds to read the same items with the same access pattern, without coordination
//! - α: seconds per dispatch
//! - s: number of subgroup sums; t_s: seconds per subgroup sum
//! - b: number of trees, each of which sums the values of one workgroup; t_b: seconds per tree on a full
//!   device; τ: latency of one tree in seconds, the lower bound for a dispatch that contains a tree
//! - a: number of atomics on one address; t_a: seconds per atomic on a full device
//!
//! The formula is an upper bound if the hardware overlaps reading with coordination. Of two equal costs the
//! hardware can hide one completely.
//!
//! # Source
//! M. Harris, "Optimizing parallel reduction in CUDA", NVIDIA, 2007, adds up the costs in the same way.
//! warplaw measures each cost separately.

/// Operations of each kind of coordination in one dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Step {
    /// Number of subgroup sums.
    pub subgroup_sums: f64,
    /// Number of trees, each of which sums the values of one workgroup.
    pub trees: f64,
    /// Number of atomics on one address.
    pub atomics: f64,
}

/// Cost of each kind of coordination, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prices {
    /// Seconds per dispatch.
    pub dispatch_s: f64,
    /// Seconds per subgroup sum.
    pub subgroup_sum_s: f64,
    /// Seconds per tree on a full device.
    pub tree_s: f64,
    /// Latency of one tree in seconds.
    pub tree_latency_s: f64,
    /// Seconds per atomic.
    pub atomic_s: f64,
}

/// Returns the seconds of one dispatch, without the time to read its input.
///
/// ```
/// use warplaw::experiments::reduction::law::{step_time, Prices, Step};
/// let prices = Prices { dispatch_s: 10.0, atomic_s: 2.0, ..Prices::default() };
/// let one_atomic_per_item = Step { atomics: 100.0, ..Step::default() };
/// assert_eq!(step_time(one_atomic_per_item, prices), 10.0 + 200.0);
/// ```
#[must_use]
pub fn step_time(step: Step, prices: Prices) -> f64 {
    let latency = if step.trees > 0.0 { prices.tree_latency_s } else { 0.0 };
    prices.dispatch_s
        + cost(step.subgroup_sums, prices.subgroup_sum_s)
        + cost(step.trees, prices.tree_s).max(latency)
        + cost(step.atomics, prices.atomic_s)
}

/// Returns the seconds of `count` operations. Zero operations take no time even if `price_s` is NaN.
fn cost(count: f64, price_s: f64) -> f64 {
    if count == 0.0 { 0.0 } else { count * price_s }
}

/// Returns the seconds of a sequence of dependent dispatches, with `read_s` for reading their input.
#[must_use]
pub fn time(read_s: f64, steps: impl IntoIterator<Item = Step>, prices: Prices) -> f64 {
    read_s + steps.into_iter().map(|step| step_time(step, prices)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_cost_affects_only_steps_that_need_it() {
        let prices = Prices { dispatch_s: 1.0, atomic_s: f64::NAN, ..Prices::default() };
        assert_eq!(step_time(Step::default(), prices), 1.0);
        assert!(step_time(Step { atomics: 1.0, ..Step::default() }, prices).is_nan());
    }

    #[test]
    fn many_trees_cost_their_throughput_and_few_trees_cost_the_latency_of_one() {
        let prices =
            Prices { tree_s: 0.5, tree_latency_s: 8.0, atomic_s: 3.0, ..Prices::default() };
        let step = |trees: f64| Step { trees, atomics: trees, ..Step::default() };
        assert_eq!(step_time(step(100.0), prices), 50.0 + 300.0);
        assert_eq!(step_time(step(1.0), prices), 8.0 + 3.0);
        assert_eq!(time(7.0, [step(100.0), step(1.0)], prices), 7.0 + 350.0 + 11.0);
    }
}
