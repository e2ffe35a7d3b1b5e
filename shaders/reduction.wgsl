// Reductions of many items to one sum, by every classical algorithm that needs no subgroup operations.

const RARE: u32 = 1u << 22u; // one random u32 in 1024 is less than this

var<workgroup> scratch: array<Item, WORKGROUP_SIZE>;

// Leaves the sum of `scratch` in its first element. Neighbouring elements are added first, so that the active
// invocations are spread over all subgroups.
fn sum_interleaved(local_index: u32) {
    for (var stride = 1u; stride < WORKGROUP_SIZE; stride *= 2u) {
        workgroupBarrier();
        if local_index % (2u * stride) == 0u {
            scratch[local_index] += scratch[local_index + stride];
        }
    }
    workgroupBarrier();
}

// Leaves the sum of `scratch` in its first element. Halves are added first, so that the active invocations
// stay contiguous and entire subgroups become inactive.
fn sum_sequential(local_index: u32) {
    for (var stride = WORKGROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
        workgroupBarrier();
        if local_index < stride {
            scratch[local_index] += scratch[local_index + stride];
        }
    }
    workgroupBarrier();
}

// One atomic per item.
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

// One atomic per workgroup, after a tree that adds neighbours first.
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

// One atomic per workgroup, after a tree that adds halves first.
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

// One level of a multi-pass tree. Each workgroup writes one partial sum.
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

// Reads all items and writes one sum per invocation. No reduction of the items can be faster.
@compute @workgroup_size(WORKGROUP_SIZE)
fn read_only(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    partials[workgroup.x * WORKGROUP_SIZE + local_index] = share(local_index, workgroup.x, grid.x);
}

// Reads one item per invocation, like the trees. Only rare items are written, so that writes cost almost
// nothing but every item must be read. The loop runs once at most: some compilers execute a branch that no lane
// takes, but none executes a loop that no lane enters.
@compute @workgroup_size(WORKGROUP_SIZE)
fn read_one(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let index = flat_workgroup(workgroup, grid) * WORKGROUP_SIZE + local_index;
    if index < params.items {
        let item = items[index];
        for (var is_rare = item < Item(RARE); is_rare; is_rare = false) {
            partials[index] = item;
        }
    }
}

// Each invocation sums its share of the items. Each workgroup writes one partial sum.
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

// Each invocation sums its share of the items. Each workgroup adds its sum atomically.
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

// Measures the cost of an atomic: one invocation in `every` executes `repeats` times four atomics and reads no
// items. Four in a row make the cost of the loop small. The addend alternates between one and two, because a
// compiler could combine additions of a constant.
@compute @workgroup_size(WORKGROUP_SIZE)
fn atomics_alone(@builtin(local_invocation_index) local_index: u32) {
    if local_index % params.every == 0u {
        for (var i = 0u; i < params.repeats; i++) {
            let addend = Item(1u + local_index / params.every % 2u);
            add_to_total(addend);
            add_to_total(addend);
            add_to_total(addend);
            add_to_total(addend);
        }
    }
}

// Measures the cost of a tree: each workgroup runs `repeats` trees on values that stay in the workgroup. With
// zero repeats, this is the floor case: its duration is the cost of launching the workgroups, which is
// subtracted.
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
