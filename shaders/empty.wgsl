// A kernel that does no work. It binds a read-write buffer like every other kernel, so that repeated
// dispatches have the same barriers.

struct Params {
    never: u32, // always 0
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(1)
fn empty() {
    if params.never != 0u {
        output[0] = params.never;
    }
}
