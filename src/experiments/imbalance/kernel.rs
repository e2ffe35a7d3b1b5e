//! Kernel of `imbalance`: lanes whose loops have different numbers of iterations.

use std::sync::{Arc, LazyLock};

use crate::gpu::{CostModel, DeviceShape, Invariant, Shader, Workload};
use crate::kernels::chain::{FOUR_CHAINS, ITERATION_ISSUES, four_chains};
use crate::kernels::{Kernel, Launch, cyclic_cost_model, cyclic_mask, module};

/// Instructions that a subgroup issues before and after its loop.
const SETUP_ISSUES: f64 = 22.0;

const INVARIANTS: &[Invariant] = &[Invariant::new(
    &["uneven"],
    FOUR_CHAINS,
    "an iteration that is dropped or hoisted costs nothing",
)];

/// Returns the WGSL module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("imbalance", include_str!("../../../shaders/imbalance.wgsl"), &[], INVARIANTS)
    });
    Arc::clone(&SHADER)
}

/// One dispatch over items of uneven length.
#[derive(Debug, Clone)]
pub struct Uneven {
    /// Invocations per workgroup, a power of two.
    pub workgroup_size: u32,
    /// Number of workgroups, a multiple of `copies`.
    pub workgroups: u32,
    /// Workgroups in a row that run the same items, at least 1.
    pub copies: u32,
    /// Loop iterations of each item. The number of items is a power of two and at least `workgroup_size`.
    /// Invocations use the items cyclically.
    pub iterations: Arc<[u32]>,
    /// Seed of the initial values.
    pub seed: u32,
}

impl Uneven {
    /// Returns the workload, timed as one pass.
    ///
    /// # Panics
    /// Panics if the number of items or the workgroup size is not a power of two, if there are fewer items than
    /// invocations per workgroup, or if the copies do not divide the workgroups.
    #[must_use]
    pub fn workload(self) -> Workload {
        assert!(self.workgroups.is_multiple_of(self.copies), "{self:?}");
        let places = self.workgroups / self.copies;
        let mask = cyclic_mask(&self.iterations, self.workgroup_size);
        Launch {
            label: format!("uneven, {} invocations", self.workgroup_size),
            shader: shader(),
            entry: "uneven",
            workgroup_size: self.workgroup_size,
            workgroups: self.workgroups,
            params: vec![
                ("mask", mask),
                ("copies", self.copies),
                ("places", places),
                ("seed", self.seed),
            ],
            reads: Some(("iterations", Arc::clone(&self.iterations))),
        }
        .of(self)
    }
}

impl Kernel for Uneven {
    /// Returns one output per item, or one per invocation if there are fewer invocations than items.
    fn reference(&self) -> Vec<u32> {
        let invocations = self.workgroups as usize * self.workgroup_size as usize;
        let items = self.iterations.iter().zip(0..).take(invocations);
        items.map(|(&iterations, item)| four_chains(item ^ self.seed, iterations)).collect()
    }

    /// Counts the loop iterations of the longest item of each subgroup.
    fn cost_model(&self, shape: DeviceShape) -> CostModel {
        let subgroup_issues = |items: &[u32]| {
            let longest = |items: &[u32]| f64::from(items.iter().copied().max().unwrap_or(0));
            let at_once = items.chunks(shape.issue_width as usize);
            let slots = at_once.len() as f64;
            let iterations = if shape.skips_inactive {
                at_once.map(longest).sum()
            } else {
                slots * longest(items)
            };
            slots * SETUP_ISSUES + iterations * ITERATION_ISSUES
        };
        let work = cyclic_cost_model(
            &self.iterations,
            [self.workgroup_size, self.workgroups],
            shape,
            subgroup_issues,
        );
        let of_a_workgroup = self.workgroup_size.div_ceil(shape.width) as usize;
        let in_order = work.uneven.iter().flat_map(|issues| issues.chunks(of_a_workgroup));
        let copies = in_order.flat_map(|issues| std::iter::repeat_n(issues, self.copies as usize));
        CostModel { uneven: Some(copies.flatten().copied().collect()), ..work }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_follows_the_longest_item_of_each_subgroup() {
        let uneven = |iterations: Vec<u32>| Uneven {
            workgroup_size: 4,
            workgroups: 1,
            copies: 1,
            iterations: iterations.into(),
            seed: 0,
        };
        let iterations = |items: Vec<u32>, width: u32| {
            let issues = uneven(items).cost_model(width.into()).issues;
            (issues - f64::from(4 / width) * SETUP_ISSUES) / ITERATION_ISSUES
        };
        assert_eq!(iterations(vec![1, 5, 1, 1], 4), 5.0);
        assert_eq!(iterations(vec![1, 5, 1, 1], 2), 6.0);
        assert_eq!(iterations(vec![1, 1, 1, 5], 1), 8.0);
    }

    #[test]
    fn every_launched_item_has_one_output() {
        let uneven = Uneven {
            workgroup_size: 4,
            workgroups: 2,
            copies: 1,
            iterations: [0, 1, 2, 3, 3, 2, 1, 0].into(),
            seed: 5,
        };
        assert_eq!(uneven.reference()[6], four_chains(6 ^ 5, 1));
        let one = Uneven { workgroups: 1, ..uneven };
        assert_eq!(one.reference().len(), 4, "only launched invocations have an output");
    }
}
