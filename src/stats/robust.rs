//! Robust estimates: a few preempted samples do not change them.

use crate::model::Interval;

/// Returns the median. For an even number of values, this is the mean of the middle two.
///
/// Values that are not finite are an error of the caller. They are ignored, so that they neither sort first
/// nor make a sum non-finite. Returns `None` if no finite value is left. O(n log n).
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let above = sorted.len() / 2;
    let below = above.checked_sub(usize::from(sorted.len().is_multiple_of(2)))?;
    // The values are halved before they are added, since the sum of two finite numbers may not be finite.
    Some(if below == above { sorted[above] } else { sorted[below] / 2.0 + sorted[above] / 2.0 })
}

/// Returns the interval from the lower to the upper quartile, extended to the mean.
///
/// Each quartile is the nearest order statistic outward. Values that are not finite are ignored. Returns
/// `None` for fewer than four values.
///
/// The mean matters if a short case is compared with a long one. Suppose that a disturbance lengthens one in
/// ten measurements of the short case. The median and the quartiles of that case do not change. If the other
/// case takes ten times as long, each of its measurements contains the disturbance once. The long case
/// and the mean of the short case grow in the same proportion. The median of the short case does not grow.
#[must_use]
pub fn middle(values: &[f64]) -> Option<Interval> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let outward = sorted.len().checked_sub(4)?.div_ceil(4);
    let (lower, upper) = (sorted[outward], sorted[sorted.len() - 1 - outward]);
    let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
    Some(Interval { lo: lower.min(mean), hi: upper.max(mean) })
}

/// Returns the weighted median of pairs of a value and its weight.
///
/// This is the first value in ascending order at which the sum of weights reaches half of the total. Values
/// that are not finite are ignored. Returns `None` if no weight is positive.
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
    fn the_median_matches_hand_computed_values() {
        assert_eq!(median(&[7.0, 1.0, 11.0, 2.0, 4.0]), Some(4.0));
        assert_eq!(median(&[1.0, 2.0, 3.0, 10.0]), Some(2.5));
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[f64::MAX, f64::MAX]), Some(f64::MAX));
    }

    #[test]
    fn the_median_of_no_values_is_absent_not_zero() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[f64::NAN]), None);
    }

    #[test]
    fn middles_and_weighted_medians_match_hand_computed_values() {
        assert_eq!(middle(&[1.0, 2.0, 3.0]), None);
        assert_eq!(middle(&[2.0, 4.0, 3.0, 8.0]), Some(Interval { lo: 2.0, hi: 8.0 }));
        // Of eight values, the second and the seventh, unless the mean is beyond the seventh.
        let eight = |last| [1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, last];
        assert_eq!(middle(&eight(4.0)), Some(Interval { lo: 2.0, hi: 3.0 }));
        assert_eq!(middle(&eight(24.0)), Some(Interval { lo: 2.0, hi: 5.0 }));
        assert_eq!(weighted_median([(1.0, 1.0), (2.0, 1.0), (9.0, 3.0)]), Some(9.0));
        assert_eq!(weighted_median([(1.0, 3.0), (2.0, 1.0), (f64::NAN, 9.0)]), Some(1.0));
        assert_eq!(weighted_median([(1.0, 0.0)]), None);
    }

    #[test]
    fn one_outlier_does_not_change_the_median() {
        assert_eq!(median(&[1.0, 1.0, 1.0, 1.0, 1e9]), Some(1.0));
    }
}
