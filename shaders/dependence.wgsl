// One short dispatch of a sequence. It continues from the values in its part of `data`. The previous dispatch
// has written these values if both dispatches have the same part.

struct Params {
    iterations: u32,
    first: u32, // first word of this dispatch's part of `data`
    seed: u32,
}

override WORKGROUP_SIZE: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> data: array<u32>;
@group(0) @binding(2) var<storage, read_write> join: array<u32>;

fn advance(local_index: u32) {
    let place = params.first + local_index;
    var x = vec4<u32>(data[place] + local_index + params.seed) * vec4<u32>(3u, 5u, 7u, 11u);
    let iterations = params.iterations;
    for (var iteration = 0u; iteration < iterations; iteration++) {
        x = x * 1664525u + 1013904223u;
        x = x ^ (x >> vec4<u32>(15u));
    }
    data[place] = x.x ^ x.y ^ x.z ^ x.w;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn link(@builtin(local_invocation_index) local_index: u32) {
    advance(local_index);
}

// The first dispatch of a sequence that shares no data with the previous sequence but must wait for it. All
// sequences bind the same buffer `join`, which causes the wait. The kernel never writes to `join`.
@compute @workgroup_size(WORKGROUP_SIZE)
fn first_link(@builtin(local_invocation_index) local_index: u32) {
    advance(local_index);
    if params.iterations == 0xffffffffu {
        join[local_index] = local_index;
    }
}
