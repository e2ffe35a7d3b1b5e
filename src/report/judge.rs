//! Judging a stored record again, by the tolerances that it holds. Whether a control passed is taken from the
//! record.

use crate::model::figures;
use crate::model::{Experiment, Point, Record, Status, Verdict};
use crate::stats::{combine, judge};

/// What a record says as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// Every law that was measured holds.
    Holds,
    /// None deviates, but one is undecided or was interrupted, or none was measured.
    Inconclusive,
    /// A law deviates, or an output was wrong.
    Deviates,
}

/// A stored point's verdict by the tolerance of its experiment.
pub(super) fn judge_point(experiment: &Experiment, point: &Point) -> Verdict {
    experiment.tolerance.map_or(Verdict::Inconclusive, |tolerance| {
        judge(point.ratio_ci, point.ratio_spread, tolerance)
    })
}

/// The verdict of one experiment from its stored points and controls; `None` unless measured. What the
/// record left undecided for another reason (a control or a prediction it lacks) stays undecided, unless
/// a point deviates.
#[must_use]
pub(super) fn rejudge(experiment: &Experiment) -> Option<Verdict> {
    if experiment.status != Status::Measured {
        return None;
    }
    if experiment.controls.iter().any(|control| !control.passed) {
        return Some(Verdict::Inconclusive);
    }
    let judged = || experiment.points.iter().filter(|point| point.judged);
    let today = combine(judged().map(|point| judge_point(experiment, point)));
    let then = combine(judged().map(|point| point.verdict));
    let withheld =
        experiment.verdict == Some(Verdict::Inconclusive) && then != Verdict::Inconclusive;
    Some(if withheld { Verdict::Inconclusive } else { today })
}

/// The verdict, or how far the experiment got, in a word.
#[must_use]
pub(super) fn outcome(experiment: &Experiment) -> &'static str {
    rejudge(experiment).map_or(experiment.status.as_str(), Verdict::as_str)
}

/// The result in a line, as soon as there is one.
#[must_use]
pub fn in_a_line(experiment: &Experiment) -> String {
    let by = decided_by(experiment);
    format!("{:<12} {:<13} {by}", experiment.id, outcome(experiment))
}

/// What the verdict rests on, or what stands in its way, in a few words.
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
    let judged: Vec<&Point> = experiment.points.iter().filter(|point| point.judged).collect();
    let of = |verdict: Verdict| {
        judged.iter().filter(|point| judge_point(experiment, point) == verdict).count()
    };
    let many = figures::counted(judged.len(), "point");
    match (verdict, of(verdict)) {
        (_, _) if judged.is_empty() => "no point".to_owned(),
        (Verdict::Holds, _) if judged.len() == 1 => many,
        (Verdict::Holds, _) => format!("all {many}"),
        (Verdict::Deviates, n) => format!("{n} of {many}"),
        (Verdict::Inconclusive, 0) => "a control or a figure that is not known".to_owned(),
        (Verdict::Inconclusive, n) => format!("{n} of {many} undecided"),
    }
}

impl Judgement {
    /// Of a whole record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let each = record.experiments.iter().filter_map(|experiment| match experiment.status {
            Status::Measured => Some(match rejudge(experiment) {
                Some(Verdict::Holds) => Self::Holds,
                Some(Verdict::Deviates) => Self::Deviates,
                _ => Self::Inconclusive,
            }),
            Status::Failed => Some(Self::Deviates),
            Status::Interrupted => Some(Self::Inconclusive),
            Status::Unsupported => None,
        });
        each.max().unwrap_or(Self::Inconclusive)
    }
}
