// Loads whose addresses spread over few or many cache lines. A subgroup's loads of one step lie in a block of `block`
// words: lane i takes word i·stride + offset of it, or a word at random. Blocks lie anywhere in `data`, so that no
// pattern finds more of its lines in a cache than another. Every pattern runs the same instructions.

struct Params {
    steps: u32,       // loads of each lane
    width: u32,       // lanes of a subgroup, a power of two
    block: u32,       // words that a subgroup loads from in a step, a power of two
    stride: u32,      // words from one lane to the next
    offset: u32,      // words before the first lane's
    random_mask: u32, // words that are drawn from, less one; 0 for none
    words_mask: u32,  // words of `data`, less one: a power of two of them
    seed: u32,
}

override WORKGROUP_SIZE: u32 = 256u;

// Workgroups after which loads come round to the same words.
const PERIOD: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> data: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn coalescing(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    let invocation = workgroup.x % PERIOD * WORKGROUP_SIZE + local_index;
    let own = local_index % params.width * params.stride + params.offset;
    var place = (invocation / params.width + params.seed) * 2654435761u;
    var draw = (invocation ^ params.seed) * 2246822519u;
    var sum = 0u;
    for (var step = 0u; step < params.steps; step++) {
        place = place * 747796405u + 2891336453u;
        draw = draw * 1664525u + 1013904223u;
        let word = (place >> 12u) * params.block + own + ((draw >> 16u) & params.random_mask);
        sum = (sum ^ data[word & params.words_mask]) * 3u;
    }
    output[workgroup.x * WORKGROUP_SIZE + local_index] = sum;
}
