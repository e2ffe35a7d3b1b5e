//! Closed intervals.

use serde::{Deserialize, Serialize};

/// A closed interval of a ratio or a figure, in the unit of the figure.
///
/// JSON contains the array `[lo, hi]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 2]", into = "[f64; 2]")]
pub struct Interval {
    /// Lower bound.
    pub lo: f64,
    /// Upper bound.
    pub hi: f64,
}

/// Largest half-width of a firm figure's interval, as a share of the figure.
///
/// Batch sizes are proportional to such figures, and users distinguish batch sizes in steps of about 20 %.
const FIRM: f64 = 0.2;

impl Interval {
    /// Returns `true` if the interval contains `value`. The bounds are part of the interval.
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        self.lo <= value && value <= self.hi
    }

    /// Returns half of the interval's length.
    #[must_use]
    pub fn half_width(self) -> f64 {
        (self.hi - self.lo) / 2.0
    }

    /// Returns `true` if this interval of the figure `value` is no wider than ±20 % of the figure.
    #[must_use]
    pub fn is_firm_about(self, value: f64) -> bool {
        self.half_width() <= FIRM * value.abs()
    }

    /// Returns the distance from `value` to the nearest point of the interval: 0 inside the interval.
    #[must_use]
    pub fn distance(self, value: f64) -> f64 {
        (self.lo - value).max(value - self.hi).max(0.0)
    }
}

impl TryFrom<[f64; 2]> for Interval {
    type Error = &'static str;

    fn try_from([lo, hi]: [f64; 2]) -> Result<Self, Self::Error> {
        if lo <= hi {
            Ok(Self { lo, hi })
        } else {
            Err("the lower bound of an interval is above its upper bound")
        }
    }
}

impl From<Interval> for [f64; 2] {
    fn from(interval: Interval) -> Self {
        [interval.lo, interval.hi]
    }
}
