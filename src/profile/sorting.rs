//! Sorting: the invocations of a dispatch in another order, in which the lanes of a subgroup have about the same work.

use naga::valid::ModuleInfo;
use naga::{
    AddressSpace, Binding, Block, BuiltIn, Expression, FunctionArgument, Module, ShaderStage, Span,
    Statement, TypeInner,
};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::error::ProfileError;
use super::log::workgroups_of_block;
use super::replaying::Specialized;
use super::rewriting::NAMES;
use super::text::{parse, validate, with_declarations};
use crate::model::{Decision, Depends};
use crate::simt::{Placed, statements};

/// Why the invocations of a shader cannot be sorted.
type Refusal = String;

/// Returns why the invocations of a dispatch cannot change their order, if they cannot.
pub(super) fn refusal(specialized: &Specialized, decisions: &[Decision]) -> Option<Refusal> {
    if decisions.iter().any(|decision| decision.depends == Some(Depends::Waits)) {
        // In another order it might wait for an invocation that never begins.
        return Some("a loop waits for other invocations".to_owned());
    }
    let (module, point) = (&specialized.module, specialized.point());
    let mut has_position = false;
    for argument in &point.function.arguments {
        if matches!(module.types[argument.ty].inner, TypeInner::Struct { .. }) {
            return Some("its built-in values are in a structure".to_owned());
        }
        let Some(Binding::BuiltIn(value)) = argument.binding else { continue };
        has_position |= position_of(value).is_some();
        if matches!(value, BuiltIn::SubgroupId | BuiltIn::SubgroupInvocationId) {
            return Some("it uses the place of an invocation in its subgroup".to_owned());
        }
    }
    if !has_position {
        return Some("its invocations do not know their place".to_owned());
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

/// Returns the function that gives an invocation this built-in value of another one; `None` if the value does not depend on the
/// place of the invocation.
fn position_of(value: BuiltIn) -> Option<&'static str> {
    match value {
        BuiltIn::GlobalInvocationId => Some("global_invocation_id"),
        BuiltIn::LocalInvocationId => Some("local_invocation_id"),
        BuiltIn::LocalInvocationIndex => Some("local_invocation_index"),
        BuiltIn::WorkGroupId => Some("workgroup_id"),
        _ => None,
    }
}

/// Returns a copy of the shader in which each invocation takes the place of the one that a buffer names: binding 0 of `group`, a
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
    let named = |name: &str| {
        let name = Some(format!("{NAMES}{name}"));
        let found = module.functions.iter().find(|(_, of)| of.name == name);
        found.expect("the text declares the function")
    };
    let (other, function) = named("other");
    let types = [function.arguments[0].ty, function.arguments[1].ty];
    let places =
        ["global_invocation_id", "local_invocation_id", "local_invocation_index", "workgroup_id"];
    let places: Vec<_> = places.into_iter().map(|name| (name, named(name).0)).collect();

    let of_entry = &mut module.entry_points[0].function;
    // The expressions that stand for places become results of calls. The arguments stay, for the calls.
    let mut replaced = Vec::new();
    let arguments = &of_entry.arguments;
    for (handle, expression) in of_entry.expressions.iter_mut() {
        let Expression::FunctionArgument(index) = *expression else { continue };
        let Some(Binding::BuiltIn(value)) = arguments[index as usize].binding else { continue };
        let Some(wanted) = position_of(value) else { continue };
        let (_, function) = places.iter().find(|(name, _)| *name == wanted).expect("all are there");
        *expression = Expression::CallResult(*function);
        replaced.push((*function, handle));
    }
    let values = [BuiltIn::LocalInvocationIndex, BuiltIn::WorkGroupId];
    let own = values.into_iter().zip(types).map(|(value, ty)| {
        let binding = Some(Binding::BuiltIn(value));
        let known = of_entry.arguments.iter().position(|argument| argument.binding == binding);
        let index = known.unwrap_or_else(|| {
            of_entry.arguments.push(FunctionArgument { name: None, ty, binding });
            of_entry.arguments.len() - 1
        });
        of_entry.expressions.append(Expression::FunctionArgument(index as u32), Span::UNDEFINED)
    });
    let own = own.collect();
    let number = of_entry.expressions.append(Expression::CallResult(other), Span::UNDEFINED);
    let mut body = Block::new();
    let call = Statement::Call { function: other, arguments: own, result: Some(number) };
    body.push(call, Span::UNDEFINED);
    for (function, result) in replaced {
        let call = Statement::Call { function, arguments: vec![number], result: Some(result) };
        body.push(call, Span::UNDEFINED);
    }
    body.extend_block(std::mem::take(&mut of_entry.body));
    of_entry.body = body;
    let info = validate(&module, &text)?;
    Ok((module, info))
}

