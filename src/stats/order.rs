//! Quantiles and their intervals, from the order of the values alone.

use crate::model::Interval;

/// Returns the quantile `q` of the values.
///
/// # Formula
/// Of n sorted values, the value at the place (n + 1/3)·q + 1/3, with linear interpolation between two places.
/// The result is about as often below the quantile of the distribution as above it, for every distribution.
///
/// # Domain
/// 0 ≤ `q` ≤ 1. Values that are not finite are an error of the caller. They are ignored, so that they neither
/// sort first nor make the result non-finite. Returns `None` if no finite value is left. O(n log n).
///
/// # Source
/// R. J. Hyndman, Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996),
/// 361–365, definition 8.
#[must_use]
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let sorted = sorted(values);
    let last = sorted.len().checked_sub(1)? as f64;
    let place = ((sorted.len() as f64 + 1.0 / 3.0) * q + 1.0 / 3.0 - 1.0).clamp(0.0, last);
    let (below, above) = (place.floor(), place.ceil());
    Some(between(sorted[below as usize], sorted[above as usize], place - below))
}

/// Returns the median. For an even number of values, this is the mean of the middle two.
///
/// Values that are not finite are ignored. Returns `None` if no finite value is left.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Returns the finite values in ascending order.
fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Returns the value at `share` of the way from `a` to `b`.
fn between(a: f64, b: f64, share: f64) -> f64 {
    (1.0 - share) * a + share * b
}

/// Returns the interval that contains the quantile `q` of the distribution with probability `confidence`, by
/// interpolated order statistics.
///
/// # Formula
/// The d-th smallest of n values exceeds the quantile with probability π_d = P(B ≤ d − 1). B is binomial with
/// n trials and probability q, since in every distribution a value is below the quantile with
/// probability q.
///
/// Let α be half of 1 − `confidence`. For the lower end, d is the largest number with π_d ≤ α. The end is moved
/// from the d-th value towards the next one by the share λ of their distance, with
/// 1/λ = 1 + d·(1 − q)·(π_(d+1) − α) / ((n − d)·q·(α − π_d)). The upper end is the lower end of the negated
/// values at 1 − q.
///
/// # Domain
/// 0 < `q` < 1. The values are independent draws from one distribution, which may have any form. π_d is exact
/// for every distribution, and λ for nearly all. Values that are not finite are ignored. Returns `None` if even
/// the smallest or the largest value is not far enough out: below ten values for the lower third at 95 %, below
/// six for the median. O(n log n), without random choices.
///
/// # Source
/// J. Nyblom, "Note on interpolated order statistics", Statistics & Probability Letters 14 (1992), 129–131.
/// For the median, the formula is that of T. P. Hettmansperger, S. J. Sheather, "Confidence intervals based on
/// interpolated order statistics", Statistics & Probability Letters 4 (1986), 75–79.
#[must_use]
pub fn quantile_interval(values: &[f64], q: f64, confidence: f64) -> Option<Interval> {
    let sorted = sorted(values);
    let n = sorted.len();
    let alpha = (1.0 - confidence) / 2.0;
    let (low, low_share) = depth(n, q, alpha)?;
    let (high, high_share) = depth(n, 1.0 - q, alpha)?;
    Some(Interval {
        lo: between(sorted[low - 1], sorted[low], low_share),
        hi: between(sorted[n - high], sorted[n - high - 1], high_share),
    })
}

/// Returns the 95 % interval of the median, as [`quantile_interval`] does.
#[must_use]
pub fn median_interval(values: &[f64]) -> Option<Interval> {
    quantile_interval(values, 0.5, 0.95)
}

