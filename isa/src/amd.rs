//! Disassembly of AMD's GPUs, as Mesa prints it.

use crate::code::{Code, Kind, bytes_of};

/// Reads a disassembly for `family`. A line is a label such as `BB3:`, an instruction with its encoding after `;`, or
/// `(then repeated 15 times)`.
#[must_use]
pub fn read(assembly: &str, family: &str) -> Code {
    let lines =
        if assembly.contains(OWN_FORM) { own_form(assembly) } else { disassembled(assembly) };
    // From the tenth generation on, stores have a counter of their own.
    let stores_count = family.starts_with("gfx8") || family.starts_with("gfx9");
    Code::read(lines, stores_count, kind_of)
}

/// Returns the labels and the instructions of a disassembly.
fn disassembled(assembly: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in assembly.lines().map(|line| line.split(';').next().unwrap_or_default().trim()) {
        match (repeats(line), lines.last().cloned()) {
            (Some(times), Some(last)) => lines.extend(std::iter::repeat_n(last, times)),
            _ if line.is_empty() => (),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// What Mesa says where it has no disassembler and prints its own form of the instructions.
const OWN_FORM: &str = "Shader disassembly is not supported";

/// Returns the labels and the instructions of Mesa's own form, which begins after some lines of text.
fn own_form(assembly: &str) -> Vec<String> {
    let lines = assembly.lines().map(str::trim).skip_while(|line| *line != "BB0");
    let code = lines.filter(|line| !line.is_empty() && !line.starts_with("/*"));
    code.map(as_disassembled).collect()
}

/// Returns a line of Mesa's own form in the form of a disassembly: without results, and with a colon after labels.
fn as_disassembled(line: &str) -> String {
    if line.strip_prefix("BB").is_some_and(|number| number.parse::<u32>().is_ok()) {
        return format!("{line}:");
    }
    let operation = line.rsplit_once(" = ").map_or(line, |(_, operation)| operation);
    operation.replace("block:", "").replace("imm:", "")
}

/// Returns how often the line before is repeated, if a line says so.
fn repeats(line: &str) -> Option<usize> {
    line.strip_prefix("(then repeated ")?.split(' ').next()?.parse().ok()
}

/// Returns what an instruction does, or the label that it branches to.
fn kind_of(text: &str) -> Result<Kind, String> {
    let (mnemonic, operands) = text.split_once(' ').unwrap_or((text, ""));
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| mnemonic.starts_with(prefix));
    let in_memory =
        |what: &str| starts(&["buffer_", "global_", "flat_"]) && mnemonic.contains(what);
    if starts(&["s_cbranch", "s_branch"]) {
        return Err(operands.trim().to_owned());
    }
    Ok(if starts(&["v_cmpx"]) || mnemonic.contains("saveexec") {
        Kind::Splits
    } else if starts(&["v_dual_"]) {
        Kind::Computes(2)
    } else if starts(&["v_mov", "v_nop", "v_cmp", "v_readlane", "v_readfirstlane", "v_writelane"]) {
        Kind::Other
    } else if starts(&["v_"]) {
        Kind::Computes(1)
    } else if starts(&["s_waitcnt_vscnt", "s_waitcnt_depctr"]) {
        Kind::Other
    } else if starts(&["s_waitcnt", "s_wait_loadcnt"]) {
        loads_left(mnemonic, operands).map_or(Kind::Other, Kind::Wait)
    } else if starts(&["s_barrier"]) && !mnemonic.ends_with("signal") {
        Kind::Barrier
    } else if starts(&["s_load", "s_buffer_load"]) {
        Kind::ScalarLoad
    } else if in_memory("_atomic") {
        Kind::Atomic
    } else if in_memory("_load") {
        Kind::Load
    } else if in_memory("_store") {
        Kind::Store
    } else if starts(&["ds_read2st64_", "ds_read2_", "ds_load_2addr_"]) {
        Kind::WorkgroupLoad(2 * bytes_of(mnemonic))
    } else if starts(&["ds_read", "ds_load"]) {
        Kind::WorkgroupLoad(bytes_of(mnemonic))
    } else if starts(&["ds_write", "ds_store"]) {
        Kind::WorkgroupStore
    } else if starts(&["ds_swizzle", "ds_bpermute", "ds_permute"]) {
        Kind::Computes(1)
    } else if starts(&["ds_"]) {
        Kind::WorkgroupAtomic
    } else if starts(&SCHEDULING) {
        Kind::Other
    } else if starts(&["s_"]) {
        Kind::Scalar
    } else {
        Kind::Other
    })
}

/// Scalar instructions that compute nothing.
const SCHEDULING: [&str; 12] = [
    "s_nop",
    "s_mov",
    "s_clause",
    "s_delay_alu",
    "s_inst_prefetch",
    "s_set_inst_prefetch",
    "s_sendmsg",
    "s_endpgm",
    "s_code_end",
    "s_round_mode",
    "s_denorm_mode",
    "s_barrier_signal",
];

/// Returns the number of loads that a wait leaves on their way; `None` if it waits for something else.
fn loads_left(mnemonic: &str, operands: &str) -> Option<u32> {
    let number = if mnemonic == "s_wait_loadcnt" {
        operands
    } else {
        operands.split_once("vmcnt(")?.1.split_once(')')?.0
    };
    let number = number.trim();
    match number.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => number.parse().ok(),
    }
}
