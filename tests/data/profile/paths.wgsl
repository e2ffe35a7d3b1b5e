// Fine paths of a vector graphic: each invocation walks along one segment and adds to the counters of the tiles that it crosses.
// Many segments cross the tiles in the middle, so that their counters are hot.

struct Scene {
    tiles: u32, // tiles of a side
}

@group(0) @binding(0) var<uniform> scene: Scene;
@group(0) @binding(1) var<storage, read> segments: array<vec4<f32>>; // begin and end
@group(0) @binding(2) var<storage, read_write> counters: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read_write> crossed: array<u32>;

@compute @workgroup_size(128)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= arrayLength(&segments) {
        return;
    }
    // Squares gather the ends in the middle.
    let ends = 0.5 + 0.5 * (2.0 * segments[id.x] - 1.0) * abs(2.0 * segments[id.x] - 1.0);
    let size = f32(scene.tiles);
    let steps = u32(ceil(length(ends.zw - ends.xy) * size * 2.0)) + 1u;
    var last = 0xFFFFFFFFu;
    var count = 0u;
    for (var i = 0u; i <= steps; i++) {
        let at = mix(ends.xy, ends.zw, f32(i) / f32(steps)) * size;
        let tile = min(u32(at.x), scene.tiles - 1u) + scene.tiles * min(u32(at.y), scene.tiles - 1u);
        if tile != last {
            atomicAdd(&counters[tile], 1u);
            last = tile;
            count++;
        }
    }
    crossed[id.x] = count;
}
