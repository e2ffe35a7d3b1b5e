//! Judging a stored record again, by the tolerances of today. Whether a control passed is taken from the
//! record: it was decided on samples of control cases that no tolerance of today changes much.

use super::figures;
use crate::record::{Experiment, Point, Record, Status};
use crate::stats::{Verdict, combine, judge, tolerance};

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

/// Today's tolerance for an experiment; its own, where today knows none of that id.
pub(super) fn tolerance_of(experiment: &Experiment) -> Option<f64> {
    let known = tolerance::TABLE.iter().find(|row| row.id == experiment.id).map(|row| row.ratio);
    known.or(experiment.tolerance)
}

/// A stored point's verdict by today's tolerance.
pub(super) fn judge_point(experiment: &Experiment, point: &Point) -> Verdict {
    tolerance_of(experiment).map_or(Verdict::Inconclusive, |tolerance| {
        judge(point.ratio_ci, point.ratio_reach, tolerance)
    })
}

/// The verdict of one experiment from its stored points and controls; `None` unless measured. What the
/// record left undecided for another reason (a control or a prediction it lacks) stays undecided, unless
/// a point deviates.
#[must_use]
pub fn rejudge(experiment: &Experiment) -> Option<Verdict> {
    if experiment.status != Status::Measured {
        return None;
    }
    if experiment.controls.iter().any(|control| !control.passed) {
        return Some(Verdict::Inconclusive);
    }
    let claimed = || experiment.points.iter().filter(|point| point.claimed);
    let today = combine(claimed().map(|point| judge_point(experiment, point)));
    let then = combine(claimed().map(|point| point.verdict));
    let withheld =
        experiment.verdict == Some(Verdict::Inconclusive) && then != Verdict::Inconclusive;
    Some(if withheld { Verdict::Inconclusive } else { today })
}

/// The verdict, or how far the experiment got, in a word.
#[must_use]
pub fn word(experiment: &Experiment) -> &'static str {
    rejudge(experiment).map_or(experiment.status.word(), Verdict::word)
}

/// The result in a line, as soon as there is one.
#[must_use]
pub fn in_a_line(experiment: &Experiment) -> String {
    let by = decided_by(experiment);
    format!("{:<12} {:<13} {by}", experiment.id, word(experiment))
}

/// What the verdict rests on, or what stands in its way, in a few words.
#[must_use]
pub fn decided_by(experiment: &Experiment) -> String {
    let Some(verdict) = rejudge(experiment) else {
        return experiment.reason.clone().unwrap_or_default();
    };
    let failed = experiment.controls.iter().filter(|control| !control.passed);
    let failed: Vec<String> = failed.map(|control| format!("`{}`", control.name)).collect();
    if !failed.is_empty() {
        let plural = if failed.len() == 1 { "" } else { "s" };
        return format!("control{plural} {} failed", failed.join(", "));
    }
    let claimed: Vec<&Point> = experiment.points.iter().filter(|point| point.claimed).collect();
    let of = |verdict: Verdict| {
        claimed.iter().filter(|point| judge_point(experiment, point) == verdict).count()
    };
    let many = figures::counted(claimed.len(), "point");
    match (verdict, of(verdict)) {
        (_, _) if claimed.is_empty() => "no point".to_owned(),
        (Verdict::Holds, _) if claimed.len() == 1 => many,
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
