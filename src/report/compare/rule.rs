//! Whether one device's figure differs from another's, or one run's from the next one's: not until the evidence says
//! so.

use super::figure::Figure;
use crate::report::names::Better;
use crate::stats::{Interval, add_up, square_and_add, tolerance};

/// What the second figure is against the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Neither is known to be different nor to be the same.
    Unclear,
    /// The whole interval of their ratio lies within what two runs of one device may differ by.
    Same,
    /// Better, by more than that and than what the spans behind both spread by.
    Faster,
    /// Worse, likewise.
    Slower,
}

impl Difference {
    /// The word used in pages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unclear => "UNCLEAR",
            Self::Same => "SAME",
            Self::Faster => "FASTER",
            Self::Slower => "SLOWER",
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

/// Compares `second` with `first`. Both must be from runs whose controls of that experiment passed, have intervals
/// and reaches above zero, and differ by more than [`tolerance::between`] runs of one device do, or the difference
/// stays unclear.
pub(super) fn compare(first: &Figure<'_>, second: &Figure<'_>) -> Compared {
    let value = |figure: &Figure<'_>| (figure.value > 0.0).then_some(figure.value);
    let ratio = value(first).zip(value(second)).map(|(a, b)| b / a);
    // One figure of one run: whatever it is, it is the same.
    if first.is_of_one_run_with(second) {
        let exactly = ratio.map(|_| Interval { lo: 1.0, hi: 1.0 });
        return Compared { ratio, interval: exactly, difference: Difference::Same };
    }
    let interval = quotient(first, second, |figure| figure.ci, true);
    let reach = quotient(first, second, |figure| figure.reach, false);
    let alike = 1.0 + tolerance::between(first.experiment);
    let apart = apart(first, second, alike);
    let difference = match (interval, reach) {
        _ if !(first.sound && second.sound) => Difference::Unclear,
        (Some(ratio), _) if 1.0 / alike <= ratio.lo && ratio.hi <= alike => Difference::Same,
        (Some(ratio), Some(reach)) if apart < ratio.lo.min(reach.lo) => more(first.better),
        (Some(ratio), Some(reach)) if ratio.hi.max(reach.hi) < 1.0 / apart => less(first.better),
        _ => Difference::Unclear,
    };
    Compared { ratio, interval, difference }
}

/// How many times a figure must be another to differ from it, where `alike` is what two runs of one device may.
fn apart(first: &Figure<'_>, second: &Figure<'_>, alike: f64) -> f64 {
    if first.shared || second.shared { alike.max(1.0 + tolerance::SHARED) } else { alike }
}

/// Each figure's rank among figures of one kind: one more than there are that are clearly better.
pub(super) fn ranks(figures: &[Option<Figure<'_>>]) -> Vec<usize> {
    let Some(any) = figures.iter().flatten().next() else {
        return vec![1; figures.len()];
    };
    let alike = 1.0 + tolerance::between(any.experiment);
    let rank = |first: &Figure<'_>| {
        let better = |second: &&Figure<'_>| {
            // No interval of a ratio lies beyond what the ratio itself does not.
            let (a, b) = (first.value, second.value);
            let near = b.max(a) <= apart(first, second, alike) * b.min(a);
            !near && compare(first, second).difference == Difference::Faster
        };
        1 + figures.iter().flatten().filter(better).count()
    };
    figures.iter().map(|figure| figure.as_ref().map_or(1, rank)).collect()
}

fn more(better: Better) -> Difference {
    match better {
        Better::Higher => Difference::Faster,
        Better::Lower => Difference::Slower,
        Better::Neither => Difference::Unclear,
    }
}

fn less(better: Better) -> Difference {
    match better {
        Better::Higher => Difference::Slower,
        Better::Lower => Difference::Faster,
        Better::Neither => Difference::Unclear,
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

    fn figure(value: f64, ci: [f64; 2], reach: [f64; 2]) -> Figure<'static> {
        let interval = |[lo, hi]: [f64; 2]| Some(Interval { lo, hi });
        Figure {
            value,
            ci: interval(ci),
            reach: interval(reach),
            better: Better::Lower,
            ..Figure::example("ladder")
        }
    }

    fn said(first: &Figure<'_>, second: &Figure<'_>) -> Difference {
        compare(first, second).difference
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
        assert_eq!(said(&ten, &without(&twenty)), Difference::Unclear);
        let untold = |f: &Figure<'static>| Figure { reach: None, ..f.clone() };
        assert_eq!(said(&untold(&ten), &twenty), Difference::Unclear);
        let unsound = |f: &Figure<'static>| Figure { sound: false, ..f.clone() };
        assert_eq!(said(&ten, &unsound(&twenty)), Difference::Unclear);
        assert_eq!(said(&ten, &figure(20.0, [9.0, 31.0], [9.0, 31.0])), Difference::Unclear);
        assert_eq!(said(&ten, &figure(20.0, [19.8, 20.2], [10.0, 40.0])), Difference::Unclear);
    }

    #[test]
    fn what_two_runs_of_one_device_differ_by_is_no_difference() {
        let ten = figure(10.0, [9.9, 10.1], [9.5, 10.5]);
        assert_eq!(said(&ten, &figure(10.5, [10.4, 10.6], [10.0, 11.0])), Difference::Same);
        let beyond = 10.0 * (1.0 + tolerance::between("ladder"));
        let close = figure(beyond, [beyond - 0.1, beyond + 0.1], [beyond - 0.2, beyond + 0.2]);
        assert_eq!(said(&ten, &close), Difference::Unclear);
    }

    #[test]
    fn times_of_a_cpu_must_lie_further_apart() {
        let shared = |f: Figure<'static>| Figure { shared: true, ..f };
        let ten = figure(10.0, [9.9, 10.1], [9.5, 10.5]);
        let seventeen = figure(17.0, [16.9, 17.1], [16.5, 17.5]);
        assert_eq!(said(&ten, &seventeen), Difference::Slower);
        assert_eq!(said(&ten, &shared(seventeen)), Difference::Unclear);
        let thirty = figure(30.0, [29.9, 30.1], [29.5, 30.5]);
        assert_eq!(said(&shared(ten), &thirty), Difference::Slower);
    }

    #[test]
    fn a_figure_around_zero_has_no_ratio() {
        let nothing = figure(0.1, [-1.0, 1.0], [-2.0, 2.0]);
        let ten = figure(10.0, [9.9, 10.1], [9.5, 10.5]);
        let compared = compare(&nothing, &ten);
        assert_eq!((compared.interval, compared.difference), (None, Difference::Unclear));
        assert_eq!(compare(&figure(-1.0, [-2.0, 0.0], [-2.0, 0.0]), &ten).ratio, None);
    }
}
