// Atomics, each lane on one counter again and again: over many counters, on one that every compiler can
// see to be one, and on one in workgroup memory that is added to the others' at the end. What an atomic
// returns is not used, as in a histogram.

struct Params {
    repeats: u32, // atomics of each lane
    mask: u32,    // counters less one, a power of two of them
    shift: u32,   // of the lanes that follow one another 2 to the power of this share a counter
    combine: u32, // 0: what a workgroup counted for itself is dropped, to price the rest
}

override WORKGROUP_SIZE: u32 = 256u;

// Words from one counter to the next: no two share a cache line. The first counter lies as far from the head of
// the buffer, which is cleared between spans: all counters alike go on from the span before.
const STRIDE: u32 = 32u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> counters: array<atomic<u32>>;

var<workgroup> own: atomic<u32>;

fn counter_of(index: u32) -> u32 {
    return (1u + ((index >> params.shift) & params.mask)) * STRIDE;
}

// What a lane adds: one and two in turn, lest a compiler add up a constant by itself.
fn addend(local_index: u32) -> u32 {
    return 1u + (local_index & 1u);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn add(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let index = workgroup.x * WORKGROUP_SIZE + local_index;
    let counter = counter_of(index);
    let repeats = params.repeats;
    for (var i = 0u; i < repeats; i++) {
        atomicAdd(&counters[counter], addend(local_index));
    }
}

// The maximum rises from step to step and from lane to lane. It does so once: from the second time on that the
// kernel runs, what is timed is to find out atomically that it does not rise.
@compute @workgroup_size(WORKGROUP_SIZE)
fn maximum(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let index = workgroup.x * WORKGROUP_SIZE + local_index;
    let counter = counter_of(index);
    let repeats = params.repeats;
    for (var i = 0u; i < repeats; i++) {
        atomicMax(&counters[counter], index + i * WORKGROUP_SIZE);
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn add_to_one(@builtin(local_invocation_index) local_index: u32) {
    let repeats = params.repeats;
    for (var i = 0u; i < repeats; i++) {
        atomicAdd(&counters[STRIDE], addend(local_index));
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn maximum_of_one(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    let index = workgroup.x * WORKGROUP_SIZE + local_index;
    let repeats = params.repeats;
    for (var i = 0u; i < repeats; i++) {
        atomicMax(&counters[STRIDE], index + i * WORKGROUP_SIZE);
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn add_privately(@builtin(local_invocation_index) local_index: u32) {
    if local_index == 0u {
        atomicStore(&own, 0u);
    }
    workgroupBarrier();
    let repeats = params.repeats;
    for (var i = 0u; i < repeats; i++) {
        atomicAdd(&own, addend(local_index));
    }
    workgroupBarrier();
    if local_index == 0u && params.combine != 0u {
        atomicAdd(&counters[STRIDE], atomicLoad(&own));
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn maximum_privately(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    if local_index == 0u {
        atomicStore(&own, 0u);
    }
    workgroupBarrier();
    let index = workgroup.x * WORKGROUP_SIZE + local_index;
    let repeats = params.repeats;
    for (var i = 0u; i < repeats; i++) {
        atomicMax(&own, index + i * WORKGROUP_SIZE);
    }
    workgroupBarrier();
    if local_index == 0u && params.combine != 0u {
        atomicMax(&counters[STRIDE], atomicLoad(&own));
    }
}
