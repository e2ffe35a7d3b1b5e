// A sparse matrix times a vector, a row for each invocation. The rows have very different lengths: most have a few entries, and
// some have hundreds. The places of the entries come from a hash.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn hash(n: u32) -> u32 {
    let a = (n ^ (n >> 16u)) * 0x7FEB352Du;
    let b = (a ^ (a >> 15u)) * 0x846CA68Bu;
    return b ^ (b >> 16u);
}

fn entries_of(row: u32) -> u32 {
    let draw = hash(row) & 1023u;
    return 4u + 16384u / (16u + 2u * draw);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x;
    if row >= arrayLength(&y) {
        return;
    }
    let columns = arrayLength(&x);
    let entries = entries_of(row);
    var sum = 0.0;
    for (var entry = 0u; entry < entries; entry++) {
        let place = hash(row * 1031u + entry);
        let value = f32(place & 255u) - 128.0;
        sum += value * x[place % columns];
    }
    y[row] = sum;
}
