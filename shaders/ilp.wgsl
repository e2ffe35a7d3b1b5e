// Independent chains in each invocation, whose steps depend on one another. `src/kernels/ilp.rs` appends the
// function `run_chains` for each kind of step and number of chains. It executes STEPS steps of every chain in
// each loop iteration. The operands come from a uniform block, so that no compiler can combine a step with the
// next one.

struct Params {
    iterations: u32,
    seed: u32,
    a: u32, // operands of `run_chains`; bit patterns of f32 values for floating-point chains
    b: u32,
    c: u32,
}

override WORKGROUP_SIZE: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn ilp(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    output[workgroup.x * WORKGROUP_SIZE + local_index] = run_chains((local_index + params.seed) & 0xffu);
}
