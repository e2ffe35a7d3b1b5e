//! Replay: what subgroups of any width issue, from the decisions that each lane made elsewhere.
//!
//! Control flow depends on data only where a statement decides: at an `if`, at a `switch`, and at the `break if` of a loop.
//! So the outcomes of these, lane by lane in the order in which the lane made them, are all that the walk needs. It computes
//! no value. It is exact if the lanes of a subgroup meet again as early as the source allows.

mod accesses;
mod counts;
mod decided;

use naga::valid::ModuleInfo;
use naga::{EntryPoint, Module, Span, Statement};

pub use accesses::{AccessReplay, Accessed, Asked};
use counts::Counting;
pub use counts::{Counted, Executed, Instructions, Part};
use decided::{Decided, Known};

use super::arrangement::Arrangement;
use super::instructions::Instructed;
use super::mask::{MOST_LANES, Mask};
use super::statements::{Placed, Places, statements};
use super::unsupported::Unsupported;
use super::walk::Walk;
use crate::model::Totals;

/// A shader whose workgroups are replayed, with what all of them did so far.
pub struct Replay<'a> {
    module: &'a Module,
    entry: &'a EntryPoint,
    counts: Counted,
    /// Index of each statement.
    places: Places,
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
            places: Places::default(),
            instructions: Vec::new(),
        };
        for Placed { function, handle, statement, span } in statements(module, entry) {
            let info = handle.map_or_else(|| info.get_entry_point(index), |handle| &info[handle]);
            let typed = Instructed::new(module, function, info);
            let instructions = typed.placed_instructions(statement, span);
            replay.places.add(statement);
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

    /// Replays a workgroup with these subgroups.
    ///
    /// `decide` returns the next decision of a lane: it receives the lane and the number of outcomes. At an `if` and at a
    /// `break if` the outcome is 1 if the condition is true. At a `switch` it is the index of the case whose block the lane
    /// enters.
    ///
    /// # Errors
    /// Returns the first error of `decide`.
    ///
    /// # Panics
    /// Panics if the arrangement is not one of the workgroup.
    pub fn workgroup<E>(
        &mut self,
        arrangement: &Arrangement,
        mut decide: impl FnMut(usize, u32) -> Result<u32, E>,
    ) -> Result<(), E> {
        let present = arrangement.present();
        assert_eq!(present.count(), self.lanes() as u64, "an arrangement of this workgroup");
        let decide = |place: usize, outcomes: u32| decide(arrangement.lane(place), outcomes);
        let watch = Counting {
            places: &self.places,
            instructions: &self.instructions,
            counts: &mut self.counts,
            present,
            width: arrangement.width() as usize,
            calls: Vec::new(),
            pending: Totals::default(),
            last: Mask::EMPTY,
            one: Totals::default(),
            lacking: 0,
            of_subgroups: vec![0; arrangement.subgroups()],
        };
        let mut walk = Walk { module: self.module, lanes: Decided(Returned(decide)), watch };
        let walked = walk.function(&self.entry.function.body, present);
        walk.watch.settle();
        walk.watch.settle_last();
        let lengths = walk.watch.of_subgroups;
        self.counts.lengths.push(lengths);
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

/// Decisions that a function returns.
struct Returned<F>(F);

impl<E, F: FnMut(usize, u32) -> Result<u32, E>> Known for Returned<F> {
    type Error = E;

    #[inline]
    fn decide(&mut self, place: usize, outcomes: u32) -> Result<u32, E> {
        (self.0)(place, outcomes)
    }
}
