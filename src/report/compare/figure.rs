//! The figures of a record that can be set beside another record's.

use crate::record::{Experiment, Finding, Parameter, Record, Status, Value};
use crate::report::figures;
use crate::report::names::{self, Better};
use crate::stats::Interval;

/// A figure, and what there is to know of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure<'a> {
    pub(super) experiment: &'a str,
    /// Its name in records.
    pub(super) name: &'a str,
    pub(super) words: String,
    pub(super) value: f64,
    pub(super) unit: &'a str,
    pub(super) ci: Option<Interval>,
    pub(super) reach: Option<Interval>,
    pub(super) better: Better,
    /// Whether every control of its experiment passed.
    pub(super) sound: bool,
    /// Whether it is a time or a rate of a device whose cores other programs share.
    pub(super) shared: bool,
    /// What tells the run from any other.
    pub(super) run: (&'a str, u64, &'a str),
}

impl Figure<'_> {
    /// The value with its interval.
    pub(super) fn text(&self) -> String {
        figures::with_interval(self.value, self.unit, self.ci)
    }

    /// Whether both are the same figure of the same run.
    pub(super) fn is_of_one_run_with(&self, other: &Self) -> bool {
        self.run == other.run && self.value.to_bits() == other.value.to_bits()
    }
}

/// What can be ranked, in the order of the names; figures that those do not name follow, by their unit: less time or
/// more of a rate is better.
pub(super) fn ranked(record: &Record) -> Vec<Figure<'_>> {
    let mut figures: Vec<(usize, Figure<'_>)> = record
        .experiments
        .iter()
        .filter(|experiment| experiment.status == Status::Measured)
        .flat_map(|experiment| of_experiment(record, experiment))
        .filter(|(_, figure)| figure.better != Better::Neither)
        .collect();
    figures.sort_by_key(|(place, _)| *place);
    figures.into_iter().map(|(_, figure)| figure).collect()
}

fn of_experiment<'a>(
    record: &'a Record,
    experiment: &'a Experiment,
) -> impl Iterator<Item = (usize, Figure<'a>)> {
    let sound = !experiment.controls.is_empty() && experiment.controls.iter().all(|c| c.passed);
    let parameter = |p: &'a Parameter| (&*p.name, p.value, &*p.unit, p.ci, p.reach);
    let finding = |f: &'a Finding| match f.value {
        Value::Number(value) => Some((&*f.name, value, &*f.unit, f.ci, f.reach)),
        Value::Text(_) => None,
    };
    let parameters = experiment.parameters.iter().map(parameter);
    let all = parameters.chain(experiment.findings.iter().filter_map(finding));
    all.map(move |(name, value, unit, ci, reach)| {
        let (place, better, words) = names::known(&experiment.id, name)
            .unwrap_or_else(|| (usize::MAX, by_unit(unit), name.to_owned()));
        let shared = record.adapter.device_type == "cpu" && by_unit(unit) != Better::Neither;
        let run = (&*record.started_at, record.seed, &*record.adapter.name);
        let experiment = &*experiment.id;
        (
            place,
            Figure { experiment, name, words, value, unit, ci, reach, better, sound, shared, run },
        )
    })
}

fn by_unit(unit: &str) -> Better {
    match unit {
        "s" | "s/B" => Better::Lower,
        "B/s" | "GB/s" => Better::Higher,
        _ => Better::Neither,
    }
}

#[cfg(test)]
impl Figure<'static> {
    /// Of an experiment, for tests.
    pub(super) fn example(experiment: &'static str) -> Self {
        Self {
            experiment,
            name: "alpha",
            words: "α".to_owned(),
            value: 1.0,
            unit: "s",
            ci: None,
            reach: None,
            better: Better::Lower,
            sound: true,
            shared: false,
            run: ("2026-11-24T00:00:00Z", 1, "a"),
        }
    }
}
