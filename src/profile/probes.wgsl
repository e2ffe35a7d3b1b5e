// The probes of the profiler: they log the decisions of an invocation, and count its work. The profiler puts this text into
// a shader, and calls of these functions into the shader's functions. `src/profile/log.rs` has the layout of the log.
//
// All names begin with `warplaw_`, which the shader of a user may not contain.

@group(0) @binding(0) var<storage, read_write> warplaw_log: array<u32>;

var<private> warplaw_on: bool;    // whether the log has room for this workgroup
var<private> warplaw_work: u32;   // instructions so far
var<private> warplaw_path: u32 = 2166136261u; // hash (FNV-1a) of the decisions so far
var<private> warplaw_counter: u32; // index of the word with the work of this invocation
var<private> warplaw_first: u32;  // index of the first word of its log
var<private> warplaw_stride: u32; // words between two of its words
var<private> warplaw_room: u32;   // words of its log; 0 if it has none
var<private> warplaw_words: u32;  // words of decisions so far
var<private> warplaw_word: u32;   // the decisions that are not in a word of the log yet
var<private> warplaw_bits: u32;   // bits of these

// Returns the first lane of the subgroup. All lanes of a subgroup call it together.
fn warplaw_leader(lane: u32) -> u32 {
    return subgroupBroadcastFirst(lane);
}

fn warplaw_begin(lane: u32, workgroup: vec3<u32>, grid: vec3<u32>, size: u32) {
    let flat = workgroup.x + grid.x * (workgroup.y + grid.y * workgroup.z);
    let lanes = warplaw_log[5];
    if flat >= warplaw_log[7] {
        return; // the log has no room for more workgroups than were announced
    }
    warplaw_on = true;
    if flat == 0u {
        warplaw_log[6] = size;
        warplaw_log[8u + lane] = warplaw_leader(lane);
    }
    warplaw_counter = warplaw_log[1] + flat * lanes + lane;
    let slot = warplaw_log[warplaw_log[0] + flat];
    if slot != 0u {
        warplaw_stride = warplaw_log[3];
        warplaw_room = warplaw_log[4];
        warplaw_first = warplaw_log[2] + (slot - 1u) * lanes + lane;
    }
}

fn warplaw_flush() {
    warplaw_words += 1u;
    if warplaw_words < warplaw_room {
        warplaw_log[warplaw_first + warplaw_words * warplaw_stride] = warplaw_word;
    }
    warplaw_word = 0u;
    warplaw_bits = 0u;
}

fn warplaw_decide(outcome: u32, bits: u32) {
    if warplaw_bits + bits > 32u {
        warplaw_flush();
    }
    warplaw_path = (warplaw_path ^ outcome) * 16777619u;
    warplaw_word |= outcome << warplaw_bits;
    warplaw_bits += bits;
}

fn warplaw_count(instructions: u32) {
    warplaw_work += instructions;
}

fn warplaw_end() {
    if warplaw_bits > 0u {
        warplaw_flush();
    }
    if warplaw_room > 0u {
        warplaw_log[warplaw_first] = warplaw_words;
    }
    if warplaw_on {
        warplaw_log[warplaw_counter] = warplaw_work;
        warplaw_log[warplaw_counter + warplaw_log[7] * warplaw_log[5]] = warplaw_path;
    }
}
