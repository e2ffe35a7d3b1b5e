//! The head of a report: device, host, clock and run.

use crate::model::{Member, Record, figures};
use crate::report::Document;

/// Builds the head of a report.
pub(in crate::report) fn heading(record: &Record) -> Document {
    let adapter = &record.adapter;
    let mut document = Document::default();
    document.heading(1, adapter.full_name());
    document.text(format!(
        "Backend {}, driver {} {}. Host: {}{}, {}. Shader checks of wgpu: {}.{}",
        adapter.backend,
        adapter.driver,
        adapter.driver_info,
        record.machine.os,
        record.machine.cpu.as_ref().map_or(String::new(), |cpu| format!(", {cpu}")),
        figures::counted(record.machine.cores as usize, "core"),
        if adapter.shader_checks { "on" } else { "off" },
        if adapter.limits == "adapter" {
            String::new()
        } else {
            format!(" Device limits: {}.", adapter.limits)
        },
    ));
    if let Some(ranks) = &record.ranks {
        document.text(format!("Processes: {}. Rank, host, cores and adapter:", ranks.words()));
        let line = |(rank, member): (usize, &Member)| {
            let cores = figures::counted(member.cores as usize, "core");
            format!("{rank}: {}, {cores}, {}", member.host, member.adapter)
        };
        document.list(ranks.members.iter().enumerate().map(line).collect());
    }
    let fault = |fault: &String| format!(" The clock is not to be trusted: {fault}.");
    let faults: String = record.clock.faults.iter().map(fault).collect();
    document.text(format!(
        "Clock: {}, resolution {}.{faults}",
        record.clock.kind.words(),
        figures::quantity(record.clock.resolution_ns * 1e-9, "s"),
    ));
    document.text(format!(
        "warplaw {}{}, {} profile, seed {}. Started {}, duration {:.0} s, command `{}`",
        record.tool.version,
        revision(record).map_or(String::new(), |revision| format!(" ({revision})")),
        record.tool.profile,
        record.seed,
        record.started_at,
        record.duration_s,
        record.tool.argv.join(" "),
    ));
    document
}

/// Returns the start of the commit id of the build, with a mark for uncommitted changes.
///
/// Returns `None` if the record has no commit id.
pub(in crate::report) fn revision(record: &Record) -> Option<String> {
    let revision = record.tool.git_rev.as_deref()?;
    let changed = if record.tool.dirty == Some(true) { ", uncommitted changes" } else { "" };
    Some(format!("{}{changed}", revision.get(..9).unwrap_or(revision)))
}
