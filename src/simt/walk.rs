//! The walk over the statements of a shader with the set of lanes that execute each.
//!
//! All lanes of a workgroup walk together. A subgroup's own way depends on its own lanes alone, so a subgroup executes
//! a statement exactly if one of its lanes is among those of the walk. The lanes of a subgroup meet again at the end of
//! an `if`, of a `switch`, of a loop and of a function: as early as the structure of the source allows.

use naga::{Block, Expression, Function, Handle, Module, Statement, SwitchCase};

use super::mask::Mask;

/// The lanes that walk: they hold the values on which the way depends.
pub(super) trait Lanes {
    /// What can go wrong.
    type Error;

    /// Executes the effects of a statement that has no block of its own, for the lanes of `active`.
    ///
    /// # Errors
    /// Returns an error if the lanes cannot execute it.
    fn execute(&mut self, statement: &Statement, active: &Mask) -> Result<(), Self::Error>;

    /// Returns the lanes of `active` for which `condition` is true.
    ///
    /// # Errors
    /// Returns an error if the lanes cannot tell.
    fn holds(&mut self, condition: Handle<Expression>, active: &Mask) -> Result<Mask, Self::Error>;

    /// Returns for each case the lanes of `active` that begin there. Lanes may fall through to it from the case before.
    ///
    /// # Errors
    /// Returns an error if the lanes cannot tell.
    fn choose(
        &mut self,
        selector: Handle<Expression>,
        cases: &[SwitchCase],
        active: &Mask,
    ) -> Result<Vec<Mask>, Self::Error>;

    /// Begins a call of `function` with these arguments.
    ///
    /// # Errors
    /// Returns an error if the lanes cannot execute it.
    fn enter(
        &mut self,
        function: Handle<Function>,
        arguments: &[Handle<Expression>],
        active: &Mask,
    ) -> Result<(), Self::Error>;

    /// Sets what the function that is called returns for the lanes of `active`.
    ///
    /// # Errors
    /// Returns an error if the lanes cannot execute it.
    fn give(&mut self, value: Handle<Expression>, active: &Mask) -> Result<(), Self::Error>;

    /// Ends the call. What the function returned becomes the value of `result`.
    fn leave(&mut self, result: Option<Handle<Expression>>);
}

/// Sees every statement and the lanes that execute it.
pub(super) trait Watch<L> {
    /// Notes that the lanes of `active` execute `statement` once. For a loop this is the decision at its end.
    fn note(&mut self, lanes: &L, statement: &Statement, active: &Mask);

    /// Notes the ways that lanes take after `statement` has decided, one set of lanes for each.
    fn note_ways(&mut self, _statement: &Statement, _ways: &[Mask]) {}

    /// Notes that the lanes of `active` begin the loop `statement`.
    fn note_loop(&mut self, _statement: &Statement, _active: &Mask) {}

    /// Notes that the lanes of `active` begin an iteration of the loop `statement`, which those of `begun` began.
    fn note_iteration(&mut self, _statement: &Statement, _active: &Mask, _begun: &Mask) {}

    /// Notes that the function that `statement` calls begins.
    fn note_call(&mut self, _statement: &Statement) {}

    /// Notes that the function that was called last ends.
    fn note_return(&mut self) {}
}

/// The lanes that left the statements that are being walked.
#[derive(Default)]
struct Left {
    broke: Mask,
    continued: Mask,
}

/// A walk over the statements of `module`.
pub(super) struct Walk<'a, L, W> {
    /// The shader.
    pub(super) module: &'a Module,
    /// The lanes that walk.
    pub(super) lanes: L,
    /// What sees the walk.
    pub(super) watch: W,
}

