//! Who was measured, how, and by which command.

use crate::model::Record;
use crate::model::figures;
use crate::report::Document;

pub(in crate::report) fn heading(record: &Record) -> Document {
    let adapter = &record.adapter;
    let mut document = Document::default();
    document.heading(1, adapter.name.clone());
    document.text(format!(
        "{} through {} {} on {}{}, {}. Shader checks {}{}.",
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
            format!(", {} limits", adapter.limits)
        },
    ));
    let faults: String =
        record.clock.faults.iter().map(|fault| format!(" Not to be trusted: {fault}.")).collect();
    document.text(format!(
        "Clock: {}, resolution {}.{faults}",
        record.clock.kind.words(),
        figures::quantity(record.clock.resolution_ns * 1e-9, "s"),
    ));
    document.text(format!(
        "warplaw {}{}, {} profile, seed {}, {}, {:.0} s, by `{}`",
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

/// The commit that measured, where it is known.
pub(in crate::report) fn revision(record: &Record) -> Option<String> {
    let revision = record.tool.git_rev.as_deref()?;
    let changed = if record.tool.dirty == Some(true) { ", with changes" } else { "" };
    Some(format!("{}{changed}", revision.get(..9).unwrap_or(revision)))
}
