// Memory alone: words read, written, copied, and two read for each one written. `Wide` (what a load brings) and
// the words that lie there are put in front of this text, and behind it the four loops, with as many loads ahead
// as the shape asks, by its CPU twin's file.

struct Params {
    steps: u32,   // loads of each lane, a multiple of those that go ahead
    blocked: u32, // 1: each lane has a block to itself; 0: all stride over the whole grid
    seed: u32,
}

override WORKGROUP_SIZE: u32 = 256u;

const PERIOD: u32 = 65536u; // loads after which what is written is written again

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Wide>;
@group(0) @binding(2) var<storage, read> b: array<Wide>;
@group(0) @binding(3) var<storage, read_write> c: array<Wide>;

// Which loads are a lane's: from `first` on, so many words apart.
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

// What is written to place `load`: no two words of a period alike, and nothing that could be compressed.
fn word(load: u32) -> Wide {
    return words_from(((load & (PERIOD - 1u)) ^ params.seed) * 2654435769u);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn read_words(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let share = share(local_index, workgroup.x, grid.x);
    c[workgroup.x * WORKGROUP_SIZE + local_index] = read_all(share.first, share.step);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn write_words(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let share = share(local_index, workgroup.x, grid.x);
    write_all(share.first, share.step);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn copy_words(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let share = share(local_index, workgroup.x, grid.x);
    copy_all(share.first, share.step);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn triad_words(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let share = share(local_index, workgroup.x, grid.x);
    triad_all(share.first, share.step);
}
