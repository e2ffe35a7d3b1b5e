//! What a SIMT machine issues, counted by subgroup.

use naga::{
    AddressSpace, BinaryOperator, Expression, Handle, MathFunction, ScalarKind, Statement,
    TypeInner,
};

use super::lanes::Values;
use super::mask::Mask;
use super::walk::Watch;

/// A kind of instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Integer, logical and bitwise operations, comparisons, selections and conversions.
    Integer,
    /// Integer multiplications.
    Multiply,
    /// Floating-point additions, multiplications, minima and fused multiply-adds.
    Float,
    /// Divisions, roots and transcendental functions, of which GPUs issue several instructions or slow ones.
    Special,
    /// Decisions of lanes: one for each `if`, `switch` and `break if`. Jumps that no lane decides cost nothing.
    Branch,
    /// Loads from storage buffers.
    Load,
    /// Stores to storage buffers.
    Store,
    /// Loads and stores of workgroup memory.
    Shared,
    /// Atomic operations.
    Atomic,
    /// Operations that combine the lanes of a subgroup.
    Subgroup,
    /// Barriers.
    Barrier,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Integer,
        Self::Multiply,
        Self::Float,
        Self::Special,
        Self::Branch,
        Self::Load,
        Self::Store,
        Self::Shared,
        Self::Atomic,
        Self::Subgroup,
        Self::Barrier,
    ];
}

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
        match statement {
            Statement::Emit(range) => {
                for expression in range.clone() {
                    self.add(instructions(values, expression), active, values.width);
                }
            }
            other => self.add(instruction(values, other), active, values.width),
        }
    }
}

/// Returns the instruction of a statement, and how many of it.
fn instruction(values: &Values<'_>, statement: &Statement) -> (Kind, u64) {
    match statement {
        Statement::If { .. } | Statement::Switch { .. } | Statement::Loop { .. } => {
            (Kind::Branch, 1)
        }
        &Statement::Store { pointer, .. } => {
            (memory(values, pointer, Kind::Store), in_memory(values, pointer))
        }
        Statement::Atomic { .. } => (Kind::Atomic, 1),
        Statement::WorkGroupUniformLoad { .. } => (Kind::Shared, 1),
        Statement::ControlBarrier(_) => (Kind::Barrier, 1),
        Statement::SubgroupBallot { .. }
        | Statement::SubgroupGather { .. }
        | Statement::SubgroupCollectiveOperation { .. } => (Kind::Subgroup, 1),
        _ => (Kind::Branch, 0),
    }
}

/// Returns the instructions of an expression: one for each component of a vector. Values and local variables are in
/// registers. A uniform block is too: its words are loaded once, or are operands.
fn instructions(values: &Values<'_>, expression: Handle<Expression>) -> (Kind, u64) {
    let Some((function, _)) = values.function() else { return (Kind::Integer, 0) };
    let components = |expression: Handle<Expression>| match values.type_of(expression) {
        TypeInner::Vector { size, .. } => *size as u64,
        _ => 1,
    };
    let kind_of = |expression: Handle<Expression>| {
        values.type_of(expression).scalar_kind().unwrap_or(ScalarKind::Uint)
    };
    match &function.expressions[expression] {
        &Expression::Load { pointer } => {
            (memory(values, pointer, Kind::Load), in_memory(values, pointer))
        }
        &Expression::Unary { expr, .. } => (arithmetic(kind_of(expr)), components(expression)),
        &Expression::Binary { op, left, .. } => {
            let kind = match (op, kind_of(left)) {
                (BinaryOperator::Divide | BinaryOperator::Modulo, _) => Kind::Special,
                (BinaryOperator::Multiply, ScalarKind::Uint | ScalarKind::Sint) => Kind::Multiply,
                (_, kind) => arithmetic(kind),
            };
            (kind, components(expression))
        }
        Expression::Select { .. } => (Kind::Integer, components(expression)),
        &Expression::Relational { argument, .. } => (Kind::Integer, components(argument)),
        &Expression::Math { fun, arg, .. } => {
            let kind = match fun {
                MathFunction::Abs
                | MathFunction::Min
                | MathFunction::Max
                | MathFunction::Clamp
                | MathFunction::Saturate
                | MathFunction::Fma
                | MathFunction::Dot4I8Packed
                | MathFunction::Dot4U8Packed => arithmetic(kind_of(arg)),
                _ => Kind::Special,
            };
            (kind, components(expression))
        }
        &Expression::As { expr, kind, convert: Some(width) } => {
            let same = values.scalar_of(expr).is_ok_and(|of| (of.kind, of.width) == (kind, width));
            (Kind::Integer, if same { 0 } else { components(expression) })
        }
        _ => (Kind::Integer, 0),
    }
}

fn arithmetic(kind: ScalarKind) -> Kind {
    if kind == ScalarKind::Float { Kind::Float } else { Kind::Integer }
}

/// Returns the kind of an access through `pointer`, which is `buffers` for storage buffers.
fn memory(values: &Values<'_>, pointer: Handle<Expression>, buffers: Kind) -> Kind {
    match values.type_of(pointer).pointer_space() {
        Some(AddressSpace::WorkGroup) => Kind::Shared,
        _ => buffers,
    }
}

/// Returns 1 if `pointer` points to memory, and 0 if to registers.
fn in_memory(values: &Values<'_>, pointer: Handle<Expression>) -> u64 {
    let space = values.type_of(pointer).pointer_space();
    u64::from(matches!(space, Some(AddressSpace::WorkGroup | AddressSpace::Storage { .. })))
}
