//! The built-in values that an entry point receives.

use std::rc::Rc;

use naga::{Binding, BuiltIn, EntryPoint, TypeInner};

use super::lanes::{Column, Values};
use super::mask::Mask;
use super::unsupported::Unsupported;

/// Returns the arguments of `entry` in workgroup `id` of `workgroups`.
pub(super) fn arguments(
    values: &Values<'_>,
    entry: &EntryPoint,
    [id, workgroups]: [[u32; 3]; 2],
) -> Result<Vec<Rc<Column>>, Unsupported> {
    let value = |binding: &Option<Binding>| match binding {
        Some(Binding::BuiltIn(value)) => column(values, *value, entry, [id, workgroups]),
        other => Err(Unsupported(format!("an argument with the binding {other:?}"))),
    };
    let mut arguments = Vec::new();
    for argument in &entry.function.arguments {
        let mut all = Column::new();
        match &values.module.types[argument.ty].inner {
            TypeInner::Struct { members, .. } => {
                for member in members {
                    all.extend(value(&member.binding)?);
                }
            }
            _ => all = value(&argument.binding)?,
        }
        arguments.push(Rc::new(all));
    }
    Ok(arguments)
}

fn column(
    values: &Values<'_>,
    value: BuiltIn,
    entry: &EntryPoint,
    [id, workgroups]: [[u32; 3]; 2],
) -> Result<Column, Unsupported> {
    let size = entry.workgroup_size;
    let local = |lane: usize| {
        let lane = lane as u32;
        [lane % size[0], lane / size[0] % size[1], lane / (size[0] * size[1])]
    };
    let (lanes, width) = (values.lanes, values.width);
    let all = Mask::below(lanes);
    let of = |scalars: usize, bits: &dyn Fn(usize, usize) -> u32| {
        values.column(scalars, &all, |scalar, lane| Ok(bits(scalar, lane).into()))
    };
    match value {
        BuiltIn::LocalInvocationIndex => of(1, &|_, lane| lane as u32),
        BuiltIn::LocalInvocationId => of(3, &|axis, lane| local(lane)[axis]),
        BuiltIn::GlobalInvocationId => {
            of(3, &|axis, lane| id[axis] * size[axis] + local(lane)[axis])
        }
        BuiltIn::WorkGroupId => of(3, &|axis, _| id[axis]),
        BuiltIn::NumWorkGroups => of(3, &|axis, _| workgroups[axis]),
        BuiltIn::SubgroupSize => of(1, &|_, _| width as u32),
        BuiltIn::SubgroupInvocationId => of(1, &|_, lane| (lane % width) as u32),
        BuiltIn::SubgroupId => of(1, &|_, lane| (lane / width) as u32),
        BuiltIn::NumSubgroups => of(1, &|_, _| lanes.div_ceil(width) as u32),
        other => Err(Unsupported(format!("the built-in value {other:?}"))),
    }
}
