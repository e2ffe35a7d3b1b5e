//! Machine code, read from its disassembly.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

/// What an instruction does. Instructions that only move, wait or schedule are [`Kind::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Computes for each lane; the number of operations that the instruction does at once.
    Computes(u32),
    /// Computes once for the subgroup.
    Scalar,
    /// Loads from a buffer for each lane.
    Load,
    /// Loads from a buffer once for the subgroup.
    ScalarLoad,
    /// Stores to a buffer.
    Store,
    /// An atomic operation on a buffer.
    Atomic,
    /// Loads this many bytes of workgroup memory for each lane.
    WorkgroupLoad(u32),
    /// Stores to workgroup memory.
    WorkgroupStore,
    /// An atomic operation on workgroup memory.
    WorkgroupAtomic,
    /// Waits until at most this many loads are on their way.
    Wait(u32),
    /// Waits for the other subgroups of the workgroup.
    Barrier,
    /// Switches lanes off by data.
    Splits,
    /// Branches to the instruction of this index.
    Branch(usize),
    /// Anything else.
    Other,
}

impl Kind {
    /// Returns the number of operations that the instruction computes for each lane.
    #[must_use]
    pub fn computes(self) -> u32 {
        if let Self::Computes(operations) = self { operations } else { 0 }
    }
}

/// The instructions of a program in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Code {
    /// What the instructions do.
    pub instructions: Vec<Kind>,
    /// Whether stores count among the loads that a [`Kind::Wait`] leaves on their way.
    stores_count: bool,
}

impl Code {
    /// Reads a disassembly whose lines are labels such as `BB3:` and instructions. `kind_of` tells what an instruction
    /// does, but for branches, which it tells by the label that they go to.
    pub(crate) fn read(
        lines: impl IntoIterator<Item = String>,
        stores_count: bool,
        kind_of: impl Fn(&str) -> Result<Kind, String>,
    ) -> Self {
        let mut labels = HashMap::new();
        let mut texts = Vec::new();
        for line in lines {
            match line.strip_suffix(':') {
                Some(label) => {
                    labels.insert(label.to_owned(), texts.len());
                }
                None => texts.push(line),
            }
        }
        let branch =
            |label: String| labels.get(&label).map_or(Kind::Other, |&target| Kind::Branch(target));
        let kind = |text: String| kind_of(&text).unwrap_or_else(branch);
        Self { instructions: texts.into_iter().map(kind).collect(), stores_count }
    }

    /// Returns the loops: the indices of the first and of the last instruction of each, in the order of the first.
    #[must_use]
    pub fn loops(&self) -> Vec<RangeInclusive<usize>> {
        let mut loops: BTreeMap<usize, usize> = BTreeMap::new();
        for (at, &kind) in self.instructions.iter().enumerate() {
            if let Kind::Branch(target) = kind
                && target <= at
            {
                loops.insert(target, at);
            }
        }
        loops.into_iter().map(|(first, last)| first..=last).collect()
    }

    /// Returns the loops that contain no other loop.
    #[must_use]
    pub fn innermost(&self) -> Vec<RangeInclusive<usize>> {
        let all = self.loops();
        let is_innermost = |one: &&RangeInclusive<usize>| {
            !all.iter().any(|other| {
                other != *one && one.start() <= other.start() && other.end() <= one.end()
            })
        };
        all.iter().filter(is_innermost).cloned().collect()
    }

    /// Adds up `amount` over the instructions of a range.
    #[must_use]
    pub fn sum(&self, range: RangeInclusive<usize>, amount: impl Fn(Kind) -> u32) -> u32 {
        self.instructions[range].iter().copied().map(amount).sum()
    }

    /// Returns the largest number of loads that are on their way at the same time within a range.
    #[must_use]
    pub fn loads_in_flight(&self, range: RangeInclusive<usize>) -> u32 {
        let (mut on_their_way, mut most) = (Vec::new(), 0);
        for &kind in &self.instructions[range] {
            match kind {
                Kind::Load => on_their_way.push(true),
                Kind::Store if self.stores_count => on_their_way.push(false),
                Kind::Wait(left) => {
                    let done = on_their_way.len().saturating_sub(left as usize);
                    on_their_way.drain(..done);
                }
                _ => (),
            }
            most = most.max(on_their_way.iter().filter(|&&is_load| is_load).count());
        }
        most as u32
    }
}

/// Returns the bytes of a data type by the end of a mnemonic, such as `dwordx4`, `b128` and `u32`.
pub(crate) fn bytes_of(mnemonic: &str) -> u32 {
    const SIZES: [(&str, u32); 12] = [
        ("dwordx4", 16),
        ("dwordx3", 12),
        ("dwordx2", 8),
        ("dword", 4),
        ("b128", 16),
        ("b96", 12),
        ("b64", 8),
        ("b32", 4),
        ("u16", 2),
        ("i16", 2),
        ("u8", 1),
        ("i8", 1),
    ];
    SIZES.iter().find(|(end, _)| mnemonic.ends_with(end)).map_or(4, |&(_, bytes)| bytes)
}
