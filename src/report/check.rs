//! Records judged for a script or a CI page: by their laws alone, or against a baseline.

use super::compare::{Named, differences, slower};
use super::{Document, Judgement, Table, judge};
use crate::model::Verdict;
use crate::model::figures;
use crate::model::{Experiment, Status};

/// Judges each record: where there is a `baseline`, by what has become worse since.
///
/// Without one a law that deviates or an output that was wrong is [`Judgement::Deviates`], and one that nothing is
/// decided of [`Judgement::Inconclusive`]. With one only those laws count that did not deviate there, or were
/// decided there, and those that it has not; a figure that is clearly slower is [`Judgement::Deviates`] too.
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
        let of = &baseline.record.adapter;
        document.text(format!(
            "A is the baseline, `{}`, of {} ({}, {}); B is what is judged.",
            baseline.path, of.name, of.backend, of.driver_info
        ));
    }
    for (named, judgement, regressions) in &judged {
        document.heading(2, format!("{}: {}", named.path, named.record.adapter.name));
        document.text(format!(
            "{}, {}, {} profile, {}: {}.",
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

fn in_words(judgement: Judgement, against_baseline: bool) -> &'static str {
    match (judgement, against_baseline) {
        (Judgement::Holds, false) => "every law holds",
        (Judgement::Deviates, false) => "a law deviates",
        (Judgement::Inconclusive, false) => "undecided",
        (Judgement::Holds, true) => "nothing has become worse",
        (Judgement::Deviates, true) => "something has become worse",
        (Judgement::Inconclusive, true) => "something that was decided no longer is",
    }
}

fn verdicts(named: Named<'_>, baseline: Option<Named<'_>>) -> Table {
    let columns = ["experiment", "verdict", "by", "median residual>", "before"];
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

fn find<'a>(named: Named<'a>, id: &str) -> Option<&'a Experiment> {
    named.record.experiments.iter().find(|experiment| experiment.id == id)
}

/// What has become worse since the baseline, and how bad that is.
fn against(baseline: Named<'_>, named: Named<'_>) -> (Judgement, Vec<String>) {
    let mut worst = Judgement::Holds;
    let mut said = Vec::new();
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
        said.push(format!("{}: {} after {}", before.id, now, judge::outcome(before)));
    }
    for new in named.record.experiments.iter().filter(|new| find(baseline, &new.id).is_none()) {
        if new.status == Status::Failed || judge::rejudge(new) == Some(Verdict::Deviates) {
            worst = Judgement::Deviates;
            said.push(format!("{}: {}, and not in the baseline", new.id, judge::outcome(new)));
        }
    }
    let slower = slower(baseline, named);
    if !slower.is_empty() {
        worst = Judgement::Deviates;
    }
    said.extend(slower.into_iter().map(|figure| format!("SLOWER: {figure}")));
    (worst, said)
}
