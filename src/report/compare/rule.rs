//! Whether one device's figure differs from another's, or one run's from the next one's: not until the evidence says
//! so.

use super::figure::Figure;
use crate::model::{Better, Interval};
use crate::stats::{add_up, square_and_add};

/// How far figures of two runs of one device may lie apart: two runs find it at other clocks and temperatures, and their
/// buffers elsewhere in memory, and no interval within a run shows that.
const RUNS: f64 = 0.10;

/// The same for times and rates of a device that is a CPU: another thread on the same core takes up to half of it,
/// from what is bound by throughput and not from a chain of dependent steps, so that no control in either run shows
/// it.
pub(super) const SHARED: f64 = 1.0;

/// What the second figure is against the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Neither is known to be different nor to be the same, and why.
    Unclear(Doubt),
    /// The whole interval of their ratio lies within what two runs of one device may differ by.
    Same,
    /// Better, by more than that and than what the samples behind both spread by.
    Faster,
    /// Worse, likewise.
    Slower,
}

impl Difference {
    /// Why it is unclear, where it is.
    pub(super) fn doubt(self) -> Option<Doubt> {
        match self {
            Self::Unclear(doubt) => Some(doubt),
            Self::Same | Self::Faster | Self::Slower => None,
        }
    }

    /// The word used in pages.
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

/// Why a difference stays unclear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// A control of its experiment failed in one of the runs.
    Control,
    /// A figure has no interval or spread, or one that is not above zero.
    NoInterval,
    /// The ratio's interval lies on both sides of what two runs of one device may differ by.
    Wide,
    /// It lies beyond that, and single samples spread by more.
    Spread,
    /// It lies beyond that, and not by as much as it must where other programs share the cores.
    Shared,
}

impl Doubt {
    pub(super) const ALL: [Self; 5] =
        [Self::Control, Self::NoInterval, Self::Wide, Self::Spread, Self::Shared];

    /// A word for tables.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::NoInterval => "no interval",
            Self::Wide => "wide",
            Self::Spread => "spread",
            Self::Shared => "shared",
        }
    }

    /// What the word stands for.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Control => "a control of the experiment failed in one of the runs",
            Self::NoInterval => {
                "a figure has no interval, or its interval or spread bound includes zero"
            }
            Self::Wide => "the interval lies on both sides of what two runs may differ by",
            Self::Spread => "single samples spread by more than that",
            Self::Shared => "a CPU's figures lie too close, since others share its cores",
        }
    }
}

/// Two figures of one kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Compared {
    /// The second over the first; `None` where one is not above zero.
    pub(super) ratio: Option<f64>,
    /// Its 95 % interval; `None` where one of the figures has none that lies above zero.
    pub(super) interval: Option<Interval>,
    pub(super) difference: Difference,
}

/// Compares `second` with `first`. The difference is unclear unless both come from runs in which the experiment's
/// controls passed, both have intervals and spread bounds above zero, and they differ by more than two runs of one
/// device do.
pub(super) fn compare(first: &Figure<'_>, second: &Figure<'_>) -> Compared {
    let value = |figure: &Figure<'_>| (figure.value > 0.0).then_some(figure.value);
    let ratio = value(first).zip(value(second)).map(|(a, b)| b / a);
    // One figure of one run: whatever it is, it is the same.
    if first.is_of_one_run_with(second) {
        let exactly = ratio.map(|_| Interval { lo: 1.0, hi: 1.0 });
        return Compared { ratio, interval: exactly, difference: Difference::Same };
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
        (Some(ratio), _) if !beyond(ratio, apart) => Difference::Unclear(Doubt::Shared),
        (None, _) | (_, None) => Difference::Unclear(Doubt::NoInterval),
        // Both limits have the ratio between them, and so lie on one side.
        (Some(ratio), Some(spread)) if beyond(spread, apart) => apart_by(ratio, first.better),
        _ => Difference::Unclear(Doubt::Spread),
    };
    Compared { ratio, interval, difference }
}

/// How many times a figure may be another and still be alike: as far as two runs may lie apart, or as the law itself
/// may from what was measured, if that is further.
pub(super) fn alike(first: &Figure<'_>, second: &Figure<'_>) -> f64 {
    1.0 + RUNS.max(first.tolerance).max(second.tolerance)
}

/// How many times a figure must be another to differ from it, where `alike` is what two runs of one device may.
fn apart(first: &Figure<'_>, second: &Figure<'_>, alike: f64) -> f64 {
    if first.shared || second.shared { alike.max(1.0 + SHARED) } else { alike }
}

/// Each figure's rank among figures of one kind: one more than there are that are clearly better.
pub(super) fn ranks(figures: &[Option<Figure<'_>>]) -> Vec<usize> {
    let rank = |first: &Figure<'_>| {
        let better = |second: &&Figure<'_>| {
            // No interval of a ratio lies beyond what the ratio itself does not.
            let (a, b) = (first.value, second.value);
            let apart = apart(first, second, alike(first, second));
            let near = b.max(a) <= apart * b.min(a);
            !near && compare(first, second).difference == Difference::Faster
        };
        1 + figures.iter().flatten().filter(better).count()
    };
    figures.iter().map(|figure| figure.as_ref().map_or(1, rank)).collect()
}

