//! Intervals of a median from the order of a sample alone.

use crate::model::Interval;

/// How often an interval holds the truth.
const CONFIDENCE: f64 = 0.95;

/// 95 % interval of the median by interpolated order statistics.
///
/// # Formula
/// The d-th smallest and the d-th largest of n values hold the median between them with probability
/// γ_d = 1 − 2·P(B ≤ d − 1), where B is binomial of n and ½: a value falls short of the median as often
/// as not, whatever the distribution. With the largest d whose γ_d ≥ 0.95, each end lies the share λ of
/// the way on to its next value inward, where
/// λ = (n − d)·I / (d + (n − 2d)·I) and I = (γ_d − 0.95) / (γ_d − γ_(d+1)).
///
/// # Domain
/// Values drawn independently of one another from one distribution, of any shape: γ_d is exact for all,
/// and λ for nearly all. `None` below six values, from which no interval is that sure. Values that are not
/// finite are left out. O(n log n), and no random choice in it.
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

/// d and λ for n values.
fn depth(n: usize) -> Option<(usize, f64)> {
    let mut confidence = 1.0;
    let mut log_weight = -(n as f64) * std::f64::consts::LN_2;
    for d in 0..n / 2 {
        // One value further in from both ends, each of which is passed with the binomial weight of d.
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
    fn hand_worked_for_ten_values() {
        // γ_2 = 1 − 2·(1 + 10)/1024 = 0.97852 and γ_3 = 1 − 2·(1 + 10 + 45)/1024 = 0.89063, so d = 2,
        // I = 0.02852/0.08789 = 0.32444 and λ = 8·0.32444/(2 + 6·0.32444) = 0.65761.
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        let interval = median_interval(&values).expect("ten are enough");
        assert!((interval.lo - 2.65761).abs() < 1e-4, "{interval:?}");
        assert!((interval.hi - 8.34239).abs() < 1e-4, "{interval:?}");
    }

    #[test]
    fn is_degenerate_for_a_constant_and_absent_for_a_handful() {
        assert_eq!(median_interval(&[2.0; 9]), Some(Interval { lo: 2.0, hi: 2.0 }));
        assert_eq!(median_interval(&[1.0, 2.0, 3.0, 4.0, 5.0]), None);
        assert!(median_interval(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).is_some());
        assert_eq!(median_interval(&[f64::NAN; 9]), None);
    }

    /// A normal deviate, near enough: twelve uniforms less six.
    fn normal(rng: &mut ChaCha8Rng) -> f64 {
        (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
    }

    /// Shapes that samples of time come in, each with its median.
    type LaunchConfig = (&'static str, fn(&mut ChaCha8Rng) -> f64, f64);
    const CONFIGS: [LaunchConfig; 4] = [
        ("normal", normal, 0.0),
        ("with a long tail to both sides", |rng| normal(rng) / normal(rng), 0.0),
        ("with a tail to one side", |rng| normal(rng).exp(), 1.0),
        (
            "of two clocks",
            |rng| 0.1 * normal(rng) + if rng.random_bool(0.7) { 0.0 } else { 1.0 },
            // Where 0.7 of a normal of spread 0.1 has ½: its 5/7 quantile is 0.566 spreads up.
            0.0566,
        ),
    ];

    #[test]
    fn holds_the_truth_95_times_in_100_whatever_the_shape_and_size() {
        const TRIALS: u32 = 4_000;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for n in [6, 7, 9, 12, 21, 31, 61, 101] {
            for (shape, draw, truth) in CONFIGS {
                let holds = |_: &u32| {
                    let sample: Vec<f64> = (0..n).map(|_| draw(&mut rng)).collect();
                    median_interval(&sample).expect("enough values").contains(truth)
                };
                let share = f64::from((0..TRIALS).filter(holds).count() as u32) / f64::from(TRIALS);
                // A binomial of 4,000 and 0.95 has a spread of 0.34 %.
                assert!((0.93..=0.97).contains(&share), "{n} values {shape}: {share}");
            }
        }
    }

    #[test]
    fn the_test_of_coverage_would_see_an_interval_too_narrow_or_too_wide() {
        // Of nine values, those two places in hold the median 82 times in 100, the outermost 99.6.
        for (d, expected) in [(3, 0.8203), (1, 0.9961)] {
            let mut rng = ChaCha8Rng::seed_from_u64(2);
            let holds = |_: &u32| {
                let mut sample: Vec<f64> = (0..9).map(|_| normal(&mut rng)).collect();
                sample.sort_by(f64::total_cmp);
                sample[d - 1] <= 0.0 && 0.0 <= sample[9 - d]
            };
            let share = (0..4_000u32).filter(holds).count() as f64 / 4_000.0;
            assert!((share - expected).abs() < 0.025, "{share}");
            assert!(!(0.93..=0.97).contains(&share), "{share}");
        }
    }
}
