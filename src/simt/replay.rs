//! Replay: what subgroups of any width issue, from the decisions that each lane made elsewhere.
//!
//! Control flow depends on data only where a statement decides: at an `if`, at a `switch`, and at the `break if` of a loop.
//! So the outcomes of these, lane by lane in the order in which the lane made them, are all that the walk needs. It computes
//! no value. It is exact if the lanes of a subgroup meet again as early as the source allows.

use std::collections::HashMap;

use naga::valid::ModuleInfo;
use naga::{Block, EntryPoint, Expression, Function, Handle, Module, Span, Statement, SwitchCase};

use super::instructions::{Instructed, Kind};
use super::mask::{MOST_LANES, Mask};
use super::unsupported::Unsupported;
use super::walk::{Lanes, Walk, Watch};

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
}

/// A shader whose workgroups are replayed, with what all of them did so far.
pub struct Replay<'a> {
    module: &'a Module,
    entry: &'a EntryPoint,
    statements: Vec<Executed>,
    /// Index of each statement, by its address.
    places: HashMap<*const Statement, usize>,
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
        let mut replay = Self { module, entry, statements: Vec::new(), places: HashMap::new() };
        let of_entry = Instructed::new(module, &entry.function, info.get_entry_point(index));
        replay.add(&entry.function.body, of_entry);
        for (handle, function) in module.functions.iter() {
            replay.add(&function.body, Instructed::new(module, function, &info[handle]));
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
        &self.statements
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
        let watch = Counts {
            places: &self.places,
            statements: &mut self.statements,
            lanes,
            width: width as usize,
        };
        let mut walk = Walk { module: self.module, lanes: Decided(decide), watch };
        walk.function(&self.entry.function.body, Mask::below(lanes))
    }

    /// Adds the statements of a block and of the blocks in it.
    fn add(&mut self, block: &'a Block, typed: Instructed<'a>) {
        for (statement, span) in block.span_iter() {
            let instructions = typed.placed_instructions(statement, *span);
            self.places.insert(std::ptr::from_ref(statement), self.statements.len());
            self.statements.push(Executed {
                span: *span,
                instructions,
                executions: 0,
                lanes: 0,
                slots: 0,
                splits: 0,
            });
            match statement {
                Statement::Block(block) => self.add(block, typed),
                Statement::If { accept, reject, .. } => {
                    self.add(accept, typed);
                    self.add(reject, typed);
                }
                Statement::Switch { cases, .. } => {
                    cases.iter().for_each(|case| self.add(&case.body, typed));
                }
                Statement::Loop { body, continuing, .. } => {
                    self.add(body, typed);
                    self.add(continuing, typed);
                }
                _ => (),
            }
        }
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

/// Counts what each statement is executed by.
struct Counts<'r> {
    places: &'r HashMap<*const Statement, usize>,
    statements: &'r mut [Executed],
    /// Lanes of the workgroup.
    lanes: usize,
    /// Lanes of a subgroup.
    width: usize,
}

impl<L> Watch<L> for Counts<'_> {
    fn note(&mut self, _: &L, statement: &Statement, active: &Mask) {
        let executed = &mut self.statements[self.places[&std::ptr::from_ref(statement)]];
        for (subgroup, lanes) in active.subgroups(self.width) {
            let first = subgroup * self.width;
            executed.executions += 1;
            executed.lanes += u64::from(lanes);
            executed.slots += (self.lanes - first).min(self.width) as u64;
        }
    }

    fn note_ways(&mut self, statement: &Statement, ways: &[Mask]) {
        let executed = &mut self.statements[self.places[&std::ptr::from_ref(statement)]];
        let mut seen: HashMap<usize, u32> = HashMap::new();
        for way in ways {
            for (subgroup, _) in way.subgroups(self.width) {
                *seen.entry(subgroup).or_default() += 1;
            }
        }
        executed.splits += seen.values().filter(|&&ways| ways > 1).count() as u64;
    }
}
