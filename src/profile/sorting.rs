//! Sorting: the invocations of a dispatch in another order, in which the lanes of a subgroup have about the same work.

use naga::valid::ModuleInfo;
use naga::{
    AddressSpace, Binding, Block, BuiltIn, Expression, FunctionArgument, Module, ShaderStage, Span,
    Statement, TypeInner,
};

use super::error::ProfileError;
use super::probes::{NAMES, parse, validate, with_declarations};
use super::replaying::Specialized;
use crate::simt::{Placed, statements};

/// Why the invocations of a shader cannot be sorted.
type Refusal = String;

/// Returns why the invocations of a dispatch cannot change their order, if they cannot.
pub(super) fn refusal(specialized: &Specialized) -> Option<Refusal> {
    let (module, point) = (&specialized.module, specialized.point());
    let mut has_id = false;
    for argument in &point.function.arguments {
        if matches!(module.types[argument.ty].inner, TypeInner::Struct { .. }) {
            return Some("its built-in values are in a structure".to_owned());
        }
        let Some(Binding::BuiltIn(value)) = argument.binding else { continue };
        match value {
            BuiltIn::GlobalInvocationId => has_id = true,
            BuiltIn::NumWorkGroups | BuiltIn::SubgroupSize => (),
            _ => return Some(format!("it uses the built-in value {}", name_of(value))),
        }
    }
    if !has_id {
        return Some("it does not use global_invocation_id".to_owned());
    }
    let index = module.entry_points.iter().position(|of| std::ptr::eq(of, point))?;
    let info = specialized.info.get_entry_point(index);
    let is_shared =
        |(handle, variable): (naga::Handle<naga::GlobalVariable>, &naga::GlobalVariable)| {
            variable.space == AddressSpace::WorkGroup && !info[handle].is_empty()
        };
    if module.global_variables.iter().any(is_shared) {
        return Some("it uses workgroup memory".to_owned());
    }
    let placed = statements(module, point);
    let of = |placed: &Placed<'_>| match placed.statement {
        Statement::ControlBarrier(_) | Statement::MemoryBarrier(_) => Some("it has barriers"),
        Statement::SubgroupBallot { .. }
        | Statement::SubgroupGather { .. }
        | Statement::SubgroupCollectiveOperation { .. } => Some("it has subgroup operations"),
        _ => None,
    };
    // What is not called does not matter.
    let called = called(&placed);
    let relevant = placed.iter().filter(|of| of.handle.is_none_or(|of| called.contains(&of)));
    relevant.filter_map(of).next().map(str::to_owned)
}

/// Returns the functions that the entry point calls.
fn called(placed: &[Placed<'_>]) -> Vec<naga::Handle<naga::Function>> {
    let mut called = Vec::new();
    // Functions are declared before those that call them, and the entry point stands first.
    let in_order = placed.iter().filter(|of| of.handle.is_none());
    let functions = placed.iter().rev().filter(|of| of.handle.is_some());
    for of in in_order.chain(functions) {
        let is_reached = of.handle.is_none_or(|handle| called.contains(&handle));
        if let (true, Statement::Call { function, .. }) = (is_reached, of.statement) {
            called.push(*function);
        }
    }
    called
}

/// Returns the name of a built-in value in WGSL.
fn name_of(value: BuiltIn) -> String {
    let mut name = String::new();
    for letter in format!("{value:?}").replace("WorkGroup", "Workgroup").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// Returns a copy of the shader in which each invocation takes the id of the one that a buffer names: binding 0 of `group`, a
/// word for each invocation by workgroup, with the number of the other one in the same order.
///
/// # Errors
/// Returns an error if the copy is not valid.
pub(super) fn permuted(
    source: &str,
    entry: &str,
    group: u32,
    [workgroup_size, workgroups]: [[u32; 3]; 2],
) -> Result<(Module, ModuleInfo), ProfileError> {
    let (text, _) = with_declarations(source, &declarations(group, workgroup_size, workgroups));
    let mut module = parse(&text)?;
    let is_entry = |of: &naga::EntryPoint| of.stage == ShaderStage::Compute && of.name == entry;
    module.entry_points.retain(is_entry);
    let function = format!("{NAMES}permuted");
    let found = module.functions.iter().find(|(_, of)| of.name.as_ref() == Some(&function));
    let (permuted, function) = found.expect("the text declares the function");
    let [scalar, vector] = [function.arguments[0].ty, function.arguments[1].ty];
    let of_entry = &mut module.entry_points[0].function;
    let is_id = |argument: &FunctionArgument| {
        argument.binding == Some(Binding::BuiltIn(BuiltIn::GlobalInvocationId))
    };
    let id = of_entry.arguments.iter().position(is_id).expect("the invocations can be sorted");
    let built_in = |name: &str, value: BuiltIn, ty| FunctionArgument {
        name: Some(format!("{NAMES}{name}")),
        ty,
        binding: Some(Binding::BuiltIn(value)),
    };
    // The place of the id receives another value. The expression that stood for the id becomes the result of the call.
    of_entry.arguments[id] = built_in("lane", BuiltIn::LocalInvocationIndex, scalar);
    of_entry.arguments.push(built_in("workgroup", BuiltIn::WorkGroupId, vector));
    let last = of_entry.arguments.len() - 1;
    let expressions = &mut of_entry.expressions;
    let is_it = |of: &Expression| *of == Expression::FunctionArgument(id as u32);
    let old = expressions.iter().find(|(_, of)| is_it(of)).map(|(handle, _)| handle);
    if let Some(old) = old {
        expressions[old] = Expression::CallResult(permuted);
        let [lane, workgroup] = [id, last].map(|index| {
            expressions.append(Expression::FunctionArgument(index as u32), Span::UNDEFINED)
        });
        let call = Statement::Call {
            function: permuted,
            arguments: vec![lane, workgroup],
            result: Some(old),
        };
        let mut body = Block::new();
        body.push(call, Span::UNDEFINED);
        body.extend_block(std::mem::take(&mut of_entry.body));
        of_entry.body = body;
    }
    let info = validate(&module, &text)?;
    Ok((module, info))
}

/// Returns the declarations of the buffer and of the function that reads it.
fn declarations(group: u32, [sx, sy, sz]: [u32; 3], [nx, ny, _]: [u32; 3]) -> String {
    let lanes = sx * sy * sz;
    format!(
        "@group({group}) @binding(0) var<storage, read> {NAMES}order: array<u32>; \
         fn {NAMES}permuted(lane: u32, workgroup: vec3<u32>) -> vec3<u32> {{ \
         let flat = workgroup.x + {nx}u * (workgroup.y + {ny}u * workgroup.z); \
         let other = {NAMES}order[flat * {lanes}u + lane]; \
         let there = other / {lanes}u; let local = other % {lanes}u; \
         return vec3<u32>(there % {nx}u * {sx}u + local % {sx}u, \
         there / {nx}u % {ny}u * {sy}u + local / {sx}u % {sy}u, \
         there / ({nx}u * {ny}u) * {sz}u + local / ({sx}u * {sy}u)); }}"
    )
}

/// Invocations of a block. Each block is sorted on its own, so that invocations that were near each other stay near, and with
/// them what they load and store.
const BLOCK: usize = 8192;

/// Sorts invocations by their work, those with the most first, in blocks. Those with equal work keep their order.
pub(super) fn sort<T>(invocations: &mut [T], work: impl Fn(&T) -> u32) {
    for block in invocations.chunks_mut(BLOCK) {
        block.sort_by_key(|invocation| std::cmp::Reverse(work(invocation)));
    }
}
