//! Verdicts, which are inconclusive unless the evidence decides.

use crate::model::{Interval, Verdict};

/// Judges the interval of a ratio against 1 ± `tolerance`. Without an interval, the verdict is
/// `Inconclusive`.
///
/// `spread` is the spread bound of the ratio: the range of the ratio while each quantity behind it takes any
/// value within the spread bound of its measurements. A disturbance that spreads measurements that far may shift
/// the estimate of one quantity by as much, and of no other, in every round of a run. No interval shows such a
/// shift. So the ratio deviates only if its spread bound, where known, is outside the tolerance on the same side.
#[must_use]
pub fn judge(ratio: Option<Interval>, spread: Option<Interval>, tolerance: f64) -> Verdict {
    let (lo, hi) = (1.0 - tolerance, 1.0 + tolerance);
    let below = |interval: Interval| interval.hi < lo;
    let above = |interval: Interval| hi < interval.lo;
    match ratio {
        Some(r) if lo <= r.lo && r.hi <= hi => Verdict::Holds,
        Some(r) if below(r) && spread.is_none_or(below) => Verdict::Deviates,
        Some(r) if above(r) && spread.is_none_or(above) => Verdict::Deviates,
        _ => Verdict::Inconclusive,
    }
}

/// Returns whether an undecided ratio is near enough to the law that it does not keep many decided ones from a
/// verdict: the ratio is inside the tolerance, and its interval inside twice the tolerance.
#[must_use]
pub fn is_near(ratio: f64, interval: Option<Interval>, tolerance: f64) -> bool {
    let inside = |value: f64, tolerance: f64| (value - 1.0).abs() <= tolerance;
    let ends = interval.map(|Interval { lo, hi }| [lo, hi]);
    inside(ratio, tolerance)
        && ends.is_some_and(|ends| ends.into_iter().all(|end| inside(end, 2.0 * tolerance)))
}

/// Share of the points that may be undecided although the law holds, if they are [near](is_near).
const UNDECIDED: f64 = 0.05;

/// Combines the verdicts of many points. Each comes with whether the point [is near](is_near).
///
/// The result is `Deviates` if any point deviates. It is `Holds` if all points hold, or if at most one in twenty is
/// undecided and each undecided point is near. Otherwise, and without any point, it is `Inconclusive`.
///
/// `Holds` therefore says that at least 95 % of the points are within the tolerance, and all points within twice the
/// tolerance. A point that is off by more than twice the tolerance passes only if its interval does not contain the
/// true ratio.
#[must_use]
pub fn combine(points: impl IntoIterator<Item = (Verdict, bool)>) -> Verdict {
    let (mut all, mut open) = (0usize, 0usize);
    let mut is_far = false;
    for (verdict, is_near) in points {
        match verdict {
            Verdict::Deviates => return Verdict::Deviates,
            Verdict::Holds => (),
            Verdict::Inconclusive => {
                open += 1;
                is_far |= !is_near;
            }
        }
        all += 1;
    }
    let few = open as f64 <= UNDECIDED * all as f64;
    if all > 0 && few && !is_far { Verdict::Holds } else { Verdict::Inconclusive }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(lo: f64, hi: f64) -> Option<Interval> {
        Some(Interval { lo, hi })
    }

    #[test]
    fn a_verdict_needs_the_whole_interval() {
        let judge = |ratio| judge(ratio, None, 0.05);
        assert_eq!(judge(ratio(0.97, 1.02)), Verdict::Holds);
        assert_eq!(judge(ratio(1.06, 1.20)), Verdict::Deviates);
        assert_eq!(judge(ratio(0.50, 0.90)), Verdict::Deviates);
        assert_eq!(judge(ratio(1.02, 1.20)), Verdict::Inconclusive);
        assert_eq!(judge(ratio(0.50, 2.00)), Verdict::Inconclusive);
        assert_eq!(judge(None), Verdict::Inconclusive);
    }

    #[test]
    fn a_deviation_needs_a_spread_bound_outside_the_tolerance() {
        let judge = |r, spread| judge(r, spread, 0.05);
        assert_eq!(judge(ratio(1.20, 1.40), ratio(1.00, 1.60)), Verdict::Inconclusive);
        assert_eq!(judge(ratio(1.20, 1.40), ratio(1.10, 1.50)), Verdict::Deviates);
        assert_eq!(judge(ratio(0.70, 0.80), ratio(0.60, 0.96)), Verdict::Inconclusive);
        assert_eq!(judge(ratio(0.70, 0.80), ratio(0.60, 0.94)), Verdict::Deviates);
        assert_eq!(judge(ratio(0.70, 0.80), ratio(1.10, 1.20)), Verdict::Inconclusive);
        assert_eq!(judge(ratio(0.99, 1.01), ratio(0.50, 2.00)), Verdict::Holds);
    }

    #[test]
    fn one_deviation_decides_and_all_points_must_hold() {
        use Verdict::{Deviates, Holds, Inconclusive};
        let combine =
            |verdicts: &[Verdict]| combine(verdicts.iter().map(|&verdict| (verdict, true)));
        assert_eq!(combine(&[Holds, Holds]), Holds);
        assert_eq!(combine(&[Holds, Inconclusive]), Inconclusive);
        assert_eq!(combine(&[Inconclusive, Deviates, Holds]), Deviates);
        assert_eq!(combine(&[]), Inconclusive);
    }

    #[test]
    fn one_undecided_point_of_twenty_may_be_near_but_not_far() {
        let points = |all: usize, open: usize, is_near: bool| {
            combine((0..all).map(|point| {
                let verdict = if point < open { Verdict::Inconclusive } else { Verdict::Holds };
                (verdict, is_near)
            }))
        };
        assert_eq!(points(20, 1, true), Verdict::Holds);
        assert_eq!(points(20, 1, false), Verdict::Inconclusive);
        assert_eq!(points(19, 1, true), Verdict::Inconclusive);
        assert_eq!(points(66, 3, true), Verdict::Holds);
        assert_eq!(points(66, 4, true), Verdict::Inconclusive);
    }

    #[test]
    fn a_near_point_is_inside_the_tolerance_and_its_interval_inside_twice_that() {
        let is_near = |value, lo, hi| is_near(value, ratio(lo, hi), 0.1);
        assert!(is_near(1.05, 0.95, 1.19) && is_near(0.92, 0.81, 1.0));
        assert!(
            !is_near(1.05, 0.95, 1.21) && !is_near(1.11, 1.05, 1.18) && !is_near(0.95, 0.79, 1.0)
        );
        assert!(!super::is_near(1.0, None, 0.1));
    }
}
