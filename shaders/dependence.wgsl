// One short dispatch of a train: it takes up what the one before left in its part of `data`, if that was
// its part too.

struct Params {
    trips: u32,
    first: u32, // word of `data` at which this dispatch's part begins
    seed: u32,
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> data: array<u32>;

@group(0) @binding(2) var<storage, read_write> join: array<u32>;

fn go_on(lane: u32) {
    let place = params.first + lane;
    var x = vec4<u32>(data[place] + lane + params.seed) * vec4<u32>(3u, 5u, 7u, 11u);
    let trips = params.trips;
    for (var trip = 0u; trip < trips; trip++) {
        x = x * 1664525u + 1013904223u;
        x = x ^ (x >> vec4<u32>(15u));
    }
    data[place] = x.x ^ x.y ^ x.z ^ x.w;
}

@compute @workgroup_size(LANES)
fn link(@builtin(local_invocation_index) lane: u32) {
    go_on(lane);
}

// The first of a train that has nothing in common with the one before but that it must wait for it: what it
// binds besides, and never writes, is the same in all trains.
@compute @workgroup_size(LANES)
fn first_link(@builtin(local_invocation_index) lane: u32) {
    go_on(lane);
    if params.trips == 0xffffffffu {
        join[lane] = lane;
    }
}
