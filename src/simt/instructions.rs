//! The instructions of a statement, as a SIMT machine issues them.

use naga::valid::FunctionInfo;
use naga::{
    AddressSpace, BinaryOperator, Expression, Function, Handle, MathFunction, Module, ScalarKind,
    Statement, TypeInner,
};

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

/// A function whose statements have instructions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instructed<'a> {
    pub(super) module: &'a Module,
    pub(super) function: &'a Function,
    info: &'a FunctionInfo,
}

impl<'a> Instructed<'a> {
    pub(crate) fn new(module: &'a Module, function: &'a Function, info: &'a FunctionInfo) -> Self {
        Self { module, function, info }
    }

    /// Returns the number of instructions of a statement, without those of its blocks.
    pub(crate) fn count(self, statement: &Statement) -> u64 {
        self.instructions(statement).into_iter().map(|(_, count)| count).sum()
    }

    pub(super) fn type_of(self, expression: Handle<Expression>) -> &'a TypeInner {
        self.info[expression].ty.inner_with(&self.module.types)
    }

    /// Returns the instructions of a statement by kind, without those of its blocks.
    pub(super) fn instructions(self, statement: &Statement) -> Vec<(Kind, u64)> {
        match statement {
            Statement::Emit(range) => {
                range.clone().map(|expression| self.of_expression(expression)).collect()
            }
            other => vec![self.of_statement(other)],
        }
    }

    /// Returns the instruction of a statement, and how many of it.
    fn of_statement(self, statement: &Statement) -> (Kind, u64) {
        match statement {
            Statement::If { .. } | Statement::Switch { .. } | Statement::Loop { .. } => {
                (Kind::Branch, 1)
            }
            &Statement::Store { pointer, .. } => {
                (self.memory(pointer, Kind::Store), self.in_memory(pointer))
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
    fn of_expression(self, expression: Handle<Expression>) -> (Kind, u64) {
        if self.is_constant(expression) {
            return (Kind::Integer, 0);
        }
        let components = |expression: Handle<Expression>| match self.type_of(expression) {
            TypeInner::Vector { size, .. } => *size as u64,
            _ => 1,
        };
        let kind_of = |expression: Handle<Expression>| {
            self.type_of(expression).scalar_kind().unwrap_or(ScalarKind::Uint)
        };
        match &self.function.expressions[expression] {
            &Expression::Load { pointer } => {
                (self.memory(pointer, Kind::Load), self.in_memory(pointer))
            }
            &Expression::Unary { expr, .. } => (arithmetic(kind_of(expr)), components(expression)),
            &Expression::Binary { op, left, .. } => {
                let kind = match (op, kind_of(left)) {
                    (BinaryOperator::Divide | BinaryOperator::Modulo, _) => Kind::Special,
                    (BinaryOperator::Multiply, ScalarKind::Uint | ScalarKind::Sint) => {
                        Kind::Multiply
                    }
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
                let of = self.type_of(expr).scalar();
                let same = of.is_some_and(|of| (of.kind, of.width) == (kind, width));
                (Kind::Integer, if same { 0 } else { components(expression) })
            }
            _ => (Kind::Integer, 0),
        }
    }

    /// Returns whether a compiler knows the value: it depends on nothing but constants, of which some have their values from the
    /// pipeline.
    fn is_constant(self, expression: Handle<Expression>) -> bool {
        let all = |operands: &[Handle<Expression>]| operands.iter().all(|&of| self.is_constant(of));
        match self.function.expressions[expression] {
            Expression::Literal(_)
            | Expression::Constant(_)
            | Expression::Override(_)
            | Expression::ZeroValue(_) => true,
            Expression::Compose { ref components, .. } => all(components),
            Expression::Splat { value, .. } => all(&[value]),
            Expression::Swizzle { vector, .. } => all(&[vector]),
            Expression::AccessIndex { base, .. } => all(&[base]),
            Expression::Unary { expr, .. } | Expression::As { expr, .. } => all(&[expr]),
            Expression::Binary { left, right, .. } => all(&[left, right]),
            Expression::Select { condition, accept, reject } => all(&[condition, accept, reject]),
            Expression::Math { arg, arg1, arg2, arg3, .. } => {
                [Some(arg), arg1, arg2, arg3].into_iter().flatten().all(|of| self.is_constant(of))
            }
            _ => false,
        }
    }

    /// Returns the kind of an access through `pointer`, which is `buffers` for storage buffers.
    fn memory(self, pointer: Handle<Expression>, buffers: Kind) -> Kind {
        match self.type_of(pointer).pointer_space() {
            Some(AddressSpace::WorkGroup) => Kind::Shared,
            _ => buffers,
        }
    }

    /// Returns 1 if `pointer` points to memory, and 0 if to registers.
    fn in_memory(self, pointer: Handle<Expression>) -> u64 {
        let space = self.type_of(pointer).pointer_space();
        u64::from(matches!(space, Some(AddressSpace::WorkGroup | AddressSpace::Storage { .. })))
    }
}

fn arithmetic(kind: ScalarKind) -> Kind {
    if kind == ScalarKind::Float { Kind::Float } else { Kind::Integer }
}
