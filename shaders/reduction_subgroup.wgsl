// Reductions by subgroup operations. Apart from the rest, since a device without them refuses the module.

// One atomic for a whole subgroup.
@compute @workgroup_size(WORKGROUP_SIZE)
fn subgroup_then_atomic(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
    let sum = subgroupAdd(item_or_zero(flat_workgroup(workgroup, grid) * WORKGROUP_SIZE + local_index));
    if subgroup_lane == 0u {
        add_to_total(sum);
    }
}

// The same by a grid of fixed size: no barrier at all.
@compute @workgroup_size(WORKGROUP_SIZE)
fn subgroup_single_pass(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
    let sum = subgroupAdd(share(local_index, workgroup.x, grid.x));
    if subgroup_lane == 0u {
        add_to_total(sum);
    }
}

// The price of a subgroup's sum: as many as asked on values that never leave it. One lane brings the sum
// before and the others bring nothing, so that each sum waits for the one before and stays one.
@compute @workgroup_size(WORKGROUP_SIZE)
fn subgroup_sum_alone(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
    var value = Item(1);
    for (var i = 0u; i < params.repeats; i++) {
        value = subgroupAdd(select(Item(0), value, subgroup_lane == 0u));
    }
    partials[workgroup.x * WORKGROUP_SIZE + local_index] = value;
}
