//! Typical sample times of cases, their intervals, and figures computed from them.
//!
//! A round times its cases within a fraction of a second. The estimate first divides out the slowdown that
//! all samples of a round share, the *level* of the round. The typical sample time of a case is the lower third of
//! its samples after this division: an estimate of the time that the case takes if nothing disturbs it.
//!
//! Figures are computed once from these times and never within a round. Within a round, a law that adds up
//! many samples would compare their mean with the lower third of one case. The two differ if noise only lengthens
//! samples.

use std::collections::BTreeSet;

use super::formula::{Formula, Values};
use super::rounds::Samples;
use crate::model::{Interval, Verdict};
use crate::stats::{self, UNDISTURBED, columns_of, contributions, judge, levels, square_and_add};

/// Least share of a case's samples that must be valid; below it, the case has no interval. Samples may be
/// lost because they were long.
const GIVEN: f64 = 0.8;

/// Confidence of the intervals of figures that are not judged.
pub(super) const CONFIDENCE: f64 = 0.95;

/// Typical sample times of all cases.
pub(super) struct Typical {
    /// Typical sample times in seconds; NaN for a case without a valid sample. The last entry is the level, 1.
    estimates: Vec<f64>,
    /// Valid samples of each case, with the levels of the rounds divided out; then the levels.
    columns: Vec<Vec<f64>>,
    /// What spread bounds follow from: all samples, and those of the rounds that timed all cases if there are extra
    /// rounds.
    spreads: Vec<Spreads>,
    /// Whether enough samples of each case are valid.
    enough: Vec<bool>,
    /// Whether any round timed the case.
    timed: Vec<bool>,
    scales: Vec<u32>,
    /// Resolution of the clock in seconds.
    tick_s: f64,
}

/// Estimates and spread bounds of all cases, from some of the rounds.
struct Spreads {
    /// As [`Typical::estimates`].
    estimates: Vec<f64>,
    /// Spread bound of each case; `None` for a case with too few samples.
    bounds: Vec<Option<Interval>>,
}

impl Spreads {
    fn of(columns: &[Vec<f64>]) -> Self {
        let mut estimates: Vec<f64> = columns.iter().map(|column| estimate(column)).collect();
        estimates.push(1.0);
        Self { estimates, bounds: columns.iter().map(|column| stats::spread(column)).collect() }
    }
}

/// Returns the typical sample time of a case; NaN without a valid sample.
fn estimate(column: &[f64]) -> f64 {
    stats::undisturbed(column).unwrap_or(f64::NAN)
}

/// What is known of a judged ratio.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    pub(super) interval: Option<Interval>,
    /// Spread bound.
    pub(super) spread: Option<Interval>,
}

impl Evidence {
    pub(super) fn verdict(self, tolerance: f64) -> Verdict {
        judge(self.interval, self.spread, tolerance)
    }

    /// Returns whether narrower intervals could decide the ratio: it has a spread bound, and its interval alone
    /// decides nothing.
    pub(super) fn is_open(self, tolerance: f64) -> bool {
        self.spread.is_some() && judge(self.interval, None, tolerance) == Verdict::Inconclusive
    }
}

impl Typical {
    /// Estimates the typical sample times of cases with the given scales.
    ///
    /// `tick_s` is the resolution of the clock in seconds. Intervals grow by half a tick at each end, since
    /// repetition does not show where within a tick a sample ends.
    pub(super) fn of(samples: &Samples, scales: Vec<u32>, tick_s: f64) -> Self {
        let rows = samples.rows();
        let levels = levels(&rows);
        let mut columns = columns_of(&rows, &levels, scales.len());
        columns.iter_mut().for_each(|column| column.retain(|sample| sample.is_finite()));
        let (mut enough, mut timed) = (Vec::new(), Vec::new());
        for (case, column) in columns.iter().enumerate() {
            let (given, lost) = (column.len(), samples.bad(case).values().sum::<usize>());
            enough.push(given as f64 >= GIVEN * (given + lost) as f64);
            timed.push(given + lost > 0);
        }
        let mut spreads = vec![Spreads::of(&columns)];
        if samples.extra_rounds() > 0 {
            let whole = &rows[..samples.whole_rounds()];
            spreads.push(Spreads::of(&columns_of(whole, &levels, scales.len())));
        }
        let estimates = spreads[0].estimates.clone();
        columns.push(levels);
        Self { estimates, columns, spreads, enough, timed, scales, tick_s }
    }

