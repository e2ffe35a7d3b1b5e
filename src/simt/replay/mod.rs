//! Replay: what subgroups of any width issue, from the decisions that each lane made elsewhere.
//!
//! Control flow depends on data only where a statement decides: at an `if`, at a `switch`, and at the `break if` of a loop.
//! So the outcomes of these, lane by lane in the order in which the lane made them, are all that the walk needs. It computes
//! no value. It is exact if the lanes of a subgroup meet again as early as the source allows.

mod counts;

use std::collections::HashMap;

use naga::valid::ModuleInfo;
use naga::{EntryPoint, Expression, Function, Handle, Module, Span, Statement, SwitchCase};

use counts::Counting;
pub use counts::{Counted, Executed, Instructions, Part};

use super::instructions::Instructed;
use super::mask::{MOST_LANES, Mask};
use super::statements::{Placed, statements};
use super::unsupported::Unsupported;
use super::walk::{Lanes, Walk};
use crate::model::Totals;

/// A shader whose workgroups are replayed, with what all of them did so far.
pub struct Replay<'a> {
    module: &'a Module,
    entry: &'a EntryPoint,
    counts: Counted,
    /// Index of each statement, by its address.
    places: HashMap<*const Statement, usize>,
    /// Instructions of each statement.
    instructions: Vec<u64>,
}

impl<'a> Replay<'a> {
    /// Begins a replay of the entry point `entry` of a module whose overrides have their values.
    ///
    /// # Errors
    /// Returns an error if the module has no such entry point, or if its workgroups are too large.
    pub fn new(module: &'a Module, info: &'a ModuleInfo, entry: &str) -> Result<Self, Unsupported> {
        let index = module.entry_points.iter().position(|candidate| candidate.name == entry);
        let index = index.ok_or_else(|| Unsupported(format!("an entry point `{entry}`")))?;
        let entry = &module.entry_points[index];
        if entry.workgroup_size_overrides.is_some() {
            return Err(Unsupported("a workgroup size that is not known yet".to_owned()));
        }
        let lanes = entry.workgroup_size.iter().map(|&size| u64::from(size)).product::<u64>();
        if lanes > MOST_LANES as u64 {
            return Err(Unsupported(format!("a workgroup of {lanes} invocations")));
        }
        let mut replay = Self {
            module,
            entry,
            counts: Counted::default(),
            places: HashMap::new(),
            instructions: Vec::new(),
        };
        for Placed { function, handle, statement, span } in statements(module, entry) {
            let info = handle.map_or_else(|| info.get_entry_point(index), |handle| &info[handle]);
            let typed = Instructed::new(module, function, info);
            let instructions = typed.placed_instructions(statement, span);
            replay.places.insert(std::ptr::from_ref(statement), replay.instructions.len());
            replay.instructions.push(instructions.iter().map(|of| of.count).sum());
            let part = Part::of(module, statement);
            replay.counts.statements.push(Executed::new(span, part, instructions));
        }
        Ok(replay)
    }

    /// Returns the invocations of a workgroup.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.entry.workgroup_size.iter().product::<u32>() as usize
    }

    /// Returns the statements, with what all workgroups so far did there.
    #[must_use]
    pub fn statements(&self) -> &[Executed] {
        &self.counts.statements
    }

    /// Returns the same replay, which counts totals at other widths too.
    #[must_use]
    pub fn counting_at(mut self, widths: &[u32]) -> Self {
        self.counts.widths = widths.iter().map(|&width| (width, Totals::default())).collect();
        self
    }

    /// Returns what all workgroups so far did.
    #[must_use]
    pub fn into_counted(self) -> Counted {
        self.counts
    }

    /// Replays a workgroup with subgroups of `width` lanes.
    ///
    /// `decide` returns the next decision of a lane: it receives the lane and the number of outcomes. At an `if` and at a
    /// `break if` the outcome is 1 if the condition is true. At a `switch` it is the index of the case whose block the lane
    /// enters.
    ///
    /// # Errors
    /// Returns the first error of `decide`.
    ///
    /// # Panics
    /// Panics if `width` is zero.
    pub fn workgroup<E>(
        &mut self,
        width: u32,
        decide: impl FnMut(usize, u32) -> Result<u32, E>,
    ) -> Result<(), E> {
        assert!(width > 0, "a subgroup has lanes");
        let lanes = self.lanes();
        let watch = Counting {
            places: &self.places,
            instructions: &self.instructions,
            counts: &mut self.counts,
            lanes,
            width: width as usize,
            calls: Vec::new(),
            pending: Totals::default(),
        };
        let mut walk = Walk { module: self.module, lanes: Decided(decide), watch };
        let walked = walk.function(&self.entry.function.body, Mask::below(lanes));
        walk.watch.settle();
        walked
    }
}

impl Instructed<'_> {
    /// Returns the instructions of a statement at `span`, without those of its blocks. Those of an expression are where the
    /// expression is.
    fn placed_instructions(self, statement: &Statement, span: Span) -> Vec<Instructions> {
        let spans: Vec<Span> = match statement {
            Statement::Emit(range) => range
                .clone()
                .map(|expression| self.function.expressions.get_span(expression))
                .collect(),
            _ => vec![span],
        };
        let of_each = self.instructions(statement).into_iter().zip(spans);
        let placed = of_each.map(|((kind, count), span)| Instructions { span, kind, count });
        placed.filter(|instructions| instructions.count > 0).collect()
    }
}

/// Lanes whose decisions are known, and whose values are not.
struct Decided<F>(F);

impl<E, F: FnMut(usize, u32) -> Result<u32, E>> Decided<F> {
    /// Returns the next outcome of each lane of `active`.
    fn outcomes(&mut self, active: &Mask, outcomes: u32) -> Result<Vec<(usize, u32)>, E> {
        active.lanes().map(|lane| Ok((lane, (self.0)(lane, outcomes)?))).collect()
    }
}

/// Returns the lanes with the outcome `wanted`.
fn with_outcome(outcomes: &[(usize, u32)], wanted: u32) -> Mask {
    let mut lanes = Mask::EMPTY;
    outcomes
        .iter()
        .filter(|(_, outcome)| *outcome == wanted)
        .for_each(|&(lane, _)| lanes.add(lane));
    lanes
}

impl<E, F: FnMut(usize, u32) -> Result<u32, E>> Lanes for Decided<F> {
    type Error = E;

    fn execute(&mut self, _: &Statement, _: &Mask) -> Result<(), E> {
        Ok(())
    }

    fn holds(&mut self, _: Handle<Expression>, active: &Mask) -> Result<Mask, E> {
        Ok(with_outcome(&self.outcomes(active, 2)?, 1))
    }

    fn choose(
        &mut self,
        _: Handle<Expression>,
        cases: &[SwitchCase],
        active: &Mask,
    ) -> Result<Vec<Mask>, E> {
        let count = cases.len() as u32;
        let outcomes = self.outcomes(active, count)?;
        Ok((0..count).map(|case| with_outcome(&outcomes, case)).collect())
    }

    fn enter(&mut self, _: Handle<Function>, _: &[Handle<Expression>], _: &Mask) -> Result<(), E> {
        Ok(())
    }

    fn give(&mut self, _: Handle<Expression>, _: &Mask) -> Result<(), E> {
        Ok(())
    }

    fn leave(&mut self, _: Option<Handle<Expression>>) {}
}
