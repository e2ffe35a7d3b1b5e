//! Judgement of records for scripts and CI pages: by the laws alone, or against a baseline.

use serde::Serialize;

use super::compare::{Named, Shared, conditions_that_differ, has_changed, slower};
use super::{Document, Judgement, Table, judge};
use crate::model::{DeviceType, Experiment, Point, Schema, Status, Verdict, figures};

/// The result of a check.
#[derive(Debug, Serialize)]
pub struct Checked<'a> {
    schema: Schema,
    /// The worst judgement of the records.
    judgement: Judgement,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<Source<'a>>,
    records: Vec<CheckedRecord<'a>>,
}

/// A record with its origin.
#[derive(Debug, Serialize)]
struct Source<'a> {
    path: &'a str,
    device: String,
    backend: &'a str,
    driver: &'a str,
    profile: &'a str,
    started_at: &'a str,
}

/// A checked record.
#[derive(Debug, Serialize)]
struct CheckedRecord<'a> {
    #[serde(flatten)]
    source: Source<'a>,
    judgement: Judgement,
    /// Conditions that differ from the baseline, in words.
    conditions: Vec<String>,
    /// What became worse than in the baseline, in words.
    regressions: Vec<String>,
    experiments: Vec<CheckedExperiment<'a>>,
}

/// An experiment of a checked record.
#[derive(Debug, Serialize)]
struct CheckedExperiment<'a> {
    id: &'a str,
    /// Verdict, or status of an experiment that was not measured.
    outcome: &'static str,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    median_residual: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_outcome: Option<&'static str>,
}

/// Judges each record.
///
/// Without a `baseline`, the judgement of a record is [`Judgement::of`] that record.
///
/// With a `baseline`, only changes for the worse count:
///
/// - [`Judgement::Deviates`]: An experiment failed that the baseline measured, a point deviates that held in the
///   baseline and whose ratio has clearly changed, or a metric is SLOWER than in the baseline.
/// - [`Judgement::Inconclusive`]: A law that the baseline decides was measured and is undecided, or no experiment was
///   measured in both.
/// - [`Judgement::Holds`]: The record has none of these regressions.
///
/// What was undecided in the baseline, or is in one of the records only, does not count.
///
/// The judgement of the check is the worst one of the records, and [`Judgement::Inconclusive`] without any record.
#[must_use]
pub fn check<'a>(records: &[Named<'a>], baseline: Option<Named<'a>>) -> Checked<'a> {
    let records: Vec<CheckedRecord<'a>> =
        records.iter().map(|&named| checked(named, baseline)).collect();
    let worst = records.iter().map(|record| record.judgement).max();
    Checked {
        schema: Schema::new("warplaw-check", "1.0.0"),
        judgement: worst.unwrap_or(Judgement::Inconclusive),
        baseline: baseline.map(Source::of),
        records,
    }
}

impl<'a> Source<'a> {
    fn of(named: Named<'a>) -> Self {
        let adapter = &named.record.adapter;
        Self {
            path: named.path,
            device: adapter.full_name(),
            backend: &adapter.backend,
            driver: &adapter.driver_info,
            profile: &named.record.tool.profile,
            started_at: &named.record.started_at,
        }
    }
}

impl Checked<'_> {
    /// Returns the worst judgement of the records.
    #[must_use]
    pub fn judgement(&self) -> Judgement {
        self.judgement
    }

    /// Returns a document with a section for each record.
    #[must_use]
    pub fn document(&self) -> Document {
        let mut document = Document::default();
        let has_baseline = self.baseline.is_some();
        document.heading(1, format!("warplaw check: {}", in_words(self.judgement, has_baseline)));
        if let Some(Source { path, device, backend, driver, .. }) = &self.baseline {
            document.text(format!(
                "Record A is the baseline `{path}` of {device} ({backend}, {driver}). Each section checks one \
                 record, B."
            ));
        }
        for record in &self.records {
            let Source { path, device, backend, driver, profile, started_at } = &record.source;
            document.heading(2, format!("{path}: {device}"));
            document.text(format!(
                "{backend}, {driver}, {profile} profile, started {started_at}: {}.",
                in_words(record.judgement, has_baseline),
            ));
            document.list([&record.conditions[..], &record.regressions].concat());
            document.table(self.verdicts(record));
        }
        document
    }

    /// Builds the table of verdicts. The last column is absent if there is no baseline.
    fn verdicts(&self, record: &CheckedRecord<'_>) -> Table {
        let columns = ["experiment", "verdict", "reason", "median residual>", "baseline verdict"];
        let shown = columns.len() - usize::from(self.baseline.is_none());
        let mut table = Table::new(&columns[..shown]);
        table.rows.extend(record.experiments.iter().map(|experiment| {
            let mut row = vec![
                experiment.id.to_owned(),
                experiment.outcome.to_owned(),
                experiment.reason.clone(),
                experiment.median_residual.map_or(String::new(), figures::per_cent),
                experiment.baseline_outcome.unwrap_or_default().to_owned(),
            ];
            row.truncate(shown);
            row
        }));
        table
    }

    /// Returns a table with a row for each experiment of each record. Numbers have full precision.
    #[must_use]
    pub fn tidy(&self) -> Document {
        let mut table = Table::new(&[
            "record",
            "experiment",
            "outcome",
            "reason",
            "median_residual",
            "baseline_outcome",
        ]);
        for record in &self.records {
            table.rows.extend(record.experiments.iter().map(|experiment| {
                vec![
                    record.source.path.to_owned(),
                    experiment.id.to_owned(),
                    experiment.outcome.to_owned(),
                    experiment.reason.clone(),
                    experiment.median_residual.map_or(String::new(), |value| value.to_string()),
                    experiment.baseline_outcome.unwrap_or_default().to_owned(),
                ]
            }));
        }
        let mut document = Document::default();
        document.table(table);
        document
    }
}

