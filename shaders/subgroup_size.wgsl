// Reports the subgroup size that the shader sees.

override WORKGROUP_SIZE: u32 = 64u;

@group(0) @binding(0) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn subgroup_size(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(subgroup_size) size: u32,
) {
    output[workgroup.x * WORKGROUP_SIZE + local_index] = size;
}
