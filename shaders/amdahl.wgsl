// A job of two stages. The first stage has one workgroup. Every workgroup of the second stage starts from its
// output, so that no hardware can run the stages at the same time.

struct Params {
    iterations: u32, // loop iterations of each invocation in this stage
}

override WORKGROUP_SIZE: u32 = 256u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn stage(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    var x = vec4<u32>(input[local_index]) * vec4<u32>(3u, 5u, 7u, 11u);
    let iterations = params.iterations;
    for (var iteration = 0u; iteration < iterations; iteration++) {
        x = x * 1664525u + 1013904223u;
        x = x ^ (x >> vec4<u32>(15u));
    }
    output[workgroup.x * WORKGROUP_SIZE + local_index] = x.x ^ x.y ^ x.z ^ x.w;
}