impl<L: Lanes, W: Watch<L>> Walk<'_, L, W> {
    /// Walks over the body of a function with the lanes of `active`.
    ///
    /// # Errors
    /// Returns the first error of the lanes.
    pub(super) fn function(&mut self, body: &Block, active: Mask) -> Result<(), L::Error> {
        self.block(body, active, &mut Left::default()).map(drop)
    }

    /// Walks over a block. Returns the lanes that arrive at its end.
    fn block(&mut self, block: &Block, active: Mask, left: &mut Left) -> Result<Mask, L::Error> {
        self.statements(block.iter(), active, left)
    }

    /// Walks over statements. Returns the lanes that arrive at their end.
    fn statements<'s>(
        &mut self,
        statements: impl Iterator<Item = &'s Statement>,
        mut active: Mask,
        left: &mut Left,
    ) -> Result<Mask, L::Error> {
        for statement in statements {
            if active.is_empty() {
                break;
            }
            active = self.statement(statement, active, left)?;
        }
        Ok(active)
    }

    /// Walks over a statement. Returns the lanes that go on with the next one.
    fn statement(
        &mut self,
        statement: &Statement,
        active: Mask,
        left: &mut Left,
    ) -> Result<Mask, L::Error> {
        // A loop is noted at its end, once for each iteration.
        if !matches!(statement, Statement::Loop { .. }) {
            self.watch.note(&self.lanes, statement, &active);
        }
        match statement {
            Statement::Block(block) => self.block(block, active, left),
            Statement::If { condition, accept, reject } => {
                let accepting = self.lanes.holds(*condition, &active)?;
                let rejecting = active - accepting;
                self.watch.note_ways(statement, &[accepting, rejecting]);
                let accepted = self.block(accept, accepting, left)?;
                Ok(accepted | self.block(reject, rejecting, left)?)
            }
            Statement::Switch { selector, cases } => {
                let mut inner = Left::default();
                let (mut through, mut after) = (Mask::EMPTY, Mask::EMPTY);
                let chosen = self.lanes.choose(*selector, cases, &active)?;
                self.watch.note_ways(statement, &chosen);
                for (case, lanes) in cases.iter().zip(chosen) {
                    let end = self.block(&case.body, lanes | through, &mut inner)?;
                    if case.fall_through {
                        through = end;
                    } else {
                        through = Mask::EMPTY;
                        after |= end;
                    }
                }
                left.continued |= inner.continued;
                Ok(after | through | inner.broke)
            }
            Statement::Loop { body, continuing, break_if } => {
                let (mut running, mut after) = (active, Mask::EMPTY);
                self.watch.note_loop(statement, &active);
                while !running.is_empty() {
                    let mut inner = Left::default();
                    // An iteration begins after the condition of a `for` or `while`.
                    let condition = condition_of(body);
                    let (first, rest) = (body.iter().take(condition), body.iter().skip(condition));
                    let begun = self.statements(first, running, &mut inner)?;
                    self.watch.note_iteration(statement, &begun, &active);
                    let end = self.statements(rest, begun, &mut inner)?;
                    let complete = end | inner.continued;
                    running = self.block(continuing, complete, &mut inner)?;
                    after |= inner.broke;
                    if let Some(condition) = break_if
                        && !running.is_empty()
                    {
                        self.watch.note(&self.lanes, statement, &running);
                        let breaking = self.lanes.holds(*condition, &running)?;
                        running = running - breaking;
                        self.watch.note_ways(statement, &[breaking, running]);
                        after |= breaking;
                    }
                }
                Ok(after)
            }
            Statement::Break => {
                left.broke |= active;
                Ok(Mask::EMPTY)
            }
            Statement::Continue => {
                left.continued |= active;
                Ok(Mask::EMPTY)
            }
            Statement::Return { value } => {
                if let Some(value) = value {
                    self.lanes.give(*value, &active)?;
                }
                Ok(Mask::EMPTY)
            }
            Statement::Call { function, arguments, result } => {
                self.lanes.enter(*function, arguments, &active)?;
                let module = self.module;
                self.watch.note_call(statement);
                self.function(&module.functions[*function].body, active)?;
                self.watch.note_return();
                self.lanes.leave(*result);
                Ok(active)
            }
            leaf => {
                self.lanes.execute(leaf, &active)?;
                Ok(active)
            }
        }
    }
}

/// Returns the number of statements at the begin of a loop's body that are the condition of a `for` or `while`. naga writes such
/// a condition as an `if` whose lanes break where it is false; an `if` of the source that breaks does so where it is true.
fn condition_of(body: &Block) -> usize {
    let is_condition = |statement: &Statement| {
        matches!(statement, Statement::If { accept, reject, .. }
            if accept.is_empty() && matches!(**reject, [Statement::Break]))
    };
    body.iter().position(is_condition).map_or(0, |at| at + 1)
}
