//! What each case typically takes, how sure that is, and figures computed from it.
//!
//! A round times everything within a fraction of a second: what slows a whole round is found and divided out
//! first, and each case's median is taken of what is left. Figures are computed from those medians and never
//! within a round: a law that adds up many spans would set a mean against a median there, and where noise
//! only lengthens, the two are not the same.

use std::collections::BTreeSet;

use super::formula::{Formula, Values};
use super::rounds::Samples;
use crate::model::Interval;
use crate::stats::{self, add_up, levels, square_and_add};

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

    fn values<'a>(&'a self, estimates: &'a [f64]) -> Values<'a> {
        let (&level, times) = estimates.split_last().expect("the level is always there");
        Values { times, level, scales: &self.scales }
    }

    /// What each case typically takes.
    pub(super) fn at_estimates(&self) -> Values<'_> {
        self.values(&self.estimates)
    }

    /// The figure.
    pub(super) fn read(&self, figure: &Formula) -> f64 {
        figure.evaluate(self.at_estimates())
    }

    /// The cases that a figure is computed from.
    pub(super) fn needed_by(&self, figure: &Formula) -> BTreeSet<usize> {
        figure.cases(self.at_estimates())
    }

    /// The figure's 95 % interval; `None` where that of a case behind it is not known.
    pub(super) fn interval(&self, figure: &Formula) -> Option<Interval> {
        let level = self.scales.len();
        let needed = self.needed_by(figure).into_iter().chain([level]);
        let parts: Option<Vec<_>> = needed.map(|at| Some((at, self.intervals[at]?))).collect();
        square_and_add(&self.estimates, parts?, |moved| figure.evaluate(self.values(moved)))
    }

    /// Whether all cases that a figure is computed from were timed, however little came of it.
    pub(super) fn was_timed(&self, figure: &Formula) -> bool {
        self.needed_by(figure).into_iter().all(|case| self.timed[case])
    }

    /// How far the figure goes while each case behind it lies anywhere from quartile to quartile, or at the mean of
    /// its samples; `None` where there are too few.
    pub(super) fn spread(&self, figure: &Formula) -> Option<Interval> {
        let needed = self.needed_by(figure).into_iter();
        let parts: Option<Vec<_>> = needed.map(|case| Some((case, self.middles[case]?))).collect();
        add_up(&self.estimates, parts?, |moved| figure.evaluate(self.values(moved)))
    }

    /// The figure, unless a case behind it could change it by being anywhere else in its interval.
    pub(super) fn sure(&self, figure: &Formula) -> Option<f64> {
        self.interval(figure).filter(|interval| interval.lo == interval.hi).map(|sure| sure.lo)
    }

    /// Seconds that the case typically takes.
    pub(super) fn time_s(&self, case: usize) -> f64 {
        self.estimates[case]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{CaseId, Expr};
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

    fn formula(expr: impl Into<Expr>) -> Formula {
        Formula::from(&expr.into())
    }

    #[test]
    fn a_figure_that_does_without_a_case_is_as_sure_as_without_it() {
        let rounds = [[11.0, 1.0, f64::NAN]; 12];
        let typical = typical(&rounds, [1, 1, 1]);
        let least = || Expr::min_known([CASE, FLOOR, OTHER].map(CaseId::time));
        assert_eq!(typical.sure(&formula(least())), Some(1.0));
        let of_all = formula(Expr::min_known([least(), OTHER.time() * 1.0, FLOOR.time()]));
        assert_eq!((typical.read(&of_all), typical.sure(&of_all)), (1.0, Some(1.0)));
        let needs_all = formula(Expr::min([least(), OTHER.time()]));
        assert!(typical.read(&needs_all).is_nan() && typical.interval(&needs_all).is_none());
    }

    #[test]
    fn what_slows_a_whole_round_is_divided_out() {
        let typical = typical(
            &[1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0].map(|l| [11.0 * l, l, 6.0 * l]),
            [10, 1, 1],
        );
        assert_eq!(typical.read(&formula(CASE.per_unit_above(FLOOR))), 1.0);
        let ratio = formula(CASE.time() / OTHER.time());
        assert_eq!(typical.interval(&ratio), Some(Interval { lo: 11.0 / 6.0, hi: 11.0 / 6.0 }));
        // A time is as unsure as the level is.
        let time = typical.interval(&formula(OTHER.time())).expect("there are enough rounds");
        assert!(time.lo == 6.0 && time.hi == 12.0, "{time:?}");
    }

    #[test]
    fn noise_that_only_lengthens_does_not_set_a_mean_against_a_median() {
        // Each of three alike is preempted in its turn, and takes three times as long.
        let rounds: Vec<[f64; 3]> =
            (0..12).map(|r| [0, 1, 2].map(|c| if (r + c) % 3 == 0 { 3.0 } else { 1.0 })).collect();
        let typical = typical(&rounds, [1; 3]);
        let one_of_two = formula(2.0 * CASE.time() / (FLOOR.time() + OTHER.time()));
        assert_eq!(typical.read(&one_of_two), 1.0);
    }

    #[test]
    fn a_case_that_lost_too_many_samples_is_not_known() {
        let mut rounds = vec![[1.0, 1.0, 1.0]; 12];
        rounds[0][0] = f64::NAN;
        rounds[1][0] = f64::NAN;
        let alone = formula(CASE.time());
        assert!(typical(&rounds, [1; 3]).interval(&alone).is_some());
        rounds[2][0] = f64::NAN;
        assert!(typical(&rounds, [1; 3]).interval(&alone).is_none());
        assert!(typical(&rounds, [1; 3]).interval(&formula(OTHER.time())).is_some());
    }

    #[test]
    fn a_whole_number_is_sure_only_where_no_case_could_change_it() {
        let noisy = |spread: f64| {
            let rounds: Vec<[f64; 3]> =
                (0..11).map(|r| [1.0 + spread * (f64::from(r) - 5.0), 1.0, 1.0]).collect();
            typical(&rounds, [1; 3])
        };
        let knee = Expr::call("knee", [CASE.time()], |[time]| if time < 1.2 { 8.0 } else { 16.0 });
        let knee = formula(knee);
        assert_eq!(noisy(0.01).sure(&knee), Some(8.0));
        assert_eq!(noisy(0.15).sure(&knee), None);
    }
}
