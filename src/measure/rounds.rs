//! Samples: every case once a round, and figures taken within a round.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::CaseId;
use crate::stats;

/// Spans by round and case, in seconds; NaN where the stamps were rejected or the case was not timed.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    spans: Vec<Vec<f64>>,
    /// Of a round of some cases, which; `None` for a round of all.
    some: Vec<Option<Vec<usize>>>,
    scales: Vec<u32>,
    medians: Vec<f64>,
}

impl Samples {
    /// No rounds yet of cases with the given scales.
    #[must_use]
    pub fn new(scales: Vec<u32>) -> Self {
        let medians = vec![f64::NAN; scales.len()];
        Self { spans: Vec::new(), some: Vec::new(), medians, scales }
    }

    /// Adds a round of all cases.
    pub fn push(&mut self, spans: Vec<f64>) {
        self.push_round(None, spans);
    }

    /// Adds a round of some cases, after all rounds of all.
    pub fn push_some(&mut self, cases: Vec<usize>, spans: Vec<f64>) {
        self.push_round(Some(cases), spans);
    }

    fn push_round(&mut self, some: Option<Vec<usize>>, spans: Vec<f64>) {
        debug_assert_eq!(spans.len(), self.scales.len());
        self.spans.push(spans);
        self.some.push(some);
        for (case, median) in self.medians.iter_mut().enumerate() {
            let column: Vec<f64> = self.spans.iter().map(|round| round[case]).collect();
            *median = stats::median(&column).unwrap_or(f64::NAN);
        }
    }

    /// Rounds of all cases.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.some.iter().filter(|some| some.is_none()).count()
    }

    /// Rounds of some cases.
    pub(super) fn rounds_of_some(&self) -> usize {
        self.spans.len() - self.rounds()
    }

    /// One case's spans in the order of the rounds that it was in.
    pub(super) fn of(&self, case: usize) -> Vec<Option<f64>> {
        let was_in = |some: &Option<Vec<usize>>| some.as_ref().is_none_or(|s| s.contains(&case));
        let rounds = self.spans.iter().zip(&self.some).filter(|(_, some)| was_in(some));
        rounds.map(|(round, _)| Some(round[case]).filter(|s| s.is_finite())).collect()
    }

    /// The cases that a figure is computed from: those whose spans it looks at.
    pub(super) fn needed_by(&self, estimate: &dyn Fn(&Round<'_>) -> f64) -> BTreeSet<usize> {
        let seen = RefCell::default();
        estimate(&Round { seen: Some(&seen), ..self.medians() });
        seen.into_inner()
    }

    /// `estimate` in each round.
    #[must_use]
    pub fn per_round(&self, estimate: &dyn Fn(&Round<'_>) -> f64) -> Vec<f64> {
        (0..self.spans.len())
            .map(|round| estimate(&Round { samples: self, spans: &self.spans[round], seen: None }))
            .collect()
    }

    /// The round whose every span is the case's median.
    #[must_use]
    pub fn medians(&self) -> Round<'_> {
        Round { samples: self, spans: &self.medians, seen: None }
    }
}

/// One round's view of the samples.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    samples: &'a Samples,
    spans: &'a [f64],
    /// Takes down whose spans are looked at.
    seen: Option<&'a RefCell<BTreeSet<usize>>>,
}

impl Round<'_> {
    /// Seconds that the case took in this round.
    #[must_use]
    pub fn span(&self, case: CaseId) -> f64 {
        self.see(case);
        self.spans[case.0]
    }

    /// The case's median over all rounds.
    fn median(&self, case: CaseId) -> f64 {
        self.see(case);
        self.samples.medians[case.0]
    }

    fn see(&self, case: CaseId) {
        if let Some(seen) = self.seen {
            seen.borrow_mut().insert(case.0);
        }
    }

    /// Units of work in the case's span.
    #[must_use]
    pub fn scale(&self, case: CaseId) -> f64 {
        f64::from(self.samples.scales[case.0])
    }

    /// Seconds beyond `floor`, whose median over all rounds is taken: a floor is small and its noise
    /// within a round is not this case's.
    #[must_use]
    pub fn above(&self, case: CaseId, floor: CaseId) -> f64 {
        self.span(case) - self.median(floor)
    }

    /// Seconds beyond `floor` for one unit of work.
    #[must_use]
    pub fn unit_above(&self, case: CaseId, floor: CaseId) -> f64 {
        self.above(case, floor) / self.scale(case)
    }

    /// Seconds for one unit of work of `case` beyond one of `floor`, whose median over all rounds is taken.
    /// For a floor of a scale of its own: it holds more units than the case, and so knows them better.
    #[must_use]
    pub fn unit_beyond(&self, case: CaseId, floor: CaseId) -> f64 {
        self.unit(case) - self.median(floor) / self.scale(floor)
    }

    /// Seconds for one unit of work, nothing subtracted.
    #[must_use]
    pub fn unit(&self, case: CaseId) -> f64 {
        self.span(case) / self.scale(case)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_taken_within_a_round_and_floors_across_rounds() {
        let (case, floor) = (CaseId(0), CaseId(1));
        let mut samples = Samples::new(vec![10, 1]);
        samples.push(vec![11.0, 1.0]);
        samples.push(vec![22.0, 9.0]);
        samples.push(vec![33.0, 2.0]);
        assert_eq!(samples.per_round(&|r| r.unit_above(case, floor)), [0.9, 2.0, 3.1]);
        assert_eq!(samples.medians().span(case), 22.0);
        // 1.1, 2.2 and 3.3 for a unit of the case; the floor's median is 2, of one unit.
        let beyond = samples.per_round(&|r| r.unit_beyond(case, floor));
        assert!(beyond.iter().zip([-0.9, 0.2, 1.3]).all(|(a, b)| (a - b).abs() < 1e-12));
        samples.push(vec![f64::NAN, 2.0]);
        assert_eq!(samples.medians().span(case), 22.0);
        assert_eq!(samples.of(0), [Some(11.0), Some(22.0), Some(33.0), None]);
    }

    #[test]
    fn a_round_of_some_is_no_lost_span_of_the_others() {
        let mut samples = Samples::new(vec![1, 1, 1]);
        samples.push(vec![1.0, 2.0, 3.0]);
        samples.push_some(vec![0, 2], vec![5.0, f64::NAN, f64::NAN]);
        assert_eq!((samples.rounds(), samples.rounds_of_some()), (1, 1));
        assert_eq!(samples.of(0), [Some(1.0), Some(5.0)]);
        assert_eq!(samples.of(1), [Some(2.0)]);
        assert_eq!(samples.of(2), [Some(3.0), None]);
    }

    #[test]
    fn a_figure_needs_its_cases_and_their_floor_and_no_other() {
        let [case, floor, other] = [CaseId(0), CaseId(1), CaseId(2)];
        let mut samples = Samples::new(vec![1, 1, 1]);
        samples.push(vec![3.0, 1.0, 2.0]);
        let needed = |estimate: &dyn Fn(&Round<'_>) -> f64| samples.needed_by(estimate);
        assert_eq!(needed(&|round| round.above(case, floor)), [0, 1].into());
        assert_eq!(needed(&|round| round.span(other)), [2].into());
        // The smaller of the two plays no part in the figure, but might have.
        assert_eq!(needed(&|round| round.span(case).max(round.span(other))), [0, 2].into());
    }
}
