// Shading in a path tracer: each ray has hit a material, and each material has a texture that is computed by code of its own.
// Rays next to each other hit different materials after their first bounce.

struct Params {
    rays: u32,
    octaves: u32, // of each texture
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> hits: array<u32>; // number of the material that each ray has hit
@group(0) @binding(2) var<storage, read_write> colors: array<u32>;

fn marble(seed: u32) -> u32 {
    var x = seed;
    for (var octave = 0u; octave < params.octaves; octave++) {
        x = x * 747796405u + 2891336453u;
        x ^= x >> 16u;
    }
    return x;
}

fn wood(seed: u32) -> u32 {
    var x = seed;
    for (var octave = 0u; octave < params.octaves; octave++) {
        x ^= x << 13u;
        x = x * 277803737u + octave;
    }
    return x;
}

fn rust(seed: u32) -> u32 {
    var x = seed;
    for (var octave = 0u; octave < params.octaves; octave++) {
        x = (x ^ octave) * 2246822519u;
        x += x >> 13u;
    }
    return x;
}

fn leather(seed: u32) -> u32 {
    var x = seed;
    for (var octave = 0u; octave < params.octaves; octave++) {
        x -= x << 5u;
        x = (x ^ 3266489917u) * 668265263u;
    }
    return x;
}

@compute @workgroup_size(64)
fn shade(@builtin(global_invocation_id) id: vec3<u32>) {
    let ray = id.x;
    if ray >= params.rays {
        return;
    }
    var color = 0u;
    switch hits[ray] {
        case 0u: { color = marble(ray); }
        case 1u: { color = wood(ray); }
        case 2u: { color = rust(ray); }
        case 3u: { color = leather(ray); }
        default: {} // the sky
    }
    colors[ray] = color;
}
