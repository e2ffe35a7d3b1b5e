// Declarations for all reductions: the items, and the share of the items that an invocation reads.
//
// The Rust code puts `Item` (u32 or f32) and `add_to_total` before this text. After this text, it appends the
// type of a load, the function `sum_of` with the loads in flight of the launch configuration, and a file of
// kernels. Text is combined in this way because WGSL has no generics, no float atomics and no includes.

override WORKGROUP_SIZE: u32 = 256u;

struct Params {
    items: u32,
    blocked: u32, // 1: each invocation has a contiguous block; 0: invocations stride by the size of the grid
    repeats: u32, // repeats in the kernels that measure one kind of coordination alone
    every: u32,   // one invocation in `every` executes the atomics of `atomics_alone`
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> items: array<Item>;
@group(0) @binding(2) var<storage, read> loads: array<Load>;
@group(0) @binding(3) var<storage, read_write> total: atomic<u32>;
@group(0) @binding(4) var<storage, read_write> partials: array<Item>;

// Returns the linear index of a workgroup. A grid of more than 65,535 workgroups needs two dimensions.
fn flat_workgroup(workgroup: vec3<u32>, grid: vec3<u32>) -> u32 {
    return workgroup.y * grid.x + workgroup.x;
}

fn item_or_zero(index: u32) -> Item {
    if index < params.items {
        return items[index];
    }
    return Item(0);
}

// Returns the sum of this invocation's share of the items: its complete loads, and its items after the last
// complete load of all.
fn share(local_index: u32, workgroup: u32, workgroups: u32) -> Item {
    let full_loads = params.items / VECTOR;
    let flat = workgroup * WORKGROUP_SIZE + local_index;
    var first = flat;
    var step = workgroups * WORKGROUP_SIZE;
    var end = full_loads;
    if params.blocked != 0u {
        let block = (full_loads + step - 1u) / step;
        first *= block;
        end = min(first + block, full_loads);
        step = 1u;
    }
    var rest = Item(0);
    for (var last = full_loads * VECTOR + flat; last < params.items; last += workgroups * WORKGROUP_SIZE) {
        rest += items[last];
    }
    return sum_of(first, step, end) + rest;
}
