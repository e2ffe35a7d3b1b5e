//! The quality of the measurements: the clock, the controls of every experiment, and the time spent.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::figures;
use crate::model::{Check, Control, DeviceState, Experiment, Record, StoppedBy};
use crate::report::{Document, Table};

/// Builds the sections on controls, clock and time.
pub(super) fn health(record: &Record) -> Document {
    let mut document = Document::default();
    document.heading(2, "Controls and clock");
    let clock = &record.clock;
    let mut facts = vec![format!(
        "clock: {}, {} per tick, resolution {}",
        clock.kind.words(),
        figures::quantity(clock.period_ns * 1e-9, "s"),
        figures::quantity(clock.resolution_ns * 1e-9, "s")
    )];
    facts.extend(clock.empty_span_ns.map(|span_ns| {
        format!("median span of an empty dispatch: {}", figures::quantity(span_ns * 1e-9, "s"))
    }));
    facts.extend(clock.host_check_ratio.map(|ratio| {
        let share = figures::per_cent(ratio);
        format!("span of a long dispatch: {share} of the host's time, submission and wait included")
    }));
    facts.extend(
        clock.faults.iter().map(|fault| format!("the clock is not to be trusted: {fault}")),
    );
    facts.extend(workers(record));
    facts.extend(subgroup_sizes(record));
    let loads = record.experiments.iter().filter_map(|e| Some((e.other_load?, &e.id)));
    facts.extend(loads.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(cores, id)| {
        let cores = figures::quantity(cores, "cores");
        format!("other processes kept at most {cores} of the host busy, during {id}")
    }));
    document.list(facts);
    let checks = checks(record);
    let heads: Vec<String> = checks.iter().map(|check| format!("{}>", check.as_str())).collect();
    let columns: Vec<&str> = ["experiment", "rounds>", "seconds>", "sampling stopped by"]
        .into_iter()
        .chain(heads.iter().map(String::as_str))
        .collect();
    let mut table = Table::new(&columns);
    for experiment in record.experiments.iter().filter(|e| e.rounds > 0) {
        table.rows.push(row(experiment, &checks));
    }
    if !table.rows.is_empty() {
        document.table(table);
        document.text(
            "The controls check the measurements. Each control is a ratio that must be 1. `same` compares \
             one case with the same case under a second name. `linear` compares four times the work with \
             four times the time. `drift` compares late rounds with early rounds. `clock` compares \
             timestamps with the host's clock. A control fails if its 95 % interval is outside its \
             tolerance or too wide to decide. An experiment with a failed control is inconclusive. Sampling \
             stops when all intervals are narrow enough (`precision`), when all points are decided \
             (`decided`), when intervals no longer become narrower (`noise stable`), when more samples could not \
             decide what is still undecided (`exhausted`), at the end of the time budget (`time`), after \
             the maximum number of rounds (`rounds`), or when the user interrupts the run (`interrupted`).",
        );
    }
    add_states(&mut document, record);
    add_costs(&mut document, record);
    document
}

/// Adds the table of the device's state during each experiment, if the record contains any.
fn add_states(document: &mut Document, record: &Record) {
    let mut table = Table::new(&[
        "experiment",
        "core clock>",
        "memory clock>",
        "temperature>",
        "power>",
        "throttled by",
        "load by other processes>",
    ]);
    for experiment in &record.experiments {
        let Some([before, after]) = &experiment.states else { continue };
        let change = |of: fn(&DeviceState) -> Option<f64>, unit: &str| {
            let ends = [before, after].map(|state| of(state).map(|value| format!("{value:.0}")));
            match ends {
                [Some(a), Some(b)] if a == b => format!("{a} {unit}"),
                [Some(a), Some(b)] => format!("{a} → {b} {unit}"),
                [Some(one), None] | [None, Some(one)] => format!("{one} {unit}"),
                [None, None] => String::new(),
            }
        };
        let mut reasons = before.throttled_by.clone();
        reasons.extend(
            after.throttled_by.iter().filter(|r| !before.throttled_by.contains(r)).cloned(),
        );
        table.rows.push(vec![
            experiment.id.clone(),
            change(|state| state.core_mhz, "MHz"),
            change(|state| state.memory_mhz, "MHz"),
            change(|state| state.temperature_c, "°C"),
            change(|state| state.power_w, "W"),
            reasons.join(", "),
            experiment.other_load.map_or(String::new(), |cores| format!("{cores:.2} cores")),
        ]);
    }
    if !table.rows.is_empty() {
        document.text(
            "State of the device, before the first round of each experiment → after the last one:",
        );
        document.table(table);
    }
}