/// Returns d and λ of the lower end for n values.
fn depth(n: usize, q: f64, alpha: f64) -> Option<(usize, f64)> {
    let odds = q / (1.0 - q);
    let mut log_weight = n as f64 * (1.0 - q).ln(); // of B = 0
    let mut below = 0.0;
    for d in 0..n {
        let next = below + log_weight.exp(); // P(B ≤ d)
        if next > alpha {
            let (n, of) = (n as f64, d as f64);
            let inverse = 1.0
                + of * (next - alpha) / ((n - of) * odds * (alpha - below)).max(f64::MIN_POSITIVE);
            return (d > 0).then_some((d, 1.0 / inverse));
        }
        below = next;
        log_weight += ((n - d) as f64 / (d + 1) as f64 * odds).ln();
    }
    None
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn the_interval_of_ten_values_matches_a_hand_computation() {
        // γ_2 = 1 − 2·(1 + 10)/1024 = 0.97852 and γ_3 = 1 − 2·(1 + 10 + 45)/1024 = 0.89063, so d = 2,
        // I = 0.02852/0.08789 = 0.32444 and λ = 8·0.32444/(2 + 6·0.32444) = 0.65761.
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        let interval = median_interval(&values).expect("ten values are enough");
        assert!((interval.lo - 2.65761).abs() < 1e-4, "{interval:?}");
        assert!((interval.hi - 8.34239).abs() < 1e-4, "{interval:?}");
    }

    #[test]
    fn the_interval_is_a_point_for_a_constant_and_absent_below_six_values() {
        assert_eq!(median_interval(&[2.0; 9]), Some(Interval { lo: 2.0, hi: 2.0 }));
        assert_eq!(median_interval(&[1.0, 2.0, 3.0, 4.0, 5.0]), None);
        assert!(median_interval(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).is_some());
        assert_eq!(median_interval(&[f64::NAN; 9]), None);
    }

    /// Returns an approximately normal value: the sum of twelve uniform ones, minus six.
    fn normal(rng: &mut ChaCha8Rng) -> f64 {
        (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
    }

    /// A distribution that sample times may have: its name, a function that draws a value, its lower third and
    /// its median.
    type Distribution = (&'static str, fn(&mut ChaCha8Rng) -> f64, [f64; 2]);
    const DISTRIBUTIONS: [Distribution; 4] = [
        ("normal", normal, [-0.4307, 0.0]),
        // The quotient of two normal values has a Cauchy distribution: its lower third is tan(−30°).
        ("with long tails on both sides", |rng| normal(rng) / normal(rng), [-0.5774, 0.0]),
        ("with a tail on one side", |rng| normal(rng).exp(), [0.6500, 1.0]),
        (
            "bimodal",
            |rng| 0.1 * normal(rng) + if rng.random_bool(0.7) { 0.0 } else { 1.0 },
            // 70 % of the values are in the lower mode, so the median is the 5/7 quantile of that mode and the
            // lower third its 10/21 quantile. The centre of that mode is 0 and its standard deviation is 0.1.
            [-0.0060, 0.0566],
        ),
    ];

    #[test]
    fn the_interval_covers_the_quantile_as_often_as_stated_for_every_distribution_and_size() {
        const TRIALS: u32 = 4_000;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for n in [11, 12, 21, 31, 61, 101] {
            for (name, draw, places) in DISTRIBUTIONS {
                for (q, place) in [1.0 / 3.0, 0.5].into_iter().zip(places) {
                    // The end of an interval is interpolated between two values, which is less exact if they are
                    // farther from the ends of the list.
                    for (confidence, most_off) in [(0.97, 0.02), (0.95, 0.02), (0.8, 0.03)] {
                        let covers = |_: &u32| {
                            let sample: Vec<f64> = (0..n).map(|_| draw(&mut rng)).collect();
                            quantile_interval(&sample, q, confidence)
                                .expect("enough values")
                                .contains(place)
                        };
                        let hits = (0..TRIALS).filter(covers).count() as u32;
                        let off = f64::from(hits) / f64::from(TRIALS) - confidence;
                        // The share of 4,000 trials with a probability of 0.95 has a standard deviation of
                        // 0.34 %, and of 0.63 % with a probability of 0.8.
                        assert!(
                            off.abs() <= most_off,
                            "{n} values, {name}, {q}, {confidence}: {off}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn more_confidence_needs_more_values() {
        let values: Vec<f64> = (0..40).map(f64::from).collect();
        let least = |q, confidence| {
            (1..=40).find(|&n| quantile_interval(&values[..n], q, confidence).is_some())
        };
        // (2/3)^n ≤ α is first true for 10, 14 and 19 values.
        assert_eq!(
            [0.95, 0.99, 0.999].map(|c| least(1.0 / 3.0, c)),
            [Some(10), Some(14), Some(19)]
        );
        assert_eq!(least(0.5, 0.95), Some(6));
    }

    #[test]
    fn quantiles_match_hand_computed_values() {
        assert_eq!(median(&[7.0, 1.0, 11.0, 2.0, 4.0]), Some(4.0));
        assert_eq!(median(&[1.0, 2.0, 3.0, 10.0]), Some(2.5));
        assert_eq!(median(&[f64::MAX, f64::MAX]), Some(f64::MAX));
        // Of eight values, the place 25/3 · 1/3 + 1/3 is 3.111.
        let eight: Vec<f64> = (1..=8).map(f64::from).collect();
        assert!((quantile(&eight, 1.0 / 3.0).expect("not empty") - 28.0 / 9.0).abs() < 1e-12);
        assert_eq!([0.0, 1.0].map(|q| quantile(&eight, q)), [Some(1.0), Some(8.0)]);
        assert_eq!(quantile(&[3.0], 0.1), Some(3.0));
    }

    #[test]
    fn a_quantile_of_no_values_is_absent_not_zero() {
        assert_eq!(median(&[]), None);
        assert_eq!(quantile(&[f64::NAN], 0.3), None);
    }

    #[test]
    fn one_outlier_does_not_change_a_quantile() {
        assert_eq!(median(&[1.0, 1.0, 1.0, 1.0, 1e9]), Some(1.0));
    }

    #[test]
    fn the_coverage_test_detects_intervals_that_are_too_narrow_or_too_wide() {
        // The third smallest and third largest of nine values enclose the median in 82 % of trials.
        // The smallest and the largest enclose it in 99.6 %.
        for (d, expected) in [(3, 0.8203), (1, 0.9961)] {
            let mut rng = ChaCha8Rng::seed_from_u64(2);
            let covers = |_: &u32| {
                let mut sample: Vec<f64> = (0..9).map(|_| normal(&mut rng)).collect();
                sample.sort_by(f64::total_cmp);
                sample[d - 1] <= 0.0 && 0.0 <= sample[9 - d]
            };
            let share = (0..4_000u32).filter(covers).count() as f64 / 4_000.0;
            assert!((share - expected).abs() < 0.025, "{share}");
            assert!(!(0.93..=0.97).contains(&share), "{share}");
        }
    }
}
