//! Looks: the moments during sampling at which verdicts are formed, and the confidence that pays for them.
//!
//! Sampling ends early for a point that a look decides. A point that is looked at several times has several
//! chances to be decided wrongly, so each look gets only a part of the 5 % that a 95 % interval may be wrong.

use super::plan::Plan;
use super::typical::Typical;
use crate::model::Verdict;

/// Probability, over all looks together, that the interval of a point does not contain the true ratio.
const ERROR: f64 = 0.05;
/// Part of that probability for the first look, which decides most points.
const FIRST: f64 = 0.6;

/// Returns the confidence of the intervals at a look. The first look has number 1.
///
/// # Formula
/// Alpha spending: the first look spends the share [`FIRST`] of [`ERROR`], and each further look half of what is
/// left. However many looks there are, the probabilities of error add up to less than [`ERROR`].
///
/// # Source
/// K. K. G. Lan, D. L. DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70 (1983), 659–663.
pub(super) fn confidence(look: u32) -> f64 {
    let spent = if look <= 1 { FIRST } else { (1.0 - FIRST) * 0.5f64.powi(look as i32 - 1) };
    1.0 - ERROR * spent
}

/// The confidence by which each point of a plan is judged.
#[derive(Debug, Clone)]
pub(super) struct Looks {
    /// By point: the confidence of the look that decided it, and the verdict.
    decided: Vec<Option<(f64, Verdict)>>,
    /// Number of looks so far.
    made: u32,
}

impl Looks {
    pub(super) fn none(plan: &Plan) -> Self {
        Self { decided: vec![None; plan.points.len()], made: 0 }
    }

    /// Returns the looks of a recorded run, given the confidence by which it judged each point, and the verdict.
    pub(super) fn recorded(points: impl IntoIterator<Item = (f64, Verdict)>) -> Self {
        Self { decided: points.into_iter().map(Some).collect(), made: 0 }
    }

    /// Looks at all points.
    ///
    /// A point that an earlier look decided keeps its verdict while the interval of that look's confidence still
    /// gives it. Otherwise it is judged by the confidence of this look, like a point that is undecided so far.
    pub(super) fn look(&mut self, plan: &Plan, typical: &Typical, tolerance: f64) {
        self.made += 1;
        let now = confidence(self.made);
        for (decided, point) in self.decided.iter_mut().zip(&plan.points) {
            let verdict = |by: f64| typical.evidence(&point.ratio, by).verdict(tolerance);
            if decided.is_none_or(|(by, earlier)| verdict(by) != earlier) {
                *decided = Some((now, verdict(now)))
                    .filter(|&(_, verdict)| verdict != Verdict::Inconclusive);
            }
        }
    }

    /// Returns the confidence of the interval that judges a point: that of the look that decided it, or of the
    /// last look.
    pub(super) fn of_point(&self, point: usize) -> f64 {
        self.decided[point].map_or_else(|| confidence(self.made), |(by, _)| by)
    }

    /// Returns the confidence of the next look.
    pub(super) fn next(&self) -> f64 {
        confidence(self.made + 1)
    }

    /// Returns the judged points that keep the experiment undecided, by index: none if a point deviates, and else
    /// those that no look has decided.
    pub(super) fn undecided(&self, plan: &Plan) -> Vec<usize> {
        let judged = || (0..plan.points.len()).filter(|&index| plan.points[index].judged);
        let deviates = |index: usize| {
            self.decided[index].is_some_and(|(_, verdict)| verdict == Verdict::Deviates)
        };
        if judged().any(deviates) {
            return Vec::new();
        }
        judged().filter(|&index| self.decided[index].is_none()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_looks_together_are_wrong_in_less_than_five_percent() {
        assert!((confidence(1) - 0.97).abs() < 1e-12 && (confidence(2) - 0.99).abs() < 1e-12);
        let spent: f64 = (1..60).map(|look| 1.0 - confidence(look)).sum();
        assert!(spent <= ERROR + 1e-12 && spent > 0.999 * ERROR, "{spent}");
    }
}
