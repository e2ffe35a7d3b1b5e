// Adds a part of a message that another rank has sent to the same part of this rank's message.

struct Params {
    start: u32, // first word of the part in the message
    count: u32, // words of the part
}

override WORKGROUP_SIZE: u32 = 256u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> received: array<f32>;
@group(0) @binding(2) var<storage, read_write> message: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn add_part(
    @builtin(global_invocation_id) invocation: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let step = grid.x * WORKGROUP_SIZE;
    for (var word = invocation.x; word < params.count; word += step) {
        message[params.start + word] += received[word];
    }
}
