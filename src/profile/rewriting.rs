//! A copy of a shader that calls probes.
//!
//! The copy is made of naga's tree of statements. Control flow depends on data only at an `if`, at a `switch` and at a `break
//! if`, so a call of a probe stands before each `if`, at the begin of each case and before each `break if`. The work of a
//! block is counted where it begins. The shader's own statements stay as they are, so that its outputs do.

use naga::valid::ModuleInfo;
use naga::{
    Arena, BinaryOperator, Binding, Block, BuiltIn, EntryPoint, Expression, Function,
    FunctionArgument, Handle, Literal, Module, Range, ScalarKind, Span, Statement, SwitchCase,
    Type, TypeInner,
};

use super::log::bits_of;
use crate::simt::{AddressPart, Instructed};

/// Begin of the names of all probes.
pub(super) const NAMES: &str = "warplaw_";

/// The probes of a module.
#[derive(Clone, Copy)]
struct Probes {
    begin: Handle<Function>,
    decide: Handle<Function>,
    count: Handle<Function>,
    end: Handle<Function>,
}

impl Probes {
    fn of(module: &Module) -> Self {
        let named = |name: &str| {
            let name = format!("{NAMES}{name}");
            let mut functions = module.functions.iter();
            functions.find(|(_, function)| function.name.as_ref() == Some(&name))
        };
        let [begin, decide, count, end] = ["begin", "decide", "count", "end"]
            .map(|name| named(name).expect("the module has all probes").0);
        Self { begin, decide, count, end }
    }
}

/// Returns a copy of `module` that calls its probes, with the entry point at `index`: those of subgroups and of addresses if
/// they are wanted.
pub(super) fn probed(
    module: &Module,
    info: &ModuleInfo,
    index: usize,
    [subgroups, addresses]: [bool; 2],
) -> Module {
    let probes = Probes::of(module);
    let mut copy = module.clone();
    for (handle, function) in module.functions.iter() {
        if function.name.as_ref().is_some_and(|name| name.starts_with(NAMES)) {
            continue;
        }
        let typed = Instructed::new(module, function, &info[handle]);
        let mut rewriting = Rewriting {
            probes,
            typed,
            expressions: copy.functions[handle].expressions.clone(),
            is_entry: false,
            addresses,
        };
        let body = rewriting.block(&function.body);
        let of_copy = copy.functions.get_mut(handle);
        of_copy.body = body;
        of_copy.expressions = rewriting.expressions;
    }
    let entry = &module.entry_points[index];
    let typed = Instructed::new(module, &entry.function, info.get_entry_point(index));
    let mut function = entry.function.clone();
    let expressions = function.expressions.clone();
    let mut rewriting = Rewriting { probes, typed, expressions, is_entry: true, addresses };
    let mut body = rewriting.begin(module, entry, &mut function.arguments, subgroups);
    body.extend_block(rewriting.block(&entry.function.body));
    if !matches!(entry.function.body.last(), Some(Statement::Return { .. })) {
        body.push(rewriting.call(probes.end, vec![]), Span::UNDEFINED);
    }
    function.body = body;
    function.expressions = rewriting.expressions;
    copy.entry_points[index].function = function;
    copy.entry_points.swap(0, index);
    copy.entry_points.truncate(1);
    copy
}

/// A function whose statements get probes.
struct Rewriting<'a> {
    probes: Probes,
    typed: Instructed<'a>,
    /// The expressions of the copy.
    expressions: Arena<Expression>,
    is_entry: bool,
    /// Whether addresses are logged.
    addresses: bool,
}

