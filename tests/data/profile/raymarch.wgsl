// Sphere tracing of a landscape of round pillars: a ray steps by the distance to the nearest surface, until it hits one or is far
// away. Rays that graze a pillar take many steps, and those that hit are shaded with a shadow ray.

struct Camera {
    size: vec2<u32>, // pixels
    height: f32,
    most: u32, // most steps of a ray
}

@group(0) @binding(0) var<uniform> camera: Camera;
@group(0) @binding(1) var<storage, read_write> image: array<f32>;

const FAR: f32 = 60.0;

fn distance_at(p: vec3<f32>) -> f32 {
    let cell = fract(p.xz / 4.0) * 4.0 - 2.0;
    let id = floor(p.xz / 4.0);
    let top = 1.0 + 2.0 * fract(sin(dot(id, vec2<f32>(12.9, 78.2))) * 43758.5);
    let pillar = max(length(cell) - 0.8, p.y - top);
    return min(pillar, p.y);
}

fn march(origin: vec3<f32>, direction: vec3<f32>, most: u32) -> f32 {
    var along = 0.0;
    for (var i = 0u; i < most; i++) {
        let away = distance_at(origin + along * direction);
        if away < 0.002 {
            return along;
        }
        along += 0.7 * away;
        if along > FAR {
            break;
        }
    }
    return FAR;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) pixel: vec3<u32>) {
    if any(pixel.xy >= camera.size) {
        return;
    }
    let at = (vec2<f32>(pixel.xy) + 0.5) / vec2<f32>(camera.size) * 2.0 - 1.0;
    let origin = vec3<f32>(2.0, camera.height, 0.0);
    let direction = normalize(vec3<f32>(at.x, -0.3 - 0.6 * at.y, 1.2));
    let along = march(origin, direction, camera.most);
    var light = 0.0;
    if along < FAR {
        let sun = normalize(vec3<f32>(0.6, 0.7, -0.3));
        let hit = origin + (along - 0.01) * direction;
        if march(hit + 0.02 * sun, sun, camera.most) == FAR {
            light = 1.0;
        }
    }
    image[pixel.y * camera.size.x + pixel.x] = light;
}
