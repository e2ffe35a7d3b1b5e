//! Comparison of the uniform blocks of a workload with the declarations in its shaders.
//!
//! Members are compared by name and offset. Without this comparison, a value in the wrong place would go
//! unnoticed, because shaders run without bounds checks.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use naga::{AddressSpace, TypeInner};

use super::error::one_line;
use super::{Contents, Dispatch, Shader, Workload};

/// The uniform blocks of a shader, by name. Each has its members in order, with their offsets in bytes.
type Blocks = HashMap<String, Vec<(String, u32)>>;

/// Returns `Ok` if every uniform block that a dispatch of `workload` binds matches its shader.
///
/// A block matches if it has the members that the shader declares, in the same order, each a 32-bit word at
/// the same offset.
///
/// # Errors
/// Returns a one-line description of the first block that does not match.
pub(crate) fn check_params(workload: &Workload) -> Result<(), String> {
    workload.all_dispatches().try_for_each(|dispatch| {
        let blocks = blocks(&dispatch.shader)?;
        dispatch.bindings.iter().try_for_each(|&(name, buffer)| {
            match (blocks.get(name), &workload.buffers[buffer]) {
                (Some(members), Contents::Uniform(words)) => check_block(dispatch, members, words),
                (Some(_), _) => Err(format!(
                    "{dispatch:?} binds a buffer of another kind to the uniform block `{name}`"
                )),
                (None, _) => Ok(()),
            }
        })
    })
}

fn check_block(
    dispatch: &Dispatch,
    members: &[(String, u32)],
    words: &[(&'static str, u32)],
) -> Result<(), String> {
    let given = words.iter().zip((0..).step_by(4)).map(|((name, _), offset)| (*name, offset));
    let declared = members.iter().map(|(name, offset)| (name.as_str(), *offset));
    if given.clone().eq(declared) {
        return Ok(());
    }
    let given: Vec<&str> = given.map(|(name, _)| name).collect();
    let declared: Vec<String> =
        members.iter().map(|(name, offset)| format!("{name} at byte {offset}")).collect();
    Err(format!(
        "{dispatch:?} has the parameters {}, but its shader declares {}",
        given.join(", "),
        declared.join(", ")
    ))
}

/// Returns the uniform blocks of a module. Each module is parsed once per process.
fn blocks(shader: &Shader) -> Result<Arc<Blocks>, String> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Blocks>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(blocks) = known.get(shader.name()) {
        return Ok(Arc::clone(blocks));
    }
    let module = naga::front::wgsl::parse_str(shader.source()).map_err(|error| {
        format!("{}: {}", shader.name(), one_line(&error.emit_to_string(shader.source())))
    })?;
    let mut blocks = Blocks::new();
    for (_, global) in module.global_variables.iter() {
        let (Some(name), AddressSpace::Uniform) = (&global.name, global.space) else { continue };
        let TypeInner::Struct { members, .. } = &module.types[global.ty].inner else {
            return Err(format!("{}: uniform `{name}` is not a struct", shader.name()));
        };
        let member = |member: &naga::StructMember| {
            let is_word =
                matches!(module.types[member.ty].inner, TypeInner::Scalar(s) if s.width == 4);
            let name = member.name.clone().filter(|_| is_word);
            name.map(|name| (name, member.offset))
        };
        let members: Option<Vec<_>> = members.iter().map(member).collect();
        let members = members.ok_or_else(|| {
            format!("{}: uniform `{name}` has a member that is not a 32-bit scalar", shader.name())
        })?;
        blocks.insert(name.clone(), members);
    }
    let blocks = Arc::new(blocks);
    known.insert(shader.name().to_owned(), Arc::clone(&blocks));
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::chain::Chain;

    fn chain() -> Workload {
        Chain { workgroup_size: 4, active: 4, iterations: 1, workgroups: 1, seed: 1 }.workload()
    }

    #[test]
    fn swapped_missing_and_extra_members_are_reported() {
        assert_eq!(check_params(&chain()), Ok(()));
        let planted = |change: fn(&mut Vec<(&'static str, u32)>)| {
            let mut workload = chain();
            let Contents::Uniform(words) = &mut workload.buffers[0] else {
                panic!("the first buffer is the uniform block");
            };
            change(words);
            check_params(&workload).expect_err("the mismatch is reported")
        };
        let swapped = planted(|words| words.swap(0, 1));
        assert!(swapped.contains("iterations, active_lanes, seed"), "{swapped}");
        assert!(swapped.contains("active_lanes at byte 0, iterations at byte 4"), "{swapped}");
        planted(|words| words.truncate(2));
        planted(|words| words.push(("more", 1)));
    }
}
