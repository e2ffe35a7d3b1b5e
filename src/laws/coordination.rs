//! Coordination: what a reduction pays to bring N items to one.
//!
//! # Formula
//! T = d·α + r + s·t_s + b·t_b + a·t_a: the work of coordination laid end to end.
//!
//! - d: dependent dispatches; α: seconds each costs
//! - r: seconds that reading the same items in the same way takes alone
//! - s: sums over a subgroup; t_s: seconds each costs
//! - b: barrier steps over all workgroups; t_b: seconds each costs
//! - a: atomic operations on one address; t_a: seconds each costs
//!
//! t_s, t_b and t_a are taken with the hardware full. An upper bound where the hardware overlaps reading
//! with coordinating: of two equal costs it may hide one whole.
//!
//! # Source
//! The serial composition of costs of M. Harris, "Optimizing parallel reduction in CUDA", NVIDIA,
//! 2007, with each cost measured on its own.

/// How much of each kind of coordination an algorithm asks for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Work {
    /// Dependent dispatches.
    pub dispatches: f64,
    /// Sums over a subgroup.
    pub subgroup_sums: f64,
    /// Barrier steps summed over all workgroups.
    pub barriers: f64,
    /// Atomic operations on one address.
    pub atomics: f64,
}

/// What each kind costs, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prices {
    /// A dispatch.
    pub dispatch_s: f64,
    /// Reading all items.
    pub read_s: f64,
    /// A sum over a subgroup.
    pub subgroup_sum_s: f64,
    /// A barrier step.
    pub barrier_s: f64,
    /// An atomic.
    pub atomic_s: f64,
}

/// Seconds for `work` at `prices`, every cost paid in turn.
///
/// ```
/// use warplaw::laws::coordination::{time, Prices, Work};
/// let prices = Prices { dispatch_s: 10.0, read_s: 200.0, atomic_s: 2.0, ..Prices::default() };
/// let one_atomic_per_item = Work { dispatches: 1.0, atomics: 100.0, ..Work::default() };
/// assert_eq!(time(one_atomic_per_item, prices), 10.0 + 200.0 + 200.0);
/// ```
#[must_use]
pub fn time(work: Work, prices: Prices) -> f64 {
    work.dispatches * prices.dispatch_s
        + prices.read_s
        + work.subgroup_sums * prices.subgroup_sum_s
        + work.barriers * prices.barrier_s
        + work.atomics * prices.atomic_s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_of_halves_costs_a_step_per_doubling() {
        let prices = Prices { barrier_s: 0.5, atomic_s: 3.0, ..Prices::default() };
        // 1024 items in 4 workgroups of 256: 8 steps each, then an atomic each.
        let tree = Work { barriers: 4.0 * 8.0, atomics: 4.0, ..Work::default() };
        assert_eq!(time(tree, prices), 16.0 + 12.0);
    }
}
