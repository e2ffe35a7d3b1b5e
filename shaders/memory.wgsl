// Memory traffic: reads, writes, copies, triads, which read two words for each word that they write, and sums of three
// words. The grid may cover the arrays several times, with other shares for each workgroup every time.
//
// `src/kernels/memory.rs` puts the type `Wide` of a load and the function `words_from` before this text.
// After this text, it appends one loop for each kind of traffic, with the loads in flight of the launch
// configuration.

struct Params {
    steps: u32,   // loads of each invocation, a multiple of the loads in flight
    blocked: u32, // 1: each invocation has a contiguous block; 0: invocations stride by the size of the grid
    seed: u32,
    sweeps: u32,  // times that the grid covers the array
    loads: u32,   // loads of array a
}

override WORKGROUP_SIZE: u32 = 256u;

const PERIOD: u32 = 65536u; // number of loads after which the written values repeat

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Wide>;
@group(0) @binding(2) var<storage, read> b: array<Wide>;
@group(0) @binding(3) var<storage, read_write> c: array<Wide>;

// The loads of an invocation: the index of its first load and the distance from one load to the next.
struct Share {
    first: u32,
    step: u32,
}

fn share(local_index: u32, workgroup: u32, workgroups: u32) -> Share {
    let flat = workgroup * WORKGROUP_SIZE + local_index;
    if params.blocked != 0u {
        return Share(flat * params.steps, 1u);
    }
    return Share(flat, workgroups * WORKGROUP_SIZE);
}

// Returns the workgroup whose share a workgroup has in a sweep. If each workgroup kept its share, the cache of its own core
// might hold it. And the order of the shares differs from workgroup to workgroup: if one workgroup followed another, it
// would find its words in a cache and catch up, and in the end all would read the same few words together. The number of
// workgroups is a power of two.
fn workgroup_of_sweep(workgroup: u32, workgroups: u32, sweep: u32) -> u32 {
    return workgroup ^ (((sweep * 2654435769u) >> 16u) & (workgroups - 1u));
}

// Returns the value that is written at load index `load`. All words of a period differ, and the values cannot
// be compressed.
fn word(load: u32) -> Wide {
    return words_from(((load & (PERIOD - 1u)) ^ params.seed) * 2654435769u);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn read_words(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    var sum = Wide();
    for (var sweep = 0u; sweep < params.sweeps; sweep++) {
        let share = share(local_index, workgroup_of_sweep(workgroup.x, grid.x, sweep), grid.x);
        sum += read_all(share.first, share.step);
    }
    c[workgroup.x * WORKGROUP_SIZE + local_index] = sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn write_words(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    for (var sweep = 0u; sweep < params.sweeps; sweep++) {
        let share = share(local_index, workgroup_of_sweep(workgroup.x, grid.x, sweep), grid.x);
        write_all(share.first, share.step);
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn copy_words(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    for (var sweep = 0u; sweep < params.sweeps; sweep++) {
        let share = share(local_index, workgroup_of_sweep(workgroup.x, grid.x, sweep), grid.x);
        copy_all(share.first, share.step);
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn triad_words(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    for (var sweep = 0u; sweep < params.sweeps; sweep++) {
        let share = share(local_index, workgroup_of_sweep(workgroup.x, grid.x, sweep), grid.x);
        triad_all(share.first, share.step);
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn sum_words(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    for (var sweep = 0u; sweep < params.sweeps; sweep++) {
        let share = share(local_index, workgroup_of_sweep(workgroup.x, grid.x, sweep), grid.x);
        sum_three(share.first, share.step);
    }
}
