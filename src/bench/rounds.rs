//! Samples: every case once a round.

use std::collections::BTreeMap;

use crate::gpu::{BadSpan, Span};

/// What each case took in each round.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    /// By round and case; `None` for a case that the round was not of.
    rounds: Vec<Vec<Option<Span>>>,
    /// How many of the rounds are of all cases; they come first.
    whole: usize,
}

impl Samples {
    /// Adds a round: of all cases that are timed, or of `some`, after all rounds of all.
    pub(super) fn push(&mut self, round: Vec<Option<Span>>, some: bool) {
        debug_assert!(some || self.whole == self.rounds.len());
        self.whole += usize::from(!some);
        self.rounds.push(round);
    }

    /// Rounds of all cases.
    pub(super) fn whole_rounds(&self) -> usize {
        self.whole
    }

    /// Rounds of some cases.
    pub(super) fn rounds_of_some(&self) -> usize {
        self.rounds.len() - self.whole
    }

    /// One case's spans in seconds, in the order of the rounds that it was in; `None` where the clock gave none.
    pub(super) fn of(&self, case: usize) -> Vec<Option<f64>> {
        self.column(case).map(Result::ok).collect()
    }

    /// How many of the case's spans were bad, by what was wrong with them.
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

    /// Spans by round and case in seconds, NaN where there is none.
    pub(super) fn rows(&self) -> Vec<Vec<f64>> {
        let seconds = |span: &Option<Span>| span.and_then(Result::ok).unwrap_or(f64::NAN);
        self.rounds.iter().map(|round| round.iter().map(seconds).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_of_some_is_no_lost_span_of_the_others() {
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
