//! Samples of all cases, by round. A round times each of its cases once.

use std::collections::BTreeMap;

use crate::gpu::{BadSpan, Span};

/// Samples of all cases in all rounds.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    /// Samples by round and case; `None` for a case that the round did not time.
    rounds: Vec<Vec<Option<Span>>>,
    /// Number of rounds that time all cases. They precede the other rounds.
    whole: usize,
}

impl Samples {
    /// Adds a round.
    ///
    /// `some` says whether the round times only some of the timed cases. Such rounds follow all rounds of all
    /// cases.
    pub(super) fn push(&mut self, round: Vec<Option<Span>>, some: bool) {
        debug_assert!(some || self.whole == self.rounds.len());
        self.whole += usize::from(!some);
        self.rounds.push(round);
    }

    /// Returns the number of rounds that time all cases.
    pub(super) fn whole_rounds(&self) -> usize {
        self.whole
    }

    /// Returns the number of rounds that time only some cases.
    pub(super) fn rounds_of_some(&self) -> usize {
        self.rounds.len() - self.whole
    }

    /// Returns the samples of a case in seconds, in round order, without the rounds that did not time the
    /// case. A rejected sample is `None`.
    pub(super) fn of(&self, case: usize) -> Vec<Option<f64>> {
        self.column(case).map(Result::ok).collect()
    }

    /// Counts the rejected samples of a case by the reason for the rejection.
    pub(super) fn bad(&self, case: usize) -> BTreeMap<BadSpan, usize> {
        let mut counts = BTreeMap::new();
        for reason in self.column(case).filter_map(Result::err) {
            *counts.entry(reason).or_default() += 1;
        }
        counts
    }

    fn column(&self, case: usize) -> impl Iterator<Item = Span> {
        self.rounds.iter().filter_map(move |round| round[case])
    }

    /// Returns all samples in seconds, by round and case; NaN for a missing or rejected sample.
    pub(super) fn rows(&self) -> Vec<Vec<f64>> {
        let seconds = |sample: &Option<Span>| sample.and_then(Result::ok).unwrap_or(f64::NAN);
        self.rounds.iter().map(|round| round.iter().map(seconds).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_of_some_cases_adds_no_lost_samples_to_the_other_cases() {
        let mut samples = Samples::default();
        samples.push(vec![Some(Ok(1.0)), Some(Ok(2.0)), Some(Ok(3.0))], false);
        samples.push(vec![Some(Ok(5.0)), None, Some(Err(BadSpan::Zero))], true);
        assert_eq!((samples.whole_rounds(), samples.rounds_of_some()), (1, 1));
        assert_eq!(samples.of(0), [Some(1.0), Some(5.0)]);
        assert_eq!(samples.of(1), [Some(2.0)]);
        assert_eq!(samples.of(2), [Some(3.0), None]);
        assert_eq!(samples.bad(1), BTreeMap::new());
        assert_eq!(samples.bad(2), BTreeMap::from([(BadSpan::Zero, 1)]));
    }
}
