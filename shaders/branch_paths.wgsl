// A branch with many paths. Each invocation reads from memory which path to take, so that no compiler knows
// the path.
//
// `src/kernels/branch_paths.rs` appends the function `run_path`. The WGSL of its paths and the CPU reference
// come from one table. `run_path` is a switch. Each path is a loop of the same six operations in a different
// order. A compiler cannot merge the paths, because they differ, and does not convert them to selects,
// because they are too expensive. It does not unroll their loops either, so that many paths fit an instruction cache
// together.

struct Params {
    repeats: u32,    // number of times that each invocation selects and executes a path
    iterations: u32, // loop iterations of a path
    mask: u32,       // number of selectors (a power of two) minus one; selectors are used cyclically
    seed: u32,
    all_ones: u32,   // all bits are one: a compiler that does not know it cannot unroll the loops of the paths
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
        x = run_path(path, x, params.iterations, params.all_ones);
    }
    output[workgroup.x * WORKGROUP_SIZE + local_index] = x;
}
