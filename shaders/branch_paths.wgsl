// A branch with many arms. Each lane reads which arm to take from memory, so that no compiler can see
// it, and `run_path` (generated beside this file's CPU twin from one table) is a switch whose arms are
// loops of the same six operations in as many different orders: too dear to turn into selects, too
// different to merge.

struct Params {
    repeats: u32, // times each lane chooses and runs an arm
    iterations: u32,   // loop trips of an arm
    mask: u32,    // selectors - 1; selectors are a power of two and are used cyclically
    seed: u32,
}

override WORKGROUP_SIZE: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> selectors: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn branch_paths(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    let first = workgroup.x * params.repeats * WORKGROUP_SIZE + local_index;
    var x = ((first & params.mask) ^ params.seed) * 2654435761u;
    for (var repeat = 0u; repeat < params.repeats; repeat++) {
        let path = selectors[(first + repeat * WORKGROUP_SIZE) & params.mask];
        x = run_path(path, x, params.iterations);
    }
    output[workgroup.x * WORKGROUP_SIZE + local_index] = x;
}
