//! Judgement of records for scripts and CI pages: by the laws alone, or against a baseline.

use super::compare::{Named, differences, slower};
use super::{Document, Judgement, Table, judge};
use crate::model::Verdict;
use crate::model::figures;
use crate::model::{Experiment, Status};

/// Judges each record. Returns the worst judgement, and a document with a section for each record.
///
/// Without a `baseline`, the judgement of a record is [`Judgement::of`] that record.
///
/// With a `baseline`, only changes for the worse count:
///
/// - [`Judgement::Deviates`]: An experiment failed that did not fail in the baseline, a law deviates that did
///   not deviate in the baseline, or a metric is SLOWER than in the baseline. An experiment that the baseline
///   lacks counts as one that neither failed nor deviated there.
/// - [`Judgement::Inconclusive`]: A law that the baseline decides is undecided or missing.
/// - [`Judgement::Holds`]: The record has none of these regressions.
///
/// Returns [`Judgement::Inconclusive`] if there are no records.
#[must_use]
pub fn check(records: &[Named<'_>], baseline: Option<Named<'_>>) -> (Judgement, Document) {
    let judged: Vec<(Named<'_>, Judgement, Vec<String>)> = records
        .iter()
        .map(|&named| match baseline {
            None => (named, Judgement::of(named.record), Vec::new()),
            Some(baseline) => {
                let (judgement, regressions) = against(baseline, named);
                (named, judgement, regressions)
            }
        })
        .collect();
    let worst = judged.iter().map(|(_, judgement, _)| *judgement).max();
    let worst = worst.unwrap_or(Judgement::Inconclusive);
    let mut document = Document::default();
    document.heading(1, format!("warplaw check: {}", in_words(worst, baseline.is_some())));
    if let Some(baseline) = baseline {
        let adapter = &baseline.record.adapter;
        document.text(format!(
            "Record A is the baseline `{}` of {} ({}, {}). Each section checks one record, B.",
            baseline.path, adapter.name, adapter.backend, adapter.driver_info
        ));
    }
    for (named, judgement, regressions) in &judged {
        document.heading(2, format!("{}: {}", named.path, named.record.adapter.name));
        document.text(format!(
            "{}, {}, {} profile, started {}: {}.",
            named.record.adapter.backend,
            named.record.adapter.driver_info,
            named.record.tool.profile,
            named.record.started_at,
            in_words(*judgement, baseline.is_some()),
        ));
        let differences = baseline.map(|baseline| differences(baseline, *named));
        document.list(differences.into_iter().flatten().chain(regressions.clone()).collect());
        document.table(verdicts(*named, baseline));
    }
    (worst, document)
}

/// Describes a judgement in a phrase.
fn in_words(judgement: Judgement, against_baseline: bool) -> &'static str {
    match (judgement, against_baseline) {
        (Judgement::Holds, false) => "every measured law holds",
        (Judgement::Deviates, false) => "a law deviates or an experiment failed",
        (Judgement::Inconclusive, false) => "no law deviates, but not every law is decided",
        (Judgement::Holds, true) => "no regression against the baseline",
        (Judgement::Deviates, true) => "regression against the baseline",
        (Judgement::Inconclusive, true) => "a law that the baseline decides is now undecided",
    }
}

/// Builds the table of verdicts. The last column is absent if there is no baseline.
fn verdicts(named: Named<'_>, baseline: Option<Named<'_>>) -> Table {
    let columns = ["experiment", "verdict", "reason", "median residual>", "baseline verdict"];
    let shown = if baseline.is_some() { columns.len() } else { columns.len() - 1 };
    let mut table = Table::new(&columns[..shown]);
    for experiment in &named.record.experiments {
        let residual = crate::stats::median(&experiment.residuals());
        let before = baseline.and_then(|baseline| find(baseline, &experiment.id));
        let mut row = vec![
            experiment.id.clone(),
            judge::outcome(experiment).to_owned(),
            judge::decided_by(experiment),
            residual.map_or(String::new(), figures::per_cent),
            before.map_or("", judge::outcome).to_owned(),
        ];
        row.truncate(shown);
        table.rows.push(row);
    }
    table
}

/// Returns the experiment with this id.
fn find<'a>(named: Named<'a>, id: &str) -> Option<&'a Experiment> {
    named.record.experiments.iter().find(|experiment| experiment.id == id)
}

/// Compares a record with the baseline. Returns the judgement and a line for each regression.
fn against(baseline: Named<'_>, named: Named<'_>) -> (Judgement, Vec<String>) {
    let mut worst = Judgement::Holds;
    let mut regressions = Vec::new();
    for before in &baseline.record.experiments {
        let now = find(named, &before.id);
        let change =
            match (judge::rejudge(before), now.map(|now| (now.status, judge::rejudge(now)))) {
                (_, Some((Status::Failed, _))) if before.status != Status::Failed => {
                    Judgement::Deviates
                }
                (then, Some((_, Some(Verdict::Deviates)))) if then != Some(Verdict::Deviates) => {
                    Judgement::Deviates
                }
                (Some(Verdict::Holds | Verdict::Deviates), now)
                    if !matches!(now, Some((_, Some(Verdict::Holds | Verdict::Deviates)))) =>
                {
                    Judgement::Inconclusive
                }
                _ => continue,
            };
        worst = worst.max(change);
        let now = now.map_or("missing", judge::outcome);
        regressions.push(format!("{}: {now} (baseline: {})", before.id, judge::outcome(before)));
    }
    for new in named.record.experiments.iter().filter(|new| find(baseline, &new.id).is_none()) {
        if new.status == Status::Failed || judge::rejudge(new) == Some(Verdict::Deviates) {
            worst = Judgement::Deviates;
            regressions.push(format!("{}: {} (not in the baseline)", new.id, judge::outcome(new)));
        }
    }
    let slower = slower(baseline, named);
    if !slower.is_empty() {
        worst = Judgement::Deviates;
    }
    regressions.extend(slower.into_iter().map(|metric| format!("SLOWER: {metric}")));
    (worst, regressions)
}
