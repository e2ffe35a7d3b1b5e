//! The statements that change memory or combine lanes.

use std::rc::Rc;

use naga::{
    AtomicFunction, CollectiveOperation, Expression, GatherMode, Handle, MathFunction, Scalar,
    ScalarKind, Statement, SubgroupOperation,
};

use super::lanes::{Column, Values};
use super::mask::Mask;
use super::memory::Place;
use super::scalar;
use super::unsupported::Unsupported;

impl Values<'_> {
    /// Executes a statement that changes memory or combines lanes.
    pub(super) fn effect(
        &mut self,
        statement: &Statement,
        active: &Mask,
    ) -> Result<(), Unsupported> {
        match statement {
            &Statement::Store { pointer, value } => self.store(pointer, value, active),
            Statement::Atomic { pointer, fun, value, result } => {
                self.atomic(*pointer, (fun, *value), *result, active)
            }
            // All lanes walk together, so each has come as far as the others.
            Statement::ControlBarrier(_) | Statement::MemoryBarrier(_) => Ok(()),
            &Statement::WorkGroupUniformLoad { pointer, result } => {
                let loaded = self.load(pointer, self.type_of(result), active)?;
                self.set(result, &Rc::new(loaded));
                Ok(())
            }
            &Statement::SubgroupBallot { result, predicate } => {
                let voting = match predicate {
                    Some(predicate) => {
                        let votes = self.value(predicate)?;
                        active.filtered(|lane| votes[0][lane] != 0)
                    }
                    None => *active,
                };
                let width = self.width;
                let ballot = self.column(4, active, |word, lane| {
                    let first = lane / width * width + word * 32;
                    let votes = voting.lanes().filter(|vote| vote / width == lane / width);
                    let votes = votes.filter(|&vote| vote >= first && vote < first + 32);
                    Ok(votes.fold(0, |word, vote| word | 1 << (vote - first)))
                })?;
                self.set(result, &Rc::new(ballot));
                Ok(())
            }
            Statement::SubgroupGather { mode, argument, result } => {
                self.gather(*mode, *argument, *result, active)
            }
            &Statement::SubgroupCollectiveOperation { op, collective_op, argument, result } => {
                let (of, values) = (self.scalar_of(argument)?, self.value(argument)?);
                let mut column: Column = vec![vec![0; self.lanes]; values.len()];
                for (column, bits) in column.iter_mut().zip(values.iter()) {
                    for (index, _) in active.subgroups(self.width) {
                        let lanes = active.subgroup(index, self.width);
                        collect((op, collective_op), of, lanes, (bits, column))?;
                    }
                }
                self.set(result, &Rc::new(column));
                Ok(())
            }
            other => Err(Unsupported(format!("the statement {other:?}"))),
        }
    }

    fn store(
        &mut self,
        pointer: Handle<Expression>,
        value: Handle<Expression>,
        active: &Mask,
    ) -> Result<(), Unsupported> {
        let (places, scalars) = (self.value(pointer)?, self.layouts.scalars(self.type_of(value))?);
        let value = self.value(value)?;
        for lane in active.lanes() {
            for ((byte, scalar), bits) in scalars.iter().zip(value.iter()) {
                let place = Place::of_bits(places[0][lane] + u64::from(*byte));
                self.memory.store(place, lane, scalar.width, bits[lane]);
            }
        }
        Ok(())
    }

    /// Executes an atomic operation, lane after lane.
    fn atomic(
        &mut self,
        pointer: Handle<Expression>,
        (fun, value): (&AtomicFunction, Handle<Expression>),
        result: Option<Handle<Expression>>,
        active: &Mask,
    ) -> Result<(), Unsupported> {
        let (of, places) = (self.scalar_of(value)?, self.value(pointer)?);
        let value = self.value(value)?;
        let compare = match fun {
            AtomicFunction::Exchange { compare: Some(compare) } => Some(self.value(*compare)?),
            _ => None,
        };
        let mut seen: Column = vec![vec![0; self.lanes]; if compare.is_some() { 2 } else { 1 }];
        for lane in active.lanes() {
            let place = Place::of_bits(places[0][lane]);
            let old = self.memory.load(place, lane, of.width);
            let compare = compare.as_ref().map(|compare| compare[0][lane]);
            let new = scalar::atomic(fun, of, [old, value[0][lane]], compare)?;
            self.memory.store(place, lane, of.width, new);
            seen[0][lane] = old;
            if let Some(compare) = compare {
                seen[1][lane] = u64::from(old == compare);
            }
        }
        if let Some(result) = result {
            self.set(result, &Rc::new(seen));
        }
        Ok(())
    }

    fn gather(
        &mut self,
        mode: GatherMode,
        argument: Handle<Expression>,
        result: Handle<Expression>,
        active: &Mask,
    ) -> Result<(), Unsupported> {
        let by = match mode {
            GatherMode::BroadcastFirst => None,
            GatherMode::Broadcast(by)
            | GatherMode::Shuffle(by)
            | GatherMode::ShuffleDown(by)
            | GatherMode::ShuffleUp(by)
            | GatherMode::ShuffleXor(by) => Some(self.value(by)?),
            GatherMode::QuadBroadcast(_) | GatherMode::QuadSwap(_) => {
                return Err(Unsupported("operations on quads".to_owned()));
            }
        };
        let (values, width) = (self.value(argument)?, self.width);
        let from = |lane: usize| {
            let (first, by) = (lane / width * width, by.as_ref().map(|by| by[0][lane] as usize));
            let Some(by) = by else {
                return active.subgroup(lane / width, width).lanes().next().unwrap_or(lane);
            };
            let at = match mode {
                GatherMode::ShuffleDown(_) => (lane - first).wrapping_add(by),
                GatherMode::ShuffleUp(_) => (lane - first).wrapping_sub(by),
                GatherMode::ShuffleXor(_) => (lane - first) ^ by,
                _ => by,
            };
            // WGSL leaves open what comes from a lane that is not there.
            if at < width && first + at < self.lanes { first + at } else { lane }
        };
        let column = self.column(values.len(), active, |i, lane| Ok(values[i][from(lane)]))?;
        self.set(result, &Rc::new(column));
        Ok(())
    }
}

