//! Verdicts of a stored record, judged again by the tolerances that the record contains.
//!
//! The outcome of each control is taken from the record.

use serde::Serialize;

use crate::model::figures;
use crate::model::{Experiment, Point, Record, Status, Verdict};
use crate::stats::{combine, is_near, judge};

/// Judgement of a whole record, ordered from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Judgement {
    /// Every measured law holds.
    Holds,
    /// No law deviates, but a law is undecided or was interrupted, or no law was measured.
    Inconclusive,
    /// A law deviates, or an experiment failed.
    Deviates,
}

/// Judges a stored point by the tolerance of its experiment.
///
/// Returns `Inconclusive` if the record has no tolerance.
pub(super) fn judge_point(experiment: &Experiment, point: &Point) -> Verdict {
    experiment.tolerance.map_or(Verdict::Inconclusive, |tolerance| {
        judge(point.ratio_ci, point.ratio_spread, tolerance)
    })
}

/// Judges one experiment by its stored points and controls.
///
/// Returns `None` if the experiment was not measured.
///
/// Returns `Inconclusive` if a control failed. The verdict also stays `Inconclusive` if the record withheld
/// a decision for another reason, such as an unknown control or prediction. A stored `Inconclusive` counts as
/// withheld if the stored verdicts of the points combine to a decision.
#[must_use]
pub(super) fn rejudge(experiment: &Experiment) -> Option<Verdict> {
    if experiment.status != Status::Measured {
        return None;
    }
    if experiment.controls.iter().any(|control| !control.passed) {
        return Some(Verdict::Inconclusive);
    }
    let near = |point: &Point| {
        let tolerance = experiment.tolerance;
        tolerance.is_some_and(|tolerance| is_near(point.ratio, point.ratio_ci, tolerance))
    };
    let judged = || experiment.judged();
    let today = combine(judged().map(|point| (judge_point(experiment, point), near(point))));
    let recorded = combine(judged().map(|point| (point.verdict, near(point))));
    let withheld =
        experiment.verdict == Some(Verdict::Inconclusive) && recorded != Verdict::Inconclusive;
    Some(if withheld { Verdict::Inconclusive } else { today })
}

/// Returns the verdict as a word, or the status of an experiment that was not measured.
#[must_use]
pub(super) fn outcome(experiment: &Experiment) -> &'static str {
    rejudge(experiment).map_or(experiment.status.as_str(), Verdict::as_str)
}

/// Returns the id, the outcome and its reason in one line.
#[must_use]
pub fn in_a_line(experiment: &Experiment) -> String {
    let reason = decided_by(experiment);
    format!("{:<12} {:<13} {reason}", experiment.id, outcome(experiment))
}

/// Returns the reason for the verdict in a few words, or the reason why the experiment was not measured.
#[must_use]
pub fn decided_by(experiment: &Experiment) -> String {
    let Some(verdict) = rejudge(experiment) else {
        return experiment.reason.clone().unwrap_or_default();
    };
    let failed = experiment.controls.iter().filter(|control| !control.passed);
    let failed: Vec<String> =
        failed.map(|control| format!("`{}`", control.check.as_str())).collect();
    if !failed.is_empty() {
        let plural = if failed.len() == 1 { "" } else { "s" };
        return format!("control{plural} {} failed", failed.join(", "));
    }
    let judged: Vec<&Point> = experiment.judged().collect();
    let count = |verdict: Verdict| {
        judged.iter().filter(|point| judge_point(experiment, point) == verdict).count()
    };
    let points = figures::counted(judged.len(), "point");
    match (verdict, count(verdict)) {
        (_, _) if judged.is_empty() => "no judged point".to_owned(),
        (Verdict::Holds, _) if judged.len() == 1 => format!("{points} holds"),
        (Verdict::Holds, n) if n < judged.len() => {
            let twice = figures::per_cent(2.0 * experiment.tolerance.unwrap_or(f64::NAN));
            format!("{n} of {points} hold, {} within ±{twice}", judged.len() - n)
        }
        (Verdict::Holds, _) => format!("all {points} hold"),
        (Verdict::Deviates, 1) => format!("1 of {points} deviates"),
        (Verdict::Deviates, n) => format!("{n} of {points} deviate"),
        (Verdict::Inconclusive, 0) => "a control or a required value is unknown".to_owned(),
        (Verdict::Inconclusive, n) => format!("{n} of {points} undecided"),
    }
}

/// Returns the record with today's verdicts and without raw samples, for programs that read all results.
#[must_use]
pub fn judged(mut record: Record) -> Record {
    for experiment in &mut record.experiments {
        experiment.cases = Vec::new();
        experiment.verdict = rejudge(experiment);
    }
    record
}

impl Judgement {
    /// Judges a whole record: the worst outcome of its experiments. Unsupported experiments do not count.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let judged = record.experiments.iter().filter_map(|experiment| match experiment.status {
            Status::Measured => Some(match rejudge(experiment) {
                Some(Verdict::Holds) => Self::Holds,
                Some(Verdict::Deviates) => Self::Deviates,
                _ => Self::Inconclusive,
            }),
            Status::Failed => Some(Self::Deviates),
            Status::Interrupted => Some(Self::Inconclusive),
            Status::Unsupported => None,
        });
        judged.max().unwrap_or(Self::Inconclusive)
    }
}
