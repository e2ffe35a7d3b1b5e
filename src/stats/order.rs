//! Intervals of a median, from the order of the values alone.

use crate::model::Interval;

/// Probability that an interval contains the median of the distribution.
const CONFIDENCE: f64 = 0.95;

/// Returns the 95 % interval of the median, by interpolated order statistics.
///
/// # Formula
/// The median is between the d-th smallest and the d-th largest of n values with probability
/// γ_d = 1 − 2·P(B ≤ d − 1). B is binomial with n trials and probability ½, since in every distribution a
/// value is below the median as often as above it.
///
/// d is the largest number with γ_d ≥ 0.95. Each end of the interval moves from its d-th value towards the
/// next value inward, by the share λ of the distance between the two:
/// λ = (n − d)·I / (d + (n − 2d)·I) with I = (γ_d − 0.95) / (γ_d − γ_(d+1)).
///
/// # Domain
/// The values are independent draws from one distribution, which may have any form. γ_d is exact for every
/// distribution, and λ for nearly all. Values that are not finite are ignored. Returns `None` for fewer than
/// six values, since no interval of theirs reaches 95 %. O(n log n), without random choices.
///
/// # Source
/// T. P. Hettmansperger, S. J. Sheather, "Confidence intervals based on interpolated order statistics",
/// Statistics & Probability Letters 4 (1986), 75–79.
#[must_use]
pub fn median_interval(values: &[f64]) -> Option<Interval> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let (d, share) = depth(n)?;
    let inward = |outer: f64, inner: f64| (1.0 - share) * outer + share * inner;
    Some(Interval {
        lo: inward(sorted[d - 1], sorted[d]),
        hi: inward(sorted[n - d], sorted[n - d - 1]),
    })
}

/// Returns d and λ for n values.
fn depth(n: usize) -> Option<(usize, f64)> {
    let mut confidence = 1.0;
    let mut log_weight = -(n as f64) * std::f64::consts::LN_2;
    for d in 0..n / 2 {
        // One value further inward costs the binomial weight of d at each of the two ends.
        let next = confidence - 2.0 * log_weight.exp();
        if next < CONFIDENCE {
            let i = (confidence - CONFIDENCE) / (confidence - next);
            let (n, of) = (n as f64, d as f64);
            return (d > 0).then(|| (d, (n - of) * i / (of + (n - 2.0 * of) * i)));
        }
        confidence = next;
        log_weight += ((n - d) as f64 / (d + 1) as f64).ln();
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

    /// A distribution that sample times may have: its name, a function that draws a value, and its median.
    type Distribution = (&'static str, fn(&mut ChaCha8Rng) -> f64, f64);
    const DISTRIBUTIONS: [Distribution; 4] = [
        ("normal", normal, 0.0),
        ("with long tails on both sides", |rng| normal(rng) / normal(rng), 0.0),
        ("with a tail on one side", |rng| normal(rng).exp(), 1.0),
        (
            "bimodal",
            |rng| 0.1 * normal(rng) + if rng.random_bool(0.7) { 0.0 } else { 1.0 },
            // 70 % of the values are in the lower mode, so the median is the 5/7 quantile of that mode. Its
            // centre is 0, its standard deviation is 0.1, and that quantile is 0.566 standard deviations up.
            0.0566,
        ),
    ];

    #[test]
    fn the_interval_covers_the_median_in_95_percent_of_trials_for_every_distribution_and_size() {
        const TRIALS: u32 = 4_000;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for n in [6, 7, 9, 12, 21, 31, 61, 101] {
            for (name, draw, median) in DISTRIBUTIONS {
                let covers = |_: &u32| {
                    let sample: Vec<f64> = (0..n).map(|_| draw(&mut rng)).collect();
                    median_interval(&sample).expect("enough values").contains(median)
                };
                let share =
                    f64::from((0..TRIALS).filter(covers).count() as u32) / f64::from(TRIALS);
                // The share of 4,000 trials with a probability of 0.95 has a standard deviation of 0.34 %.
                assert!((0.93..=0.97).contains(&share), "{n} values, {name}: {share}");
            }
        }
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
