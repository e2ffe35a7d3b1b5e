//! What disturbs the spans of a machine.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Everything that may disturb a span, all at once; by default nothing does.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Noise {
    /// Relative standard deviation of a span.
    pub spread: f64,
    /// Chance that a span is three times as long.
    pub spikes: f64,
    /// Size of a tail that only lengthens: a span takes 1 + tail·(1/√u − 1) times as long, u uniform in 0
    /// to 1, so that its variance is infinite.
    pub tail: f64,
    /// Relative growth of all spans from one round to the next, since outputs were last looked at.
    pub drift: f64,
    /// Two clock rates.
    pub clocks: Option<Clocks>,
    /// A step down to stay.
    pub throttle: Option<Throttle>,
    /// Something else that comes and goes.
    pub interference: Option<Interference>,
    /// Something else that takes its turns.
    pub preemption: Option<Preemption>,
}

/// The device goes at either of two clocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clocks {
    /// Times as long at the slower one.
    pub ratio: f64,
    /// Chance to change over after a span.
    pub change: f64,
}

/// The device goes slower from some time on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttle {
    /// After how many rounds since outputs were last looked at, or part of one.
    pub after_rounds: f64,
    /// Times as long from then on.
    pub ratio: f64,
}

/// A neighbour is at work for the first part of every period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interference {
    /// The period in seconds.
    pub period_s: f64,
    /// Share of it.
    pub share: f64,
    /// Times as long while it is.
    pub ratio: f64,
}

/// A scheduler takes the device away for a while: the longer a span, the more often it is met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preemption {
    /// Times a second of running, at random.
    pub per_s: f64,
    /// For so long.
    pub for_s: f64,
}

impl Noise {
    /// A machine with nothing else to do: a little spread and a rare spike.
    pub const QUIET: Self = Self {
        spread: 0.003,
        spikes: 0.01,
        tail: 0.0,
        drift: 0.0,
        clocks: None,
        throttle: None,
        interference: None,
        preemption: None,
    };
}

/// Where a span lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Since the device was opened.
    pub(super) now_s: f64,
    /// Rounds since outputs were last looked at, the part of the present one included.
    pub(super) rounds: f64,
}

/// Noise with what it remembers from span to span.
#[derive(Debug)]
pub(super) struct Disturber {
    noise: Noise,
    slow: bool,
}

impl Disturber {
    pub(super) fn new(noise: Noise) -> Self {
        Self { noise, slow: false }
    }

    /// What becomes of a span of `true_s` seconds that begins at `moment`.
    pub(super) fn disturbed(&mut self, true_s: f64, moment: Moment, rng: &mut ChaCha8Rng) -> f64 {
        let noise = self.noise;
        // Twelve uniforms less six: a normal deviate near enough.
        let normal = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let spike = if rng.random_bool(noise.spikes) { 3.0 } else { 1.0 };
        let mut span_s = true_s * spike * (1.0 + noise.spread * normal).max(0.05);
        if noise.tail > 0.0 {
            span_s *= 1.0 + noise.tail * (1.0 / (1.0 - rng.random::<f64>()).sqrt() - 1.0);
        }
        span_s *= 1.0 + noise.drift * moment.rounds.floor();
        if let Some(clocks) = noise.clocks {
            self.slow ^= rng.random_bool(clocks.change);
            span_s *= if self.slow { clocks.ratio } else { 1.0 };
        }
        if let Some(throttle) = noise.throttle.filter(|t| moment.rounds >= t.after_rounds) {
            span_s *= throttle.ratio;
        }
        if let Some(interference) = noise.interference {
            span_s = interference.beside(span_s, moment.now_s);
        }
        if let Some(preemption) = noise.preemption {
            span_s += preemption.met(span_s, rng);
        }
        span_s
    }
}

impl Interference {
    /// How long work of `work_s` seconds takes from `now_s` on.
    fn beside(self, work_s: f64, now_s: f64) -> f64 {
        let (mut left_s, mut at_s) = (work_s, now_s);
        loop {
            let into_s = at_s.rem_euclid(self.period_s);
            let busy_s = self.share * self.period_s;
            let (until_s, ratio) =
                if into_s < busy_s { (busy_s, self.ratio) } else { (self.period_s, 1.0) };
            // Never nothing: where rounding leaves no time until the change, it is past it.
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
    /// Seconds lost in a span of `span_s` seconds of running.
    fn met(self, span_s: f64, rng: &mut ChaCha8Rng) -> f64 {
        let (mut at_s, mut lost_s) = (0.0, 0.0);
        loop {
            at_s -= (1.0 - rng.random::<f64>()).ln() / self.per_s;
            if at_s > span_s {
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
    fn interference_takes_its_share_of_long_work_and_none_between_bursts() {
        let neighbour = Interference { period_s: 10.0, share: 0.5, ratio: 2.0 };
        assert_eq!(neighbour.beside(3.0, 6.0), 3.0);
        assert_eq!(neighbour.beside(2.0, 0.0), 4.0);
        // 2.5 done by the end of the burst, 1.5 after it.
        assert_eq!(neighbour.beside(4.0, 20.0), 6.5);
        // A period does 2.5 + 5.
        assert_eq!(neighbour.beside(75.0, 0.0), 100.0);
    }

    #[test]
    fn preemption_meets_long_spans_more_often() {
        let scheduler = Preemption { per_s: 100.0, for_s: 1.0 };
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut mean = |span_s: f64| {
            (0..2_000).map(|_| scheduler.met(span_s, &mut rng)).sum::<f64>() / 2_000.0
        };
        assert!((mean(0.001) - 0.1).abs() < 0.03);
        assert!((mean(0.01) - 1.0).abs() < 0.1);
    }
}
