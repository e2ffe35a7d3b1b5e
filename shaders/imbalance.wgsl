// Invocations with unequal numbers of iterations. Each invocation reads the number of iterations of its item
// from memory. A subgroup runs until its longest item is finished.

struct Params {
    mask: u32, // number of items (a power of two) minus one; items are used cyclically
    copies: u32, // workgroups in a row that run the same items
    places: u32, // number of workgroups divided by `copies`
    seed: u32,
}

override WORKGROUP_SIZE: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> iterations: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn uneven(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    let copy = workgroup.x % params.copies;
    let place = workgroup.x / params.copies;
    let at = (copy * params.places + place) * WORKGROUP_SIZE + local_index;
    let item = at & params.mask;
    let steps = iterations[item];
    var x = (vec4<u32>(item) ^ vec4<u32>(params.seed)) * vec4<u32>(3u, 5u, 7u, 11u);
    for (var step = 0u; step < steps; step++) {
        x = x * 1664525u + 1013904223u;
        x = x ^ (x >> vec4<u32>(15u));
    }
    output[at] = x.x ^ x.y ^ x.z ^ x.w;
}
