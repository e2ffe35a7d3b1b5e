// The negative case: the first invocation of a workgroup waits until the workgroups before it are done. How often it looks
// depends on the speed of the others, so that no replay tells it.

@group(0) @binding(0) var<storage, read_write> done: atomic<u32>;
@group(0) @binding(1) var<storage, read_write> looked: array<u32>;

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    if lane != 0u {
        return;
    }
    var looks = 0u;
    loop {
        looks++;
        if atomicLoad(&done) >= workgroup.x || looks == 60000u {
            break;
        }
    }
    looked[workgroup.x] = looks;
    atomicAdd(&done, 1u);
}