impl Rewriting<'_> {
    /// Returns a block with probes.
    fn block(&mut self, block: &Block) -> Block {
        let mut copy = Block::new();
        let mut counts = self.counts(block).into_iter();
        self.count(counts.next(), &mut copy);
        for (statement, span) in block.span_iter() {
            let with_probes = match statement {
                Statement::Block(block) => Statement::Block(self.block(block)),
                Statement::If { condition, accept, reject } => {
                    self.probe(*condition, &mut copy);
                    let [accept, reject] = [accept, reject].map(|block| self.block(block));
                    Statement::If { condition: *condition, accept, reject }
                }
                Statement::Switch { selector, cases } => {
                    let (bits, cases) = (bits_of(cases.len() as u32), cases.iter().enumerate());
                    let cases = cases.map(|(index, case)| self.case(index as u32, bits, case));
                    Statement::Switch { selector: *selector, cases: cases.collect() }
                }
                Statement::Loop { body, continuing, break_if } => {
                    let [body, mut continuing] = [body, continuing].map(|block| self.block(block));
                    if let Some(condition) = break_if {
                        self.count(Some(self.typed.count(statement)), &mut continuing);
                        self.probe(*condition, &mut continuing);
                    }
                    Statement::Loop { body, continuing, break_if: *break_if }
                }
                Statement::Return { .. } if self.is_entry => {
                    copy.push(self.call(self.probes.end, vec![]), Span::UNDEFINED);
                    statement.clone()
                }
                other => other.clone(),
            };
            copy.push(with_probes, *span);
            if self.addresses {
                for access in self.typed.accesses(statement) {
                    self.address(access.pointer, &mut copy);
                }
            }
            if may_leave(statement) {
                self.count(counts.next(), &mut copy);
            }
        }
        copy
    }

    /// Returns the instructions of the statements of a block, up to and with each one after which lanes may be gone.
    fn counts(&self, block: &Block) -> Vec<u64> {
        let mut counts = vec![0];
        for statement in block {
            // The decision of a loop is counted in each iteration.
            if !matches!(statement, Statement::Loop { .. }) {
                counts[0] += self.typed.count(statement);
            }
            if may_leave(statement) {
                counts.insert(0, 0);
            }
        }
        counts.reverse();
        counts
    }

    /// Adds a call that counts `instructions` to `block`.
    fn count(&mut self, instructions: Option<u64>, block: &mut Block) {
        let instructions = u32::try_from(instructions.unwrap_or(0)).unwrap_or(u32::MAX);
        if instructions > 0 {
            let argument = self.literal(instructions);
            block.push(self.call(self.probes.count, vec![argument]), Span::UNDEFINED);
        }
    }

    /// Returns the case at `index` of a switch, with a probe of `bits` bits at its begin. An empty case that falls through
    /// has none: its lanes begin the next one.
    fn case(&mut self, index: u32, bits: u32, case: &SwitchCase) -> SwitchCase {
        let mut body = Block::new();
        let is_empty = case.fall_through && case.body.is_empty();
        if bits > 0 && !is_empty {
            let arguments = vec![self.literal(index), self.literal(bits)];
            body.push(self.call(self.probes.decide, arguments), Span::UNDEFINED);
        }
        body.extend_block(self.block(&case.body));
        SwitchCase { value: case.value, body, fall_through: case.fall_through }
    }

    /// Adds a probe of `condition` to `block`.
    fn probe(&mut self, condition: Handle<Expression>, block: &mut Block) {
        let outcome = Expression::As { expr: condition, kind: ScalarKind::Uint, convert: Some(4) };
        let outcome = self.emitted(outcome, block);
        let arguments = vec![outcome, self.literal(1)];
        block.push(self.call(self.probes.decide, arguments), Span::UNDEFINED);
    }

    /// Adds a probe of the address of `pointer` to `block`: a whole word of the log.
    fn address(&mut self, pointer: Handle<Expression>, block: &mut Block) {
        let mut sum = self.literal(0);
        for part in self.typed.address(pointer) {
            let bytes = match part {
                AddressPart::Bytes(bytes) => self.literal(bytes),
                AddressPart::Index(index, stride) => {
                    let index =
                        Expression::As { expr: index, kind: ScalarKind::Uint, convert: Some(4) };
                    let (left, right) = (self.emitted(index, block), self.literal(stride));
                    let op = BinaryOperator::Multiply;
                    self.emitted(Expression::Binary { op, left, right }, block)
                }
            };
            let op = BinaryOperator::Add;
            sum = self.emitted(Expression::Binary { op, left: sum, right: bytes }, block);
        }
        let arguments = vec![sum, self.literal(u32::BITS)];
        block.push(self.call(self.probes.decide, arguments), Span::UNDEFINED);
    }

    /// Adds an expression that is evaluated at the end of `block`.
    fn emitted(&mut self, expression: Expression, block: &mut Block) -> Handle<Expression> {
        let handle = self.expressions.append(expression, Span::UNDEFINED);
        block.push(Statement::Emit(Range::new_from_bounds(handle, handle)), Span::UNDEFINED);
        handle
    }

    fn literal(&mut self, value: u32) -> Handle<Expression> {
        self.expressions.append(Expression::Literal(Literal::U32(value)), Span::UNDEFINED)
    }

    fn call(&self, function: Handle<Function>, arguments: Vec<Handle<Expression>>) -> Statement {
        Statement::Call { function, arguments, result: None }
    }

    /// Returns the begin of an entry point: the call of the first probe, with built-in values that `arguments` may get.
    fn begin(
        &mut self,
        module: &Module,
        entry: &EntryPoint,
        arguments: &mut Vec<FunctionArgument>,
        subgroups: bool,
    ) -> Block {
        let mut block = Block::new();
        let types =
            module.functions[self.probes.begin].arguments.iter().map(|argument| argument.ty);
        let values = [
            BuiltIn::LocalInvocationIndex,
            BuiltIn::WorkGroupId,
            BuiltIn::NumWorkGroups,
            BuiltIn::SubgroupSize,
        ];
        let passed =
            values.into_iter().zip(types).map(|(value, ty)| match place_of(module, entry, value) {
                Some((argument, None)) => self.argument(argument),
                Some((argument, Some(index))) => {
                    let base = self.argument(argument);
                    self.emitted(Expression::AccessIndex { base, index }, &mut block)
                }
                None if value == BuiltIn::SubgroupSize && !subgroups => self.literal(0),
                None => {
                    arguments.push(added(value, ty));
                    self.argument(arguments.len() - 1)
                }
            });
        let passed = passed.collect();
        block.push(self.call(self.probes.begin, passed), Span::UNDEFINED);
        block
    }

    fn argument(&mut self, index: usize) -> Handle<Expression> {
        self.expressions.append(Expression::FunctionArgument(index as u32), Span::UNDEFINED)
    }
}

