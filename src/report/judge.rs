//! Judging a stored record again, by the tolerances of today. Whether a control passed is taken from the
//! record: it was decided on samples of control cases that no tolerance of today changes much.

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
