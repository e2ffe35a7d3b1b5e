//! The input sizes of the reductions, in items.

use super::kernel::Variant;
use crate::bench::Context;
use crate::kernels::Number;

/// Items of the largest input that every variant reduces, 64 MiB.
pub(super) const MAX_ITEMS: u32 = 1 << 24;
/// Items of an input that no cache of a GPU holds, 512 MiB. The largest cache known has 256 MiB.
const UNCACHED_ITEMS: u32 = 1 << 27;
/// Items of the largest input in a sparse sweep on a device with few cores, which reads slowly.
const MAX_ITEMS_AT_A_GLANCE: u32 = 1 << 22;
/// Upper bound of the items in a reduction with one compare-and-swap per item. Its time is quadratic under
/// contention, so a larger input could hang a large GPU.
pub(super) const MAX_SWAPS: u32 = 1 << 14;
/// Upper bound of the items in a reduction with one item per invocation on a device with few cores.
///
/// Such a device runs the workgroups one after another, and each barrier switches between invocations. A
/// larger input would take most of a sample or longer.
pub(super) const MAX_ITEMS_PER_LANE_ON_FEW_CORES: u32 = 1 << 16;

/// Returns the number of items of the largest input. Only variants that [share](Variant::shares) items reduce it.
pub(super) fn most_items(context: &Context<'_>) -> u32 {
    if context.is_narrow() {
        // A device with few cores reads from memory hardly more slowly than from a cache, and a larger input would take
        // longer than a sample may.
        return if context.profile.dense { MAX_ITEMS } else { MAX_ITEMS_AT_A_GLANCE };
    }
    let is_bindable = context.facts.limits.binding_bytes >= 4 * u64::from(UNCACHED_ITEMS);
    if is_bindable { UNCACHED_ITEMS } else { MAX_ITEMS }
}

/// Returns whether a large last-level cache may hold so many items.
pub(super) fn may_be_cached(items: u32) -> bool {
    items < UNCACHED_ITEMS
}

/// Returns the input sizes at which `variant` reduces items of type `item`, in ascending order.
pub(super) fn sizes(context: &Context<'_>, variant: Variant, item: Number) -> Vec<u32> {
    let all: &[u32] = match (context.profile.dense, item, variant.shares()) {
        (true, Number::U32, _) => {
            &[1, 255, 4_097, 65_536, 262_143, 1 << 20, (1 << 22) + 3, MAX_ITEMS, UNCACHED_ITEMS]
        }
        (true, Number::F32, _) => &[1, 4_097, 262_143, MAX_ITEMS],
        (false, Number::U32, true) => {
            &[1, 262_143, MAX_ITEMS_AT_A_GLANCE, MAX_ITEMS, UNCACHED_ITEMS]
        }
        (false, Number::U32, false) => &[1, 4_097, 65_535],
        (false, Number::F32, _) if swaps_per_item(variant, item) => &[4_097],
        (false, Number::F32, false) => &[65_535],
        (false, Number::F32, true) => &[262_143],
    };
    let most = if swaps_per_item(variant, item) {
        MAX_SWAPS
    } else if context.is_narrow() && !variant.shares() {
        MAX_ITEMS_PER_LANE_ON_FEW_CORES
    } else if variant.shares() {
        most_items(context)
    } else {
        most_items(context).min(MAX_ITEMS)
    };
    all.iter().copied().filter(|&count| count <= most).collect()
}

/// Returns the work of reducing `count` items divided by the work of reducing `fewer` items.
pub(super) fn growth(variant: Variant, item: Number, fewer: u32, count: u32) -> f64 {
    let times = f64::from(count) / f64::from(fewer);
    if swaps_per_item(variant, item) { times * times } else { times }
}

/// Returns whether the variant performs one compare-and-swap per item.
fn swaps_per_item(variant: Variant, item: Number) -> bool {
    item == Number::F32 && variant == Variant::AtomicPerItem
}
