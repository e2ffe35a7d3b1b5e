// Workers agree on a sum: each is a workgroup with a region of `data`, and each kernel is one step of all
// of them. Steps are dispatches of their own, since no workgroup may wait for another.

struct Params {
    workers: u32,
    words: u32, // of each worker
    step: u32,
    source: u32, // word at which the regions begin that are read
    sink: u32,   // and those that are written
    seed: u32,
}

override WORKGROUP_SIZE: u32 = 256u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> data: array<u32>;

// What all workers hold at first, region after region.
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

// A worker's words in as many chunks as workers; the last ones are short or empty where that does not divide.
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

// Reduce-scatter: chunk (worker − step) goes to the next worker, which adds it to its own. The chunk that a
// worker reads is not the one that the worker before it writes.
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

// All-gather: chunk (worker + 1 − step), which is whole by now, replaces that of the next worker.
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

// The naive way: worker `step` sends all it has to the first, which adds it; later the first sends it back.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gather(@builtin(local_invocation_index) local_index: u32) {
    add(params.step * params.words, 0u, local_index, params.words);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn scatter(@builtin(local_invocation_index) local_index: u32) {
    copy(0u, params.step * params.words, local_index, params.words);
}

// Recursive doubling: partners at a distance of 2 to the power of `step` exchange all they have. From one
// set of regions to another, since both read what the other would write.
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

// The price of a byte: every worker adds or copies its region into one that is no other's.
@compute @workgroup_size(WORKGROUP_SIZE)
fn stream_add(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) worker: vec3<u32>) {
    add(worker.x * params.words, params.sink + worker.x * params.words, local_index, params.words);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn stream_copy(@builtin(local_invocation_index) local_index: u32, @builtin(workgroup_id) worker: vec3<u32>) {
    copy(worker.x * params.words, params.sink + worker.x * params.words, local_index, params.words);
}
