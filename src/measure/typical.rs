//! What each case typically takes, how sure that is, and figures computed from it.
//!
//! A round times everything within a fraction of a second: what slows a whole round is found and divided out
//! first, and each case's median is taken of what is left. Figures are computed from those medians and never
//! within a round: a law that adds up many spans would set a mean against a median there, and where noise
//! only lengthens, the two are not the same.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::CaseId;
use super::rounds::Samples;
use crate::stats::{self, Interval, add_up, levels, square_and_add};

/// Share of a case's spans that the clock must have given, or what it typically takes is not known: spans
/// may be lost because they were long.
const GIVEN: f64 = 0.8;

/// Every case's typical span.
pub(super) struct Typical {
    /// Medians in seconds, NaN for a case without any span; one more at the end, of the level: 1.
    estimates: Vec<f64>,
    /// Their 95 % intervals, where there are enough spans for one.
    intervals: Vec<Option<Interval>>,
    /// Between which quartiles, and as far as which mean, their spans lie, without what a whole round shares.
    middles: Vec<Option<Interval>>,
    /// Whether there were rounds with them.
    timed: Vec<bool>,
    scales: Vec<u32>,
}

impl Typical {
    /// Of cases with the given scales, by a clock that ticks every `tick_s` seconds: a span that ends within a
    /// tick is known to a half of one, however often it is taken.
    pub(super) fn of(samples: &Samples, scales: Vec<u32>, tick_s: f64) -> Self {
        let to_a_tick = |interval: Interval| Interval {
            lo: interval.lo - tick_s / 2.0,
            hi: interval.hi + tick_s / 2.0,
        };
        let rows = samples.rows();
        let levels = levels(&rows);
        let (mut estimates, mut intervals, mut middles) = (Vec::new(), Vec::new(), Vec::new());
        let mut timed = Vec::new();
        for case in 0..scales.len() {
            let column: Vec<f64> = rows.iter().zip(&levels).map(|(row, l)| row[case] / l).collect();
            let given = column.iter().filter(|span| span.is_finite()).count();
            let lost: usize = samples.bad(case).values().sum();
            let enough = given as f64 >= GIVEN * (given + lost) as f64;
            estimates.push(stats::median(&column).unwrap_or(f64::NAN));
            middles.push(stats::middle(&column));
            timed.push(given + lost > 0);
            intervals.push(stats::median_interval(&column).filter(|_| enough).map(to_a_tick));
        }
        estimates.push(1.0);
        intervals.push(stats::median_interval(&levels));
        Self { estimates, intervals, middles, timed, scales }
    }

