//! Verdicts, which are inconclusive unless the evidence decides.

use crate::model::{Interval, Verdict};

/// Judges the 95 % interval of a ratio against 1 ± `tolerance`. Without an interval, the verdict is
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

/// Combines the verdicts of many points.
///
/// The result is `Deviates` if any point deviates, and `Holds` if all points hold. Otherwise, and without any
/// point, it is `Inconclusive`.
#[must_use]
pub fn combine(points: impl IntoIterator<Item = Verdict>) -> Verdict {
    let mut all = None;
    for verdict in points {
        all = match (all, verdict) {
            (_, Verdict::Deviates) => return Verdict::Deviates,
            (None | Some(Verdict::Holds), Verdict::Holds) => Some(Verdict::Holds),
            _ => Some(Verdict::Inconclusive),
        };
    }
    all.unwrap_or(Verdict::Inconclusive)
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
        assert_eq!(combine([Holds, Holds]), Holds);
        assert_eq!(combine([Holds, Inconclusive]), Inconclusive);
        assert_eq!(combine([Inconclusive, Deviates, Holds]), Deviates);
        assert_eq!(combine([]), Inconclusive);
    }
}