/// Judges one record.
fn checked<'a>(named: Named<'a>, baseline: Option<Named<'a>>) -> CheckedRecord<'a> {
    let (judgement, regressions) = match baseline {
        None => (Judgement::of(named.record), Vec::new()),
        Some(baseline) => against(baseline, named),
    };
    let experiment = |experiment: &'a Experiment| CheckedExperiment {
        id: &experiment.id,
        outcome: judge::outcome(experiment),
        reason: judge::decided_by(experiment),
        median_residual: crate::stats::median(&experiment.residuals()),
        baseline_outcome: baseline
            .and_then(|baseline| find(baseline, &experiment.id))
            .map(judge::outcome),
    };
    let conditions = baseline.map(|baseline| conditions_that_differ(&[baseline, named]));
    CheckedRecord {
        source: Source::of(named),
        judgement,
        conditions: conditions.unwrap_or_default(),
        regressions,
        experiments: named.record.experiments.iter().map(experiment).collect(),
    }
}

/// Describes a judgement in a phrase.
fn in_words(judgement: Judgement, against_baseline: bool) -> &'static str {
    match (judgement, against_baseline) {
        (Judgement::Holds, false) => "every measured law holds",
        (Judgement::Deviates, false) => "a law deviates or an experiment failed",
        (Judgement::Inconclusive, false) => "no law deviates, but not every law is decided",
        (Judgement::Holds, true) => "no regression against the baseline",
        (Judgement::Deviates, true) => "regression against the baseline",
        (Judgement::Inconclusive, true) => "something that the baseline decides is undecided",
    }
}

/// Returns the experiment with this id.
fn find<'a>(named: Named<'a>, id: &str) -> Option<&'a Experiment> {
    named.record.experiments.iter().find(|experiment| experiment.id == id)
}

/// Compares a record with the baseline. Returns the judgement and a line for each regression.
///
/// Experiments that only one of the records measured are not compared.
fn against(baseline: Named<'_>, named: Named<'_>) -> (Judgement, Vec<String>) {
    let mut changes = Vec::new();
    let mut compared = 0;
    let is_cpu = [baseline, named].iter().any(|n| n.record.adapter.device_type == DeviceType::Cpu);
    for before in baseline.record.experiments.iter().filter(|e| e.status == Status::Measured) {
        let Some(now) = find(named, &before.id) else { continue };
        compared += usize::from([Status::Measured, Status::Failed].contains(&now.status));
        let shared = if is_cpu { Shared::of_points(now) } else { Shared::Nothing };
        changes.extend(change(before, now, shared));
    }
    let slower = slower(baseline, named).into_iter();
    changes.extend(slower.map(|metric| (Judgement::Deviates, format!("SLOWER: {metric}"))));
    if compared == 0 {
        changes.push((
            Judgement::Inconclusive,
            "the records have no measured experiment in common".to_owned(),
        ));
    }
    let worst = changes.iter().map(|(judgement, _)| *judgement).max();
    (worst.unwrap_or(Judgement::Holds), changes.into_iter().map(|(_, line)| line).collect())
}

/// Returns what became worse in an experiment that the baseline measured, if anything.
fn change(before: &Experiment, now: &Experiment, shared: Shared) -> Option<(Judgement, String)> {
    if now.status == Status::Failed {
        let reason = judge::decided_by(now);
        return Some((Judgement::Deviates, format!("{}: failed: {reason}", now.id)));
    }
    let (then, verdict) = (judge::rejudge(before)?, judge::rejudge(now)?);
    if then == Verdict::Inconclusive {
        return None;
    }
    let line = |what: &str| format!("{}: {what} (baseline: {})", now.id, judge::outcome(before));
    match verdict {
        Verdict::Inconclusive => Some((Judgement::Inconclusive, line("inconclusive"))),
        Verdict::Holds => None,
        Verdict::Deviates => {
            let point = now.judged().find(|point| newly_deviates(before, now, point, shared))?;
            let place = format!("{}, {} = {}", point.series, point.x.name, point.x.value);
            Some((Judgement::Deviates, line(&format!("deviates at {place}, which held"))))
        }
    }
}

/// Returns whether a point deviates that held in the baseline, and by clearly another ratio.
///
/// A ratio near an edge of its tolerance may hold in one run and deviate in the next, without any change.
fn newly_deviates(before: &Experiment, now: &Experiment, point: &Point, shared: Shared) -> bool {
    let tolerance = now.tolerance.unwrap_or(0.0);
    let held = |then: &&Point| {
        (&then.series, &then.x) == (&point.series, &point.x)
            && judge::judge_point(before, then) == Verdict::Holds
    };
    judge::judge_point(now, point) == Verdict::Deviates
        && before
            .judged()
            .find(held)
            .is_some_and(|then| has_changed(then, point, tolerance, shared))
}
