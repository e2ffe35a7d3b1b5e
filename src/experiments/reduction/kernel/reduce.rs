//! The reductions themselves.

use super::build::{Builder, Grid, Params, launch, trees, workgroups_for};
use super::items::Items;
use super::variant::Variant;
use crate::gpu::{Demand, Workload};
use crate::kernels::{Load, Shape};

/// A reduction of the first `count` items; only those that [share](Variant::shares) heed `shape`.
#[must_use]
pub fn reduce(variant: Variant, items: &Items, count: u32, shape: Shape) -> Workload {
    let mut build = Builder::new(items, shape);
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
            let at = Grid::shared(shape, count);
            let params = Params::shared(count, shape);
            if at.workgroups == 1 {
                let total = build.zeroed(1);
                build.summing("share_pass", [0, total], params, at);
                total
            } else {
                // A load may reach beyond the last partial.
                let partials =
                    build.zeroed(at.workgroups.next_multiple_of(Load::MOST_WORDS) as usize);
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
            // One dispatch that adds to one total; only how much is summed before differs.
            let (at, params) = if variant.shares() {
                (Grid::shared(shape, count), Params::shared(count, shape))
            } else {
                (Grid::whole(workgroups_for(count)), Params::items(count))
            };
            let total = build.zeroed(1);
            build.dispatch(variant.word(), [0, total], params, at, move |width| {
                let bytes = f64::from(count) * 4.0;
                let (atomics, demand) = match variant {
                    Variant::AtomicPerItem => (count, launch(at, width, bytes)),
                    Variant::SubgroupThenAtomic => {
                        (count.div_ceil(width), launch(at, width, bytes))
                    }
                    Variant::SubgroupSinglePass => {
                        (at.workgroups * at.lanes.div_ceil(width), launch(at, width, bytes))
                    }
                    _ => (at.workgroups, trees(at, 1, width, bytes)),
                };
                Demand { atomics: f64::from(atomics), ..demand }
            });
            total
        }
    };
    let items = items.clone();
    build.finish(&format!("{} of {count}", variant.word()), checked, move || {
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
        let levels =
            |count| reduce(Variant::MultiPass, &items, count, Shape::strided(1)).dispatches.len();
        assert_eq!([1, 256, 257, 65_536, 65_537].map(levels), [1, 1, 2, 2, 3]);
    }
}