/// Combines the bits of `lanes`, the active lanes of one subgroup, and stores the result of each.
fn collect(
    (op, collective): (SubgroupOperation, CollectiveOperation),
    of: Scalar,
    lanes: Mask,
    (bits, results): (&[u64], &mut [u64]),
) -> Result<(), Unsupported> {
    use naga::BinaryOperator as Op;
    let combine = |x: u64, y: u64| {
        Ok(match op {
            SubgroupOperation::Add => scalar::binary(Op::Add, of, x, y),
            SubgroupOperation::Mul => scalar::binary(Op::Multiply, of, x, y),
            SubgroupOperation::All | SubgroupOperation::And => x & y,
            SubgroupOperation::Any | SubgroupOperation::Or => x | y,
            SubgroupOperation::Xor => x ^ y,
            SubgroupOperation::Min => return scalar::math(MathFunction::Min, of, &[x, y]),
            SubgroupOperation::Max => return scalar::math(MathFunction::Max, of, &[x, y]),
        })
    };
    // Only sums and products have exclusive scans.
    let mut before = match (op, of.kind) {
        (SubgroupOperation::Mul, ScalarKind::Float) => scalar::converted(1, Scalar::U32, of),
        (SubgroupOperation::Mul, _) => 1,
        _ => 0,
    };
    let mut total: Option<u64> = None;
    for lane in lanes.lanes() {
        let sum = total.map_or(Ok(bits[lane]), |total| combine(total, bits[lane]))?;
        results[lane] = if collective == CollectiveOperation::ExclusiveScan { before } else { sum };
        (before, total) = (sum, Some(sum));
    }
    if collective == CollectiveOperation::Reduce {
        for lane in lanes.lanes() {
            results[lane] = total.unwrap_or_default();
        }
    }
    Ok(())
}
