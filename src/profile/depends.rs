//! Decisions that depend on more than the inputs of the dispatch: on the order of atomic operations, or on the other lanes of
//! the subgroup.
//!
//! An analysis of the data flow marks values that come from atomic operations and from subgroup operations, and what is
//! computed or stored from them or under a condition on them. It does not follow single elements of arrays: if one is marked,
//! all are.

use std::collections::{BTreeMap, HashMap};

use naga::valid::ModuleInfo;
use naga::{
    Binding, Block, BuiltIn, EntryPoint, Expression, Function, GlobalVariable, Handle,
    LocalVariable, Module, Statement, TypeInner,
};

use crate::model::Depends;
use crate::simt::{blocks, statements};

/// What a value comes from, as a set.
type Marks = u8;
const ATOMIC: Marks = 1;
const SUBGROUP: Marks = 2;

/// A function: `None` is the entry point.
type Of = Option<Handle<Function>>;

/// Something that has marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Thing {
    Expression(Of, Handle<Expression>),
    Local(Of, Handle<LocalVariable>),
    Global(Handle<GlobalVariable>),
    /// An argument, and what its pointer points to.
    Argument(Of, u32),
    Result(Of),
    /// The conditions under which a function is called.
    Context(Of),
}

/// Returns what the decisions of an entry point depend on beyond the inputs, by their places among the statements.
pub(super) fn dependences(
    module: &Module,
    info: &ModuleInfo,
    entry: &EntryPoint,
) -> BTreeMap<usize, Depends> {
    let mut flow = Flow { module, info, entry, marks: HashMap::new(), has_changed: true };
    while std::mem::take(&mut flow.has_changed) {
        flow.function(None);
        module.functions.iter().for_each(|(handle, _)| flow.function(Some(handle)));
    }
    let placed = statements(module, entry);
    let mut waits: Vec<*const Statement> = Vec::new();
    for place in &placed {
        // A loop that performs no atomic finds none changed by others while it iterates.
        if let Statement::Loop { body, continuing, .. } = place.statement
            && (flow.has_atomic(place.handle, body) || flow.has_atomic(place.handle, continuing))
        {
            let exits = [body, continuing].into_iter().flat_map(exits).chain([place.statement]);
            let waiting = exits.filter(|exit| flow.of_decision(place.handle, exit) & ATOMIC != 0);
            waits.extend(waiting.map(std::ptr::from_ref));
        }
    }
    let of = |(place, placed): (usize, &crate::simt::Placed<'_>)| {
        let marks = flow.of_decision(placed.handle, placed.statement);
        let depends = if marks & ATOMIC != 0 {
            let is_exit = waits.contains(&std::ptr::from_ref(placed.statement));
            if is_exit { Depends::Waits } else { Depends::Atomic }
        } else if marks & SUBGROUP != 0 {
            Depends::Subgroup
        } else {
            return None;
        };
        Some((place, depends))
    };
    placed.iter().enumerate().filter_map(of).collect()
}

/// Returns the statements of a loop's block that decide whether a lane leaves an iteration: those that contain a `break`, a
/// `continue` or a `return`.
fn exits(block: &Block) -> Vec<&Statement> {
    let inner = |statement| blocks(statement).into_iter().flat_map(exits);
    let own = block.iter().filter(|statement| leaves(statement));
    own.chain(block.iter().flat_map(inner)).collect()
}

/// Returns whether lanes may leave a block, a loop or a function within a statement.
fn leaves(statement: &Statement) -> bool {
    let is_exit = |of: &Statement| {
        matches!(of, Statement::Break | Statement::Continue | Statement::Return { .. })
    };
    is_exit(statement) || blocks(statement).into_iter().flatten().any(leaves)
}

/// Returns whether lanes may go past a statement without executing the next one. `ends` tells whether a `break` and a `continue`
/// do that here.
fn may_skip_next(statement: &Statement, ends @ [by_break, by_continue]: [bool; 2]) -> bool {
    let ends = match statement {
        Statement::Break => return by_break,
        Statement::Continue => return by_continue,
        Statement::Return { .. } => return true,
        Statement::Loop { .. } => [false; 2],
        Statement::Switch { .. } => [false, by_continue],
        _ => ends,
    };
    blocks(statement).into_iter().flatten().any(|inner| may_skip_next(inner, ends))
}