    fn spans<'a>(
        &'a self,
        estimates: &'a [f64],
        seen: Option<&'a RefCell<BTreeSet<usize>>>,
    ) -> Spans<'a> {
        let (&level, spans) = estimates.split_last().expect("the level is always there");
        Spans { spans, level, scales: &self.scales, seen }
    }

    /// The figure, of whatever kind.
    pub(super) fn read<T>(&self, figure: impl Fn(&Spans<'_>) -> T) -> T {
        figure(&self.spans(&self.estimates, None))
    }

    /// The figure's 95 % interval; `None` where that of a case behind it is not known.
    pub(super) fn interval(&self, figure: &dyn Fn(&Spans<'_>) -> f64) -> Option<Interval> {
        let parts = self.parts(figure)?;
        square_and_add(&self.estimates, parts, |moved| figure(&self.spans(moved, None)))
    }

    /// Whether all cases that a figure is computed from were timed, however little came of it.
    pub(super) fn was_timed(&self, figure: &dyn Fn(&Spans<'_>) -> f64) -> bool {
        self.needed_by(figure).into_iter().all(|case| self.timed[case])
    }

    /// How far the figure goes while each case behind it lies anywhere from quartile to quartile, or at the mean of
    /// its spans; `None` where there are too few.
    pub(super) fn reach(&self, figure: &dyn Fn(&Spans<'_>) -> f64) -> Option<Interval> {
        let needed = self.needed_by(figure).into_iter();
        let parts: Option<Vec<_>> = needed.map(|case| Some((case, self.middles[case]?))).collect();
        add_up(&self.estimates, parts?, |moved| figure(&self.spans(moved, None)))
    }

    /// The figure, unless a case behind it could change it by being anywhere else in its interval.
    pub(super) fn sure(&self, figure: &dyn Fn(&Spans<'_>) -> f64) -> Option<f64> {
        self.interval(figure).filter(|interval| interval.lo == interval.hi).map(|sure| sure.lo)
    }

    /// The figure at what every case typically takes, but for one that takes `times` as long.
    pub(super) fn with(&self, case: usize, times: f64, figure: impl Fn(&Spans<'_>) -> f64) -> f64 {
        let mut moved = self.estimates.clone();
        moved[case] *= times;
        figure(&self.spans(&moved, None))
    }

    /// Seconds that the case typically takes.
    pub(super) fn span_s(&self, case: usize) -> f64 {
        self.estimates[case]
    }

    /// What the figure is computed from, each with its interval: its cases, and the level of all.
    fn parts(&self, figure: &dyn Fn(&Spans<'_>) -> f64) -> Option<Vec<(usize, Interval)>> {
        let level = self.scales.len();
        let needed = self.needed_by(figure).into_iter().chain([level]);
        needed.map(|index| Some((index, self.intervals[index]?))).collect()
    }

    /// The cases that a figure is computed from: those whose spans it looks at.
    pub(super) fn needed_by(&self, figure: &dyn Fn(&Spans<'_>) -> f64) -> BTreeSet<usize> {
        let seen = RefCell::default();
        figure(&self.spans(&self.estimates, Some(&seen)));
        seen.into_inner()
    }
}

/// The cases' spans as a figure sees them, in seconds; NaN for a case that was not timed.
#[derive(Debug, Clone, Copy)]
pub struct Spans<'a> {
    spans: &'a [f64],
    /// How fast or slow everything is.
    level: f64,
    scales: &'a [u32],
    /// Takes down whose spans are looked at.
    seen: Option<&'a RefCell<BTreeSet<usize>>>,
}

impl Spans<'_> {
    /// Seconds that the case takes.
    #[must_use]
    pub fn of(&self, case: CaseId) -> f64 {
        if let Some(seen) = self.seen {
            seen.borrow_mut().insert(case.0);
        }
        self.spans[case.0] * self.level
    }

    /// The least that `figure` says of those `cases` of which anything is known: it does without the others. NaN where
    /// there are none.
    pub fn least(
        &self,
        cases: impl IntoIterator<Item = CaseId>,
        figure: impl Fn(CaseId) -> f64,
    ) -> f64 {
        let known = cases.into_iter().filter(|case| !self.spans[case.0].is_nan());
        known.map(figure).fold(f64::NAN, f64::min)
    }

    /// Units of work in the case's span.
    #[must_use]
    pub fn scale(&self, case: CaseId) -> f64 {
        f64::from(self.scales[case.0])
    }

    /// Seconds beyond `floor`.
    #[must_use]
    pub fn above(&self, case: CaseId, floor: CaseId) -> f64 {
        self.of(case) - self.of(floor)
    }

    /// Seconds beyond `floor` for one unit of work.
    #[must_use]
    pub fn unit_above(&self, case: CaseId, floor: CaseId) -> f64 {
        self.above(case, floor) / self.scale(case)
    }

    /// Seconds for one unit of work of `case` beyond one of `floor`, which has a scale of its own.
    #[must_use]
    pub fn unit_beyond(&self, case: CaseId, floor: CaseId) -> f64 {
        self.unit(case) - self.unit(floor)
    }

    /// Seconds for one unit of work, nothing subtracted.
    #[must_use]
    pub fn unit(&self, case: CaseId) -> f64 {
        self.of(case) / self.scale(case)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::{BadSpan, Span};

    const CASE: CaseId = CaseId(0);
    const FLOOR: CaseId = CaseId(1);
    const OTHER: CaseId = CaseId(2);

    fn typical(rounds: &[[f64; 3]], scales: [u32; 3]) -> Typical {
        let mut samples = Samples::default();
        for round in rounds {
            let span = |s: &f64| -> Span { s.is_finite().then_some(*s).ok_or(BadSpan::Zero) };
            samples.push(round.iter().map(|s| Some(span(s))).collect(), false);
        }
        Typical::of(&samples, scales.into(), 0.0)
    }

    #[test]
    fn a_figure_that_does_without_a_case_is_as_sure_as_without_it() {
        let rounds = [[11.0, 1.0, f64::NAN]; 12];
        let typical = typical(&rounds, [1, 1, 1]);
        let least = |spans: &Spans<'_>| spans.least([CASE, FLOOR, OTHER], |case| spans.of(case));
        assert_eq!(typical.sure(&least), Some(1.0));
        let of_all = |spans: &Spans<'_>| least(spans).min(spans.of(OTHER));
        assert_eq!((typical.read(of_all), typical.interval(&of_all)), (1.0, None));
    }

    #[test]
    fn what_slows_a_whole_round_is_divided_out() {
        let typical = typical(
            &[1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0].map(|l| [11.0 * l, l, 6.0 * l]),
            [10, 1, 1],
        );
        assert_eq!(typical.read(|spans| spans.unit_above(CASE, FLOOR)), 1.0);
        let ratio = |spans: &Spans<'_>| spans.of(CASE) / spans.of(OTHER);
        assert_eq!(typical.interval(&ratio), Some(Interval { lo: 11.0 / 6.0, hi: 11.0 / 6.0 }));
        // A time is as unsure as the level is.
        let time = typical.interval(&|spans| spans.of(OTHER)).expect("there are enough rounds");
        assert!(time.lo == 6.0 && time.hi == 12.0, "{time:?}");
    }

    #[test]
    fn noise_that_only_lengthens_does_not_set_a_mean_against_a_median() {
        // Each of three alike is preempted in its turn, and takes three times as long.
        let rounds: Vec<[f64; 3]> =
            (0..12).map(|r| [0, 1, 2].map(|c| if (r + c) % 3 == 0 { 3.0 } else { 1.0 })).collect();
        let typical = typical(&rounds, [1; 3]);
        let one_of_two =
            |spans: &Spans<'_>| 2.0 * spans.of(CASE) / (spans.of(FLOOR) + spans.of(OTHER));
        assert_eq!(typical.read(one_of_two), 1.0);
    }

    #[test]
    fn a_case_that_lost_too_many_spans_is_not_known() {
        let mut rounds = vec![[1.0, 1.0, 1.0]; 12];
        rounds[0][0] = f64::NAN;
        rounds[1][0] = f64::NAN;
        let alone = |spans: &Spans<'_>| spans.of(CASE);
        assert!(typical(&rounds, [1; 3]).interval(&alone).is_some());
        rounds[2][0] = f64::NAN;
        assert!(typical(&rounds, [1; 3]).interval(&alone).is_none());
        assert!(typical(&rounds, [1; 3]).interval(&|spans| spans.of(OTHER)).is_some());
    }

    #[test]
    fn a_figure_needs_its_cases_and_their_floor_and_no_other() {
        let typical = typical(&[[3.0, 1.0, 2.0]], [1; 3]);
        let needed = |figure: &dyn Fn(&Spans<'_>) -> f64| typical.needed_by(figure);
        assert_eq!(needed(&|spans| spans.above(CASE, FLOOR)), [0, 1].into());
        assert_eq!(needed(&|spans| spans.of(OTHER)), [2].into());
        // The smaller of the two plays no part in the figure, but might have.
        assert_eq!(needed(&|spans| spans.of(CASE).max(spans.of(OTHER))), [0, 2].into());
    }

    #[test]
    fn a_whole_number_is_sure_only_where_no_case_could_change_it() {
        let noisy = |spread: f64| {
            let rounds: Vec<[f64; 3]> =
                (0..11).map(|r| [1.0 + spread * (f64::from(r) - 5.0), 1.0, 1.0]).collect();
            typical(&rounds, [1; 3])
        };
        let knee = |spans: &Spans<'_>| if spans.of(CASE) < 1.2 { 8.0 } else { 16.0 };
        assert_eq!(noisy(0.01).sure(&knee), Some(8.0));
        assert_eq!(noisy(0.15).sure(&knee), None);
    }
}
