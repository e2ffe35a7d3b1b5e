// Independent chains of dependent steps, side by side in each lane. `run_chains` (generated beside
// this file's CPU twin for each number type and number of chains) takes STEPS steps of every chain in
// each trip of its loop. Operands come from a uniform, so that no compiler can fold a step into the next.

struct Params {
    iterations: u32,
    seed: u32,
    a: u32, // what a step does with these is for `run_chains` to say; f32 in disguise for f32 chains
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