/// Adds the table of the time that each experiment spent in its phases, if the record contains these times.
fn add_costs(document: &mut Document, record: &Record) {
    let mut table = Table::new(&[
        "experiment",
        "autotuning>",
        "sizing of samples>",
        "verification>",
        "sampling>",
        "share of sampling inside samples>",
        "host time per sample>",
        "pipelines compiled>",
    ]);
    for experiment in &record.experiments {
        let Some(costs) = experiment.costs else { continue };
        let seconds = |seconds: f64| format!("{seconds:.2} s");
        let optional =
            |value: Option<f64>, text: fn(f64) -> String| value.map_or(String::new(), text);
        table.rows.push(vec![
            experiment.id.clone(),
            seconds(costs.searching_s),
            seconds(costs.sizing_s),
            seconds(costs.verifying_s),
            seconds(costs.sampling_s),
            optional(costs.share_in_samples(), figures::per_cent),
            optional(costs.host_s_per_sample(), |s| figures::quantity(s, "s")),
            match costs.pipelines {
                0 => "none".to_owned(),
                count => format!("{count} in {}", figures::quantity(costs.compiling_s, "s")),
            },
        ]);
    }
    if !table.rows.is_empty() {
        document.heading(2, "Time per phase");
        document.table(table);
    }
}

/// Returns the controls of all experiments, in the order in which they first appear.
fn checks(record: &Record) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    for control in record.experiments.iter().flat_map(|experiment| &experiment.controls) {
        if !checks.contains(&control.check) {
            checks.push(control.check);
        }
    }
    checks
}

/// Describes how many workgroups a software device ran at the same time.
fn workers(record: &Record) -> Option<String> {
    let workers = by_experiment(record, |experiment| experiment.workers.map(|n| n.to_string()))?;
    Some(format!("workgroups that the software device ran at the same time: {workers}"))
}

/// Describes the subgroup sizes that the kernels ran with.
fn subgroup_sizes(record: &Record) -> Option<String> {
    let sizes = |experiment: &Experiment| {
        let all = experiment.cases.iter().flat_map(|case| &case.subgroup_sizes);
        let all: BTreeSet<u32> = all.copied().collect();
        let words: Vec<String> = all.iter().map(u32::to_string).collect();
        (!words.is_empty()).then(|| words.join(" or "))
    };
    Some(format!("lanes in a subgroup of the kernels: {}", by_experiment(record, sizes)?))
}

/// Returns the most frequent value of the experiments, and the other values with their experiments.
fn by_experiment(record: &Record, of: impl Fn(&Experiment) -> Option<String>) -> Option<String> {
    let mut by_value: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for experiment in &record.experiments {
        if let Some(value) = of(experiment) {
            by_value.entry(value).or_default().push(&experiment.id);
        }
    }
    let (usual, _) = by_value.iter().max_by_key(|(_, ids)| ids.len())?;
    let others = by_value.iter().filter(|(value, _)| *value != usual);
    let others = others.map(|(value, ids)| format!(", and {value} in {}", ids.join(", ")));
    Some(format!("{usual}{}", others.collect::<String>()))
}

/// Returns the row of an experiment in the table of controls.
fn row(experiment: &Experiment, checks: &[Check]) -> Vec<String> {
    let cell = |check: &Check| {
        let control = experiment.controls.iter().find(|control| control.check == *check);
        control.map_or(String::new(), reading)
    };
    let stopped = experiment.stopped_by.map_or("", StoppedBy::words).to_owned();
    [
        experiment.id.clone(),
        experiment.rounds.to_string(),
        format!("{:.1}", experiment.duration_s),
        stopped,
    ]
    .into_iter()
    .chain(checks.iter().map(cell))
    .collect()
}

/// Formats the ratio of a control with its interval, and with `failed` if the control failed.
fn reading(control: &Control) -> String {
    let ratio = figures::ratio(control.ratio, control.ratio_ci);
    if control.passed { ratio } else { format!("{ratio} failed") }
}
