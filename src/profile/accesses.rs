//! Accesses to memory: the addresses of a sample of workgroups, and what their subgroups access together.

use super::device::{BoundBuffer, Buffers, Gpu};
use super::error::ProfileError;
use super::lines::Lines;
use super::log::LogLayout;
use super::probes::Probed;
use super::record::Recording;
use super::replaying::Specialized;
use crate::model::{AccessKind, AccessedLine, Accesses, Memory, Record, Together, Transfers};
use crate::simt::{AccessReplay, Accessed, Arrangement, Asked, Unsupported};

/// Most bytes for addresses if the budget allows more. Few workgroups tell about the same as many.
const MOST_BYTES: u64 = 16 << 20;

/// Records the addresses of as many workgroups of a dispatch as fit, and replays them with these subgroups. `buffers` are those
/// of the recording.
///
/// # Errors
/// Returns an error if the budget does not suffice for the addresses of a workgroup, or if the device refuses the shader or fails.
pub(super) fn accesses(
    gpu: Gpu<'_>,
    (recording, buffers): (&Recording<'_>, &Buffers),
    (source, subgroups): (&str, bool),
    arrangement: &Arrangement,
    record: Option<&Record>,
) -> Result<Accesses, ProfileError> {
    let probed = Probed::with_addresses(source, &recording.probed.entry, subgroups)?;
    let specialized = Specialized::new(&probed, &recording.constants)?;
    let all: u32 = recording.workgroups.iter().product();
    let without_logs = LogLayout::new(all, specialized.lanes()?, 0, Vec::new())?.len();
    let most = without_logs.map_or(u64::MAX, |words| MOST_BYTES + 4 * words);
    let record_within = |most: u64| {
        let budget = recording.budget.min(most);
        let recording = Recording { probed: &probed, budget, ..recording.clone() };
        Ok(recording.record(gpu, buffers)?.log)
    };
    // A single workgroup may need more.
    let log = match record_within(most) {
        Err(ProfileError::Budget { .. }) => record_within(u64::MAX)?,
        recorded => recorded?,
    };
    let Specialized { module, info, entry } = &specialized;
    let unsupported = |Unsupported(what): Unsupported| ProfileError::Unsupported(what);
    let coalescing = record.and_then(Coalescing::from_record);
    let transfers = coalescing.map_or(Transfers::USUAL, |of| of.transfers);
    let size_of = |handle| {
        let variable: &naga::GlobalVariable = &module.global_variables[handle];
        let is_bound = |buffer: &&BoundBuffer| {
            variable
                .binding
                .is_some_and(|at| (at.group, at.binding) == (buffer.group, buffer.binding))
        };
        let bound = recording.buffers.iter().find(is_bound);
        let of_type = || module.types[variable.ty].inner.size(module.to_ctx()).into();
        bound.map_or_else(of_type, |buffer| buffer.bytes.len() as u64)
    };
    let replay = AccessReplay::new(module, info, entry, transfers, size_of);
    let mut replay = replay.map_err(unsupported)?;
    let sampled: Vec<u32> = log.workgroups().collect();
    for &workgroup in &sampled {
        let mut decisions = log.decisions(workgroup);
        replay.workgroup(arrangement, |lane, asked| match asked {
            Asked::Decision(outcomes) => decisions.next(lane, outcomes),
            Asked::Address => decisions.word(lane),
        })?;
        decisions.finish()?;
    }
    let whole = f64::from(all) / sampled.len().max(1) as f64;
    let places = Lines::new(&probed);
    let of_line = |accessed: &Accessed| {
        let Accessed { access, span, together, .. } = accessed;
        let variable = &module.global_variables[access.variable];
        Some(AccessedLine {
            line: places.number(*span)?,
            variable: variable.name.clone().unwrap_or_default(),
            kind: access.kind,
            memory: access.memory,
            bytes: access.bytes,
            together: *together,
            estimated_s: coalescing
                .filter(|_| access.memory == Memory::Buffer && access.kind != AccessKind::Atomic)
                .map(|of| whole * of.time_s(together)),
        })
    };
    let executed = replay.accessed().iter().filter(|of| of.together.executions > 0);
    let mut lines: Vec<AccessedLine> = executed.filter_map(of_line).collect();
    lines.sort_by_key(|of| of.line);
    Ok(Accesses { workgroups: sampled.len() as u32, transfers, lines })
}

/// What loads and stores cost by the experiment `coalescing`, on a device that they saturate.
#[derive(Debug, Clone, Copy)]
struct Coalescing {
    transfers: Transfers,
    /// Seconds of a subgroup's access, of a line and of a sector.
    each_s: [f64; 3],
}

impl Coalescing {
    /// Returns the costs of a record; `None` if it has not all of them.
    fn from_record(record: &Record) -> Option<Self> {
        let found = record.experiments.iter().find(|experiment| experiment.id == "coalescing")?;
        let bytes = |id| found.number(id).filter(|&bytes| bytes >= 1.0).map(|bytes| bytes as u32);
        let transfers =
            Transfers { line_bytes: bytes("line_bytes")?, sector_bytes: bytes("sector_bytes")? };
        let [issue, line, sector] = ["t_issue", "t_line", "t_sector"].map(|id| found.number(id));
        Some(Self { transfers, each_s: [issue?, line?, sector?] })
    }

    /// Returns the seconds of accesses: to issue them, of their lines or of their sectors, whichever is longest.
    fn time_s(self, together: &Together) -> f64 {
        let counts = [together.executions, together.lines, together.sectors];
        counts.into_iter().zip(self.each_s).map(|(n, s)| n as f64 * s).fold(0.0, f64::max)
    }
}
