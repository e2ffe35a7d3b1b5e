//! What the subgroups of replayed workgroups did: by statement, by loop, by call path, and in all at other widths.

use std::collections::BTreeMap;

use naga::{Module, Span, Statement};

use super::super::instructions::Kind;
use super::super::mask::Mask;
use super::super::statements::Places;
use super::super::walk::Watch;
use crate::model::{Iterated, Totals};

/// Instructions of a statement, with the place in the source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Instructions {
    /// Bytes of the source that ask for them.
    pub span: Span,
    /// Their kind.
    pub kind: Kind,
    /// How many there are.
    pub count: u64,
}

/// A statement of a shader, with what subgroups did there.
#[derive(Debug, Clone, PartialEq)]
pub struct Executed {
    /// Bytes of the source.
    pub span: Span,
    /// Instructions of one execution, without those of the statement's blocks.
    pub instructions: Vec<Instructions>,
    /// How many subgroups executed the statement, each time that they did. A loop is executed at the decision at its end: a
    /// loop without one, such as every `for` and `while`, has no executions of its own.
    pub executions: u64,
    /// Active lanes, summed over executions.
    pub lanes: u64,
    /// Lanes of the subgroups that executed the statement, active or not, summed over executions. The last subgroup of a
    /// workgroup may have fewer lanes than the others.
    pub slots: u64,
    /// Executions after which the lanes of the subgroup went different ways.
    pub splits: u64,
    /// What kind of statement it is.
    pub part: Part,
    /// Iterations of a loop.
    pub iterated: Iterated,
}

/// The kind of a statement, as far as control flow depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// An `if`; also the condition of a `for` or `while`, and of `&&` and `||`.
    If,
    /// A `switch`.
    Switch,
    /// A loop.
    Loop {
        /// Whether a `break if` decides at its end.
        break_if: bool,
    },
    /// A call of the function with this name.
    Call(String),
    /// Another statement.
    Other,
}

impl Part {
    pub(super) fn of(module: &Module, statement: &Statement) -> Self {
        match statement {
            Statement::If { .. } => Self::If,
            Statement::Switch { .. } => Self::Switch,
            Statement::Loop { break_if, .. } => Self::Loop { break_if: break_if.is_some() },
            Statement::Call { function, .. } => {
                Self::Call(module.functions[*function].name.clone().unwrap_or_default())
            }
            _ => Self::Other,
        }
    }
}

impl Executed {
    /// Returns the statement at `span` before anything is executed.
    pub(super) fn new(span: Span, part: Part, instructions: Vec<Instructions>) -> Self {
        let iterated = Iterated::default();
        Self { span, instructions, executions: 0, lanes: 0, slots: 0, splits: 0, part, iterated }
    }

    /// Returns what one instruction of the statement adds to totals.
    #[must_use]
    pub fn of_one(&self) -> Totals {
        Totals { issues: self.executions, lanes: self.lanes, slots: self.slots }
    }

    fn add(&mut self, other: &Self) {
        self.executions += other.executions;
        self.lanes += other.lanes;
        self.slots += other.slots;
        self.splits += other.splits;
        self.iterated.add(other.iterated);
    }
}

/// What subgroups did, over all workgroups so far.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// The statements.
    pub statements: Vec<Executed>,
    /// Totals by the calls, from the entry point, in which instructions were issued. A call is the place of its statement among
    /// the statements. What a function does is not among the totals of those that called it.
    pub paths: BTreeMap<Vec<usize>, Totals>,
    /// Totals at other widths.
    pub widths: BTreeMap<u32, Totals>,
    /// Instructions of each subgroup, by workgroup in the order in which they were replayed.
    pub lengths: Vec<Vec<u64>>,
}

impl Counted {
    /// Returns the instructions of the subgroup that issued the most.
    #[must_use]
    pub fn longest(&self) -> u64 {
        self.lengths.iter().flatten().copied().max().unwrap_or(0)
    }

    /// Adds what the same replay counted of other workgroups.
    pub fn add(&mut self, other: &Self) {
        for (own, other) in self.statements.iter_mut().zip(&other.statements) {
            own.add(other);
        }
        for (path, totals) in &other.paths {
            self.paths.entry(path.clone()).or_default().add(1, *totals);
        }
        for (width, totals) in &other.widths {
            self.widths.entry(*width).or_default().add(1, *totals);
        }
        self.lengths.extend(other.lengths.iter().cloned());
    }
}

