//! Noise of a simulated GPU: disturbances that change the durations of samples.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// All disturbances of a sample. They apply together. The default has no disturbance.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Noise {
    /// Relative standard deviation of a sample.
    pub spread: f64,
    /// Probability that a sample takes three times as long.
    pub spikes: f64,
    /// Size of a heavy tail that only lengthens samples. A sample takes 1 + tail·(1/√u − 1) times as long,
    /// with u uniform from 0 to 1. The variance is therefore infinite.
    pub tail: f64,
    /// Relative growth of all samples per round, counted from the last read of an output.
    pub drift: f64,
    /// Random changes between two clock rates.
    pub clocks: Option<Clocks>,
    /// A permanent slowdown from some time on.
    pub throttle: Option<Throttle>,
    /// A periodic load by another process.
    pub interference: Option<Interference>,
    /// Random preemption by a scheduler.
    pub preemption: Option<Preemption>,
    /// Factors by which the samples of a real run were longer than without disturbance, in their order. The samples of
    /// a simulated run are longer by the same factors, from a random place in the list on.
    pub recorded: Option<&'static [f64]>,
}

/// Random changes between two clock rates of the device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clocks {
    /// Factor by which samples are longer at the slower rate.
    pub ratio: f64,
    /// Probability that the rate changes before a sample.
    pub change: f64,
}

/// A permanent slowdown of the device from some time on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttle {
    /// Number of rounds after the last read of an output at which the slowdown begins. It may have a
    /// fraction.
    pub after_rounds: f64,
    /// Factor by which samples are longer from then on.
    pub ratio: f64,
}

/// Another process that loads the device during the first part of every period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interference {
    /// Length of the period in seconds.
    pub period_s: f64,
    /// Share of the period with load, from 0 to 1.
    pub share: f64,
    /// Factor by which work takes longer under load.
    pub ratio: f64,
}

/// A scheduler that preempts the device at random times. Longer samples are preempted more often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preemption {
    /// Mean number of preemptions per second of running.
    pub per_s: f64,
    /// Duration of each preemption in seconds.
    pub for_s: f64,
}

impl Noise {
    /// Noise of an otherwise idle device: a small spread and rare spikes.
    pub const QUIET: Self = Self {
        spread: 0.003,
        spikes: 0.01,
        tail: 0.0,
        drift: 0.0,
        clocks: None,
        throttle: None,
        interference: None,
        preemption: None,
        recorded: None,
    };
}

/// The time at which a sample begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Seconds since the device was opened.
    pub(super) now_s: f64,
    /// Rounds since an output was last read, with the elapsed part of the present round.
    pub(super) rounds: f64,
}

/// Noise with the state that it keeps from sample to sample.
#[derive(Debug)]
pub(super) struct Disturber {
    noise: Noise,
    slow: bool,
    /// Place of the next factor of [`Noise::recorded`]; `None` before the first sample.
    place: Option<usize>,
}

impl Disturber {
    pub(super) fn new(noise: Noise) -> Self {
        Self { noise, slow: false, place: None }
    }

    /// Returns the disturbed duration of a sample that begins at `moment` and takes `true_s` seconds without
    /// noise.
    pub(super) fn disturbed(&mut self, true_s: f64, moment: Moment, rng: &mut ChaCha8Rng) -> f64 {
        let noise = self.noise;
        // The sum of twelve uniform numbers minus six is close to a standard normal deviate.
        let normal = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let spike = if rng.random_bool(noise.spikes) { 3.0 } else { 1.0 };
        let mut sample_s = true_s * spike * (1.0 + noise.spread * normal).max(0.05);
        if noise.tail > 0.0 {
            sample_s *= 1.0 + noise.tail * (1.0 / (1.0 - rng.random::<f64>()).sqrt() - 1.0);
        }
        sample_s *= 1.0 + noise.drift * moment.rounds.floor();
        if let Some(clocks) = noise.clocks {
            self.slow ^= rng.random_bool(clocks.change);
            sample_s *= if self.slow { clocks.ratio } else { 1.0 };
        }
        if let Some(throttle) = noise.throttle.filter(|t| moment.rounds >= t.after_rounds) {
            sample_s *= throttle.ratio;
        }
        if let Some(factors) = noise.recorded {
            let place = self.place.unwrap_or_else(|| rng.random_range(0..factors.len()));
            sample_s *= factors[place];
            self.place = Some((place + 1) % factors.len());
        }
        if let Some(interference) = noise.interference {
            sample_s = interference.duration_s(sample_s, moment.now_s);
        }
        if let Some(preemption) = noise.preemption {
            sample_s += preemption.lost_s(sample_s, rng);
        }
        sample_s
    }
}

impl Interference {
    /// Returns the duration of `work_s` seconds of work that begins at `now_s`.
    fn duration_s(self, work_s: f64, now_s: f64) -> f64 {
        let (mut left_s, mut at_s) = (work_s, now_s);
        loop {
            let into_s = at_s.rem_euclid(self.period_s);
            let busy_s = self.share * self.period_s;
            let (until_s, ratio) =
                if into_s < busy_s { (busy_s, self.ratio) } else { (self.period_s, 1.0) };
            // Rounding may leave no time until the load changes. A minimum above zero steps past the change.
            let until_s = (until_s - into_s).max(1e-12);
            if left_s * ratio <= until_s {
                return at_s + left_s * ratio - now_s;
            }
            left_s -= until_s / ratio;
            at_s += until_s;
        }
    }
}

impl Preemption {
    /// Returns the seconds lost to preemption during `running_s` seconds of running.
    fn lost_s(self, running_s: f64, rng: &mut ChaCha8Rng) -> f64 {
        let (mut at_s, mut lost_s) = (0.0, 0.0);
        loop {
            at_s -= (1.0 - rng.random::<f64>()).ln() / self.per_s;
            if at_s > running_s {
                return lost_s;
            }
            lost_s += self.for_s;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn interference_slows_work_only_during_its_bursts() {
        let load = Interference { period_s: 10.0, share: 0.5, ratio: 2.0 };
        assert_eq!(load.duration_s(3.0, 6.0), 3.0);
        assert_eq!(load.duration_s(2.0, 0.0), 4.0);
        // 2.5 s of work is done by the end of the burst, and 1.5 s after it.
        assert_eq!(load.duration_s(4.0, 20.0), 6.5);
        // Each period completes 2.5 s + 5 s of work.
        assert_eq!(load.duration_s(75.0, 0.0), 100.0);
    }

    #[test]
    fn preemption_costs_long_samples_more() {
        let scheduler = Preemption { per_s: 100.0, for_s: 1.0 };
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut mean = |running_s: f64| {
            (0..2_000).map(|_| scheduler.lost_s(running_s, &mut rng)).sum::<f64>() / 2_000.0
        };
        assert!((mean(0.001) - 0.1).abs() < 0.03);
        assert!((mean(0.01) - 1.0).abs() < 0.1);
    }
}
