//! The records of a comparison, and the conditions that differ between them.

use super::named::{Named, letter};
use crate::model::{Ranks, Record, Status, figures};
use crate::report::sections::revision;

/// Returns one line per record: device, backend, driver, profile, start and path.
pub(super) fn devices(records: &[Named<'_>]) -> Vec<String> {
    let line = |(index, named): (usize, &Named<'_>)| {
        let record = named.record;
        format!(
            "{}: {}, {}, {}, {} profile, started {} (`{}`)",
            letter(index),
            record.device(),
            record.adapter.backend,
            record.adapter.driver_info,
            record.tool.profile,
            record.started_at,
            named.path
        )
    };
    records.iter().enumerate().map(line).collect()
}

/// A condition that can make metrics differ: its name in the plural, and its value in a record, if known.
type Condition = (&'static str, fn(&Record) -> Option<String>);

/// All conditions, the device first.
const CONDITIONS: [Condition; 15] = [
    ("devices", |record| Some(record.adapter.name.clone())),
    ("PCI bus ids", |record| record.adapter.pci_bus_id.clone()),
    ("ranks", |record| record.ranks.as_ref().map(Ranks::words)),
    ("backends", |record| Some(record.adapter.backend.clone())),
    ("drivers", |record| Some(format!("{} {}", record.adapter.driver, record.adapter.driver_info))),
    ("shader compilers", |record| record.adapter.compiler.clone()),
    ("operating systems", |record| Some(record.machine.os.clone())),
    ("kernels", |record| record.machine.kernel.clone()),
    ("processors", |record| {
        let cores = figures::counted(record.machine.cores as usize, "core");
        record.machine.cpu.as_ref().map(|cpu| format!("{cpu} ({cores})"))
    }),
    ("power sources", |record| record.machine.power.clone()),
    ("device limits", |record| Some(format!("{} limits", record.adapter.limits))),
    ("shader checks", |record| {
        Some(format!("shader checks {}", if record.adapter.shader_checks { "on" } else { "off" }))
    }),
    ("clocks", |record| Some(record.clock.kind.words().to_owned())),
    ("profiles", |record| Some(format!("{} profile", record.tool.profile))),
    ("versions of warplaw", |record| {
        let revision = revision(record).map_or(String::new(), |rev| format!(" ({rev})"));
        Some(format!("warplaw {}{revision}", record.tool.version))
    }),
];

/// Returns one line per condition that differs between records, and one line for experiments that a record lacks.
///
/// A condition that a record does not tell differs from nothing.
pub(super) fn caveats(records: &[Named<'_>]) -> Vec<String> {
    let differences = CONDITIONS.into_iter().filter_map(|condition| difference(records, condition));
    let mut caveats: Vec<String> = differences.collect();
    caveats.extend(missing(records));
    for (index, named) in records.iter().enumerate() {
        let faults = named.record.clock.faults.iter();
        caveats.extend(faults.map(|fault| format!("{}: clock fault: {fault}", letter(index))));
    }
    caveats
}

/// Returns a line that groups the records by a condition, or `None` if the condition is the same for all.
fn difference(records: &[Named<'_>], (name, condition): Condition) -> Option<String> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (index, named) in records.iter().enumerate() {
        let Some(value) = condition(named.record) else { continue };
        match groups.iter_mut().find(|(known, _)| *known == value) {
            Some((_, letters)) => letters.push(letter(index)),
            None => groups.push((value, vec![letter(index)])),
        }
    }
    let text = |(value, letters): &(String, Vec<String>)| format!("{} {value}", letters.join(", "));
    let groups: Vec<String> = groups.iter().map(text).collect();
    (groups.len() > 1).then(|| format!("different {name}: {}", groups.join("; ")))
}

/// Returns a line with the experiments that only some records measured, or `None` if there are none.
fn missing(records: &[Named<'_>]) -> Option<String> {
    let mut ids: Vec<&str> = Vec::new();
    for experiment in records.iter().flat_map(|named| measured(named.record)) {
        if !ids.contains(&experiment) {
            ids.push(experiment);
        }
    }
    let lacks = |id: &str| {
        let lacking = (0..records.len())
            .filter(|&index| !measured(records[index].record).any(|known| known == id));
        lacking.map(letter).collect::<Vec<_>>()
    };
    let lacking = ids.iter().map(|id| (id, lacks(id))).filter(|(_, lacks)| !lacks.is_empty());
    let words: Vec<String> =
        lacking.map(|(id, letters)| format!("{id} (not in {})", letters.join(", "))).collect();
    (!words.is_empty()).then(|| {
        format!("measured in some records only, and not compared there: {}", words.join(", "))
    })
}

/// Returns the ids of the experiments that a record measured.
fn measured(record: &Record) -> impl Iterator<Item = &str> {
    let measured = record.experiments.iter().filter(|e| e.status == Status::Measured);
    measured.map(|experiment| experiment.id.as_str())
}

/// Returns whether two records are of one kind of device, by its name and its ids.
#[must_use]
pub fn are_of_one_device(a: &Record, b: &Record) -> bool {
    a.adapter.is_like(&b.adapter)
}
