//! Coordination: the time to combine N items into one.
//!
//! # Formula
//! T = Σ over dispatches of (α + w ⊕ a·t_a) with w = r + s·t_s + max(b·t_b, τ): the sum of the read time and of the costs of
//! coordination. On a GPU nothing waits for atomics whose results are not used, so w ⊕ a·t_a = max(w, a·t_a). On a CPU a
//! core does one thing at a time, so w ⊕ a·t_a = w + a·t_a.
//!
//! - r: seconds to read the same items with the same access pattern, without coordination; zero for all dispatches but the
//!   first, which read one value per workgroup
//! - α: seconds per dispatch
//! - s: number of subgroup sums; t_s: seconds per subgroup sum
//! - b: number of trees, each of which sums the values of one workgroup; t_b: seconds per tree on a full
//!   device; τ: latency of one tree in seconds, the lower bound for a dispatch that contains a tree
//! - a: number of atomics on one address; t_a: seconds per atomic on a full device
//!
//! The formula is an upper bound if workgroups read while others coordinate. Of two equal costs the hardware can hide one
//! completely.
//!
//! An atomic that is a loop of compare-and-swaps repeats while others succeed. Its time depends on how many wait, so the
//! formula does not cover it.
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
    /// Whether atomics take place while the device does other work, as on a GPU.
    pub atomics_overlap: bool,
}

/// Returns the seconds of one dispatch that reads its input in `read_s`.
///
/// ```
/// use warplaw::experiments::reduction::law::{step_time, Prices, Step};
/// let prices = Prices { dispatch_s: 10.0, atomic_s: 2.0, ..Prices::default() };
/// let one_atomic_per_item = Step { atomics: 100.0, ..Step::default() };
/// assert_eq!(step_time(50.0, one_atomic_per_item, prices), 10.0 + 50.0 + 200.0);
/// // On a GPU, the reads take place meanwhile.
/// let on_gpu = Prices { atomics_overlap: true, ..prices };
/// assert_eq!(step_time(50.0, one_atomic_per_item, on_gpu), 10.0 + 200.0);
/// ```
#[must_use]
pub fn step_time(read_s: f64, step: Step, prices: Prices) -> f64 {
    let latency_s = if step.trees > 0.0 { prices.tree_latency_s } else { 0.0 };
    let work_s = read_s
        + cost(step.subgroup_sums, prices.subgroup_sum_s)
        + cost(step.trees, prices.tree_s).max(latency_s);
    let atomics_s = cost(step.atomics, prices.atomic_s);
    prices.dispatch_s
        + match prices.atomics_overlap {
            // Unlike `max`, this is unknown if the time of the atomics is.
            true if atomics_s <= work_s => work_s,
            true => atomics_s,
            false => work_s + atomics_s,
        }
}

/// Returns the seconds of `count` operations. Zero operations take no time even if `price_s` is NaN.
fn cost(count: f64, price_s: f64) -> f64 {
    if count == 0.0 { 0.0 } else { count * price_s }
}

/// Returns the seconds of a sequence of dependent dispatches, with `read_s` for reading their input.
#[must_use]
pub fn time(read_s: f64, steps: impl IntoIterator<Item = Step>, prices: Prices) -> f64 {
    // Only the first dispatch reads the items. The later ones read one value per workgroup.
    let reads = std::iter::once(read_s).chain(std::iter::repeat(0.0));
    steps.into_iter().zip(reads).map(|(step, read_s)| step_time(read_s, step, prices)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_cost_affects_only_steps_that_need_it() {
        let prices = Prices { dispatch_s: 1.0, atomic_s: f64::NAN, ..Prices::default() };
        for prices in [prices, Prices { atomics_overlap: true, ..prices }] {
            assert_eq!(step_time(0.0, Step::default(), prices), 1.0);
            assert!(step_time(0.0, Step { atomics: 1.0, ..Step::default() }, prices).is_nan());
        }
    }

    #[test]
    fn many_trees_cost_their_throughput_and_few_trees_cost_the_latency_of_one() {
        let prices =
            Prices { tree_s: 0.5, tree_latency_s: 8.0, atomic_s: 3.0, ..Prices::default() };
        let step = |trees: f64| Step { trees, atomics: trees, ..Step::default() };
        assert_eq!(step_time(0.0, step(100.0), prices), 50.0 + 300.0);
        assert_eq!(step_time(0.0, step(1.0), prices), 8.0 + 3.0);
        assert_eq!(time(7.0, [step(100.0), step(1.0)], prices), 7.0 + 350.0 + 11.0);
    }
}
