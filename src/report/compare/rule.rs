//! The rule that decides whether two values of a metric differ.
//!
//! The rule does not decide without sufficient evidence.

use super::figure::{Figure, Shared};
use crate::model::{Better, Interval, Point};
use crate::stats::{add_up, square_and_add};

/// Share by which the metrics of two runs of one device may differ.
///
/// Clock frequencies, temperatures and buffer addresses change between runs. No interval within one run shows
/// such a difference.
const RUNS: f64 = 0.10;

/// Share by which the metrics of two runs may differ if the device is a CPU.
///
/// Another thread on the same core takes up to half of the core's throughput. The loss slows work that is
/// bound by throughput, but not a chain of dependent operations. No control of either run shows the loss.
pub(super) const SHARED: f64 = 1.0;

/// Share by which the metrics of two runs may differ if the device is a CPU and they follow from the speed of caches and
/// memory.
///
/// All cores of a host share its last cache and its memory, those that other virtual machines run on too. Among 36
/// pairs of runs on one virtual machine, the largest ratio of such a metric was 6.4.
pub(super) const MEMORY: f64 = 7.0;

/// Result of the comparison of the second value of a metric with the first.
///
/// The *limit* is the ratio by which two runs of one device may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The evidence shows neither a difference nor equality, for this reason.
    Unclear(Doubt),
    /// The whole interval of the ratio is within the limit.
    Same,
    /// The second value is better: the interval and the spread bound of the ratio are beyond the limit.
    Faster,
    /// The second value is worse, by the same condition.
    Slower,
}

impl Difference {
    /// Returns the reason if the difference is unclear.
    pub(super) fn doubt(self) -> Option<Doubt> {
        match self {
            Self::Unclear(doubt) => Some(doubt),
            Self::Same | Self::Faster | Self::Slower => None,
        }
    }

    /// Returns the word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unclear(_) => "UNCLEAR",
            Self::Same => "SAME",
            Self::Faster => "FASTER",
            Self::Slower => "SLOWER",
        }
    }
}

/// The reason why a difference is unclear.
///
/// The *limit* is the ratio by which two runs of one device may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// In one of the runs, a control of the experiment failed or the controls are missing.
    Control,
    /// A value has no interval or spread bound, or one that is not above zero.
    NoInterval,
    /// The ratio's interval is neither entirely within nor entirely beyond the limit.
    Wide,
    /// The ratio's interval is beyond the limit, but the spread bound is not.
    Spread,
    /// The ratio's interval is beyond the limit, but not beyond the larger limit for a CPU with shared cores.
    Shared,
    /// The ratio's interval is beyond the limit, but not beyond the larger limit for a CPU's caches and memory.
    Memory,
}

impl Doubt {
    pub(super) const ALL: [Self; 6] =
        [Self::Control, Self::NoInterval, Self::Wide, Self::Spread, Self::Shared, Self::Memory];

    /// Returns the short name that tables use.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::NoInterval => "no interval",
            Self::Wide => "wide",
            Self::Spread => "spread",
            Self::Shared => "shared",
            Self::Memory => "memory",
        }
    }

    /// Returns the explanation of the short name.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Control => {
                "in one of the runs, a control of the experiment failed or the controls are missing"
            }
            Self::NoInterval => {
                "a value has no interval or no spread bound, or one that is not entirely above zero"
            }
            Self::Wide => {
                "the interval of B / A is neither entirely within nor entirely beyond the run-to-run limit"
            }
            Self::Spread => {
                "the interval of B / A is beyond the run-to-run limit, but the spread bound is not"
            }
            Self::Shared => {
                "the interval of B / A is beyond the run-to-run limit, but not beyond the limit of a CPU"
            }
            Self::Memory => {
                "the interval of B / A is beyond the run-to-run limit, but not beyond the limit of a CPU's caches and \
                 memory"
            }
        }
    }
}

/// Result of a comparison, with the ratio behind the result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Compared {
    /// The second value divided by the first; `None` if one of the values is not above zero.
    pub(super) ratio: Option<f64>,
    /// 95 % interval of the ratio; `None` if one of the values has no interval above zero.
    pub(super) interval: Option<Interval>,
    pub(super) difference: Difference,
}

