//! Bootstrap intervals: how far the estimate moves when the sample is drawn again from itself.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Interval, median, quantile};

const RESAMPLES: usize = 600;

/// Percentile bootstrap 95 % interval of the median.
///
/// `None` below five values: an interval from so few says nothing. Deterministic for a given `seed`.
/// O(resamples · n log n).
///
/// # Source
/// B. Efron, R. J. Tibshirani, "An introduction to the bootstrap", Chapman & Hall, 1993, section 13.3.
#[must_use]
pub fn median_interval(values: &[f64], seed: u64) -> Option<Interval> {
    let values: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    if values.len() < 5 {
        return None;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut resample = vec![0.0; values.len()];
    let medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            resample.fill_with(|| values[rng.random_range(0..values.len())]);
            median(&resample).expect("a resample is as long as its sample")
        })
        .collect();
    Some(Interval { lo: quantile(&medians, 0.025)?, hi: quantile(&medians, 0.975)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_the_truth_about_95_times_in_100() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let covered = (0..400)
            .filter(|&trial| {
                // Mean of three uniforms: symmetric about 1, so its median is 1.
                let sample: Vec<f64> = (0..25)
                    .map(|_| (0..3).map(|_| rng.random_range(0.9..1.1)).sum::<f64>() / 3.0)
                    .collect();
                median_interval(&sample, trial).unwrap().contains(1.0)
            })
            .count();
        // Binomial with p = 0.95 has a standard deviation of 4.4 here; the percentile interval of a
        // median is a few per cent liberal at n = 25.
        assert!((360..=398).contains(&covered), "{covered} of 400");
    }

    #[test]
    fn is_degenerate_for_a_constant_and_absent_for_a_handful() {
        assert_eq!(median_interval(&[2.0; 9], 7), Some(Interval { lo: 2.0, hi: 2.0 }));
        assert_eq!(median_interval(&[1.0, 2.0, 3.0, 4.0], 7), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let sample: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!(median_interval(&sample, 3), median_interval(&sample, 3));
    }
}
