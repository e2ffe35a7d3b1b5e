// Reductions with subgroup operations. They are in a separate file, because a device without subgroup
// operations rejects the module.

// One atomic per subgroup. Each invocation has one item.
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

// One atomic per subgroup. Each invocation first sums its share of the items. The kernel has no barrier.
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

// Measures the cost of a subgroup sum: `repeats` sums on values that stay in the subgroup. One lane adds the
// previous sum and the others add zero. Each sum therefore depends on the previous one, and its value stays
// one.
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