/// Compares `second` with `first`.
///
/// The difference is `Same` if the ratio's whole interval is within the limit of [`alike`]. The difference is
/// `Faster` or `Slower` if the interval and the spread bound of the ratio are beyond the limit of [`apart`].
/// All three need passed controls in both runs. In all other cases the difference is unclear.
///
/// A value compared with itself is `Same`, independent of controls and intervals.
pub(super) fn compare(first: &Figure<'_>, second: &Figure<'_>) -> Compared {
    let value = |figure: &Figure<'_>| (figure.value > 0.0).then_some(figure.value);
    let ratio = value(first).zip(value(second)).map(|(a, b)| b / a);
    if first.is_of_one_run_with(second) {
        let exact = ratio.map(|_| Interval { lo: 1.0, hi: 1.0 });
        return Compared { ratio, interval: exact, difference: Difference::Same };
    }
    let interval = quotient(first, second, |figure| figure.ci, true);
    let spread = quotient(first, second, |figure| figure.spread, false);
    let alike = alike(first, second);
    let apart = apart(first, second, alike);
    let beyond = |limits: Interval, times: f64| times < limits.lo || limits.hi < 1.0 / times;
    let difference = match (interval, spread) {
        _ if !(first.sound && second.sound) => Difference::Unclear(Doubt::Control),
        (Some(ratio), _) if 1.0 / alike <= ratio.lo && ratio.hi <= alike => Difference::Same,
        (Some(ratio), _) if !beyond(ratio, alike) => Difference::Unclear(Doubt::Wide),
        (Some(ratio), _) if !beyond(ratio, apart) => {
            let of_memory = first.shared.max(second.shared) == Shared::Memory;
            Difference::Unclear(if of_memory { Doubt::Memory } else { Doubt::Shared })
        }
        (None, _) | (_, None) => Difference::Unclear(Doubt::NoInterval),
        // The interval and the spread bound both contain the ratio. Both are therefore on the same side of 1.
        (Some(ratio), Some(spread)) if beyond(spread, apart) => direction(ratio, first.better),
        _ => Difference::Unclear(Doubt::Spread),
    };
    Compared { ratio, interval, difference }
}

/// Returns whether the ratio of a point of a law with this tolerance differs between two runs: its interval and its
/// spread bound are beyond the run-to-run limit, or beyond the larger limit of what is `shared`.
#[must_use]
pub fn has_changed(before: &Point, now: &Point, tolerance: f64, shared: Shared) -> bool {
    let limit = limit_of(shared, 1.0 + RUNS.max(tolerance));
    let estimates = [before.ratio, now.ratio];
    let ratio = |x: &[f64]| x[1] / x[0];
    let parts = |limits: fn(&Point) -> Option<Interval>| {
        Some([(0, limits(before)?), (1, limits(now)?)]).filter(|parts| parts[0].1.lo > 0.0)
    };
    let interval = parts(|point| point.ratio_ci);
    let interval = interval.and_then(|parts| square_and_add(&estimates, parts, ratio));
    let spread = parts(|point| point.ratio_spread);
    let spread = spread.and_then(|parts| add_up(&estimates, parts, ratio));
    let is_beyond =
        |of: Option<Interval>| of.is_some_and(|of| of.lo > limit || of.hi < 1.0 / limit);
    // Both contain the ratio of the estimates, so both are on the same side.
    is_beyond(interval) && is_beyond(spread)
}

/// Returns the ratio up to which two values count as alike: 1 + the run-to-run limit.
///
/// The run-to-run limit is the largest of [`RUNS`] and the two tolerances of the law.
pub(super) fn alike(first: &Figure<'_>, second: &Figure<'_>) -> f64 {
    1.0 + RUNS.max(first.tolerance).max(second.tolerance)
}

/// Returns the ratio beyond which two values differ: `alike`, or more if they depend on what other programs share.
fn apart(first: &Figure<'_>, second: &Figure<'_>, alike: f64) -> f64 {
    limit_of(first.shared.max(second.shared), alike)
}

