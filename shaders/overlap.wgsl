// Processes a batch that has just been uploaded. A record has STRIDE words, of which only the first is
// processed, so that arithmetic dominates the time and not reading. The invocations take records round-robin.
// Each combines the results of its records into one word that depends on all of them.

struct Params {
    words: u32,
    iterations: u32, // loop iterations for each processed word
}

override WORKGROUP_SIZE: u32 = 256u;

const STRIDE: u32 = 256u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> batch: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn work(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let records = params.words / STRIDE;
    let iterations = params.iterations;
    let first = workgroup.x * WORKGROUP_SIZE + local_index;
    var folded = 0u;
    for (var i = first; i < records; i += workgroups.x * WORKGROUP_SIZE) {
        var x = batch[i * STRIDE];
        for (var iteration = 0u; iteration < iterations; iteration++) {
            x = x * 1664525u + 1013904223u;
            x = x ^ (x >> 15u);
        }
        folded = folded * 31u + x;
    }
    output[first] = folded;
}
