// Iterations of z ← z² + c until |z| > 2, for the points c of a part of the plane.

struct View {
    corner: vec2<f32>, // lower left corner
    step: f32,         // distance of two pixels
    most: u32,         // most iterations
}

@group(0) @binding(0) var<uniform> view: View;
@group(0) @binding(1) var<storage, read_write> image: array<u32>;

@compute @workgroup_size(8, 8)
fn main(
    @builtin(global_invocation_id) pixel: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
) {
    let c = view.corner + view.step * vec2<f32>(pixel.xy);
    var z = vec2<f32>();
    var i = 0u;
    for (; i < view.most; i++) {
        if dot(z, z) > 4.0 {
            break;
        }
        z = vec2<f32>(z.x * z.x - z.y * z.y, 2.0 * z.x * z.y) + c;
    }
    image[pixel.y * grid.x * 8u + pixel.x] = i;
}
