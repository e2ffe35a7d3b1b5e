//! Verdicts: undecided until the evidence decides.

use serde::{Deserialize, Serialize};

use super::tolerance;

/// A closed interval of a ratio or of a parameter, in the parameter's unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 2]", into = "[f64; 2]")]
pub struct Interval {
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

impl Interval {
    /// Whether `value` lies in the interval, ends included.
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        self.lo <= value && value <= self.hi
    }

    /// Half of the interval's length.
    #[must_use]
    pub fn half_width(self) -> f64 {
        (self.hi - self.lo) / 2.0
    }

    /// Whether the interval of `value` reaches no further than [`tolerance::FIRM`] of it to either side.
    #[must_use]
    pub fn is_firm_about(self, value: f64) -> bool {
        self.half_width() <= tolerance::FIRM * value.abs()
    }

    /// Distance from `value` to the nearest point of the interval; 0 inside it.
    #[must_use]
    pub fn distance(self, value: f64) -> f64 {
        (self.lo - value).max(value - self.hi).max(0.0)
    }
}

impl TryFrom<[f64; 2]> for Interval {
    type Error = &'static str;

    fn try_from([lo, hi]: [f64; 2]) -> Result<Self, Self::Error> {
        if lo <= hi { Ok(Self { lo, hi }) } else { Err("an interval ends before it begins") }
    }
}

impl From<Interval> for [f64; 2] {
    fn from(interval: Interval) -> Self {
        [interval.lo, interval.hi]
    }
}

/// What the evidence says of a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The whole interval of measured / predicted lies within the tolerance of 1.
    Holds,
    /// The whole interval lies outside it.
    Deviates,
    /// Neither: the interval straddles the tolerance, or a control failed.
    Inconclusive,
}

impl Verdict {
    /// The word used in records and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Deviates => "deviates",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Judges a ratio's 95 % interval against 1 ± `tolerance`. No interval, no verdict but `Inconclusive`.
///
/// `reach` is how far the ratio goes while what it is computed from lies anywhere from quartile to quartile of what
/// was measured of it, or at its mean: what disturbs measurements that far may shift the median of one and not of another by as
/// much, in every round of a run, and no interval shows it. A deviation must lie beyond that too, where it is
/// known.
#[must_use]
pub fn judge(ratio: Option<Interval>, reach: Option<Interval>, tolerance: f64) -> Verdict {
    let (lo, hi) = (1.0 - tolerance, 1.0 + tolerance);
    let below = |interval: Interval| interval.hi < lo;
    let above = |interval: Interval| hi < interval.lo;
    match ratio {
        Some(r) if lo <= r.lo && r.hi <= hi => Verdict::Holds,
        Some(r) if below(r) && reach.is_none_or(below) => Verdict::Deviates,
        Some(r) if above(r) && reach.is_none_or(above) => Verdict::Deviates,
        _ => Verdict::Inconclusive,
    }
}

/// One verdict for many points: any deviation deviates, all must hold to hold, no point decides
/// nothing.
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
    fn a_deviation_must_lie_beyond_what_measurements_spread_by() {
        let judge = |r, reach| judge(r, reach, 0.05);
        assert_eq!(judge(ratio(1.20, 1.40), ratio(1.00, 1.60)), Verdict::Inconclusive);
        assert_eq!(judge(ratio(1.20, 1.40), ratio(1.10, 1.50)), Verdict::Deviates);
        assert_eq!(judge(ratio(0.70, 0.80), ratio(0.60, 0.96)), Verdict::Inconclusive);
        assert_eq!(judge(ratio(0.70, 0.80), ratio(0.60, 0.94)), Verdict::Deviates);
        assert_eq!(judge(ratio(0.70, 0.80), ratio(1.10, 1.20)), Verdict::Inconclusive);
        assert_eq!(judge(ratio(0.99, 1.01), ratio(0.50, 2.00)), Verdict::Holds);
    }

    #[test]
    fn many_points_make_one_verdict() {
        use Verdict::{Deviates, Holds, Inconclusive};
        assert_eq!(combine([Holds, Holds]), Holds);
        assert_eq!(combine([Holds, Inconclusive]), Inconclusive);
        assert_eq!(combine([Inconclusive, Deviates, Holds]), Deviates);
        assert_eq!(combine([]), Inconclusive);
    }
}
