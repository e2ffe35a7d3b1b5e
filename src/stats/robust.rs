//! Estimates that a few preempted samples cannot move.

use crate::model::Interval;

/// The median; the mean of the middle two for an even count.
///
/// `None` for an empty sample. Non-finite values are the caller's error: they are dropped, so that
/// they can neither sort first nor poison a sum. O(n log n).
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let above = sorted.len() / 2;
    let below = above.checked_sub(usize::from(sorted.len().is_multiple_of(2)))?;
    // Halved before they are added: the sum of two finite numbers need not be one.
    Some(if below == above { sorted[above] } else { sorted[below] / 2.0 + sorted[above] / 2.0 })
}

/// Where a sample lies by any account: from its lower to its upper quartile, each the nearest order statistic
/// outward, and as far as its mean. `None` below four values.
///
/// What lengthens one measurement in ten leaves the median and the quartiles of a short thing alone, and a tenth of
/// it is in every measurement of a thing that takes ten times as long: the mean of the short one tells.
#[must_use]
pub fn middle(values: &[f64]) -> Option<Interval> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let outward = sorted.len().checked_sub(4)?.div_ceil(4);
    let (lower, upper) = (sorted[outward], sorted[sorted.len() - 1 - outward]);
    let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
    Some(Interval { lo: lower.min(mean), hi: upper.max(mean) })
}

/// The median of values that do not all weigh the same: the first in order at which half of the weight is
/// reached. `None` where nothing weighs anything.
#[must_use]
pub fn weighted_median(pairs: impl IntoIterator<Item = (f64, f64)>) -> Option<f64> {
    let mut pairs: Vec<(f64, f64)> =
        pairs.into_iter().filter(|(v, w)| v.is_finite() && *w > 0.0).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = pairs.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut below = 0.0;
    let middle = pairs.into_iter().find(|(_, weight)| {
        below += weight;
        below >= half
    });
    middle.map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_values() {
        assert_eq!(median(&[7.0, 1.0, 11.0, 2.0, 4.0]), Some(4.0));
        assert_eq!(median(&[1.0, 2.0, 3.0, 10.0]), Some(2.5));
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[f64::MAX, f64::MAX]), Some(f64::MAX));
    }

    #[test]
    fn nothing_measured_is_absent_not_zero() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[f64::NAN]), None);
    }

    #[test]
    fn hand_worked_middles_and_weights() {
        assert_eq!(middle(&[1.0, 2.0, 3.0]), None);
        assert_eq!(middle(&[2.0, 4.0, 3.0, 8.0]), Some(Interval { lo: 2.0, hi: 8.0 }));
        // Of eight the second and the seventh, unless the mean lies beyond.
        let eight = |last| [1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, last];
        assert_eq!(middle(&eight(4.0)), Some(Interval { lo: 2.0, hi: 3.0 }));
        assert_eq!(middle(&eight(24.0)), Some(Interval { lo: 2.0, hi: 5.0 }));
        assert_eq!(weighted_median([(1.0, 1.0), (2.0, 1.0), (9.0, 3.0)]), Some(9.0));
        assert_eq!(weighted_median([(1.0, 3.0), (2.0, 1.0), (f64::NAN, 9.0)]), Some(1.0));
        assert_eq!(weighted_median([(1.0, 0.0)]), None);
    }

    #[test]
    fn one_wild_sample_does_not_move_the_median() {
        assert_eq!(median(&[1.0, 1.0, 1.0, 1.0, 1e9]), Some(1.0));
    }
}
