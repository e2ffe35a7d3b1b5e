//! Stopping: ends the rounds of all cases if intervals are narrow enough or no longer narrow, or if time or rounds run out.

use super::Profile;
use crate::model::StoppedBy;

/// Rounds between two looks at the intervals. Each look takes time.
const LOOK_EVERY: u32 = 3;
/// Number of looks over which the widest interval must narrow by 5 %. If it does not, the noise is stable.
const STABLE_LOOKS: usize = 6;
/// Multiple of the time budget that the least number of rounds may take.
const OVERDRAFT: f64 = 3.0;
/// Share of the time budget for rounds of all cases. The rest is for the cases that undecided points depend on.
const OF_ALL_CASES: f64 = 0.6;

/// Decides after each round whether sampling stops.
pub(super) struct Stopping {
    profile: Profile,
    /// Half-width at which intervals are narrow enough.
    sharp: f64,
    /// Largest half-width at each look so far.
    widths: Vec<f64>,
}

impl Stopping {
    /// Creates the decision for intervals that are judged by `tolerance`.
    ///
    /// A half-width of a tenth of the tolerance is always narrow enough.
    pub(super) fn new(profile: Profile, tolerance: f64) -> Self {
        Self { profile, sharp: profile.half_width.max(0.1 * tolerance), widths: Vec::new() }
    }

    /// Returns why to stop after `round` rounds and `spent_s` seconds, or `None` to continue.
    ///
    /// `widest` returns the largest half-width of the judged intervals. It is called only in rounds in which
    /// the decision looks at the intervals.
    pub(super) fn decide(
        &mut self,
        round: u32,
        spent_s: f64,
        widest: impl FnOnce() -> f64,
    ) -> Option<StoppedBy> {
        let Profile { budget_s, least_rounds, most_rounds, .. } = self.profile;
        if round < least_rounds {
            return (spent_s > OVERDRAFT * budget_s).then_some(StoppedBy::Time);
        }
        if spent_s > OF_ALL_CASES * budget_s {
            return Some(StoppedBy::Time);
        }
        if round >= most_rounds {
            return Some(StoppedBy::Rounds);
        }
        if !round.is_multiple_of(LOOK_EVERY) {
            return None;
        }
        let width = widest();
        if width <= self.sharp {
            return Some(StoppedBy::Precision);
        }
        self.widths.push(width);
        let before = self.widths.len().checked_sub(1 + STABLE_LOOKS)?;
        (width > 0.95 * self.widths[before]).then_some(StoppedBy::NoiseStable)
    }

    /// Returns the largest half-width at the last look, if it is finite.
    pub(super) fn half_width(&self) -> Option<f64> {
        self.widths.last().copied().filter(|width| width.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: Profile = Profile {
        budget_s: 10.0,
        least_rounds: 9,
        most_rounds: 60,
        half_width: 0.01,
        ..Profile::QUICK
    };

    #[test]
    fn narrow_intervals_stop_sampling_but_not_before_the_least_rounds() {
        let mut stopping = Stopping::new(PROFILE, 0.05);
        assert_eq!(stopping.decide(6, 1.0, || 0.001), None);
        assert_eq!(stopping.decide(9, 1.0, || 0.02), None);
        assert_eq!(stopping.decide(10, 1.0, || unreachable!("no look in this round")), None);
        assert_eq!(stopping.decide(12, 1.0, || 0.009), Some(StoppedBy::Precision));
    }

    #[test]
    fn a_wide_tolerance_accepts_wider_intervals() {
        assert_eq!(Stopping::new(PROFILE, 0.5).decide(9, 1.0, || 0.04), Some(StoppedBy::Precision));
    }

    #[test]
    fn intervals_that_no_longer_narrow_stop_sampling() {
        let mut stopping = Stopping::new(PROFILE, 0.05);
        let looks = [0.10, 0.08, 0.09, 0.09, 0.09, 0.09, 0.097];
        let decisions = (0..).zip(looks).map(|(i, w)| stopping.decide(9 + 3 * i, 1.0, || w));
        assert_eq!(
            decisions.collect::<Vec<_>>(),
            [None, None, None, None, None, None, Some(StoppedBy::NoiseStable)]
        );
    }

    #[test]
    fn the_budget_and_the_largest_number_of_rounds_stop_sampling() {
        let mut stopping = Stopping::new(PROFILE, 0.05);
        assert_eq!(stopping.decide(9, 5.5, || 1.0), None);
        assert_eq!(stopping.decide(3, 29.0, || 1.0), None);
        assert_eq!(stopping.decide(3, 31.0, || 1.0), Some(StoppedBy::Time));
        assert_eq!(stopping.decide(9, 6.5, || 1.0), Some(StoppedBy::Time));
        assert_eq!(stopping.decide(60, 1.0, || 1.0), Some(StoppedBy::Rounds));
    }
}
