// Atomic operations. Each invocation repeats an operation on one counter. The kernels differ in the counter:
// one of many counters in a buffer, a counter at a constant address, which a compiler sees to be the same for
// all invocations, or a counter in workgroup memory, which is combined with a counter in a buffer at the end.
// The results of the atomics are not used, as in a histogram.

struct Params {
    repeats: u32, // atomic operations of each invocation
    mask: u32,    // number of counters (a power of two) minus one
    shift: u32,   // 2^shift consecutive invocations share a counter
    combine: u32, // 0: workgroups discard their counter, to measure the atomics in workgroup memory alone
}

override WORKGROUP_SIZE: u32 = 256u;

// Words from one counter to the next, so that no two counters share a cache line. The first counter has the
// same distance from the start of the buffer, which is cleared before each sample. Therefore all counters
// keep their values from the previous sample.
override STRIDE: u32 = 32u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> counters: array<atomic<u32>>;

var<workgroup> own: atomic<u32>;

fn counter_of(index: u32) -> u32 {
    return (1u + ((index >> params.shift) & params.mask)) * STRIDE;
}

// The addend of an invocation. It alternates between one and two, because a compiler could combine additions
// of a constant.
fn addend(local_index: u32) -> u32 {
    return 1u + (local_index & 1u);
}

// Adds to one of many counters.
@compute @workgroup_size(WORKGROUP_SIZE)
fn add(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let index = workgroup.x * WORKGROUP_SIZE + local_index;
    let counter = counter_of(index);
    let repeats = params.repeats;
    for (var i = 0u; i < repeats; i++) {
        atomicAdd(&counters[counter], addend(local_index));
    }
}

// Updates the maximum in one of many counters. The value rises from iteration to iteration and from
// invocation to invocation. The maximum rises only in the first run of the kernel. Later runs measure atomic
// operations that find the maximum unchanged.
@compute @workgroup_size(WORKGROUP_SIZE)
fn maximum(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) workgroup: vec3<u32>) {
    let index = workgroup.x * WORKGROUP_SIZE + local_index;
    let counter = counter_of(index);
    let repeats = params.repeats;
    for (var i = 0u; i < repeats; i++) {
        atomicMax(&counters[counter], index + i * WORKGROUP_SIZE);
    }
}

// Adds to one counter at a constant address.
@compute @workgroup_size(WORKGROUP_SIZE)
fn add_to_one(@builtin(local_invocation_index) local_index: u32) {
    let repeats = params.repeats;
    for (var i = 0u; i < repeats; i++) {
        atomicAdd(&counters[STRIDE], addend(local_index));
    }
}

// Updates the maximum in one counter at a constant address.
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

// Adds to a counter in workgroup memory, and adds this counter to one counter at the end.
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

// Updates the maximum in a counter in workgroup memory, and in one counter at the end.
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
