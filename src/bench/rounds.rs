//! Samples of all cases, by round. The samples of a round are taken within a fraction of a second.

use std::collections::BTreeMap;

use crate::gpu::{BadSpan, Span};
use crate::stats::Row;

/// Samples of all cases in all rounds.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    /// Each round with its samples: pairs of a case and its sample, in the order of their times.
    rounds: Vec<Vec<(usize, Span)>>,
    /// Number of rounds that time all cases. They precede the other rounds.
    whole: usize,
}

impl Samples {
    /// Adds a round that times all cases, some of them perhaps several times.
    pub(super) fn push(&mut self, round: Vec<(usize, Span)>) {
        debug_assert!(self.whole == self.rounds.len());
        self.whole += 1;
        self.rounds.push(round);
    }

    /// Adds an extra round, which times only some of the cases. Extra rounds follow all rounds of all cases.
    pub(super) fn push_extra(&mut self, round: Vec<(usize, Span)>) {
        self.rounds.push(round);
    }

    /// Returns the number of rounds that time all cases.
    pub(super) fn whole_rounds(&self) -> usize {
        self.whole
    }

    /// Returns the number of rounds that time only some cases.
    pub(super) fn extra_rounds(&self) -> usize {
        self.rounds.len() - self.whole
    }

    /// Returns the samples of a case in seconds, in round order. A rejected sample is `None`.
    pub(super) fn of(&self, case: usize) -> Vec<Option<f64>> {
        self.column(case).map(|(_, sample)| sample.ok()).collect()
    }

    /// Returns the round of each sample of a case, as [`Case::rounds`](crate::model::Case::rounds) stores them.
    pub(super) fn rounds_of(&self, case: usize) -> Vec<u32> {
        let rounds: Vec<u32> = self.column(case).map(|(round, _)| round as u32).collect();
        let is_usual = rounds.iter().copied().eq(0..self.whole as u32);
        if is_usual { Vec::new() } else { rounds }
    }

    /// Counts the rejected samples of a case by the reason for the rejection.
    pub(super) fn bad(&self, case: usize) -> BTreeMap<BadSpan, usize> {
        let mut counts = BTreeMap::new();
        for reason in self.column(case).filter_map(|(_, sample)| sample.err()) {
            *counts.entry(reason).or_default() += 1;
        }
        counts
    }

    /// Returns the shortest sample of a case in each round, in seconds, without the rounds that have none.
    pub(super) fn shortest(&self, case: usize) -> Vec<f64> {
        let mut shortest: BTreeMap<usize, f64> = BTreeMap::new();
        for (round, sample) in self.column(case) {
            if let Ok(sample_s) = sample {
                let so_far = shortest.entry(round).or_insert(sample_s);
                *so_far = so_far.min(sample_s);
            }
        }
        shortest.into_values().collect()
    }

    fn column(&self, case: usize) -> impl Iterator<Item = (usize, Span)> {
        let rounds = self.rounds.iter().enumerate();
        rounds.flat_map(move |(number, round)| {
            round
                .iter()
                .filter(move |&&(of, _)| of == case)
                .map(move |&(_, sample)| (number, sample))
        })
    }

    /// Returns the samples in seconds, by round; NaN for a rejected sample.
    pub(super) fn rows(&self) -> Vec<Row> {
        let seconds = |&(case, sample): &(usize, Span)| (case, sample.unwrap_or(f64::NAN));
        self.rounds.iter().map(|round| round.iter().map(seconds).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extra_round_adds_no_lost_samples_to_the_other_cases() {
        let mut samples = Samples::default();
        samples.push(vec![(1, Ok(2.0)), (0, Ok(1.0)), (2, Ok(3.0)), (0, Ok(1.5))]);
        samples.push_extra(vec![(0, Ok(5.0)), (2, Err(BadSpan::Zero))]);
        assert_eq!((samples.whole_rounds(), samples.extra_rounds()), (1, 1));
        assert_eq!(samples.of(0), [Some(1.0), Some(1.5), Some(5.0)]);
        assert_eq!(samples.rounds_of(0), [0, 0, 1]);
        assert!(samples.rounds_of(1).is_empty());
        assert_eq!(samples.of(1), [Some(2.0)]);
        assert_eq!(samples.of(2), [Some(3.0), None]);
        assert_eq!((samples.shortest(0), samples.shortest(2)), (vec![1.0, 5.0], vec![3.0]));
        assert_eq!(samples.bad(1), BTreeMap::new());
        assert_eq!(samples.bad(2), BTreeMap::from([(BadSpan::Zero, 1)]));
    }
}
