//! `imbalance`: lanes that loop unequally often.

use std::sync::{Arc, LazyLock};

use crate::gpu::{Demand, Shader, Workload};
use crate::kernels::chain::{SETUP_ISSUES, TRIP_ISSUES, four_chains};
use crate::kernels::{Kernel, Launch, cyclic_demand, cyclic_mask, module};

/// The module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("imbalance", include_str!("../../../shaders/imbalance.wgsl"), false)
    });
    Arc::clone(&SHADER)
}

/// One dispatch over items of uneven length.
#[derive(Debug, Clone)]
pub struct Uneven {
    /// Lanes in a workgroup, a power of two.
    pub lanes: u32,
    /// Workgroups.
    pub workgroups: u32,
    /// Steps of each item, used cyclically: a power of two of them, and at least `lanes`.
    pub trips: Arc<[u32]>,
    /// Where the lanes start.
    pub seed: u32,
}

impl Uneven {
    /// The workload, timed as one pass.
    ///
    /// # Panics
    /// When the items are not a power of two or fewer than the lanes.
    #[must_use]
    pub fn workload(self) -> Workload {
        let mask = cyclic_mask(&self.trips, self.lanes);
        Launch {
            label: format!("uneven, {} lanes", self.lanes),
            shader: shader(),
            entry: "uneven",
            lanes: self.lanes,
            workgroups: self.workgroups,
            params: vec![("mask", mask), ("seed", self.seed)],
            reads: Some(("trips", Arc::clone(&self.trips))),
        }
        .of(self)
    }
}

impl Kernel for Uneven {
    /// One output for each item, or for each lane if those are fewer.
    fn twin(&self) -> Vec<u32> {
        let lanes = self.workgroups as usize * self.lanes as usize;
        let items = self.trips.iter().zip(0..).take(lanes);
        items.map(|(&trips, item)| four_chains(item ^ self.seed, trips)).collect()
    }

    /// Counts, subgroup by subgroup, the steps of its longest item.
    fn demand(&self, width: u32) -> Demand {
        let subgroup_issues = |items: &[u32]| {
            let longest = items.iter().copied().max().unwrap_or(0);
            SETUP_ISSUES + TRIP_ISSUES * f64::from(longest)
        };
        cyclic_demand(&self.trips, [self.lanes, self.workgroups, width], subgroup_issues)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demand_follows_the_longest_item_of_each_subgroup() {
        let uneven =
            |trips: Vec<u32>| Uneven { lanes: 4, workgroups: 1, trips: trips.into(), seed: 0 };
        let trips = |items: Vec<u32>, width: u32| {
            let issues = uneven(items).demand(width).issues;
            (issues - f64::from(4 / width) * SETUP_ISSUES) / TRIP_ISSUES
        };
        assert_eq!(trips(vec![1, 5, 1, 1], 4), 5.0);
        assert_eq!(trips(vec![1, 5, 1, 1], 2), 6.0);
        assert_eq!(trips(vec![1, 1, 1, 5], 1), 8.0);
    }

    #[test]
    fn every_item_has_its_own_answer() {
        let uneven =
            Uneven { lanes: 4, workgroups: 2, trips: [0, 1, 2, 3, 3, 2, 1, 0].into(), seed: 5 };
        assert_eq!(uneven.twin()[6], four_chains(6 ^ 5, 1));
        let one = Uneven { workgroups: 1, ..uneven };
        assert_eq!(one.twin().len(), 4, "only what is launched");
    }
}
