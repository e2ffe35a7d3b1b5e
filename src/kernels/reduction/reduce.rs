//! The reductions themselves.

use super::{Builder, Items, LANES, Params, Share, Variant, launch, trees, workgroups_for};
use crate::gpu::{Demand, Workload};

/// A reduction of the first `count` items; only [`Variant::shares`] need `share`.
#[must_use]
pub fn reduce(variant: Variant, items: &Items, count: u32, share: Share) -> Workload {
    let mut build = Builder::new(items);
    build.subgroups = variant.needs_subgroups();
    let checked = match variant {
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
        Variant::AtomicPerItem
        | Variant::SubgroupThenAtomic
        | Variant::TreeInterleaved
        | Variant::TreeSequential
        | Variant::SinglePass
        | Variant::SubgroupSinglePass => {
            // One dispatch that adds to one total; only how much is summed before differs.
            let (groups, params) = if variant.shares() {
                (share.workgroups(count), Params::shared(count, share))
            } else {
                (workgroups_for(count), Params::items(count))
            };
            let total = build.zeroed(1);
            build.dispatch(variant.word(), [0, total], params, groups, move |width| {
                let bytes = f64::from(count) * 4.0;
                let (atomics, demand) = match variant {
                    Variant::AtomicPerItem => (count, launch(groups, width, bytes)),
                    Variant::SubgroupThenAtomic => {
                        (count.div_ceil(width), launch(groups, width, bytes))
                    }
                    Variant::SubgroupSinglePass => {
                        (groups * LANES.div_ceil(width), launch(groups, width, bytes))
                    }
                    _ => (groups, trees(groups, 1, width, bytes)),
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
