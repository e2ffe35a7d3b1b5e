//! Assembly of Intel's GPUs, as IGC writes it.

use std::collections::{BTreeSet, VecDeque};

use super::flags::branches_by_data;
use super::instruction::{Instruction, label, tokens};
use crate::code::{Code, Kind};
use crate::tools::number_after;

/// Reads an assembly: labels such as `_0_011:`, and instructions.
///
/// A line `wait` is put before each instruction that waits for a load, and a line `split` before each branch by data.
#[must_use]
pub fn read(assembly: &str) -> Code {
    let splits = branches_by_data(assembly);
    let mut lines = Vec::new();
    let mut loading = Loading::default();
    for (at, line) in assembly.lines().enumerate() {
        if let Some(label) = label(line) {
            lines.push(format!("{label}:"));
        }
        let Some(instruction) = Instruction::of(line) else { continue };
        if let Some(left) = loading.wait(&instruction) {
            lines.push(format!("wait {left}"));
        }
        if message(&instruction) == Kind::Load {
            loading.begin(&instruction);
        }
        if splits.contains(&at) {
            lines.push("split".to_owned());
        }
        lines.push(line.to_owned());
    }
    Code::read(lines, false, kind_of)
}

/// Loads from buffers that are on their way, in their order. Each part of a load has a token, by which it is waited for.
#[derive(Default)]
struct Loading<'a>(VecDeque<(&'a str, bool)>);

impl<'a> Loading<'a> {
    /// Notes an instruction, and returns the number of loads that it leaves on their way if it waits for one.
    fn wait(&mut self, instruction: &Instruction<'a>) -> Option<usize> {
        let Instruction { mnemonic, operands, schedule, .. } = *instruction;
        // A token that is given anew is free.
        let mut free: BTreeSet<&str> = tokens(schedule, ".dst").collect();
        free.extend(tokens(schedule, ""));
        if mnemonic == "sync.allwr" {
            free.extend(tokens(operands, ""));
        }
        let waits_for_all = mnemonic == "sync.allwr" && operands.contains("null");
        let last = self.0.iter().rposition(|(token, _)| waits_for_all || free.contains(token))?;
        self.0.drain(..=last);
        Some(self.0.iter().filter(|(_, is_first)| *is_first).count())
    }

    fn begin(&mut self, instruction: &Instruction<'a>) {
        let token = tokens(instruction.schedule, "").next().unwrap_or("");
        self.0.push_back((token, instruction.is_first_part()));
    }
}

/// Returns what an instruction does, or the label that it branches to.
fn kind_of(line: &str) -> Result<Kind, String> {
    let Some(instruction) = Instruction::of(line) else { return Ok(Kind::Other) };
    if instruction.is_branch() {
        // Lanes go to the second of two labels. The first is for when none is left.
        return Err(instruction.operands.split_whitespace().next_back().unwrap_or("").to_owned());
    }
    Ok(if instruction.mnemonic == "split" {
        Kind::Splits
    } else if instruction.mnemonic == "wait" {
        Kind::Wait(instruction.operands.parse().unwrap_or(0))
    } else if instruction.starts(&OTHER) || !instruction.is_first_part() {
        Kind::Other
    } else if instruction.starts(&["send"]) {
        message(&instruction)
    } else if instruction.is_scalar() {
        // The first half of a multiplication, too: the second, `mach`, stands for both.
        Kind::Scalar
    } else {
        Kind::Computes(1)
    })
}

/// Instructions that move, compare or steer.
const OTHER: [&str; 9] = ["mov", "sel", "cmp", "nop", "sync", "join", "endif", "call", "ret"];

/// Returns what a message to memory does, by its description in the comment.
fn message(instruction: &Instruction<'_>) -> Kind {
    if !instruction.starts(&["send"]) {
        return Kind::Other;
    }
    let is = |what: &str| instruction.comment.contains(what);
    // The last byte of the description names the buffer.
    let descriptor = instruction.operands.split_whitespace().rfind(|word| word.starts_with("0x"));
    let in_workgroup = descriptor.is_some_and(|word| word.ends_with("FE"));
    let loads = || match (instruction.is_scalar(), in_workgroup) {
        (true, _) => Kind::ScalarLoad,
        (false, true) => Kind::WorkgroupLoad(bytes_of(instruction.comment)),
        (false, false) => Kind::Load,
    };
    let stores = if in_workgroup { Kind::WorkgroupStore } else { Kind::Store };
    if is("signal barrier") {
        Kind::Barrier
    } else if is("scratch") {
        Kind::Other
    } else if is("atomic") && is("logical OR") {
        // IGC loads atomically so: it adds no bit.
        loads()
    } else if is("atomic") && is("int32 store") {
        stores
    } else if is("atomic") {
        if in_workgroup { Kind::WorkgroupAtomic } else { Kind::Atomic }
    } else if is(" read ") {
        loads()
    } else if is(" write ") {
        stores
    } else {
        Kind::Other
    }
}

/// Returns the bytes for each lane of `read with xyzw` and `read 32b`.
fn bytes_of(comment: &str) -> u32 {
    let after = |word: &str| comment.split_once(word).map_or("", |(_, rest)| rest);
    let components = after(" with ").chars().take_while(|c| "xyzw".contains(*c)).count();
    match number_after(comment, " read ") {
        Some(bits) => bits / 8,
        None => 4 * components.max(1) as u32,
    }
}
