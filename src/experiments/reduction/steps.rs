//! The coordination that each variant needs.

use super::kernel::{Variant, WORKGROUP_SIZE};
use super::law::Step;
use crate::bench::Context;
use crate::experiments::lanes::law::subgroups;
use crate::kernels::LaunchConfig;

/// Returns the number of lanes that a subgroup operation combines.
///
/// This is the reported subgroup size, which can differ from the width at which the hardware issues
/// instructions. If the adapter reports none, the function returns the width found by timing, or 1 if no
/// width is known.
pub(super) fn subgroup_size(context: &Context<'_>) -> u32 {
    context.reported_width.or(context.width).unwrap_or(1)
}

/// Returns the coordination in each dispatch of a variant. The counts follow from the algorithm alone.
pub(super) fn steps(variant: Variant, count: u32, config: LaunchConfig, width: u32) -> Vec<Step> {
    let grid = config.workgroups_for(count);
    let groups = count.div_ceil(WORKGROUP_SIZE).max(1);
    let trees = |n: u32| Step { trees: f64::from(n), ..Step::default() };
    // Every launched subgroup performs a sum and an atomic, even a subgroup of the last workgroup without
    // items.
    let subgroup_sums = |n: u32, workgroup_size: u32| {
        let sums = f64::from(n * subgroups(workgroup_size, width));
        Step { subgroup_sums: sums, atomics: sums, ..Step::default() }
    };
    match variant {
        Variant::AtomicPerItem => vec![Step { atomics: f64::from(count), ..Step::default() }],
        Variant::SubgroupThenAtomic => vec![subgroup_sums(groups, WORKGROUP_SIZE)],
        Variant::SubgroupSinglePass => vec![subgroup_sums(grid, config.workgroup_size)],
        Variant::TreeInterleaved | Variant::TreeSequential => {
            vec![Step { atomics: f64::from(groups), ..trees(groups) }]
        }
        Variant::SinglePass => vec![Step { atomics: f64::from(grid), ..trees(grid) }],
        Variant::TwoPass if grid == 1 => vec![trees(1)],
        Variant::TwoPass => vec![trees(grid), trees(1)],
        Variant::MultiPass => {
            let levels = std::iter::successors(Some(groups), |&groups| {
                (groups > 1).then(|| groups.div_ceil(WORKGROUP_SIZE))
            });
            levels.map(trees).collect()
        }
    }
}
