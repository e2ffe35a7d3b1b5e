//! What a variant asks for.

use super::kernel::{Variant, WORKGROUP_SIZE};
use super::law::Step;
use crate::bench::Context;
use crate::experiments::lanes::law::subgroups;
use crate::kernels::LaunchConfig;

/// Lanes that a subgroup operation joins: what a shader sees, however wide the hardware issues.
pub(super) fn subgroup_size(context: &Context<'_>) -> u32 {
    context.reported_width.or(context.width).unwrap_or(1)
}

/// What a variant asks of each of its dispatches, by the algorithm alone.
pub(super) fn steps(variant: Variant, count: u32, config: LaunchConfig, width: u32) -> Vec<Step> {
    let grid = config.workgroups_for(count);
    let groups = count.div_ceil(WORKGROUP_SIZE).max(1);
    let trees = |n: u32| Step { trees: f64::from(n), ..Step::default() };
    // Every subgroup launched sums and adds, those of the last workgroup that hold no item too.
    let subgroup_sums = |n: u32, lanes: u32| {
        let sums = f64::from(n * subgroups(lanes, width));
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
