// All-reduce within one GPU: every worker ends with the sum over all workers. A worker is a workgroup with a
// region of `data`, and each kernel is one step of all workers. Each step is a separate dispatch, because a
// workgroup cannot wait for another workgroup. The data are vectors of four words.

struct Params {
    workers: u32,
    vectors: u32, // vectors in the region of each worker
    chunk: u32,   // vectors in a chunk of a region; the last chunks are short or empty
    step: u32,    // index of the step
    source: u32,  // first vector of the regions that are read
    sink: u32,    // first vector of the regions that are written
    seed: u32,
}

override WORKGROUP_SIZE: u32 = 256u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> data: array<vec4<u32>>;

// Writes the initial values of all workers, region after region.
@compute @workgroup_size(WORKGROUP_SIZE)
fn fill(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let vectors = params.workers * params.vectors;
    for (var i = workgroup.x * WORKGROUP_SIZE + local_index; i < vectors; i += workgroups.x * WORKGROUP_SIZE) {
        var x = (4u * i + vec4<u32>(0u, 1u, 2u, 3u)) * 0x9E3779B1u + params.seed;
        x = (x ^ (x >> vec4<u32>(15u))) * 0x2C1B3C6Du;
        data[params.source + i] = x ^ (x >> vec4<u32>(12u));
    }
}

struct Chunk {
    begin: u32,
    end: u32,
}

// Returns the begin and the end of chunk `index` in a region. A region has one chunk per worker.
fn chunk(index: u32) -> Chunk {
    let begin = min(index * params.chunk, params.vectors);
    return Chunk(begin, min(begin + params.chunk, params.vectors));
}

// Returns a number of less than twice the workers, modulo the workers. A division costs more than a small chunk.
fn modulo_workers(x: u32) -> u32 {
    return select(x, x - params.workers, x >= params.workers);
}

// Neighbours whose vectors are adjacent. Subgroups are smaller on most devices, so each load of a subgroup is
// coalesced. The four vectors of an invocation are 1 KiB apart: at 4 KiB, they would share one set of a CPU's cache.
const NEIGHBOURS: u32 = 64u;

// Returns the index of the first of an invocation's four vectors.
fn first_vector(local_index: u32) -> u32 {
    return local_index / NEIGHBOURS * (4u * NEIGHBOURS) + local_index % NEIGHBOURS;
}

// Stores the sums of `count` vectors from `a` on and from `b` on. In the first loop, an invocation processes four
// vectors at once. All are loaded before one is stored: a compiler does not know that a store leaves the next loads
// alone, and would wait for each.
fn sum(a: u32, b: u32, to: u32, local_index: u32, count: u32) {
    let whole = count - count % (4u * WORKGROUP_SIZE);
    for (var i = first_vector(local_index); i < whole; i += 4u * WORKGROUP_SIZE) {
        let j = i + NEIGHBOURS;
        let k = j + NEIGHBOURS;
        let l = k + NEIGHBOURS;
        let ai = data[a + i];
        let aj = data[a + j];
        let ak = data[a + k];
        let al = data[a + l];
        let bi = data[b + i];
        let bj = data[b + j];
        let bk = data[b + k];
        let bl = data[b + l];
        data[to + i] = ai + bi;
        data[to + j] = aj + bj;
        data[to + k] = ak + bk;
        data[to + l] = al + bl;
    }
    for (var i = whole + local_index; i < count; i += WORKGROUP_SIZE) {
        data[to + i] = data[a + i] + data[b + i];
    }
}

// Copies `count` vectors, in the same way.
fn copy(from_place: u32, to: u32, local_index: u32, count: u32) {
    let whole = count - count % (4u * WORKGROUP_SIZE);
    for (var i = first_vector(local_index); i < whole; i += 4u * WORKGROUP_SIZE) {
        let j = i + NEIGHBOURS;
        let k = j + NEIGHBOURS;
        let l = k + NEIGHBOURS;
        let at_i = data[from_place + i];
        let at_j = data[from_place + j];
        let at_k = data[from_place + k];
        let at_l = data[from_place + l];
        data[to + i] = at_i;
        data[to + j] = at_j;
        data[to + k] = at_k;
        data[to + l] = at_l;
    }
    for (var i = whole + local_index; i < count; i += WORKGROUP_SIZE) {
        data[to + i] = data[from_place + i];
    }
}

// Reduce-scatter: each worker adds its chunk (worker − step) to the same chunk of the next worker. The chunk
// that a worker reads differs from the chunk that the previous worker writes in the same region.
@compute @workgroup_size(WORKGROUP_SIZE)
fn ring_add(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) worker: vec3<u32>) {
    let part = chunk(modulo_workers(worker.x + params.workers - params.step));
    let next = modulo_workers(worker.x + 1u);
    let to = next * params.vectors + part.begin;
    sum(worker.x * params.vectors + part.begin, to, to, local_index, part.end - part.begin);
}

// All-gather: each worker copies its chunk (worker + 1 − step), which already has its final value, to the
// next worker.
@compute @workgroup_size(WORKGROUP_SIZE)
fn ring_copy(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) worker: vec3<u32>) {
    let part = chunk(modulo_workers(modulo_workers(worker.x + 1u) + params.workers - params.step));
    let next = modulo_workers(worker.x + 1u);
    copy(
        worker.x * params.vectors + part.begin,
        next * params.vectors + part.begin,
        local_index,
        part.end - part.begin,
    );
}

// First half of the naive all-reduce: adds the region of worker `step` to the region of the first worker.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gather(@builtin(local_invocation_index) local_index: u32) {
    sum(params.step * params.vectors, 0u, 0u, local_index, params.vectors);
}

// Second half of the naive all-reduce: copies the region of the first worker to worker `step`.
@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter(@builtin(local_invocation_index) local_index: u32) {
    copy(0u, params.step * params.vectors, local_index, params.vectors);
}

// Recursive doubling: partners at a distance of 2^step exchange their regions. The kernel reads one set of
// regions and writes another set, because each partner reads the region that the other partner would
// overwrite.
@compute @workgroup_size(WORKGROUP_SIZE)
fn double(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) worker: vec3<u32>) {
    let vectors = params.vectors;
    let own = params.source + worker.x * vectors;
    let partner = params.source + (worker.x ^ (1u << params.step)) * vectors;
    sum(own, partner, params.sink + worker.x * vectors, local_index, vectors);
}

// Measures the cost per byte of adding: every worker adds its region to a region that no other worker uses.
@compute @workgroup_size(WORKGROUP_SIZE)
fn stream_add(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) worker: vec3<u32>) {
    let to = params.sink + worker.x * params.vectors;
    sum(worker.x * params.vectors, to, to, local_index, params.vectors);
}

// Measures the cost per byte of copying: every worker copies its region to a region that no other worker
// uses.
@compute @workgroup_size(WORKGROUP_SIZE)
fn stream_copy(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) worker: vec3<u32>) {
    let to = params.sink + worker.x * params.vectors;
    copy(worker.x * params.vectors, to, local_index, params.vectors);
}
