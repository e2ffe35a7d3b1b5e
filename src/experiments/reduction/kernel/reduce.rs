//! The workloads of the reductions.

use super::build::{Builder, Grid, Params, launch, trees, workgroups_for};
use super::items::Items;
use super::variant::Variant;
use crate::gpu::{CostModel, Workload};
use crate::kernels::{LaunchConfig, Load};

/// Builds a reduction of the first `count` items. Only variants that [share](Variant::shares) items use
/// `config`.
#[must_use]
pub fn reduce(variant: Variant, items: &Items, count: u32, config: LaunchConfig) -> Workload {
    let mut build = Builder::new(items, count, config);
    build.subgroups = variant.needs_subgroups();
    let checked = match variant {
        Variant::MultiPass => {
            let (mut source, mut left) = (0, count);
            loop {
                let groups = workgroups_for(left);
                let partials = build.zeroed(groups as usize);
                let at = Grid::whole(groups);
                build.summing("tree_pass", [source, partials], Params::items(left), at);
                if groups == 1 {
                    break partials;
                }
                (source, left) = (partials, groups);
            }
        }
        Variant::TwoPass => {
            let at = Grid::shared(config, count);
            let params = Params::shared(count, config);
            if at.workgroups == 1 {
                let total = build.zeroed(1);
                build.summing("share_pass", [0, total], params, at);
                total
            } else {
                // The last load may extend past the last partial sum.
                let partials =
                    build.zeroed(at.workgroups.next_multiple_of(Load::MAX_WORDS) as usize);
                build.summing("share_pass", [0, partials], params, at);
                let total = build.zeroed(1);
                let last = Grid { workgroups: 1, ..at };
                build.summing("share_pass", [partials, total], Params::items(at.workgroups), last);
                total
            }
        }
        Variant::AtomicPerItem
        | Variant::SubgroupThenAtomic
        | Variant::TreeInterleaved
        | Variant::TreeSequential
        | Variant::SinglePass
        | Variant::SubgroupSinglePass => {
            // These variants add to one total in one dispatch. They differ in the sums before the atomics.
            let (at, params) = if variant.shares() {
                (Grid::shared(config, count), Params::shared(count, config))
            } else {
                (Grid::whole(workgroups_for(count)), Params::items(count))
            };
            let total = build.zeroed(1);
            build.dispatch(variant.as_str(), [0, total], params, at, move |shape| {
                let bytes = f64::from(count) * 4.0;
                let (atomics, cost_model) = match variant {
                    Variant::AtomicPerItem => {
                        let requests = shape.requests(shape.width, 1);
                        (count.div_ceil(shape.width) * requests, launch(at, shape, bytes))
                    }
                    Variant::SubgroupThenAtomic => {
                        (count.div_ceil(shape.width), launch(at, shape, bytes))
                    }
                    Variant::SubgroupSinglePass => (
                        at.workgroups * at.workgroup_size.div_ceil(shape.width),
                        launch(at, shape, bytes),
                    ),
                    _ => (at.workgroups, trees(at, 1, shape, bytes)),
                };
                CostModel { atomics: f64::from(atomics), ..cost_model }
            });
            total
        }
    };
    let items = items.clone();
    build.finish(&format!("{} of {count}", variant.as_str()), checked, move || {
        vec![items.sum_bits(count)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Number;

    #[test]
    fn a_multi_pass_tree_has_a_level_per_factor_of_256() {
        let items = Items::random(Number::U32, 70_000, 1);
        let levels = |count| {
            reduce(Variant::MultiPass, &items, count, LaunchConfig::strided(1)).dispatches.len()
        };
        assert_eq!([1, 256, 257, 65_536, 65_537].map(levels), [1, 1, 2, 2, 3]);
    }
}
