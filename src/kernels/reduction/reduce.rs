//! The reductions themselves.

use super::{Builder, Items, LANES, Params, Share, Variant, launch, trees, workgroups_for};
use crate::gpu::{Demand, Workload};

/// A reduction of the first `count` items; only [`Variant::shares`] need `share`.
#[must_use]
pub fn reduce(variant: Variant, items: &Items, count: u32, share: Share) -> Workload {
    let mut build = Builder::new(items);
    build.subgroups = variant.needs_subgroups();
    let launched = workgroups_for(count);
    let bytes = f64::from(count) * 4.0;
    let checked = match variant {
        Variant::AtomicPerItem | Variant::SubgroupThenAtomic => {
            let total = build.zeroed(1);
            let per_item = variant == Variant::AtomicPerItem;
            build.dispatch(
                variant.word(),
                [0, total],
                Params::items(count),
                launched,
                move |width| {
                    let sums = f64::from(count.div_ceil(width));
                    Demand {
                        atomics: if per_item { f64::from(count) } else { sums },
                        ..launch(launched, width, bytes)
                    }
                },
            );
            total
        }
        Variant::TreeInterleaved | Variant::TreeSequential => {
            let total = build.zeroed(1);
            build.dispatch(
                variant.word(),
                [0, total],
                Params::items(count),
                launched,
                move |width| Demand {
                    atomics: f64::from(launched),
                    ..trees(launched, 1, width, bytes)
                },
            );
            total
        }
        Variant::MultiPass => {
            let (mut source, mut left) = (0, count);
            loop {
                let groups = workgroups_for(left);
                let partials = build.zeroed(groups as usize);
                build.summing("tree_pass", [source, partials], Params::items(left), groups);
                if groups == 1 {
                    break partials;
                }
                (source, left) = (partials, groups);
            }
        }
        Variant::Vec4TwoPass => {
            let groups = share.workgroups(count);
            let partials = build.zeroed(groups.next_multiple_of(4) as usize);
            build.summing("share_pass", [0, partials], Params::shared(count, share), groups);
            let total = build.zeroed(1);
            build.summing("share_pass", [partials, total], Params::items(groups), 1);
            total
        }
        Variant::SubgroupSinglePass => {
            let groups = share.workgroups(count);
            let total = build.zeroed(1);
            let params = Params::shared(count, share);
            build.dispatch(variant.word(), [0, total], params, groups, move |width| Demand {
                atomics: f64::from(groups * LANES.div_ceil(width)),
                ..launch(groups, width, bytes)
            });
            total
        }
        Variant::SinglePass => {
            let groups = share.workgroups(count);
            let total = build.zeroed(1);
            let params = Params::shared(count, share);
            build.dispatch(variant.word(), [0, total], params, groups, move |width| Demand {
                atomics: f64::from(groups),
                ..trees(groups, 1, width, bytes)
            });
            total
        }
    };
    let items = items.clone();
    build.finish(&format!("{} of {count}", variant.word()), checked, move || {
        vec![items.sum_bits(count)]
    })
}
