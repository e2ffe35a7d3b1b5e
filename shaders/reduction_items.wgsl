// What every reduction stands on: the items, and which of them a lane reads. `Item` (u32 or f32) and
// `add_to_total` are put in front of this text, and a file of kernels behind it: WGSL has no generics,
// no float atomics and no includes.

const LANES: u32 = 256u;

struct Params {
    items: u32,
    blocked: u32, // 1: each lane has a block of items to itself; 0: all stride over the whole grid
    repeats: u32, // for the kernels that price one kind of coordination alone
    every: u32,   // one lane in so many takes part in pricing atomics
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> items: array<Item>;
@group(0) @binding(2) var<storage, read> items4: array<vec4<Item>>;
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

// This lane's share of all items: four at a time, then what four do not divide.
fn share(lane: u32, workgroup: u32, workgroups: u32) -> Item {
    let quads = params.items / 4u;
    var first = workgroup * LANES + lane;
    var step = workgroups * LANES;
    var end = quads;
    if params.blocked != 0u {
        let block = (quads + step - 1u) / step;
        first *= block;
        end = min(first + block, quads);
        step = 1u;
    }
    var sum = vec4<Item>();
    for (var i = first; i < end; i += step) {
        sum += items4[i];
    }
    var rest = Item(0);
    let last = quads * 4u + workgroup * LANES + lane;
    if last < params.items {
        rest = items[last];
    }
    return sum.x + sum.y + sum.z + sum.w + rest;
}