/// What a ratio says that lies beyond 1 on one side, of a figure that is better one way or the other.
fn apart_by(ratio: Interval, better: Better) -> Difference {
    if (ratio.lo > 1.0) == (better == Better::Higher) {
        Difference::Faster
    } else {
        Difference::Slower
    }
}

/// The limits of the second over the first from those of each, all of which must lie above zero.
fn quotient(
    first: &Figure<'_>,
    second: &Figure<'_>,
    limits: impl Fn(&Figure<'_>) -> Option<Interval>,
    likely: bool,
) -> Option<Interval> {
    let (a, b) = (limits(first)?, limits(second)?);
    if !(a.lo > 0.0 && b.lo > 0.0 && a.contains(first.value) && b.contains(second.value)) {
        return None;
    }
    let estimates = [first.value, second.value];
    let ratio = |x: &[f64]| x[1] / x[0];
    let parts = [(0, a), (1, b)];
    if likely { square_and_add(&estimates, parts, ratio) } else { add_up(&estimates, parts, ratio) }
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

    fn said(first: &Figure<'_>, second: &Figure<'_>) -> Difference {
        compare(first, second).difference
    }

    /// Why nothing is said.
    fn doubt(first: &Figure<'_>, second: &Figure<'_>) -> Option<Doubt> {
        said(first, second).doubt()
    }

    #[test]
    fn nothing_is_decided_without_evidence() {
        let ten = figure(10.0, [9.9, 10.1], [9.5, 10.5]);
        let twenty = figure(20.0, [19.8, 20.2], [19.0, 21.0]);
        assert_eq!(said(&ten, &twenty), Difference::Slower);
        assert_eq!(said(&twenty, &ten), Difference::Faster);
        let higher = |f: &Figure<'static>| Figure { better: Better::Higher, ..f.clone() };
        assert_eq!(said(&higher(&ten), &higher(&twenty)), Difference::Faster);
        let without = |f: &Figure<'static>| Figure { ci: None, ..f.clone() };
        assert_eq!(doubt(&ten, &without(&twenty)), Some(Doubt::NoInterval));
        let untold = |f: &Figure<'static>| Figure { spread: None, ..f.clone() };
        assert_eq!(doubt(&untold(&ten), &twenty), Some(Doubt::NoInterval));
        let unsound = |f: &Figure<'static>| Figure { sound: false, ..f.clone() };
        assert_eq!(doubt(&ten, &unsound(&twenty)), Some(Doubt::Control));
        assert_eq!(doubt(&ten, &figure(20.0, [9.0, 31.0], [9.0, 31.0])), Some(Doubt::Wide));
        assert_eq!(doubt(&ten, &figure(20.0, [19.8, 20.2], [10.0, 40.0])), Some(Doubt::Spread));
    }

    #[test]
    fn what_two_runs_of_one_device_differ_by_is_no_difference() {
        let ten = figure(10.0, [9.9, 10.1], [9.5, 10.5]);
        assert_eq!(said(&ten, &figure(10.5, [10.4, 10.6], [10.0, 11.0])), Difference::Same);
        let beyond = 10.0 * (1.0 + 0.25);
        let close = figure(beyond, [beyond - 0.1, beyond + 0.1], [beyond - 0.2, beyond + 0.2]);
        assert_eq!(doubt(&ten, &close), Some(Doubt::Wide));
    }

    #[test]
    fn times_of_a_cpu_must_lie_further_apart() {
        let shared = |f: Figure<'static>| Figure { shared: true, ..f };
        let ten = figure(10.0, [9.9, 10.1], [9.5, 10.5]);
        let seventeen = figure(17.0, [16.9, 17.1], [16.5, 17.5]);
        assert_eq!(said(&ten, &seventeen), Difference::Slower);
        assert_eq!(doubt(&ten, &shared(seventeen)), Some(Doubt::Shared));
        let thirty = figure(30.0, [29.9, 30.1], [29.5, 30.5]);
        assert_eq!(said(&shared(ten), &thirty), Difference::Slower);
    }

    #[test]
    fn a_figure_around_zero_has_no_ratio() {
        let nothing = figure(0.1, [-1.0, 1.0], [-2.0, 2.0]);
        let ten = figure(10.0, [9.9, 10.1], [9.5, 10.5]);
        let compared = compare(&nothing, &ten);
        assert_eq!(compared.interval, None);
        assert_eq!(compared.difference, Difference::Unclear(Doubt::NoInterval));
        assert_eq!(compare(&figure(-1.0, [-2.0, 0.0], [-2.0, 0.0]), &ten).ratio, None);
    }
}
