//! Judging a stored record again, by the tolerances of today.

use crate::record::{Experiment, Record, Status};
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

/// The verdict of one experiment from its stored points and controls; `None` unless measured.
#[must_use]
pub fn rejudge(experiment: &Experiment) -> Option<Verdict> {
    if experiment.status != Status::Measured {
        return None;
    }
    if experiment.controls.iter().any(|control| !control.passed) {
        return Some(Verdict::Inconclusive);
    }
    // A record from a version with other experiments brings its own tolerance.
    let known = tolerance::TABLE.iter().find(|row| row.id == experiment.id).map(|row| row.ratio);
    let tolerance = known.or(experiment.tolerance)?;
    let claimed = experiment.points.iter().filter(|point| point.claimed);
    Some(combine(claimed.map(|point| judge(point.ratio_ci, tolerance))))
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