/// Counts what a workgroup does.
pub(super) struct Counting<'r> {
    /// Index of each statement, by its address.
    pub(super) places: &'r Places,
    /// Instructions of each statement.
    pub(super) instructions: &'r [u64],
    pub(super) counts: &'r mut Counted,
    /// The lanes of the workgroup.
    pub(super) present: Mask,
    /// Lanes of a subgroup.
    pub(super) width: usize,
    /// The calls in which the lanes are.
    pub(super) calls: Vec<usize>,
    /// Totals of the function in which the lanes are since its begin or its last call.
    pub(super) pending: Totals,
    /// The lanes that executed the last statement. The next one is often executed by the same.
    pub(super) last: Mask,
    /// What one instruction of these lanes adds to totals.
    pub(super) one: Totals,
    /// Instructions of these lanes that the totals at other widths, and of each subgroup, lack.
    pub(super) lacking: u64,
    /// Instructions of each subgroup.
    pub(super) of_subgroups: Vec<u64>,
}

impl Counting<'_> {
    fn place(&self, statement: &Statement) -> usize {
        self.places.of(statement)
    }

    /// Returns what one instruction that `active` executes adds to totals, for subgroups of `width` lanes.
    fn one(&self, active: &Mask, width: usize) -> Totals {
        let firsts = active.firsts(width);
        let slots = (firsts.filled(width) & self.present).count();
        Totals { issues: firsts.count(), lanes: active.count(), slots }
    }

    /// Adds what the totals at other widths, and of each subgroup, lack.
    pub(super) fn settle_last(&mut self) {
        let lacking = std::mem::take(&mut self.lacking);
        if lacking > 0 {
            let mut widths = std::mem::take(&mut self.counts.widths);
            for (width, totals) in &mut widths {
                totals.add(lacking, self.one(&self.last, *width as usize));
            }
            self.counts.widths = widths;
            for first in self.last.firsts(self.width).lanes() {
                self.of_subgroups[first / self.width] += lacking;
            }
        }
    }

    /// Adds what is pending to the totals of the present path.
    pub(super) fn settle(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if pending != Totals::default() {
            match self.counts.paths.get_mut(&self.calls) {
                Some(totals) => totals.add(1, pending),
                None => drop(self.counts.paths.insert(self.calls.clone(), pending)),
            }
        }
    }
}

impl<L> Watch<L> for Counting<'_> {
    fn note(&mut self, _: &L, statement: &Statement, active: &Mask) {
        let place = self.place(statement);
        if *active != self.last {
            self.settle_last();
            (self.last, self.one) = (*active, self.one(active, self.width));
        }
        let one = self.one;
        let executed = &mut self.counts.statements[place];
        executed.executions += one.issues;
        executed.lanes += one.lanes;
        executed.slots += one.slots;
        let instructions = self.instructions[place];
        self.pending.add(instructions, one);
        self.lacking += instructions;
    }

    fn note_ways(&mut self, statement: &Statement, ways: &[Mask]) {
        let place = self.place(statement);
        let (mut once, mut again) = (Mask::EMPTY, Mask::EMPTY);
        for way in ways {
            let firsts = way.firsts(self.width);
            again |= once & firsts;
            once |= firsts;
        }
        self.counts.statements[place].splits += again.count();
    }

    fn note_loop(&mut self, statement: &Statement, active: &Mask) {
        let one = self.one(active, self.width);
        let place = self.place(statement);
        let iterated = &mut self.counts.statements[place].iterated;
        iterated.entries += one.issues;
        iterated.lanes += one.lanes;
    }

    fn note_iteration(&mut self, statement: &Statement, active: &Mask, begun: &Mask) {
        let together = active.firsts(self.width).filled(self.width) & *begun;
        let one = self.one(active, self.width);
        let place = self.place(statement);
        let iterated = &mut self.counts.statements[place].iterated;
        iterated.iterations += one.issues;
        iterated.lane_iterations += one.lanes;
        iterated.lane_slots += together.count();
    }

    fn note_call(&mut self, statement: &Statement) {
        self.settle();
        self.calls.push(self.place(statement));
    }

    fn note_return(&mut self) {
        self.settle();
        self.calls.pop();
    }
}
