// Pointer chase: every invocation walks along a cycle of links. The load of a link depends on the load of the
// previous link. The next run of the kernel continues where this run stops, because a second walk along the
// same links would find them in a cache. Before a run, `touch` loads every link once, so that a walk that is shorter
// than the cycle finds in the caches what a long walk would leave there.

struct Params {
    steps: u32, // links that each invocation follows
    mask: u32,  // number of links (a power of two) minus one
}

override WORKGROUP_SIZE: u32 = 32u;

// Words from one link to the next in memory, so that no two links share a cache line.
const STRIDE: u32 = 32u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> links: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;
// For each invocation, the word index of its last link plus one, or 0 before the first run.
@group(0) @binding(3) var<storage, read_write> stopped: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn chase(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    let place = workgroup.x * WORKGROUP_SIZE + local_index;
    var at = stopped[place];
    if at == 0u {
        // The odd factor scatters the invocations over the links. No two start at the same link unless there
        // are more invocations than links.
        at = ((place * 0x9E3779B1u) & params.mask) * STRIDE;
    } else {
        at -= 1u;
    }
    let steps = params.steps;
    for (var step = 0u; step < steps; step++) {
        at = links[at];
    }
    output[place] = at;
    stopped[place] = at + 1u;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn touch(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    var sum = 0u;
    let first = workgroup.x * WORKGROUP_SIZE + local_index;
    for (var link = first; link <= params.mask; link += grid.x * WORKGROUP_SIZE) {
        sum += links[link * STRIDE];
    }
    // Each link is the word index of another one, a multiple of STRIDE. So the sum is never odd, but no compiler knows.
    if (sum & 1u) == 1u {
        output[0] = sum;
    }
}
