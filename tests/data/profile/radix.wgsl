// One pass of a radix sort over four bits: a workgroup counts its digits, and each word finds its place within the workgroup
// among the words with smaller digits and those before it with the same one.

override LANES: u32 = 64u;
const DIGITS: u32 = 16u;

struct Pass {
    shift: u32, // lowest bit of the digit
}

@group(0) @binding(0) var<uniform> pass_of: Pass;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read_write> sorted: array<u32>;

var<workgroup> counts: array<atomic<u32>, DIGITS>;
var<workgroup> digits: array<u32, LANES>;

@compute @workgroup_size(LANES)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
) {
    let key = keys[id.x];
    let digit = (key >> pass_of.shift) & (DIGITS - 1u);
    digits[lane] = digit;
    atomicAdd(&counts[digit], 1u);
    workgroupBarrier();
    var place = 0u;
    for (var smaller = 0u; smaller < digit; smaller++) {
        place += atomicLoad(&counts[smaller]);
    }
    for (var before = 0u; before < lane; before++) {
        if digits[before] == digit {
            place++;
        }
    }
    sorted[workgroup.x * LANES + place] = key;
}
