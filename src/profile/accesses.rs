//! Accesses to memory: the addresses of a sample of workgroups, and what their subgroups access together.

use super::device::{Buffers, Gpu};
use super::error::ProfileError;
use super::lines::Lines;
use super::probes::Probed;
use super::record::Recording;
use super::replaying::Specialized;
use crate::model::{AccessedLine, Accesses};
use crate::simt::{AccessReplay, Accessed, Arrangement, Asked, Unsupported};

/// Most bytes of a log with addresses. Addresses need far more of it than decisions, and few workgroups tell about the same as
/// many.
const MOST_BYTES: u64 = 16 << 20;

/// Records the addresses of as many workgroups of a dispatch as fit, and replays them with these subgroups.
///
/// # Errors
/// Returns an error if the budget does not suffice for a workgroup, or if the device refuses the shader or fails.
pub(super) fn accesses(
    gpu: Gpu<'_>,
    recording: &Recording<'_>,
    (source, subgroups): (&str, bool),
    arrangement: &Arrangement,
) -> Result<Accesses, ProfileError> {
    let probed = Probed::with_addresses(source, &recording.probed.entry, subgroups)?;
    let budget = recording.budget.min(MOST_BYTES);
    let recording = Recording { probed: &probed, budget, ..recording.clone() };
    let buffers: Buffers = recording.upload(gpu)?;
    let log = recording.record(gpu, &buffers)?.log;
    let Specialized { module, info, entry } = &Specialized::new(&probed, &recording.constants)?;
    let unsupported = |Unsupported(what): Unsupported| ProfileError::Unsupported(what);
    let mut replay = AccessReplay::new(module, info, entry).map_err(unsupported)?;
    let sampled: Vec<u32> = log.workgroups().collect();
    for &workgroup in &sampled {
        let mut decisions = log.decisions(workgroup);
        replay.workgroup(arrangement, |lane, asked| match asked {
            Asked::Decision(outcomes) => decisions.next(lane, outcomes),
            Asked::Address => decisions.word(lane),
        })?;
        decisions.finish()?;
    }
    let places = Lines::new(&probed);
    let of_line = |accessed: &Accessed| {
        let Accessed { access, span, together } = accessed;
        let variable = &module.global_variables[access.variable];
        Some(AccessedLine {
            line: places.number(*span)?,
            variable: variable.name.clone().unwrap_or_default(),
            kind: access.kind,
            memory: access.memory,
            bytes: access.bytes,
            together: *together,
        })
    };
    let executed = replay.accessed().iter().filter(|of| of.together.executions > 0);
    let mut lines: Vec<AccessedLine> = executed.filter_map(of_line).collect();
    lines.sort_by_key(|of| of.line);
    Ok(Accesses { workgroups: sampled.len() as u32, lines })
}
