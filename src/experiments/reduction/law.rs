//! Coordination: what a reduction pays to bring N items to one.
//!
//! # Formula
//! T = r + Σ over dispatches of (α + s·t_s + max(b·t_b, τ) + a·t_a): the work of coordination laid end to
//! end.
//!
//! - r: seconds that reading the same items in the same way takes alone
//! - α: seconds a dispatch costs
//! - s: sums over a subgroup; t_s: seconds each costs
//! - b: trees over a workgroup; t_b: seconds each costs with the hardware full; τ: seconds that one takes
//!   from start to end, below which a dispatch with any tree never falls
//! - a: atomic operations on one address; t_a: seconds each costs with the hardware full
//!
//! An upper bound where the hardware overlaps reading with coordinating: of two equal costs it may hide
//! one whole.
//!
//! # Source
//! The serial composition of costs of M. Harris, "Optimizing parallel reduction in CUDA", NVIDIA,
//! 2007, with each cost measured on its own.

/// How much of each kind of coordination one dispatch asks for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Step {
    /// Sums over a subgroup.
    pub subgroup_sums: f64,
    /// Trees over a workgroup.
    pub trees: f64,
    /// Atomic operations on one address.
    pub atomics: f64,
}

/// What each kind costs, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prices {
    /// A dispatch.
    pub dispatch_s: f64,
    /// A sum over a subgroup.
    pub subgroup_sum_s: f64,
    /// A tree, with the hardware full.
    pub tree_s: f64,
    /// A tree from start to end.
    pub tree_latency_s: f64,
    /// An atomic.
    pub atomic_s: f64,
}

/// Seconds for one dispatch, without what it reads.
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

/// What is not asked for costs nothing, even where its price is not known.
fn cost(count: f64, price_s: f64) -> f64 {
    if count == 0.0 { 0.0 } else { count * price_s }
}

/// Seconds for dependent dispatches and for reading their input, `read_s`.
#[must_use]
pub fn time(read_s: f64, steps: impl IntoIterator<Item = Step>, prices: Prices) -> f64 {
    read_s + steps.into_iter().map(|step| step_time(step, prices)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_that_is_not_known_matters_only_to_those_who_pay_it() {
        let prices = Prices { dispatch_s: 1.0, atomic_s: f64::NAN, ..Prices::default() };
        assert_eq!(step_time(Step::default(), prices), 1.0);
        assert!(step_time(Step { atomics: 1.0, ..Step::default() }, prices).is_nan());
    }

    #[test]
    fn many_trees_cost_their_number_and_few_cost_one_from_start_to_end() {
        let prices =
            Prices { tree_s: 0.5, tree_latency_s: 8.0, atomic_s: 3.0, ..Prices::default() };
        let step = |trees: f64| Step { trees, atomics: trees, ..Step::default() };
        assert_eq!(step_time(step(100.0), prices), 50.0 + 300.0);
        assert_eq!(step_time(step(1.0), prices), 8.0 + 3.0);
        assert_eq!(time(7.0, [step(100.0), step(1.0)], prices), 7.0 + 350.0 + 11.0);
    }
}
