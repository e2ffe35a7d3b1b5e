// Arithmetic without memory reads. Each invocation has four independent chains, which keep the pipelines full
// at the lowest occupancy. Each operation of a chain depends on the previous operation.

struct Params {
    active_lanes: u32, // active invocations of each workgroup; the others return immediately
    iterations: u32,   // loop iterations of each active invocation
    seed: u32,
}

override WORKGROUP_SIZE: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn chain(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    if local_index >= params.active_lanes {
        return;
    }
    var x = (vec4<u32>(local_index) ^ vec4<u32>(params.seed)) * vec4<u32>(3u, 5u, 7u, 11u);
    let iterations = params.iterations;
    for (var iteration = 0u; iteration < iterations; iteration++) {
        x = x * 1664525u + 1013904223u;
        x = x ^ (x >> vec4<u32>(15u));
    }
    output[workgroup.x * WORKGROUP_SIZE + local_index] = x.x ^ x.y ^ x.z ^ x.w;
}
