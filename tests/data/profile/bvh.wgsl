// Rays through a hierarchy of boxes around spheres, in the form with two loops: one goes down through the boxes, the other
// tests the spheres of a leaf. The hierarchy is implicit: a node of level l is a cube of side 2^-l, and its eight children are
// the cubes that halve it in all directions. Half of the leaves are empty.

struct Ray {
    origin: vec3<f32>,
    direction: vec3<f32>,
}

const LEVELS: u32 = 4u;          // level of the leaves
const SPHERES: u32 = 6u;         // most spheres of a leaf
const NOTHING: f32 = 1e30;

@group(0) @binding(0) var<storage, read> rays: array<f32>; // six numbers for each ray
@group(0) @binding(1) var<storage, read_write> distances: array<f32>;

fn hash(x: u32) -> u32 {
    let y = (x ^ (x >> 16u)) * 0x7FEB352Du;
    let z = (y ^ (y >> 15u)) * 0x846CA68Bu;
    return z ^ (z >> 16u);
}

fn fraction(x: u32) -> f32 {
    return f32(hash(x) >> 8u) / 16777216.0;
}

// A node is its level and the path to it: three bits for each level.
fn corner_of(level: u32, path: u32) -> vec3<f32> {
    var corner = vec3<f32>();
    var side = 1.0;
    for (var l = 0u; l < level; l++) {
        side *= 0.5;
        let octant = (path >> (3u * (level - 1u - l))) & 7u;
        corner += side * vec3<f32>(f32(octant & 1u), f32((octant >> 1u) & 1u), f32(octant >> 2u));
    }
    return corner;
}

fn hits_box(ray: Ray, level: u32, path: u32, nearest: f32) -> bool {
    let low = corner_of(level, path);
    let high = low + exp2(-f32(level));
    let a = (low - ray.origin) / ray.direction;
    let b = (high - ray.origin) / ray.direction;
    let near = max(max(min(a.x, b.x), min(a.y, b.y)), min(a.z, b.z));
    let far = min(min(max(a.x, b.x), max(a.y, b.y)), max(a.z, b.z));
    return far >= max(near, 0.0) && near < nearest;
}

fn hits_sphere(ray: Ray, center: vec3<f32>, radius: f32) -> f32 {
    let to = center - ray.origin;
    let along = dot(to, ray.direction);
    let off = dot(to, to) - along * along;
    if along < 0.0 || off > radius * radius {
        return NOTHING;
    }
    return along - sqrt(radius * radius - off);
}

fn trace(ray: Ray) -> f32 {
    var stack: array<vec2<u32>, 32>;
    var top = 1u; // the stack holds the root
    var nearest = NOTHING;
    while top > 0u {
        // Down to a leaf.
        var leaf = 0u;
        var found = false;
        while top > 0u && !found {
            top -= 1u;
            let node = stack[top];
            if !hits_box(ray, node.x, node.y, nearest) {
                continue;
            }
            if node.x == LEVELS {
                leaf = node.y;
                found = hash(leaf) % 2u == 0u;
            } else {
                for (var child = 0u; child < 8u; child++) {
                    // Only those that the ray hits, so that the stack stays small.
                    if hits_box(ray, node.x + 1u, node.y * 8u + child, nearest) && top < 32u {
                        stack[top] = vec2<u32>(node.x + 1u, node.y * 8u + child);
                        top++;
                    }
                }
            }
        }
        // The spheres of the leaf.
        if found {
            let side = exp2(-f32(LEVELS));
            let corner = corner_of(LEVELS, leaf);
            let count = 1u + hash(leaf + 77u) % SPHERES;
            for (var sphere = 0u; sphere < count; sphere++) {
                let seed = (leaf * SPHERES + sphere) * 4u;
                let place = vec3<f32>(fraction(seed), fraction(seed + 1u), fraction(seed + 2u));
                let radius = side * 0.2 * fraction(seed + 3u);
                nearest = min(nearest, hits_sphere(ray, corner + side * place, radius));
            }
        }
    }
    return nearest;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.x * 6u;
    if at + 5u < arrayLength(&rays) {
        let origin = vec3<f32>(rays[at], rays[at + 1u], rays[at + 2u]);
        let towards = vec3<f32>(rays[at + 3u], rays[at + 4u], rays[at + 5u]);
        distances[id.x] = trace(Ray(origin, normalize(towards - 0.5)));
    }
}
