// Marching cubes over the field of a few blobs: cells that the surface does not cross end early, and the others place a vertex
// on each of their edges that it does.

struct Grid {
    cells: u32, // cells of a side
    level: f32, // value of the surface
}

@group(0) @binding(0) var<uniform> grid: Grid;
@group(0) @binding(1) var<storage, read> blobs: array<vec4<f32>>; // center and radius
@group(0) @binding(2) var<storage, read_write> vertices: array<vec2<u32>>; // number of vertices, and a sum of their bits

fn field(at: vec3<f32>) -> f32 {
    var sum = 0.0;
    for (var i = 0u; i < arrayLength(&blobs); i++) {
        let to = at - blobs[i].xyz;
        let radius = 0.05 + 0.2 * blobs[i].w;
        sum += radius * radius / max(dot(to, to), 1e-4);
    }
    return sum;
}

fn corner(index: u32) -> vec3<f32> {
    return vec3<f32>(f32(index & 1u), f32((index >> 1u) & 1u), f32((index >> 2u) & 1u));
}

@compute @workgroup_size(4, 4, 4)
fn main(@builtin(global_invocation_id) cell: vec3<u32>) {
    let n = grid.cells;
    if any(cell >= vec3<u32>(n)) {
        return;
    }
    var values: array<f32, 8>;
    var inside = 0u;
    for (var i = 0u; i < 8u; i++) {
        values[i] = field((vec3<f32>(cell) + corner(i)) / f32(n)) - grid.level;
        inside |= select(0u, 1u << i, values[i] > 0.0);
    }
    let place = cell.x + n * (cell.y + n * cell.z);
    if inside == 0u || inside == 255u {
        vertices[place] = vec2<u32>();
        return;
    }
    var count = 0u;
    var bits = 0u;
    for (var a = 0u; a < 8u; a++) {
        for (var axis = 0u; axis < 3u; axis++) {
            let b = a | (1u << axis);
            if a == b {
                continue; // the edge begins at its lower corner
            }
            if (((inside >> a) ^ (inside >> b)) & 1u) == 1u {
                let share = values[a] / (values[a] - values[b]);
                let vertex = mix(corner(a), corner(b), share);
                bits += bitcast<u32>(vertex.x) ^ bitcast<u32>(vertex.y) ^ bitcast<u32>(vertex.z);
                count++;
            }
        }
    }
    vertices[place] = vec2<u32>(count, bits);
}
