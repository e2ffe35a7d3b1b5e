// One atomic for a whole subgroup. Apart from the rest, since a device without subgroup operations
// refuses the module. `Item` and `add_to_total` are put in front of this text.

const LANES: u32 = 256u;

struct Params {
    items: u32,
    blocked: u32,
    repeats: u32,
    every: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> items: array<Item>;
@group(0) @binding(3) var<storage, read_write> total: atomic<u32>;
@group(0) @binding(4) var<storage, read_write> partials: array<Item>;

@compute @workgroup_size(LANES)
fn subgroup_then_atomic(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
    let index = (workgroup.y * grid.x + workgroup.x) * LANES + lane;
    var value = Item(0);
    if index < params.items {
        value = items[index];
    }
    let sum = subgroupAdd(value);
    if subgroup_lane == 0u {
        add_to_total(sum);
    }
}

// The price of a subgroup's sum: as many as asked on values that never leave it. Ones and the sums of
// ones, halved by division to stay exact, so that each sum waits for the one before.
@compute @workgroup_size(LANES)
fn subgroup_sum_alone(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(subgroup_size) size: u32,
) {
    var value = Item(1);
    for (var i = 0u; i < params.repeats; i++) {
        value = subgroupAdd(value) / Item(size);
    }
    partials[workgroup.x * LANES + lane] = value;
}