/// Returns the ratio beyond which two values differ that depend on what is `shared`; `alike` is the ratio up to which they
/// are alike.
fn limit_of(shared: Shared, alike: f64) -> f64 {
    match shared {
        Shared::Nothing => alike,
        Shared::Cores => alike.max(1.0 + SHARED),
        Shared::Memory => alike.max(1.0 + MEMORY),
    }
}

/// Returns the rank of each value of a metric: one plus the number of values that are clearly better.
pub(super) fn ranks(figures: &[Option<Figure<'_>>]) -> Vec<usize> {
    let rank = |first: &Figure<'_>| {
        let better = |second: &&Figure<'_>| {
            // The interval contains the ratio. A ratio within the limit rules out an interval beyond it.
            let (a, b) = (first.value, second.value);
            let apart = apart(first, second, alike(first, second));
            let near = b.max(a) <= apart * b.min(a);
            !near && compare(first, second).difference == Difference::Faster
        };
        1 + figures.iter().flatten().filter(better).count()
    };
    figures.iter().map(|figure| figure.as_ref().map_or(1, rank)).collect()
}

/// Returns `Faster` or `Slower` for a ratio interval that is entirely above or entirely below 1.
fn direction(ratio: Interval, better: Better) -> Difference {
    if (ratio.lo > 1.0) == (better == Better::Higher) {
        Difference::Faster
    } else {
        Difference::Slower
    }
}

