// A dispatch that does nothing but be dispatched. It binds a read-write buffer as every other kernel
// does, so that a train of it pays the same barriers.

struct Params {
    never: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(1)
fn empty() {
    if params.never != 0u {
        output[0] = params.never;
    }
}
