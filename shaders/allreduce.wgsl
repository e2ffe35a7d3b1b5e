// All-reduce within one GPU: every worker ends with the sum over all workers. A worker is a workgroup with a
// region of `data`, and each kernel is one step of all workers. Each step is a separate dispatch, because a
// workgroup cannot wait for another workgroup.

struct Params {
    workers: u32,
    words: u32,  // words in the region of each worker
    step: u32,   // index of the step
    source: u32, // first word of the regions that are read
    sink: u32,   // first word of the regions that are written
    seed: u32,
}

override WORKGROUP_SIZE: u32 = 256u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> data: array<u32>;

// Writes the initial values of all workers, region after region.
@compute @workgroup_size(WORKGROUP_SIZE)
fn fill(
    @builtin(local_invocation_index) local_index: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let words = params.workers * params.words;
    for (var i = workgroup.x * WORKGROUP_SIZE + local_index; i < words; i += workgroups.x * WORKGROUP_SIZE) {
        var x = i * 0x9E3779B1u + params.seed;
        x = (x ^ (x >> 15u)) * 0x2C1B3C6Du;
        data[params.source + i] = x ^ (x >> 12u);
    }
}

struct Chunk {
    begin: u32,
    end: u32,
}

// Returns the begin and the end of chunk `index` in a region. A region has one chunk per worker. The last
// chunks are short or empty if the number of words is not a multiple of the number of workers.
fn chunk(index: u32) -> Chunk {
    let each = (params.words + params.workers - 1u) / params.workers;
    let begin = min(index * each, params.words);
    return Chunk(begin, min(begin + each, params.words));
}

fn add(from_word: u32, to_word: u32, local_index: u32, count: u32) {
    for (var i = local_index; i < count; i += WORKGROUP_SIZE) {
        data[to_word + i] += data[from_word + i];
    }
}

fn copy(from_word: u32, to_word: u32, local_index: u32, count: u32) {
    for (var i = local_index; i < count; i += WORKGROUP_SIZE) {
        data[to_word + i] = data[from_word + i];
    }
}

// Reduce-scatter: each worker adds its chunk (worker − step) to the same chunk of the next worker. The chunk
// that a worker reads differs from the chunk that the previous worker writes in the same region.
@compute @workgroup_size(WORKGROUP_SIZE)
fn ring_add(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) worker: vec3<u32>) {
    let workers = params.workers;
    let part = chunk((worker.x + workers - params.step) % workers);
    let next = (worker.x + 1u) % workers;
    add(
        worker.x * params.words + part.begin,
        next * params.words + part.begin,
        local_index,
        part.end - part.begin,
    );
}

// All-gather: each worker copies its chunk (worker + 1 − step), which already has its final value, to the
// next worker.
@compute @workgroup_size(WORKGROUP_SIZE)
fn ring_copy(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) worker: vec3<u32>) {
    let workers = params.workers;
    let part = chunk((worker.x + 1u + workers - params.step) % workers);
    let next = (worker.x + 1u) % workers;
    copy(
        worker.x * params.words + part.begin,
        next * params.words + part.begin,
        local_index,
        part.end - part.begin,
    );
}

// First half of the naive all-reduce: adds the region of worker `step` to the region of the first worker.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gather(@builtin(local_invocation_index) local_index: u32) {
    add(params.step * params.words, 0u, local_index, params.words);
}

// Second half of the naive all-reduce: copies the region of the first worker to worker `step`.
@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter(@builtin(local_invocation_index) local_index: u32) {
    copy(0u, params.step * params.words, local_index, params.words);
}

// Recursive doubling: partners at a distance of 2^step exchange their regions. The kernel reads one set of
// regions and writes another set, because each partner reads the region that the other partner would
// overwrite.
@compute @workgroup_size(WORKGROUP_SIZE)
fn double(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) worker: vec3<u32>) {
    let words = params.words;
    let own = params.source + worker.x * words;
    let partner = params.source + (worker.x ^ (1u << params.step)) * words;
    let sum = params.sink + worker.x * words;
    for (var i = local_index; i < words; i += WORKGROUP_SIZE) {
        data[sum + i] = data[own + i] + data[partner + i];
    }
}

// Measures the cost per byte of adding: every worker adds its region to a region that no other worker uses.
@compute @workgroup_size(WORKGROUP_SIZE)
fn stream_add(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) worker: vec3<u32>) {
    add(worker.x * params.words, params.sink + worker.x * params.words, local_index, params.words);
}

// Measures the cost per byte of copying: every worker copies its region to a region that no other worker
// uses.
@compute @workgroup_size(WORKGROUP_SIZE)
fn stream_copy(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) worker: vec3<u32>) {
    copy(worker.x * params.words, params.sink + worker.x * params.words, local_index, params.words);
}
