//! What a SIMT machine issues, counted by subgroup.

use naga::Statement;

use super::instructions::Kind;
use super::lanes::Values;
use super::mask::Mask;
use super::walk::Watch;

/// The instructions that one subgroup issues, by kind, and how many of their lanes were active.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Issued {
    issues: [u64; Kind::ALL.len()],
    /// Active lanes, summed over instructions.
    pub lanes: u64,
}

impl Issued {
    /// Returns the number of instructions of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> u64 {
        self.issues[kind as usize]
    }

    /// Returns the number of all instructions.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.issues.iter().sum()
    }

    fn add(&mut self, kind: Kind, times: u64, lanes: u32) {
        self.issues[kind as usize] += times;
        self.lanes += times * u64::from(lanes);
    }
}

/// The instructions that each subgroup of a workgroup issues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) subgroups: Vec<Issued>,
}

impl Tally {
    fn add(&mut self, (kind, times): (Kind, u64), active: &Mask, width: usize) {
        if times == 0 {
            return;
        }
        for (subgroup, lanes) in active.subgroups(width) {
            self.subgroups[subgroup].add(kind, times, lanes);
        }
    }
}

impl<'a> Watch<Values<'a>> for Tally {
    fn note(&mut self, values: &Values<'a>, statement: &Statement, active: &Mask) {
        let Some(typed) = values.typed() else { return };
        for instructions in typed.instructions(statement) {
            self.add(instructions, active, values.width);
        }
    }
}
