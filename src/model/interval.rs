//! Intervals.

use serde::{Deserialize, Serialize};

/// A closed interval of a ratio or of a figure, in the figure's unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 2]", into = "[f64; 2]")]
pub struct Interval {
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

/// A figure whose interval reaches further than this share of it is not firm: batch sizes follow from it in
/// proportion, and a fifth is the step between two sizes that people would tell apart.
const FIRM: f64 = 0.2;

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

    /// Whether the interval of `value` reaches no further than a fifth of it to either side.
    #[must_use]
    pub fn is_firm_about(self, value: f64) -> bool {
        self.half_width() <= FIRM * value.abs()
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
