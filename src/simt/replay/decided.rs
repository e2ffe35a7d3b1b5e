//! Lanes whose decisions are known, and whose values are not.
//!
//! A replay decides hundreds of millions of times, so that the small functions here are inlined.

use naga::{Expression, Function, Handle, Statement, SwitchCase};

use super::super::mask::Mask;
use super::super::walk::Lanes;

/// What is known of lanes.
pub(super) trait Known {
    /// What can go wrong.
    type Error;

    /// Returns the next decision of the lane at a place, of so many outcomes.
    ///
    /// # Errors
    /// Returns an error if the lane has made no such decision.
    fn decide(&mut self, place: usize, outcomes: u32) -> Result<u32, Self::Error>;

    /// Sees a statement without blocks that the lanes of `active` execute.
    ///
    /// # Errors
    /// Returns an error if what the statement needs is not known.
    #[inline]
    fn perform(&mut self, _statement: &Statement, _active: &Mask) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Lanes that walk by what is known of them.
pub(super) struct Decided<K>(pub(super) K);

impl<K: Known> Lanes for Decided<K> {
    type Error = K::Error;

    #[inline]
    fn execute(&mut self, statement: &Statement, active: &Mask) -> Result<(), K::Error> {
        self.0.perform(statement, active)
    }

    #[inline]
    fn holds(&mut self, _: Handle<Expression>, active: &Mask) -> Result<Mask, K::Error> {
        let mut holding = Mask::EMPTY;
        for lane in active.lanes() {
            if self.0.decide(lane, 2)? == 1 {
                holding.add(lane);
            }
        }
        Ok(holding)
    }

    #[inline]
    fn choose(
        &mut self,
        _: Handle<Expression>,
        cases: &[SwitchCase],
        active: &Mask,
    ) -> Result<Vec<Mask>, K::Error> {
        let mut chosen = vec![Mask::EMPTY; cases.len()];
        for lane in active.lanes() {
            chosen[self.0.decide(lane, cases.len() as u32)? as usize].add(lane);
        }
        Ok(chosen)
    }

    fn enter(
        &mut self,
        _: Handle<Function>,
        _: &[Handle<Expression>],
        _: &Mask,
    ) -> Result<(), K::Error> {
        Ok(())
    }

    fn give(&mut self, _: Handle<Expression>, _: &Mask) -> Result<(), K::Error> {
        Ok(())
    }

    fn leave(&mut self, _: Option<Handle<Expression>>) {}
}