/// Returns the declarations of the buffer and of the functions that read it.
fn declarations(group: u32, [sx, sy, sz]: [u32; 3], [nx, ny, _]: [u32; 3]) -> String {
    let lanes = sx * sy * sz;
    format!(
        "@group({group}) @binding(0) var<storage, read> {NAMES}order: array<u32>; \
         fn {NAMES}other(lane: u32, workgroup: vec3<u32>) -> u32 {{ \
         let flat = workgroup.x + {nx}u * (workgroup.y + {ny}u * workgroup.z); \
         return {NAMES}order[flat * {lanes}u + lane]; }} \
         fn {NAMES}local_invocation_index(other: u32) -> u32 {{ return other % {lanes}u; }} \
         fn {NAMES}local_invocation_id(other: u32) -> vec3<u32> {{ \
         let local = other % {lanes}u; \
         return vec3<u32>(local % {sx}u, local / {sx}u % {sy}u, local / ({sx}u * {sy}u)); }} \
         fn {NAMES}workgroup_id(other: u32) -> vec3<u32> {{ \
         let workgroup = other / {lanes}u; \
         return vec3<u32>(workgroup % {nx}u, workgroup / {nx}u % {ny}u, workgroup / ({nx}u * {ny}u)); }} \
         fn {NAMES}global_invocation_id(other: u32) -> vec3<u32> {{ \
         return {NAMES}workgroup_id(other) * vec3<u32>({sx}u, {sy}u, {sz}u) + {NAMES}local_invocation_id(other); }}"
    )
}

/// Sorts invocations by `rank`, block by block, and then shuffles the workgroups of `lanes` invocations of each block. Those of
/// equal rank keep their order.
///
/// Without the shuffle, a device that deals out workgroups in turn would give those with the most work to the same core.
pub(super) fn sort<T: Clone, R: Ord>(
    invocations: &mut [T],
    lanes: usize,
    seed: u64,
    rank: impl Fn(&T) -> R,
) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for block in invocations.chunks_mut(workgroups_of_block(lanes as u32) as usize * lanes) {
        block.sort_by_key(&rank);
        let sorted = block.to_vec();
        let mut workgroups: Vec<&[T]> = sorted.chunks(lanes).collect();
        workgroups.shuffle(&mut rng);
        let shuffled = workgroups.into_iter().flatten();
        block.iter_mut().zip(shuffled).for_each(|(to, from)| to.clone_from(from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: usize = 8192;

    #[test]
    fn workgroups_have_like_work_and_every_invocation_stays_in_its_block() {
        let work = |invocation: &u32| invocation.wrapping_mul(0x9E37_79B1) >> 24;
        let mut order: Vec<u32> = (0..20_032).collect();
        sort(&mut order, 64, 1, |of| std::cmp::Reverse(work(of)));
        let mut all = order.clone();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..20_032));
        for (index, block) in order.chunks(BLOCK).enumerate() {
            let first = (index * BLOCK) as u32;
            assert!(block.iter().all(|of| (first..first + BLOCK as u32).contains(of)));
            // A block has 128 workgroups and 256 kinds of work.
            for workgroup in block.chunks(64) {
                assert!(work(&workgroup[0]) - work(workgroup.last().expect("it has 64")) <= 6);
            }
            let most: Vec<u32> = block.chunks(64).map(|workgroup| work(&workgroup[0])).collect();
            assert!(!most.is_sorted_by(|a, b| a >= b), "workgroups are shuffled");
        }
    }
}
