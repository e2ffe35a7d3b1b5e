// Loads with addresses that spread over few or many cache lines. In each step, the lanes of a subgroup load
// from one block of `block` words. Lane i loads word i·stride + offset of the block, or a random word of it. The lanes may
// be in groups, each `far` words behind the one before it.
// Blocks are at random positions in `data`, so that no pattern finds more of its lines in a cache than
// another pattern. Every pattern executes the same instructions.

struct Params {
    steps: u32,       // loads of each invocation
    width: u32,       // subgroup width, a power of two
    block: u32,       // words in the block of a subgroup, a power of two
    group: u32,       // lanes of a group
    stride: u32,      // words from the address of one lane to the address of the next lane of its group
    far: u32,         // words from the first address of one group to the first address of the next group
    offset: u32,      // words from the start of the block to the address of the first lane
    random_mask: u32, // number of words (a power of two) to draw a random word from, minus one
    words_mask: u32,  // number of words (a power of two) in `data`, minus one
    seed: u32,
}

override WORKGROUP_SIZE: u32 = 256u;

// Number of workgroups after which the loaded addresses repeat.
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
    let lane = local_index % params.width;
    let own = lane % params.group * params.stride + lane / params.group * params.far + params.offset;
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
