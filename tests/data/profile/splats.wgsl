// Rasterising of splats: a workgroup is a tile of 8 × 8 pixels. It finds the splats that touch the tile, and each pixel blends
// those that cover it until it is opaque.

const MOST: u32 = 64u; // most splats of a tile

@group(0) @binding(0) var<storage, read> splats: array<vec4<f32>>; // center, radius, opacity
@group(0) @binding(1) var<storage, read_write> image: array<f32>;

var<workgroup> list: array<u32, MOST>;
var<workgroup> length: atomic<u32>;

@compute @workgroup_size(8, 8)
fn main(
    @builtin(workgroup_id) tile: vec3<u32>,
    @builtin(num_workgroups) tiles: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(global_invocation_id) pixel: vec3<u32>,
) {
    let size = vec2<f32>(tiles.xy) * 8.0;
    let low = vec2<f32>(tile.xy) * 8.0 / size;
    let high = low + 8.0 / size;
    // Invocation 0 keeps the splats in their order.
    if lane == 0u {
        for (var i = 0u; i < arrayLength(&splats); i++) {
            let splat = splats[i];
            let nearest = clamp(splat.xy, low, high);
            if distance(nearest, splat.xy) < 0.12 * splat.z {
                let place = atomicLoad(&length);
                if place < MOST {
                    list[place] = i;
                    atomicStore(&length, place + 1u);
                }
            }
        }
    }
    workgroupBarrier();
    let count = atomicLoad(&length);
    let at = (vec2<f32>(pixel.xy) + 0.5) / size;
    var color = 0.0;
    var clear = 1.0;
    for (var i = 0u; i < count; i++) {
        let splat = splats[list[i]];
        let away = distance(at, splat.xy) / (0.12 * splat.z);
        if away > 1.0 {
            continue;
        }
        let alpha = splat.w * exp(-4.0 * away * away);
        color += clear * alpha * fract(f32(list[i]) * 0.618);
        clear *= 1.0 - alpha;
        if clear < 0.05 {
            break;
        }
    }
    image[pixel.y * tiles.x * 8u + pixel.x] = color;
}