    fn values<'a>(&'a self, estimates: &'a [f64]) -> Values<'a> {
        let (&level, times) = estimates.split_last().expect("the last estimate is the level");
        Values { times, level, scales: &self.scales }
    }

    /// Returns the values with which formulas give the estimates.
    pub(super) fn at_estimates(&self) -> Values<'_> {
        self.values(&self.estimates)
    }

    /// Returns the estimate of the figure.
    pub(super) fn read(&self, figure: &Formula) -> f64 {
        figure.evaluate(self.at_estimates())
    }

    /// Returns the cases that the figure is computed from.
    pub(super) fn needed_by(&self, figure: &Formula) -> BTreeSet<usize> {
        figure.cases(self.at_estimates())
    }

    /// Returns the interval of the figure; `None` if a case that it is computed from has no interval, or
    /// if the figure is not finite at an end of one.
    pub(super) fn interval(&self, figure: &Formula, confidence: f64) -> Option<Interval> {
        let parts = self.parts(figure, confidence)?;
        square_and_add(&self.estimates, parts, |moved| figure.evaluate(self.values(moved)))
    }

    /// Returns the cases of which more samples narrow the figure's interval most.
    ///
    /// These are the cases that have no interval of the given confidence yet. If all have one, they are the cases that
    /// contribute at least an average share to the width of the figure's interval. As they are sampled, their share
    /// falls to the average. If no case contributes a known share, they are all cases that the figure is computed from.
    pub(super) fn widening(&self, figure: &Formula, confidence: f64) -> BTreeSet<usize> {
        let needed = self.needed_by(figure);
        let unknown = needed.iter().copied().filter(|&case| self.part(case, confidence).is_none());
        let unknown: BTreeSet<usize> = unknown.collect();
        let Some(parts) = self.parts(figure, confidence).filter(|_| unknown.is_empty()) else {
            return unknown;
        };
        let at = |moved: &[f64]| figure.evaluate(self.values(moved));
        let shares = contributions(&self.estimates, parts, at);
        let average = 1.0 / shares.len() as f64;
        let wide = shares.into_iter().filter(|&(_, share)| share >= average);
        let wide: BTreeSet<usize> =
            wide.map(|(case, _)| case).filter(|case| needed.contains(case)).collect();
        if wide.is_empty() { needed } else { wide }
    }

    /// Returns the index and the interval of each quantity that the figure is computed from.
    fn parts(&self, figure: &Formula, confidence: f64) -> Option<Vec<(usize, Interval)>> {
        let level = self.scales.len();
        let needed = self.needed_by(figure).into_iter().chain([level]);
        needed.map(|index| Some((index, self.part(index, confidence)?))).collect()
    }

    /// Returns the interval of the typical time of a case, or of the level.
    fn part(&self, index: usize, confidence: f64) -> Option<Interval> {
        let interval = stats::quantile_interval(&self.columns[index], UNDISTURBED, confidence);
        let half_tick_s = if index < self.scales.len() { self.tick_s / 2.0 } else { 0.0 };
        let enough = self.enough.get(index).copied().unwrap_or(true);
        let widened = |Interval { lo, hi }| Interval { lo: lo - half_tick_s, hi: hi + half_tick_s };
        interval.filter(|_| enough).map(widened)
    }

    /// Returns whether every case that the figure is computed from was timed, even if the clock rejected all
    /// of its samples.
    pub(super) fn was_timed(&self, figure: &Formula) -> bool {
        self.needed_by(figure).into_iter().all(|case| self.timed[case])
    }

    /// Returns the spread bound of the figure: its range while the cases that it is computed from take times within
    /// the spread bounds of their samples, each independently of the others.
    ///
    /// Extra rounds time only some cases, perhaps under other conditions. If there are any, the bound also covers the
    /// range of the figure by the rounds that timed all cases.
    ///
    /// Returns `None` if a case has too few samples, or if the figure is not finite at an end of such a
    /// range.
    pub(super) fn spread(&self, figure: &Formula) -> Option<Interval> {
        let needed = self.needed_by(figure);
        let of = |Spreads { estimates, bounds }: &Spreads| {
            let parts = needed.iter().map(|&case| Some((case, bounds[case]?)));
            let parts: Option<Vec<_>> = parts.collect();
            square_and_add(estimates, parts?, |moved| figure.evaluate(self.values(moved)))
        };
        let mut bounds = self.spreads.iter().map(of);
        let of_all = bounds.next()??;
        Some(
            bounds
                .flatten()
                .fold(of_all, |a, b| Interval { lo: a.lo.min(b.lo), hi: a.hi.max(b.hi) }),
        )
    }

    /// Returns what is known of a judged ratio, by an interval of the given confidence.
    ///
    /// Without a spread bound, the ratio may not be finite for some times within the spread of the samples. It has
    /// no interval then.
    pub(super) fn evidence(&self, ratio: &Formula, confidence: f64) -> Evidence {
        let spread = self.spread(ratio);
        Evidence { interval: spread.and_then(|_| self.interval(ratio, confidence)), spread }
    }

    /// Returns the figure if it is the same for all times within the intervals of its cases, else `None`.
    pub(super) fn sure(&self, figure: &Formula) -> Option<f64> {
        let interval = self.interval(figure, CONFIDENCE);
        interval.filter(|interval| interval.lo == interval.hi).map(|sure| sure.lo)
    }

    /// Returns the scale of the case.
    pub(super) fn scale(&self, case: usize) -> u32 {
        self.scales[case]
    }

    /// Returns the typical sample time of the case, in seconds.
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
            let sample = |s: &f64| -> Span { s.is_finite().then_some(*s).ok_or(BadSpan::Zero) };
            samples.push(round.iter().map(sample).enumerate().collect());
        }
        Typical::of(&samples, scales.into(), 0.0)
    }

    fn formula(expr: impl Into<Expr>) -> Formula {
        Formula::from(&expr.into())
    }

    #[test]
    fn an_unknown_case_that_is_ignored_leaves_the_figure_certain() {
        let rounds = [[11.0, 1.0, f64::NAN]; 12];
        let typical = typical(&rounds, [1, 1, 1]);
        let least = || Expr::min_known([CASE, FLOOR, OTHER].map(CaseId::time));
        assert_eq!(typical.sure(&formula(least())), Some(1.0));
        let of_all = formula(Expr::min_known([least(), OTHER.time() * 1.0, FLOOR.time()]));
        assert_eq!((typical.read(&of_all), typical.sure(&of_all)), (1.0, Some(1.0)));
        let needs_all = formula(Expr::min([least(), OTHER.time()]));
        assert!(
            typical.read(&needs_all).is_nan() && typical.interval(&needs_all, CONFIDENCE).is_none()
        );
    }

    #[test]
    fn the_slowdown_that_a_round_shares_is_divided_out() {
        let typical = typical(
            &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0]
                .map(|l| [11.0 * l, l, 6.0 * l]),
            [10, 1, 1],
        );
        assert_eq!(typical.read(&formula(CASE.per_unit_above(FLOOR))), 1.0);
        let ratio = formula(CASE.time() / OTHER.time());
        assert_eq!(
            typical.interval(&ratio, CONFIDENCE),
            Some(Interval { lo: 11.0 / 6.0, hi: 11.0 / 6.0 })
        );
        // Unlike a ratio, a time includes the uncertainty of the level.
        let time =
            typical.interval(&formula(OTHER.time()), CONFIDENCE).expect("there are enough rounds");
        assert!(time.lo == 6.0 && time.hi > 6.0 && time.hi <= 12.0, "{time:?}");
    }

    #[test]
    fn noise_that_only_lengthens_samples_does_not_bias_a_ratio_to_a_sum() {
        // Three equal cases are preempted round-robin. A preempted sample takes three times as long.
        let rounds: Vec<[f64; 3]> =
            (0..12).map(|r| [0, 1, 2].map(|c| if (r + c) % 3 == 0 { 3.0 } else { 1.0 })).collect();
        let typical = typical(&rounds, [1; 3]);
        let one_of_two = formula(2.0 * CASE.time() / (FLOOR.time() + OTHER.time()));
        assert_eq!(typical.read(&one_of_two), 1.0);
    }

    /// The first rounds time all cases while a neighbour slows a few of them by a third. Then it is gone, and extra
    /// rounds time all but one.
    #[test]
    fn cases_that_only_extra_rounds_saw_undisturbed_do_not_make_a_ratio_deviate() {
        const STEADY: usize = 30;
        const SUMMED: usize = 4;
        const OTHER: usize = STEADY + SUMMED;
        let mut samples = Samples::default();
        let round = |number: usize, slowdown: f64, cases: usize| {
            let sample = |case: usize| {
                let slowdown = if case < STEADY { 1.0 } else { slowdown };
                (case, Ok(slowdown * (1.0 + 0.001 * ((number + case) % 5) as f64)))
            };
            (0..cases).map(sample).collect::<Vec<(usize, Span)>>()
        };
        (0..40).for_each(|number| samples.push(round(number, 4.0 / 3.0, OTHER + 1)));
        (0..120).for_each(|number| samples.push_extra(round(number, 1.0, OTHER)));
        let typical = Typical::of(&samples, vec![1; OTHER + 1], 0.0);
        let sum = Expr::sum((STEADY..OTHER).map(|case| CaseId(case).time()));
        let ratio = formula(sum / (CaseId(OTHER).time() * SUMMED as f64));
        let evidence = typical.evidence(&ratio, CONFIDENCE);
        let deviates = |evidence: Evidence| evidence.verdict(0.05) == Verdict::Deviates;
        assert!(deviates(Evidence { spread: evidence.interval, ..evidence }), "{evidence:?}");
        assert!(!deviates(evidence), "{evidence:?}");
    }

    #[test]
    fn a_case_that_lost_too_many_samples_has_no_interval() {
        let mut rounds = vec![[1.0, 1.0, 1.0]; 12];
        rounds[0][0] = f64::NAN;
        rounds[1][0] = f64::NAN;
        let alone = formula(CASE.time());
        assert!(typical(&rounds, [1; 3]).interval(&alone, CONFIDENCE).is_some());
        rounds[2][0] = f64::NAN;
        assert!(typical(&rounds, [1; 3]).interval(&alone, CONFIDENCE).is_none());
        assert!(typical(&rounds, [1; 3]).interval(&formula(OTHER.time()), CONFIDENCE).is_some());
    }

    #[test]
    fn a_whole_number_is_certain_only_if_no_interval_allows_another() {
        let noisy = |spread: f64| {
            let rounds: Vec<[f64; 3]> =
                (0..11).map(|r| [1.0 + spread * (f64::from(r) - 5.0), 1.0, 1.0]).collect();
            typical(&rounds, [1; 3])
        };
        let knee = Expr::call("knee", [CASE.time()], |[time]| if time < 1.2 { 8.0 } else { 16.0 });
        let knee = formula(knee);
        assert_eq!(noisy(0.01).sure(&knee), Some(8.0));
        assert_eq!(noisy(0.30).sure(&knee), None);
    }
}