/// Returns the limits of the ratio `second / first` from the limits of both values.
///
/// If `independent`, the limits combine as those of independent estimates, otherwise as a worst case. Returns
/// `None` if a value has no limits, or if its limits are not above zero or do not contain the value.
fn quotient(
    first: &Figure<'_>,
    second: &Figure<'_>,
    limits: impl Fn(&Figure<'_>) -> Option<Interval>,
    independent: bool,
) -> Option<Interval> {
    let (a, b) = (limits(first)?, limits(second)?);
    if !(a.lo > 0.0 && b.lo > 0.0 && a.contains(first.value) && b.contains(second.value)) {
        return None;
    }
    // The formulas of `square_and_add` and `add_up`, without their allocations: this runs for every pair of figures.
    let ratio = second.value / first.value;
    let down = [ratio - b.lo / first.value, ratio - second.value / a.hi];
    let up = [b.hi / first.value - ratio, second.value / a.lo - ratio];
    let total = |[x, y]: [f64; 2]| if independent { (x * x + y * y).sqrt() } else { x + y };
    let (lo, hi) = (ratio - total(down), ratio + total(up));
    (lo.is_finite() && hi.is_finite()).then_some(Interval { lo, hi })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(value: f64, ci: [f64; 2], spread: [f64; 2]) -> Figure<'static> {
        let interval = |[lo, hi]: [f64; 2]| Some(Interval { lo, hi });
        Figure {
            value,
            ci: interval(ci),
            spread: interval(spread),
            better: Better::Lower,
            ..Figure::example(0.25)
        }
    }

    fn difference(first: &Figure<'_>, second: &Figure<'_>) -> Difference {
        compare(first, second).difference
    }

    /// Returns the reason why the difference is unclear.
    fn doubt(first: &Figure<'_>, second: &Figure<'_>) -> Option<Doubt> {
        difference(first, second).doubt()
    }

    #[test]
    fn the_limits_of_a_quotient_are_those_of_the_general_formulas() {
        let (a, b) = (figure(2.0, [1.8, 2.3], [1.5, 2.5]), figure(3.0, [2.9, 3.3], [2.0, 3.5]));
        let parts = |limits: fn(&Figure<'_>) -> Option<Interval>| {
            [(0, limits(&a).expect("limits")), (1, limits(&b).expect("limits"))]
        };
        let ratio = |x: &[f64]| x[1] / x[0];
        let squared = square_and_add(&[2.0, 3.0], parts(|figure| figure.ci), ratio);
        let added = add_up(&[2.0, 3.0], parts(|figure| figure.spread), ratio);
        let near = |x: Option<Interval>, y: Option<Interval>| {
            let (x, y) = (x.expect("an interval"), y.expect("an interval"));
            (x.lo - y.lo).abs() < 1e-12 && (x.hi - y.hi).abs() < 1e-12
        };
        assert!(near(quotient(&a, &b, |figure| figure.ci, true), squared));
        assert!(near(quotient(&a, &b, |figure| figure.spread, false), added));
    }

    #[test]
    fn nothing_is_decided_without_evidence() {
        let ten = figure(10.0, [9.9, 10.1], [9.5, 10.5]);
        let twenty = figure(20.0, [19.8, 20.2], [19.0, 21.0]);
        assert_eq!(difference(&ten, &twenty), Difference::Slower);
        assert_eq!(difference(&twenty, &ten), Difference::Faster);
        let higher = |f: &Figure<'static>| Figure { better: Better::Higher, ..f.clone() };
        assert_eq!(difference(&higher(&ten), &higher(&twenty)), Difference::Faster);
        let no_interval = |f: &Figure<'static>| Figure { ci: None, ..f.clone() };
        assert_eq!(doubt(&ten, &no_interval(&twenty)), Some(Doubt::NoInterval));
        let no_spread = |f: &Figure<'static>| Figure { spread: None, ..f.clone() };
        assert_eq!(doubt(&no_spread(&ten), &twenty), Some(Doubt::NoInterval));
        let unsound = |f: &Figure<'static>| Figure { sound: false, ..f.clone() };
        assert_eq!(doubt(&ten, &unsound(&twenty)), Some(Doubt::Control));
        assert_eq!(doubt(&ten, &figure(20.0, [9.0, 31.0], [9.0, 31.0])), Some(Doubt::Wide));
        assert_eq!(doubt(&ten, &figure(20.0, [19.8, 20.2], [10.0, 40.0])), Some(Doubt::Spread));
    }

    #[test]
    fn a_ratio_within_the_run_to_run_limit_is_no_difference() {
        let ten = figure(10.0, [9.9, 10.1], [9.5, 10.5]);
        assert_eq!(difference(&ten, &figure(10.5, [10.4, 10.6], [10.0, 11.0])), Difference::Same);
        let beyond = 10.0 * (1.0 + 0.25);
        let close = figure(beyond, [beyond - 0.1, beyond + 0.1], [beyond - 0.2, beyond + 0.2]);
        assert_eq!(doubt(&ten, &close), Some(Doubt::Wide));
    }

    #[test]
    fn times_of_a_cpu_must_differ_by_more_than_a_factor_of_two() {
        let shared = |f: Figure<'static>| Figure { shared: Shared::Cores, ..f };
        let ten = figure(10.0, [9.9, 10.1], [9.5, 10.5]);
        let seventeen = figure(17.0, [16.9, 17.1], [16.5, 17.5]);
        assert_eq!(difference(&ten, &seventeen), Difference::Slower);
        assert_eq!(doubt(&ten, &shared(seventeen)), Some(Doubt::Shared));
        let thirty = figure(30.0, [29.9, 30.1], [29.5, 30.5]);
        assert_eq!(difference(&shared(ten.clone()), &thirty), Difference::Slower);
        let of_memory = Figure { shared: Shared::Memory, ..ten };
        assert_eq!(doubt(&of_memory, &thirty), Some(Doubt::Memory));
        let hundred = figure(100.0, [99.0, 101.0], [98.0, 102.0]);
        assert_eq!(difference(&of_memory, &hundred), Difference::Slower);
    }

    #[test]
    fn a_value_near_zero_has_no_ratio_interval() {
        let near_zero = figure(0.1, [-1.0, 1.0], [-2.0, 2.0]);
        let ten = figure(10.0, [9.9, 10.1], [9.5, 10.5]);
        let compared = compare(&near_zero, &ten);
        assert_eq!(compared.interval, None);
        assert_eq!(compared.difference, Difference::Unclear(Doubt::NoInterval));
        assert_eq!(compare(&figure(-1.0, [-2.0, 0.0], [-2.0, 0.0]), &ten).ratio, None);
    }
}
