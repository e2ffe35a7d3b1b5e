//! When to stop: sharp enough, no sharper with more rounds, or out of time.

use super::Profile;
use crate::model::StoppedBy;

/// Rounds between two looks at the intervals: looking is not free.
const LOOK_EVERY: u32 = 3;
/// Noise is stable when over so many looks the widest interval has not narrowed by a twentieth.
const STABLE_LOOKS: usize = 6;
/// The least number of rounds may overdraw the time budget this many times.
const OVERDRAFT: f64 = 3.0;

/// Decides after each round.
pub(super) struct Stopping {
    profile: Profile,
    sharp: f64,
    widths: Vec<f64>,
}

impl Stopping {
    /// For intervals judged by `tolerance`: one a tenth as wide leaves nothing to decide.
    pub(super) fn new(profile: Profile, tolerance: f64) -> Self {
        Self { profile, sharp: profile.half_width.max(0.1 * tolerance), widths: Vec::new() }
    }

    /// Why to stop after `round` rounds and `spent_s` seconds, if at all; `widest` looks at the judged
    /// intervals and gives the largest half-width.
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
        if spent_s > budget_s {
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

    /// How much of the way is behind, 0 to 1.
    pub(super) fn progress(&self, round: u32, spent_s: f64) -> f64 {
        let by_rounds = f64::from(round) / f64::from(self.profile.most_rounds);
        (spent_s / self.profile.budget_s).max(by_rounds).min(1.0)
    }

    /// Seconds left if nothing but time or rounds ends it: the least number of rounds, each as long as those so
    /// far, may take longer than the time budget.
    pub(super) fn left_s(&self, round: u32, spent_s: f64, timed_s: f64) -> f64 {
        let Profile { budget_s, least_rounds, most_rounds, .. } = self.profile;
        let round_s = timed_s / f64::from(round.max(1));
        let least_s = round_s * f64::from(least_rounds.saturating_sub(round));
        let most_s = round_s * f64::from(most_rounds.saturating_sub(round));
        (budget_s - spent_s).clamp(least_s, most_s.max(least_s))
    }

    /// The widest judged interval's half-width when last looked at, if it is finite.
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
    fn sharp_intervals_stop_it_but_never_before_the_least_rounds() {
        let mut stopping = Stopping::new(PROFILE, 0.05);
        assert_eq!(stopping.decide(6, 1.0, || 0.001), None);
        assert_eq!(stopping.decide(9, 1.0, || 0.02), None);
        assert_eq!(stopping.decide(10, 1.0, || unreachable!("no look this round")), None);
        assert_eq!(stopping.decide(12, 1.0, || 0.009), Some(StoppedBy::Precision));
    }

    #[test]
    fn a_wide_tolerance_is_content_with_wider_intervals() {
        assert_eq!(Stopping::new(PROFILE, 0.5).decide(9, 1.0, || 0.04), Some(StoppedBy::Precision));
    }

    #[test]
    fn noise_that_no_longer_narrows_stops_it() {
        let mut stopping = Stopping::new(PROFILE, 0.05);
        let looks = [0.10, 0.08, 0.09, 0.09, 0.09, 0.09, 0.097];
        let said = (0..).zip(looks).map(|(i, w)| stopping.decide(9 + 3 * i, 1.0, || w));
        assert_eq!(
            said.collect::<Vec<_>>(),
            [None, None, None, None, None, None, Some(StoppedBy::NoiseStable)]
        );
    }

    #[test]
    fn what_is_left_is_the_budget_or_the_rounds() {
        let stopping = Stopping::new(PROFILE, 0.05);
        assert_eq!(
            stopping.left_s(20, 4.0, 2.0),
            4.0,
            "40 rounds of 0.1 s, before the budget's 6 s"
        );
        assert_eq!(stopping.left_s(20, 4.0, 4.0), 6.0, "what the budget leaves, before 40 rounds");
        assert_eq!(
            stopping.left_s(3, 9.5, 9.0),
            18.0,
            "six rounds that must be, whatever they take"
        );
    }

    #[test]
    fn time_and_rounds_run_out() {
        let mut stopping = Stopping::new(PROFILE, 0.05);
        assert_eq!(stopping.decide(3, 29.0, || 1.0), None);
        assert_eq!(stopping.decide(3, 31.0, || 1.0), Some(StoppedBy::Time));
        assert_eq!(stopping.decide(9, 10.5, || 1.0), Some(StoppedBy::Time));
        assert_eq!(stopping.decide(60, 1.0, || 1.0), Some(StoppedBy::Rounds));
    }
}
