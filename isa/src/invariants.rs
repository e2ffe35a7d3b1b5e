//! Invariants of kernels, held against machine code.

use std::ops::RangeInclusive;

use warplaw::gpu::{Invariant, Property};

use crate::{Code, Compiled, Kind, Program};

/// Returns a line for each invariant of a program that its machine code breaks. No program may spill registers.
#[must_use]
pub fn broken(program: &Program, compiled: &Compiled, code: &Code) -> Vec<String> {
    let mut lines = Vec::new();
    if compiled.spills > 0 {
        lines.push(format!("{} registers are spilled to memory", compiled.spills));
    }
    let own = program.shader.invariants().iter().filter(|own| own.entries.contains(&program.entry));
    for Invariant { property, reason, .. } in own {
        if let Err(found) = check(*property, compiled, code) {
            lines.push(format!("not {property:?}, but {found}: {reason}"));
        }
    }
    lines
}

/// Returns what was found instead of the property, if the code does not have it.
pub(crate) fn check(property: Property, compiled: &Compiled, code: &Code) -> Result<(), String> {
    let innermost = code.innermost();
    let computed = |range: &RangeInclusive<usize>| code.sum(range.clone(), Kind::computes);
    let most_computed = innermost.iter().map(computed).max().unwrap_or(0);
    let in_loops = |amount: fn(Kind) -> u32| -> Vec<u32> {
        innermost.iter().map(|range| code.sum(range.clone(), amount)).collect()
    };
    let ok = |holds: bool, found: String| if holds { Ok(()) } else { Err(found) };
    let multiple = |wanted: u32, found: Vec<u32>| {
        let is_multiple = |&count: &u32| count > 0 && count.is_multiple_of(wanted);
        ok(found.iter().any(is_multiple), format!("{found:?} in its loops"))
    };
    match property {
        Property::Loops(least) => {
            let loops = code.loops().len();
            ok(loops >= least as usize, format!("{loops} loops"))
        }
        Property::Computes(wanted) => {
            let over = most_computed % wanted;
            let holds = most_computed >= wanted && 4 * over <= wanted;
            ok(holds, format!("{most_computed} vector operations in the loop"))
        }
        Property::ComputesAtLeast(least) => {
            ok(most_computed >= least, format!("{most_computed} vector operations in the loop"))
        }
        Property::LoadsInFlight(least) => {
            let most = innermost.iter().map(|range| code.loads_in_flight(range.clone())).max();
            let most = most.unwrap_or(0);
            ok(most >= least, format!("{most} loads on their way"))
        }
        Property::AtomicsInLoop(wanted) => {
            multiple(wanted, in_loops(|kind| u32::from(kind == Kind::Atomic)))
        }
        Property::WorkgroupAtomicsInLoop(wanted) => {
            multiple(wanted, in_loops(|kind| u32::from(kind == Kind::WorkgroupAtomic)))
        }
        Property::WorkgroupBytesInLoop(wanted) => {
            let bytes = |kind| if let Kind::WorkgroupLoad(bytes) = kind { bytes } else { 0 };
            multiple(wanted, in_loops(bytes))
        }
        Property::LoadsInLoop(wanted) => {
            multiple(wanted, in_loops(|kind| u32::from(kind == Kind::Load)))
        }
        Property::StoresInLoop(wanted) => {
            multiple(wanted, in_loops(|kind| u32::from(kind == Kind::Store)))
        }
        Property::StaysTogether => {
            let splits = |range: RangeInclusive<usize>| {
                code.sum(range, |kind| u32::from(kind == Kind::Splits))
            };
            let most = code.loops().into_iter().map(splits).max().unwrap_or(0);
            ok(most == 0, format!("{most} branches by data in a loop"))
        }
        Property::CodeBytes(most) => {
            ok(compiled.bytes <= most, format!("{} bytes of code", compiled.bytes))
        }
    }
}
