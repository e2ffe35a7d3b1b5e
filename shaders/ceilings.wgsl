// Reads workgroup memory. In each load, the lanes of a subgroup read consecutive elements, so that no two
// lanes access the same bank. An invocation never reads the same element twice in succession.
//
// `src/experiments/ceilings/kernel.rs` puts the type `Element` and the functions `factors` and `sum_of` before this
// text, for each vector size.

struct Params {
    iterations: u32, // loop iterations of each invocation, with four loads each
    seed: u32,
}

override WORKGROUP_SIZE: u32 = 256u; // a power of two

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

var<workgroup> words: array<Element, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn read_workgroup_memory(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    let mask = WORKGROUP_SIZE - 1u;
    words[local_index] = Element(local_index ^ params.seed) * factors();
    workgroupBarrier();
    var sums = Element();
    let iterations = params.iterations;
    for (var iteration = 0u; iteration < iterations; iteration++) {
        let first = local_index + 4u * iteration;
        let a = words[first & mask];
        let b = words[(first + 1u) & mask];
        let c = words[(first + 2u) & mask];
        let d = words[(first + 3u) & mask];
        sums += (a ^ b) + (c ^ d);
    }
    output[workgroup.x * WORKGROUP_SIZE + local_index] = sum_of(sums);
}
