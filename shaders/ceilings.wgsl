// Reading workgroup memory: in each step the lanes of a subgroup read neighbouring places, so that no two meet in
// one bank, and a lane never reads the same place twice running.

struct Params {
    trips: u32, // of four loads
    seed: u32,
}

override LANES: u32 = 256u; // a power of two

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

var<workgroup> words: array<vec4<u32>, LANES>;

@compute @workgroup_size(LANES)
fn read_workgroup_memory(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    let mask = LANES - 1u;
    words[lane] = vec4<u32>(lane ^ params.seed) * vec4<u32>(2654435769u, 2246822519u, 3266489917u, 668265263u);
    workgroupBarrier();
    var sums = vec4<u32>();
    let trips = params.trips;
    for (var trip = 0u; trip < trips; trip++) {
        let first = lane + 4u * trip;
        let a = words[first & mask];
        let b = words[(first + 1u) & mask];
        let c = words[(first + 2u) & mask];
        let d = words[(first + 3u) & mask];
        sums += (a ^ b) + (c ^ d);
    }
    output[workgroup.x * LANES + lane] = sums.x + sums.y + sums.z + sums.w;
}