/// Returns whether lanes that execute `statement` may not go on with the next one.
fn may_leave(statement: &Statement) -> bool {
    let any = |block: &Block| block.iter().any(may_leave);
    match statement {
        Statement::Break | Statement::Continue | Statement::Return { .. } => true,
        Statement::Block(block) => any(block),
        Statement::If { accept, reject, .. } => any(accept) || any(reject),
        Statement::Switch { cases, .. } => cases.iter().any(|case| any(&case.body)),
        Statement::Loop { body, continuing, .. } => any(body) || any(continuing),
        _ => false,
    }
}

/// Returns a new argument of an entry point with a built-in value.
fn added(value: BuiltIn, ty: Handle<Type>) -> FunctionArgument {
    let name = Some(format!("{NAMES}{value:?}"));
    FunctionArgument { name, ty, binding: Some(Binding::BuiltIn(value)) }
}

/// Returns the argument of `entry` with a built-in value, and the member if the argument is a structure.
fn place_of(module: &Module, entry: &EntryPoint, value: BuiltIn) -> Option<(usize, Option<u32>)> {
    let is_it = |binding: &Option<Binding>| *binding == Some(Binding::BuiltIn(value));
    entry.function.arguments.iter().enumerate().find_map(|(argument, of)| {
        if is_it(&of.binding) {
            return Some((argument, None));
        }
        let TypeInner::Struct { members, .. } = &module.types[of.ty].inner else { return None };
        let member = members.iter().position(|member| is_it(&member.binding))?;
        Some((argument, Some(member as u32)))
    })
}
