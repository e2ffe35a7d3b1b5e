//! Samples: every case once a round, and figures taken within a round.

use super::CaseId;
use crate::stats;

/// Spans by round and case, in seconds; NaN where the stamps were rejected or the case was not timed.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    spans: Vec<Vec<f64>>,
    scales: Vec<u32>,
    medians: Vec<f64>,
}

impl Samples {
    /// No rounds yet of cases with the given scales.
    #[must_use]
    pub fn new(scales: Vec<u32>) -> Self {
        Self { spans: Vec::new(), medians: vec![f64::NAN; scales.len()], scales }
    }

    /// Adds a round.
    pub fn push(&mut self, spans: Vec<f64>) {
        debug_assert_eq!(spans.len(), self.scales.len());
        self.spans.push(spans);
        for (case, median) in self.medians.iter_mut().enumerate() {
            let column: Vec<f64> = self.spans.iter().map(|round| round[case]).collect();
            *median = stats::median(&column).unwrap_or(f64::NAN);
        }
    }

    /// Rounds kept.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.spans.len()
    }

    /// One case's spans in round order.
    pub(super) fn of(&self, case: usize) -> Vec<Option<f64>> {
        self.spans.iter().map(|round| Some(round[case]).filter(|s| s.is_finite())).collect()
    }

    /// `estimate` in each round.
    #[must_use]
    pub fn per_round(&self, estimate: &dyn Fn(&Round<'_>) -> f64) -> Vec<f64> {
        (0..self.spans.len())
            .map(|round| estimate(&Round { samples: self, spans: &self.spans[round] }))
            .collect()
    }

    /// The round whose every span is the case's median.
    #[must_use]
    pub fn medians(&self) -> Round<'_> {
        Round { samples: self, spans: &self.medians }
    }
}

/// One round's view of the samples.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    samples: &'a Samples,
    spans: &'a [f64],
}

impl Round<'_> {
    /// Seconds that the case took in this round.
    #[must_use]
    pub fn span(&self, case: CaseId) -> f64 {
        self.spans[case.0]
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
        self.span(case) - self.samples.medians[floor.0]
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
        self.unit(case) - self.samples.medians[floor.0] / self.scale(floor)
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
}
