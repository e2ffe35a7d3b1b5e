// Repeated choices between two paths. Each invocation reads a word from memory, whose bits are its choices.
// Some kernels branch. The others execute both paths and select a result. The long paths are loops, which no
// compiler converts to a select. The short paths have four operations, and many compilers convert a branch
// between them to a select.

struct Params {
    choices: u32,      // choices of each invocation; the bits of its word are used cyclically
    iterations_0: u32, // loop iterations of long path 0
    iterations_1: u32, // loop iterations of long path 1
    mask: u32,         // number of words (a power of two) minus one; words are used cyclically
    seed: u32,
}

override WORKGROUP_SIZE: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> words: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;

fn short_0(start: u32) -> u32 {
    var x = start * 2891336453u;
    x = x ^ (x >> 15u);
    x = x + 1013904223u;
    return x ^ (x << 13u);
}

fn short_1(start: u32) -> u32 {
    var x = start ^ (start << 7u);
    x = x * 1664525u;
    x = x ^ (x >> 11u);
    return x + 2654435761u;
}

// The number of iterations is a parameter and is not read from memory in each iteration, so that the location
// of the uniform block does not change the time.
fn long_0(start: u32, iterations: u32) -> u32 {
    var x = start;
    for (var iteration = 0u; iteration < iterations; iteration++) {
        x = short_0(x);
    }
    return x;
}

fn long_1(start: u32, iterations: u32) -> u32 {
    var x = start;
    for (var iteration = 0u; iteration < iterations; iteration++) {
        x = short_1(x);
    }
    return x;
}

fn first(item: u32) -> u32 {
    return (item ^ params.seed) * 2654435761u;
}

fn chooses_one(word: u32, choice: u32) -> bool {
    return ((word >> (choice & 31u)) & 1u) == 1u;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn branch_long(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    let at = workgroup.x * WORKGROUP_SIZE + local_index;
    let word = words[at & params.mask];
    let iterations_0 = params.iterations_0;
    let iterations_1 = params.iterations_1;
    var x = first(at & params.mask);
    for (var choice = 0u; choice < params.choices; choice++) {
        if chooses_one(word, choice) {
            x = long_1(x, iterations_1);
        } else {
            x = long_0(x, iterations_0);
        }
    }
    output[at] = x;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn select_long(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    let at = workgroup.x * WORKGROUP_SIZE + local_index;
    let word = words[at & params.mask];
    let iterations_0 = params.iterations_0;
    let iterations_1 = params.iterations_1;
    var x = first(at & params.mask);
    for (var choice = 0u; choice < params.choices; choice++) {
        let zero = long_0(x, iterations_0);
        let one = long_1(x, iterations_1);
        x = select(zero, one, chooses_one(word, choice));
    }
    output[at] = x;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn branch_short(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    let at = workgroup.x * WORKGROUP_SIZE + local_index;
    let word = words[at & params.mask];
    var x = first(at & params.mask);
    for (var choice = 0u; choice < params.choices; choice++) {
        if chooses_one(word, choice) {
            x = short_1(x);
        } else {
            x = short_0(x);
        }
    }
    output[at] = x;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn select_short(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    let at = workgroup.x * WORKGROUP_SIZE + local_index;
    let word = words[at & params.mask];
    var x = first(at & params.mask);
    for (var choice = 0u; choice < params.choices; choice++) {
        let zero = short_0(x);
        let one = short_1(x);
        x = select(zero, one, chooses_one(word, choice));
    }
    output[at] = x;
}
