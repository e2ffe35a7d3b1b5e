//! How many items are reduced.

use super::kernel::Variant;
use crate::bench::Context;
use crate::kernels::Number;

/// The largest input, 64 MiB, and the largest of a first look at a few cores, which read slowly.
pub(super) const MAX_ITEMS: u32 = 1 << 24;
const MAX_ITEMS_AT_A_GLANCE: u32 = 1 << 22;
/// One compare-and-swap per item is quadratic under contention: more could hang a large GPU.
pub(super) const MAX_SWAPS: u32 = 1 << 14;
/// Where few cores run all workgroups in turn, each barrier is a switch between lanes: with an item a lane,
/// larger inputs take most of a sample or more.
pub(super) const MAX_ITEMS_PER_LANE_ON_FEW_CORES: u32 = 1 << 16;

pub(super) fn most_items(context: &Context<'_>) -> u32 {
    if context.is_narrow() && !context.profile.dense { MAX_ITEMS_AT_A_GLANCE } else { MAX_ITEMS }
}

pub(super) fn sizes(context: &Context<'_>, variant: Variant, item: Number) -> Vec<u32> {
    let all: &[u32] = match (context.profile.dense, item, variant.shares()) {
        (true, Number::U32, _) => {
            &[1, 255, 4_097, 65_536, 262_143, 1 << 20, (1 << 22) + 3, MAX_ITEMS]
        }
        (true, Number::F32, _) => &[1, 4_097, 262_143, MAX_ITEMS],
        (false, Number::U32, true) => &[1, 262_143, MAX_ITEMS_AT_A_GLANCE, MAX_ITEMS],
        (false, Number::U32, false) => &[1, 4_097, 65_535],
        (false, Number::F32, _) if swaps_per_item(variant, item) => &[4_097],
        (false, Number::F32, false) => &[65_535],
        (false, Number::F32, true) => &[262_143],
    };
    let most = if swaps_per_item(variant, item) {
        MAX_SWAPS
    } else if context.is_narrow() && !variant.shares() {
        MAX_ITEMS_PER_LANE_ON_FEW_CORES
    } else {
        most_items(context)
    };
    all.iter().copied().filter(|&count| count <= most).collect()
}

/// How many times the work of `fewer` items `count` of them are.
pub(super) fn growth(variant: Variant, item: Number, fewer: u32, count: u32) -> f64 {
    let times = f64::from(count) / f64::from(fewer);
    if swaps_per_item(variant, item) { times * times } else { times }
}

fn swaps_per_item(variant: Variant, item: Number) -> bool {
    item == Number::F32 && variant == Variant::AtomicPerItem
}
