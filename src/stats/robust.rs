//! Estimates that a few preempted samples cannot move.

/// The `q`-quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan,
/// "Sample quantiles in statistical packages", The American Statistician, 1996).
///
/// `None` for an empty sample. Non-finite values are the caller's error: they are dropped, so that
/// they can neither sort first nor poison a sum. O(n log n).
#[must_use]
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    debug_assert!((0.0..=1.0).contains(&q), "q={q}");
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    if sorted.is_empty() {
        return None;
    }
    sorted.sort_by(f64::total_cmp);
    let position = q * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let weight = position - below as f64;
    Some(sorted[below] * (1.0 - weight) + sorted[above] * weight)
}

/// The median; the mean of the middle two for an even count. `None` for an empty sample.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Median absolute deviation from the median, unscaled. `None` for an empty sample.
#[must_use]
pub fn mad(values: &[f64]) -> Option<f64> {
    let centre = median(values)?;
    let deviations: Vec<f64> = values.iter().map(|v| (v - centre).abs()).collect();
    median(&deviations)
}

/// MAD over median, scaled by 1.4826 so that it estimates a normal sample's relative standard
/// deviation. `None` for an empty sample or a median of zero.
#[must_use]
pub fn relative_spread(values: &[f64]) -> Option<f64> {
    let centre = median(values)?;
    (centre != 0.0).then_some(1.4826 * mad(values)? / centre.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_values() {
        // Sorted: 1 2 4 7 11. Deviations from 4: 3 2 0 3 7, sorted 0 2 3 3 7.
        let sample = [7.0, 1.0, 11.0, 2.0, 4.0];
        assert_eq!(median(&sample), Some(4.0));
        assert_eq!(mad(&sample), Some(3.0));
        assert_eq!(quantile(&sample, 0.25), Some(2.0));
        assert_eq!(quantile(&sample, 0.875), Some(9.0));
        assert_eq!(relative_spread(&sample), Some(1.4826 * 3.0 / 4.0));
        assert_eq!(median(&[1.0, 2.0, 3.0, 10.0]), Some(2.5));
    }

    #[test]
    fn nothing_measured_is_absent_not_zero() {
        assert_eq!(median(&[]), None);
        assert_eq!(mad(&[]), None);
        assert_eq!(median(&[f64::NAN]), None);
        assert_eq!(relative_spread(&[0.0, 0.0]), None);
    }

    #[test]
    fn one_wild_sample_does_not_move_the_median() {
        assert_eq!(median(&[1.0, 1.0, 1.0, 1.0, 1e9]), Some(1.0));
    }
}
