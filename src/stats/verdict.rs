//! Verdicts: undecided until the evidence decides.

use serde::{Deserialize, Serialize};

use super::tolerance;

/// A closed interval of a ratio or of a parameter, in the parameter's unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
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

impl From<[f64; 2]> for Interval {
    fn from([lo, hi]: [f64; 2]) -> Self {
        Self { lo, hi }
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

/// Judges a ratio's interval against 1 ± `tolerance`. No interval, no verdict but `Inconclusive`.
#[must_use]
pub fn judge(ratio: Option<Interval>, tolerance: f64) -> Verdict {
    let (lo, hi) = (1.0 - tolerance, 1.0 + tolerance);
    match ratio {
        Some(r) if lo <= r.lo && r.hi <= hi => Verdict::Holds,
        Some(r) if r.hi < lo || hi < r.lo => Verdict::Deviates,
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
        assert_eq!(judge(ratio(0.97, 1.02), 0.05), Verdict::Holds);
        assert_eq!(judge(ratio(1.06, 1.20), 0.05), Verdict::Deviates);
        assert_eq!(judge(ratio(0.50, 0.90), 0.05), Verdict::Deviates);
        assert_eq!(judge(ratio(1.02, 1.20), 0.05), Verdict::Inconclusive);
        assert_eq!(judge(ratio(0.50, 2.00), 0.05), Verdict::Inconclusive);
        assert_eq!(judge(None, 0.05), Verdict::Inconclusive);
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
