// Work on a batch that has just been uploaded. One word of every STRIDE stands for a record of so many, so that
// it is working and not reading that takes time: lanes take records in turn, and each folds what comes of its
// own into one word that depends on all.

struct Params {
    words: u32,
    trips: u32, // steps for each word
}

override LANES: u32 = 256u;

const STRIDE: u32 = 256u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> batch: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(LANES)
fn work(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let records = params.words / STRIDE;
    let trips = params.trips;
    let first = workgroup.x * LANES + lane;
    var folded = 0u;
    for (var i = first; i < records; i += workgroups.x * LANES) {
        var x = batch[i * STRIDE];
        for (var trip = 0u; trip < trips; trip++) {
            x = x * 1664525u + 1013904223u;
            x = x ^ (x >> 15u);
        }
        folded = folded * 31u + x;
    }
    output[first] = folded;
}
