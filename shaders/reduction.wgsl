// Many items to one, in every classical way that needs no subgroup operations.

const RARE: u32 = 1u << 22u; // one u32 in 1024 is smaller

var<workgroup> scratch: array<Item, WORKGROUP_SIZE>;

// Leaves the sum of `scratch` in its first element. Neighbours first: the lanes at work are spread thin
// over every subgroup.
fn sum_interleaved(local_index: u32) {
    for (var stride = 1u; stride < WORKGROUP_SIZE; stride *= 2u) {
        workgroupBarrier();
        if local_index % (2u * stride) == 0u {
            scratch[local_index] += scratch[local_index + stride];
        }
    }
    workgroupBarrier();
}

// The same, halves first: the lanes at work stay packed, and whole subgroups retire.
fn sum_sequential(local_index: u32) {
    for (var stride = WORKGROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
        workgroupBarrier();
        if local_index < stride {
            scratch[local_index] += scratch[local_index + stride];
        }
    }
    workgroupBarrier();
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn atomic_per_item(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let index = flat_workgroup(workgroup, grid) * WORKGROUP_SIZE + local_index;
    if index < params.items {
        add_to_total(items[index]);
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn tree_interleaved(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    scratch[local_index] = item_or_zero(flat_workgroup(workgroup, grid) * WORKGROUP_SIZE + local_index);
    sum_interleaved(local_index);
    if local_index == 0u {
        add_to_total(scratch[0]);
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn tree_sequential(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    scratch[local_index] = item_or_zero(flat_workgroup(workgroup, grid) * WORKGROUP_SIZE + local_index);
    sum_sequential(local_index);
    if local_index == 0u {
        add_to_total(scratch[0]);
    }
}

// One level of a multi-pass tree: each workgroup leaves one partial.
@compute @workgroup_size(WORKGROUP_SIZE)
fn tree_pass(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let flat = flat_workgroup(workgroup, grid);
    scratch[local_index] = item_or_zero(flat * WORKGROUP_SIZE + local_index);
    sum_sequential(local_index);
    if local_index == 0u && flat * WORKGROUP_SIZE < params.items {
        partials[flat] = scratch[0];
    }
}

// Reading alone: the ceiling that no reduction can pass.
@compute @workgroup_size(WORKGROUP_SIZE)
fn read_only(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    partials[workgroup.x * WORKGROUP_SIZE + local_index] = share(local_index, workgroup.x, grid.x);
}

// Reading alone, one item per lane, as the trees read: an item is kept only where it is rare, so that
// writing costs next to nothing and still every item must have been read.
@compute @workgroup_size(WORKGROUP_SIZE)
fn read_one(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let index = flat_workgroup(workgroup, grid) * WORKGROUP_SIZE + local_index;
    if index < params.items {
        let item = items[index];
        if item < Item(RARE) {
            partials[index] = item;
        }
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn share_pass(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    scratch[local_index] = share(local_index, workgroup.x, grid.x);
    sum_sequential(local_index);
    if local_index == 0u {
        partials[workgroup.x] = scratch[0];
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn single_pass(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    scratch[local_index] = share(local_index, workgroup.x, grid.x);
    sum_sequential(local_index);
    if local_index == 0u {
        add_to_total(scratch[0]);
    }
}

// The price of an atomic: as many as asked, nothing read. Lanes add one and two in turn, lest a
// compiler add up a constant by itself.
@compute @workgroup_size(WORKGROUP_SIZE)
fn atomics_alone(@builtin(local_invocation_index) local_index: u32) {
    if local_index % params.every == 0u {
        for (var i = 0u; i < params.repeats; i++) {
            add_to_total(Item(1u + local_index / params.every % 2u));
        }
    }
}

// The price of a tree: as many as asked on values that never leave the workgroup. Without repeats, the
// price of launching the workgroup.
@compute @workgroup_size(WORKGROUP_SIZE)
fn tree_alone_interleaved(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    var value = Item(local_index);
    for (var i = 0u; i < params.repeats; i++) {
        scratch[local_index] = value;
        sum_interleaved(local_index);
        value = scratch[0] - value;
        workgroupBarrier();
    }
    partials[workgroup.x * WORKGROUP_SIZE + local_index] = value;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn tree_alone_sequential(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    var value = Item(local_index);
    for (var i = 0u; i < params.repeats; i++) {
        scratch[local_index] = value;
        sum_sequential(local_index);
        value = scratch[0] - value;
        workgroupBarrier();
    }
    partials[workgroup.x * WORKGROUP_SIZE + local_index] = value;
}
