//! The clock rate over time.

use super::machine::Governor;

/// The state of the clock.
#[derive(Debug)]
pub(super) struct Clock {
    governor: Governor,
    /// Work since the last long pause, in seconds.
    busy_s: f64,
    /// End of the last work.
    until_s: f64,
}

impl Clock {
    pub(super) fn new(governor: Governor) -> Self {
        Self { governor, busy_s: 0.0, until_s: f64::NEG_INFINITY }
    }

    /// Returns the duration of work that begins at `now_s` and takes `full_s` seconds at the full rate.
    pub(super) fn duration_s(&mut self, now_s: f64, full_s: f64) -> f64 {
        let Governor { low, up_s, down_s } = self.governor;
        if now_s - self.until_s > down_s {
            self.busy_s = 0.0;
        }
        // What is done at the low rate, and the rest at the full rate.
        let slow_s = (up_s - self.busy_s).clamp(0.0, (full_s * low).max(0.0));
        let duration_s = slow_s + (full_s - slow_s / low);
        self.busy_s += duration_s.max(0.0);
        self.until_s = now_s + duration_s.max(0.0);
        duration_s
    }

    /// Records that the last work ended at `now_s`. Noise may have changed its length.
    pub(super) fn ended(&mut self, now_s: f64) {
        self.until_s = now_s;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_low_after_a_pause_until_enough_work_is_done() {
        let mut clock = Clock::new(Governor { low: 3.0, up_s: 0.3, down_s: 0.1 });
        // 0.3 s at a third of the rate do 0.1 s of work.
        assert!((clock.duration_s(0.0, 0.2) - 0.4).abs() < 1e-12);
        assert_eq!(clock.duration_s(0.45, 0.2), 0.2);
        assert!((clock.duration_s(1.0, 0.05) - 0.15).abs() < 1e-12);
        assert!((clock.duration_s(1.16, 0.1) - 0.2).abs() < 1e-12);
    }

    #[test]
    fn a_steady_clock_changes_nothing() {
        let mut clock = Clock::new(Governor::STEADY);
        assert_eq!(clock.duration_s(0.0, 0.2), 0.2);
        assert_eq!(clock.duration_s(99.0, 0.2), 0.2);
    }
}
