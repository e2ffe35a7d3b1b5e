// Every lane walks along a cycle of links: it cannot ask for the next before it has the last. Where it stops it
// goes on the next time, since a walk along the same links again would find them in a cache.

struct Params {
    steps: u32,
    mask: u32, // links less one, a power of two of them
}

override WORKGROUP_SIZE: u32 = 32u;

// Words from one link to the next in memory: no two share a cache line.
const STRIDE: u32 = 32u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> links: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;
@group(0) @binding(3) var<storage, read_write> stopped: array<u32>; // at which word and one, or 0: nowhere yet

@compute @workgroup_size(WORKGROUP_SIZE)
fn chase(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    let place = workgroup.x * WORKGROUP_SIZE + local_index;
    var at = stopped[place];
    if at == 0u {
        // An odd factor scatters the lanes over the links, no two on one until there are more lanes.
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
