//! Who is compared, and what about them differs beside the device.

use super::named::{Named, letter};
use crate::model::Record;
use crate::report::sections::revision;

/// One line a record.
pub(super) fn devices(records: &[Named<'_>]) -> Vec<String> {
    let line = |(index, named): (usize, &Named<'_>)| {
        let record = named.record;
        format!(
            "{}: {}, {}, {}, {} profile, {} (`{}`)",
            letter(index),
            record.adapter.name,
            record.adapter.backend,
            record.adapter.driver_info,
            record.tool.profile,
            record.started_at,
            named.path
        )
    };
    records.iter().enumerate().map(line).collect()
}

/// What could make figures differ that no device made differ.
pub(super) fn caveats(records: &[Named<'_>]) -> Vec<String> {
    let kinds = [
        told_apart(records, "made by different versions", |record| {
            let revision = revision(record).map_or(String::new(), |rev| format!(" ({rev})"));
            format!("warplaw {}{revision}", record.tool.version)
        }),
        told_apart(records, "measured at different length", |record| {
            format!("{} profile", record.tool.profile)
        }),
        told_apart(records, "timed by different clocks", |record| {
            record.clock.kind.words().to_owned()
        }),
        told_apart(records, "compiled with different checks", |record| {
            format!("shader checks {}", if record.adapter.shader_checks { "on" } else { "off" })
        }),
        told_apart(records, "opened with different limits", |record| {
            format!("{} limits", record.adapter.limits)
        }),
    ];
    let mut caveats: Vec<String> = kinds.into_iter().flatten().collect();
    for (index, named) in records.iter().enumerate() {
        let faults = named.record.clock.faults.iter();
        caveats.extend(faults.map(|fault| format!("{}: its clock: {fault}", letter(index))));
    }
    caveats
}

fn told_apart(
    records: &[Named<'_>],
    what: &str,
    said: impl Fn(&Record) -> String,
) -> Option<String> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (index, named) in records.iter().enumerate() {
        let said = said(named.record);
        match groups.iter_mut().find(|(known, _)| *known == said) {
            Some((_, letters)) => letters.push(letter(index)),
            None => groups.push((said, vec![letter(index)])),
        }
    }
    let each = |(said, letters): &(String, Vec<String>)| format!("{} {said}", letters.join(", "));
    let groups: Vec<String> = groups.iter().map(each).collect();
    (groups.len() > 1).then(|| format!("{what}: {}", groups.join("; ")))
}