/// The analysis.
struct Flow<'a> {
    module: &'a Module,
    info: &'a ModuleInfo,
    entry: &'a EntryPoint,
    marks: HashMap<Thing, Marks>,
    has_changed: bool,
}

impl<'a> Flow<'a> {
    fn body(&self, of: Of) -> &'a Function {
        of.map_or(&self.entry.function, |handle| &self.module.functions[handle])
    }

    fn get(&self, thing: Thing) -> Marks {
        self.marks.get(&thing).copied().unwrap_or(0)
    }

    fn mark(&mut self, thing: Thing, marks: Marks) {
        let known = self.marks.entry(thing).or_default();
        self.has_changed |= *known | marks != *known;
        *known |= marks;
    }

    /// Returns the marks of the condition on which a statement decides.
    fn of_decision(&self, of: Of, statement: &Statement) -> Marks {
        let condition = match statement {
            Statement::If { condition, .. } => Some(condition),
            Statement::Switch { selector, .. } => Some(selector),
            Statement::Loop { break_if, .. } => break_if.as_ref(),
            _ => None,
        };
        condition.map_or(0, |&condition| self.get(Thing::Expression(of, condition)))
    }

    /// Returns the marks of the decisions by which lanes leave an iteration of a loop. They decide how often it iterates.
    fn of_exits(&self, of: Of, statement: &Statement) -> Marks {
        let Statement::Loop { body, continuing, .. } = statement else { return 0 };
        let exits = [body, continuing].into_iter().flat_map(exits);
        exits.fold(0, |marks, exit| marks | self.of_decision(of, exit))
    }

    fn function(&mut self, of: Of) {
        let function = self.body(of);
        for (handle, expression) in function.expressions.iter() {
            let marks = self.of_expression(of, handle, expression);
            self.mark(Thing::Expression(of, handle), marks);
        }
        let context = self.get(Thing::Context(of));
        self.block(of, &function.body, context);
    }

    fn of_expression(&self, of: Of, handle: Handle<Expression>, expression: &Expression) -> Marks {
        let operands = operands(expression).into_iter();
        let marks =
            operands.fold(0, |marks, operand| marks | self.get(Thing::Expression(of, operand)));
        marks
            | match *expression {
                Expression::LocalVariable(local) => self.get(Thing::Local(of, local)),
                Expression::GlobalVariable(global) => self.get(Thing::Global(global)),
                Expression::FunctionArgument(index) => {
                    let own = if of.is_none() { self.of_built_in(index) } else { 0 };
                    own | self.get(Thing::Argument(of, index))
                }
                Expression::Load { pointer } if self.is_atomic(of, pointer) => ATOMIC,
                Expression::AtomicResult { .. } => ATOMIC,
                Expression::SubgroupBallotResult | Expression::SubgroupOperationResult { .. } => {
                    SUBGROUP
                }
                _ => self.get(Thing::Expression(of, handle)),
            }
    }

    /// Returns the marks of an argument of the entry point.
    fn of_built_in(&self, index: u32) -> Marks {
        let argument = &self.entry.function.arguments[index as usize];
        let is_of_subgroup = |binding: &Option<Binding>| {
            matches!(
                binding,
                Some(Binding::BuiltIn(
                    BuiltIn::SubgroupId
                        | BuiltIn::SubgroupInvocationId
                        | BuiltIn::SubgroupSize
                        | BuiltIn::NumSubgroups
                ))
            )
        };
        let is_member = match &self.module.types[argument.ty].inner {
            TypeInner::Struct { members, .. } => {
                members.iter().any(|member| is_of_subgroup(&member.binding))
            }
            _ => false,
        };
        if is_member || is_of_subgroup(&argument.binding) { SUBGROUP } else { 0 }
    }

    /// Returns whether lanes that execute a block perform an atomic.
    fn has_atomic(&self, of: Of, block: &Block) -> bool {
        block.iter().any(|statement| match statement {
            Statement::Atomic { .. } => true,
            Statement::Emit(range) => range.clone().any(|expression| {
                let expression = &self.body(of).expressions[expression];
                matches!(*expression, Expression::Load { pointer } if self.is_atomic(of, pointer))
            }),
            Statement::Call { function, .. } => {
                self.has_atomic(Some(*function), &self.module.functions[*function].body)
            }
            other => blocks(other).into_iter().any(|block| self.has_atomic(of, block)),
        })
    }

    fn is_atomic(&self, of: Of, pointer: Handle<Expression>) -> bool {
        let info = match of {
            Some(handle) => &self.info[handle],
            None => {
                let mut points = self.module.entry_points.iter();
                let index = points.position(|point| std::ptr::eq(point, self.entry));
                self.info.get_entry_point(index.expect("the entry point is one of the module"))
            }
        };
        match info[pointer].ty.inner_with(&self.module.types) {
            TypeInner::Pointer { base, .. } => {
                matches!(self.module.types[*base].inner, TypeInner::Atomic(_))
            }
            _ => false,
        }
    }

    /// Marks the variable to which a pointer points.
    fn mark_target(&mut self, of: Of, pointer: Handle<Expression>, marks: Marks) {
        match self.body(of).expressions[pointer] {
            Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => {
                self.mark_target(of, base, marks);
            }
            Expression::LocalVariable(local) => self.mark(Thing::Local(of, local), marks),
            Expression::GlobalVariable(global) => self.mark(Thing::Global(global), marks),
            Expression::FunctionArgument(index) => self.mark(Thing::Argument(of, index), marks),
            _ => (),
        }
    }

    fn block(&mut self, of: Of, block: &'a Block, context: Marks) {
        let mut context = context;
        for statement in block {
            let inner = context | self.of_decision(of, statement) | self.of_exits(of, statement);
            match statement {
                &Statement::Store { pointer, value } => {
                    let value = self.get(Thing::Expression(of, value));
                    let place = self.get(Thing::Expression(of, pointer));
                    self.mark_target(of, pointer, context | value | place);
                }
                &Statement::WorkGroupUniformLoad { pointer, result } => {
                    let atomic = if self.is_atomic(of, pointer) { ATOMIC } else { 0 };
                    let marks = atomic | self.get(Thing::Expression(of, pointer));
                    self.mark(Thing::Expression(of, result), marks);
                }
                &Statement::Return { value } => {
                    let marks = value.map_or(0, |value| self.get(Thing::Expression(of, value)));
                    self.mark(Thing::Result(of), context | marks);
                }
                Statement::Call { function, arguments, result } => {
                    let callee = Some(*function);
                    self.mark(Thing::Context(callee), context);
                    for (index, &argument) in (0..).zip(arguments) {
                        let marks = self.get(Thing::Expression(of, argument));
                        self.mark(Thing::Argument(callee, index), marks);
                        let written = self.get(Thing::Argument(callee, index));
                        self.mark_target(of, argument, written);
                    }
                    if let Some(result) = *result {
                        let marks = self.get(Thing::Result(callee));
                        self.mark(Thing::Expression(of, result), marks);
                    }
                }
                _ => (),
            }
            for block in blocks(statement) {
                self.block(of, block, inner);
            }
            // Whether a lane is still there depends on what it decided.
            if may_skip_next(statement, [true; 2]) {
                context = inner;
            }
        }
    }
}

