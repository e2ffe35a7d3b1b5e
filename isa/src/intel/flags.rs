//! Which branches of Intel's code depend on data: by a flag in which lanes may differ.

use std::collections::{BTreeSet, HashMap};

use super::instruction::{Instruction, in_parentheses, label};

/// Flags that are the same in all lanes, and registers that keep such a flag for a while.
type Same<'a> = BTreeSet<&'a str>;

/// Returns the numbers of the lines with branches by data.
pub(super) fn branches_by_data(assembly: &str) -> BTreeSet<usize> {
    // What is the same on all ways to a label. Each round learns from branches backwards what the one before could not
    // know.
    let mut at_labels: HashMap<&str, Same<'_>> = HashMap::new();
    loop {
        let before = at_labels.clone();
        let found = pass(assembly, &mut at_labels);
        if at_labels == before {
            return found;
        }
    }
}

/// Goes through the lines once.
fn pass<'a>(assembly: &'a str, at_labels: &mut HashMap<&'a str, Same<'a>>) -> BTreeSet<usize> {
    let mut same = Same::new();
    let mut found = BTreeSet::new();
    for (at, line) in assembly.lines().enumerate() {
        if let Some(known) = label(line).and_then(|label| at_labels.get(label)) {
            same.retain(|name| known.contains(name));
        }
        let Some(instruction) = Instruction::of(line) else { continue };
        if instruction.is_branch() {
            if instruction.flag().is_some_and(|flag| !same.contains(flag)) {
                found.insert(at);
            }
            for label in instruction.operands.split_whitespace() {
                let known = at_labels.entry(label).or_insert_with(|| same.clone());
                known.retain(|name| same.contains(name));
            }
        } else {
            write(&instruction, &mut same);
        }
    }
    found
}

/// Notes what an instruction writes.
fn write<'a>(instruction: &Instruction<'a>, same: &mut Same<'a>) {
    let (condition, rest) = in_parentheses(instruction.operands);
    let mut words = rest.split_whitespace();
    let Some(written) = words.next().map(name) else { return };
    let is_same = if condition.is_empty() {
        // The flags of all lanes may be kept in one word.
        let mut moved = words.map(|word| !word.contains('<') || same.contains(name(word)));
        instruction.mnemonic == "mov" && moved.next() == Some(true)
    } else {
        // The result comes first. `<0;1,0>` reads one number for all lanes.
        words.skip(1).all(|word| !word.contains('<') || word.contains("<0;"))
    };
    if is_same {
        same.insert(written);
    } else {
        same.remove(written);
    }
}

/// Returns the name of a register without what is read of it.
fn name(word: &str) -> &str {
    word.split('<').next().unwrap_or(word)
}
