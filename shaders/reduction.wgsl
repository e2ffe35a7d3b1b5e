// Many items to one, in every classical way that needs no subgroup operations.

const RARE: u32 = 1u << 22u; // one u32 in 1024 is smaller

var<workgroup> scratch: array<Item, LANES>;

// Leaves the sum of `scratch` in its first element. Neighbours first: the lanes at work are spread thin
// over every subgroup.
fn sum_interleaved(lane: u32) {
    for (var stride = 1u; stride < LANES; stride *= 2u) {
        workgroupBarrier();
        if lane % (2u * stride) == 0u {
            scratch[lane] += scratch[lane + stride];
        }
    }
    workgroupBarrier();
}

// The same, halves first: the lanes at work stay packed, and whole subgroups retire.
fn sum_sequential(lane: u32) {
    for (var stride = LANES / 2u; stride > 0u; stride /= 2u) {
        workgroupBarrier();
        if lane < stride {
            scratch[lane] += scratch[lane + stride];
        }
    }
    workgroupBarrier();
}

@compute @workgroup_size(LANES)
fn atomic_per_item(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let index = flat_workgroup(workgroup, grid) * LANES + lane;
    if index < params.items {
        add_to_total(items[index]);
    }
}

@compute @workgroup_size(LANES)
fn tree_interleaved(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    scratch[lane] = item_or_zero(flat_workgroup(workgroup, grid) * LANES + lane);
    sum_interleaved(lane);
    if lane == 0u {
        add_to_total(scratch[0]);
    }
}

@compute @workgroup_size(LANES)
fn tree_sequential(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    scratch[lane] = item_or_zero(flat_workgroup(workgroup, grid) * LANES + lane);
    sum_sequential(lane);
    if lane == 0u {
        add_to_total(scratch[0]);
    }
}

// One level of a multi-pass tree: each workgroup leaves one partial.
@compute @workgroup_size(LANES)
fn tree_pass(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let flat = flat_workgroup(workgroup, grid);
    scratch[lane] = item_or_zero(flat * LANES + lane);
    sum_sequential(lane);
    if lane == 0u && flat * LANES < params.items {
        partials[flat] = scratch[0];
    }
}

// Reading alone: the ceiling that no reduction can pass.
@compute @workgroup_size(LANES)
fn read_only(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    partials[workgroup.x * LANES + lane] = share(lane, workgroup.x, grid.x);
}

// Reading alone, one item per lane, as the trees read: an item is kept only where it is rare, so that
// writing costs next to nothing and still every item must have been read.
@compute @workgroup_size(LANES)
fn read_one(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let index = flat_workgroup(workgroup, grid) * LANES + lane;
    if index < params.items {
        let item = items[index];
        if item < Item(RARE) {
            partials[index] = item;
        }
    }
}

@compute @workgroup_size(LANES)
fn share_pass(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    scratch[lane] = share(lane, workgroup.x, grid.x);
    sum_sequential(lane);
    if lane == 0u {
        partials[workgroup.x] = scratch[0];
    }
}

@compute @workgroup_size(LANES)
fn single_pass(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    scratch[lane] = share(lane, workgroup.x, grid.x);
    sum_sequential(lane);
    if lane == 0u {
        add_to_total(scratch[0]);
    }
}

// The price of an atomic: as many as asked, nothing read. Lanes add one and two in turn, lest a
// compiler add up a constant by itself.
@compute @workgroup_size(LANES)
fn atomics_alone(@builtin(local_invocation_index) lane: u32) {
    if lane % params.every == 0u {
        for (var i = 0u; i < params.repeats; i++) {
            add_to_total(Item(1u + lane / params.every % 2u));
        }
    }
}

// The price of a tree: as many as asked on values that never leave the workgroup. Without repeats, the
// price of launching the workgroup.
@compute @workgroup_size(LANES)
fn tree_alone_interleaved(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    var value = Item(lane);
    for (var i = 0u; i < params.repeats; i++) {
        scratch[lane] = value;
        sum_interleaved(lane);
        value = scratch[0] - value;
        workgroupBarrier();
    }
    partials[workgroup.x * LANES + lane] = value;
}

@compute @workgroup_size(LANES)
fn tree_alone_sequential(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    var value = Item(lane);
    for (var i = 0u; i < params.repeats; i++) {
        scratch[lane] = value;
        sum_sequential(lane);
        value = scratch[0] - value;
        workgroupBarrier();
    }
    partials[workgroup.x * LANES + lane] = value;
}
