//! Whether the measuring itself was sound: the clock, and the controls of every experiment.

use crate::model::figures;
use crate::model::{Check, Control, Experiment, Record, StoppedBy};
use crate::report::{Document, Table};

pub(super) fn health(record: &Record) -> Document {
    let mut document = Document::default();
    document.heading(2, "Controls and clock");
    let clock = &record.clock;
    let mut said = vec![format!(
        "clock: {}, {} a tick, resolution {}",
        clock.kind.words(),
        figures::quantity(clock.period_ns * 1e-9, "s"),
        figures::quantity(clock.resolution_ns * 1e-9, "s")
    )];
    said.extend(clock.empty_span_ns.map(|span_ns| {
        format!("a dispatch that does nothing spans {}", figures::quantity(span_ns * 1e-9, "s"))
    }));
    said.extend(clock.host_check_ratio.map(|ratio| {
        format!("a long dispatch spans {} of the host's view of it", figures::per_cent(ratio))
    }));
    said.extend(clock.faults.iter().map(|fault| format!("not to be trusted: {fault}")));
    document.list(said);
    let checks = checks(record);
    let heads: Vec<String> = checks.iter().map(|check| format!("{}>", check.as_str())).collect();
    let columns: Vec<&str> = ["experiment", "rounds>", "seconds>", "stopped by"]
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
            "Every control must read 1 with an interval that is narrow enough. `same` is one case under two \
             names, `linear` four times the work in four times as long, `drift` early rounds against late \
             ones, `clock` the timestamps against the host.",
        );
    }
    add_costs(&mut document, record);
    document
}

/// Where the seconds of each experiment went, where its record says.
fn add_costs(document: &mut Document, record: &Record) {
    let mut table = Table::new(&[
        "experiment",
        "searching>",
        "sizing>",
        "verifying>",
        "sampling>",
        "in samples>",
        "host time per sample>",
        "pipelines compiled>",
    ]);
    for experiment in &record.experiments {
        let Some(costs) = experiment.costs else { continue };
        let s = |seconds: f64| format!("{seconds:.2} s");
        let known =
            |value: Option<f64>, words: fn(f64) -> String| value.map_or(String::new(), words);
        table.rows.push(vec![
            experiment.id.clone(),
            s(costs.searching_s),
            s(costs.sizing_s),
            s(costs.verifying_s),
            s(costs.sampling_s),
            known(costs.share_in_samples(), figures::per_cent),
            known(costs.host_s_per_sample(), |s| figures::quantity(s, "s")),
            match costs.pipelines {
                0 => "none".to_owned(),
                some => format!("{some} in {}", figures::quantity(costs.compiling_s, "s")),
            },
        ]);
    }
    if !table.rows.is_empty() {
        document.heading(2, "Where the time went");
        document.table(table);
    }
}

/// Controls in the order that they first appear.
fn checks(record: &Record) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    for control in record.experiments.iter().flat_map(|experiment| &experiment.controls) {
        if !checks.contains(&control.check) {
            checks.push(control.check);
        }
    }
    checks
}

fn row(experiment: &Experiment, checks: &[Check]) -> Vec<String> {
    let read = |check: &Check| {
        let control = experiment.controls.iter().find(|control| control.check == *check);
        control.map_or(String::new(), said)
    };
    let stopped = experiment.stopped_by.map_or("", StoppedBy::words).to_owned();
    [
        experiment.id.clone(),
        experiment.rounds.to_string(),
        format!("{:.1}", experiment.duration_s),
        stopped,
    ]
    .into_iter()
    .chain(checks.iter().map(read))
    .collect()
}

fn said(control: &Control) -> String {
    let read = figures::ratio(control.ratio, control.ratio_ci);
    if control.passed { read } else { format!("{read} failed") }
}
