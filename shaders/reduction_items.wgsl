// What every reduction stands on: the items, and which of them a lane reads. `Item` (u32 or f32) and
// `add_to_total` are put in front of this text, and behind it what a load is, `sum_of` with as many loads ahead
// as the shape asks, and a file of kernels: WGSL has no generics, no float atomics and no includes.

override WORKGROUP_SIZE: u32 = 256u;

struct Params {
    items: u32,
    blocked: u32, // 1: each lane has a block of items to itself; 0: all stride over the whole grid
    repeats: u32, // for the kernels that price one kind of coordination alone
    every: u32,   // one lane in so many takes part in pricing atomics
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> items: array<Item>;
@group(0) @binding(2) var<storage, read> loads: array<Load>;
@group(0) @binding(3) var<storage, read_write> total: atomic<u32>;
@group(0) @binding(4) var<storage, read_write> partials: array<Item>;

// A grid of more than 65,535 workgroups is folded into two dimensions.
fn flat_workgroup(workgroup: vec3<u32>, grid: vec3<u32>) -> u32 {
    return workgroup.y * grid.x + workgroup.x;
}

fn item_or_zero(index: u32) -> Item {
    if index < params.items {
        return items[index];
    }
    return Item(0);
}

// This lane's share of all items: whole loads, then what they leave.
fn share(local_index: u32, workgroup: u32, workgroups: u32) -> Item {
    let whole = params.items / VECTOR;
    let flat = workgroup * WORKGROUP_SIZE + local_index;
    var first = flat;
    var step = workgroups * WORKGROUP_SIZE;
    var end = whole;
    if params.blocked != 0u {
        let block = (whole + step - 1u) / step;
        first *= block;
        end = min(first + block, whole);
        step = 1u;
    }
    var rest = Item(0);
    for (var last = whole * VECTOR + flat; last < params.items; last += workgroups * WORKGROUP_SIZE) {
        rest += items[last];
    }
    return sum_of(first, step, end) + rest;
}
