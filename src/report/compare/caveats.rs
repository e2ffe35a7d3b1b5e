//! The records of a comparison, and differences between them other than the device.

use super::named::{Named, letter};
use crate::model::Record;
use crate::report::sections::revision;

/// Returns one line per record: device, backend, driver, profile, start and path.
pub(super) fn devices(records: &[Named<'_>]) -> Vec<String> {
    let line = |(index, named): (usize, &Named<'_>)| {
        let record = named.record;
        format!(
            "{}: {}, {}, {}, {} profile, started {} (`{}`)",
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

/// Returns one line per condition, other than the device, that can make metrics differ between records.
pub(super) fn caveats(records: &[Named<'_>]) -> Vec<String> {
    let kinds = [
        difference(records, "different versions of warplaw", |record| {
            let revision = revision(record).map_or(String::new(), |rev| format!(" ({rev})"));
            format!("warplaw {}{revision}", record.tool.version)
        }),
        difference(records, "different profiles", |record| {
            format!("{} profile", record.tool.profile)
        }),
        difference(records, "different clocks", |record| record.clock.kind.words().to_owned()),
        difference(records, "different shader checks", |record| {
            format!("shader checks {}", if record.adapter.shader_checks { "on" } else { "off" })
        }),
        difference(records, "different device limits", |record| {
            format!("{} limits", record.adapter.limits)
        }),
    ];
    let mut caveats: Vec<String> = kinds.into_iter().flatten().collect();
    for (index, named) in records.iter().enumerate() {
        let faults = named.record.clock.faults.iter();
        caveats.extend(faults.map(|fault| format!("{}: clock fault: {fault}", letter(index))));
    }
    caveats
}

/// Returns a line that groups the records by a condition, or `None` if the condition is the same for all.
fn difference(
    records: &[Named<'_>],
    title: &str,
    condition: impl Fn(&Record) -> String,
) -> Option<String> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (index, named) in records.iter().enumerate() {
        let value = condition(named.record);
        match groups.iter_mut().find(|(known, _)| *known == value) {
            Some((_, letters)) => letters.push(letter(index)),
            None => groups.push((value, vec![letter(index)])),
        }
    }
    let text = |(value, letters): &(String, Vec<String>)| format!("{} {value}", letters.join(", "));
    let groups: Vec<String> = groups.iter().map(text).collect();
    (groups.len() > 1).then(|| format!("{title}: {}", groups.join("; ")))
}