/// Returns the expressions from which an expression computes its value.
fn operands(expression: &Expression) -> Vec<Handle<Expression>> {
    match *expression {
        Expression::Access { base, index } => vec![base, index],
        Expression::AccessIndex { base, .. } => vec![base],
        Expression::Splat { value, .. } => vec![value],
        Expression::Swizzle { vector, .. } => vec![vector],
        Expression::Compose { ref components, .. } => components.clone(),
        Expression::Load { pointer } => vec![pointer],
        Expression::ImageLoad { image, coordinate, .. } => vec![image, coordinate],
        Expression::ImageSample { image, coordinate, .. } => vec![image, coordinate],
        Expression::Unary { expr, .. } | Expression::As { expr, .. } => vec![expr],
        Expression::Binary { left, right, .. } => vec![left, right],
        Expression::Select { condition, accept, reject } => vec![condition, accept, reject],
        Expression::Relational { argument, .. } => vec![argument],
        Expression::Math { arg, arg1, arg2, arg3, .. } => {
            [Some(arg), arg1, arg2, arg3].into_iter().flatten().collect()
        }
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::validator;

    /// Returns the lines of decisions in `source` with what they depend on.
    fn found(source: &str) -> Vec<(u32, Depends)> {
        let module = naga::front::wgsl::parse_str(source).expect("the shader is valid");
        let info = validator().validate(&module).expect("the shader is valid");
        let entry = &module.entry_points[0];
        let placed = statements(&module, entry);
        let line = |place: usize| placed[place].span.location(source).line_number;
        let of = dependences(&module, &info, entry);
        of.into_iter().map(|(place, depends)| (line(place), depends)).collect()
    }

    #[test]
    fn loops_that_wait_are_found_however_they_end() {
        let begin = "@group(0) @binding(0) var<storage, read_write> flag: atomic<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) lane: u32) {
";
        for ending in [
            "loop { if atomicLoad(&flag) == 0u { continue; } break; }",
            "loop { switch atomicLoad(&flag) { case 1u: { return; } default: {} } }",
            "loop { if atomicLoad(&flag) == 1u { if lane > 3u { break; } } }",
            "loop { output[0] += 1u; continuing { break if atomicLoad(&flag) > 0u; } }",
            "loop { if atomicCompareExchangeWeak(&flag, 0u, 1u).exchanged { break; } }",
        ] {
            let found = found(&format!("{begin}{ending}\n}}"));
            let waits = found.iter().any(|(_, depends)| *depends == Depends::Waits);
            assert!(waits, "{ending}: {found:?}");
        }
        for ending in [
            "for (var i = 0u; i < lane; i++) { atomicAdd(&flag, 1u); }",
            "loop { if output[lane] > 9u { break; } output[lane] += 1u; }",
        ] {
            assert_eq!(found(&format!("{begin}{ending}\n}}")), [], "{ending}");
        }
    }

    #[test]
    fn places_and_numbers_of_iterations_carry_marks() {
        let begin = "@group(0) @binding(0) var<storage, read_write> flag: atomic<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
var<workgroup> list: array<u32, 64>;
@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) lane: u32) {
";
        let compaction = "list[atomicAdd(&flag, 1u) % 64u] = lane; workgroupBarrier();
if list[lane] > 3u { output[0] = 1u; }";
        assert_eq!(found(&format!("{begin}{compaction}\n}}")), [(6, Depends::Atomic)]);
        let counted = "var n = 0u; loop { if atomicLoad(&flag) > 9u { break; } n += 1u; }
if n > 4u { output[0] = 1u; }";
        let found = found(&format!("{begin}{counted}\n}}"));
        assert_eq!(found, [(5, Depends::Waits), (6, Depends::Atomic)]);
    }

    #[test]
    fn decisions_on_atomics_and_on_subgroups_are_found_through_variables_and_calls() {
        let source = "@group(0) @binding(0) var<storage, read_write> flag: atomic<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
fn next() -> u32 { return atomicAdd(&flag, 1u); }
fn note(into: ptr<function, u32>) { if next() > 7u { *into = 1u; } }
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
    if id.x > 3u { output[0] = 1u; }
    if next() == 0u { output[1] = 1u; }
    var late = 0u;
    note(&late);
    if late == 1u { output[2] = 1u; }
    if lane == 0u { output[3] = 1u; }
    loop { if atomicLoad(&flag) > 9u { break; } }
    for (var i = 0u; i < id.x; i++) { if next() > 8u { output[4] = i; } }
    let count = atomicLoad(&flag);
    for (var i = 0u; i < count; i++) { output[5] = i; }
}";
        assert_eq!(
            found(source),
            [
                (8, Depends::Atomic),
                (11, Depends::Atomic),
                (12, Depends::Subgroup),
                (13, Depends::Waits),
                (14, Depends::Atomic),
                (16, Depends::Atomic),
                (4, Depends::Atomic),
            ]
        );
    }
}
