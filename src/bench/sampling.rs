//! Sampling: a warm-up, then rounds until there is a reason to stop.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::analysis::{undecided, widest};
use super::attempt::Attempt;
use super::progress::{Progress, Stage, VERIFYING};
use super::rounds::Samples;
use super::sizing::Sized;
use super::stopping::Stopping;
use crate::gpu::{GpuError, Span};
use crate::model::StoppedBy;

/// Least time that a warm-up round counts as, in seconds, so that the warm-up ends even if all samples are
/// rejected.
const MIN_WARM_UP_S: f64 = 0.01;

/// Share of the time budget for extra rounds of the cases that undecided points depend on.
const UNDECIDED: f64 = 0.15;

impl Attempt<'_> {
    /// Times rounds of the `timed` cases until there is a reason to stop. Returns the samples and that
    /// reason.
    pub(super) fn sample(
        &mut self,
        timed: &[usize],
        sized: &[Sized],
    ) -> Result<(Samples, StoppedBy), GpuError> {
        let mut order = timed.to_vec();
        let began_s = self.spent_s();
        self.warm_up(&order)?;
        let warm_s = self.spent_s();
        self.costs.warming_s = warm_s - began_s;
        let mut samples = Samples::default();
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let reason = self.sample_all(&mut order, sized, &mut samples, &mut rng)?;
        if reason != StoppedBy::Interrupted {
            self.sample_undecided(timed, sized, &mut samples, &mut rng)?;
        }
        self.costs.sampling_s = self.spent_s() - warm_s;
        Ok((samples, reason))
    }

    /// Runs rounds that are not kept, in which the device leaves its idle clocks and caches and memory
    /// settle.
    ///
    /// The warm-up is counted by the samples' own times, so that the same device takes the same number of
    /// rounds.
    fn warm_up(&mut self, order: &[usize]) -> Result<(), GpuError> {
        let mut busy_s = 0.0;
        while busy_s < self.session.profile.warm_up_s && !self.is_stopped() {
            let samples = self.session.executor.round(order)?;
            busy_s += samples.iter().flatten().sum::<f64>().max(MIN_WARM_UP_S);
        }
        Ok(())
    }

    /// Times rounds of the cases in `order` until there is a reason to stop, and returns that reason.
    fn sample_all(
        &mut self,
        order: &mut [usize],
        sized: &[Sized],
        samples: &mut Samples,
        rng: &mut ChaCha8Rng,
    ) -> Result<StoppedBy, GpuError> {
        let mut stopping = Stopping::new(self.session.profile, self.experiment.tolerance.ratio);
        let began_s = self.spent_s();
        for round in 1.. {
            if self.is_stopped() {
                return Ok(StoppedBy::Interrupted);
            }
            samples.push(self.round(order, rng, sized.len())?, false);
            let spent_s = self.spent_s();
            let share = stopping.progress(round, spent_s);
            (self.progress)(Progress {
                stage: Stage::Timing,
                done: VERIFYING + (1.0 - VERIFYING) * share,
                rounds: round,
                half_width: stopping.half_width(),
                left_s: Some(stopping.left_s(round, spent_s, spent_s - began_s)),
            });
            let look = || widest(self.plan, &self.typical(samples, sized));
            let reason = stopping.decide(round, spent_s, look);
            self.costs.looking_s += self.spent_s() - spent_s;
            if let Some(reason) = reason {
                return Ok(reason);
            }
        }
        unreachable!("sampling stops at the largest number of rounds")
    }

    /// Times every case in `order` once, in a fresh random order.
    ///
    /// Returns one entry for each of the plan's `cases` cases; `None` for a case that is not in `order`.
    fn round(
        &mut self,
        order: &mut [usize],
        rng: &mut ChaCha8Rng,
        cases: usize,
    ) -> Result<Vec<Option<Span>>, GpuError> {
        order.shuffle(rng);
        let mut row = vec![None; cases];
        for (&case, sample) in order.iter().zip(self.session.executor.round(order)?) {
            self.costs.in_samples_s += sample.unwrap_or(0.0);
            self.costs.samples += 1;
            row[case] = Some(sample);
        }
        Ok(row)
    }

    /// Times extra rounds of the controls and of the cases that undecided points depend on.
    ///
    /// The duration does not depend on the new samples, so that sampling does not continue until a verdict
    /// appears.
    fn sample_undecided(
        &mut self,
        timed: &[usize],
        sized: &[Sized],
        samples: &mut Samples,
        rng: &mut ChaCha8Rng,
    ) -> Result<(), GpuError> {
        let tolerance = self.experiment.tolerance.ratio;
        let mut cases = undecided(self.plan, &self.typical(samples, sized), tolerance);
        if cases.is_empty() {
            return Ok(());
        }
        cases.extend(self.controls.cases());
        let mut order: Vec<usize> = timed.iter().copied().filter(|c| cases.contains(c)).collect();
        let until_s = self.spent_s() + UNDECIDED * self.session.profile.budget_s;
        let most = samples.whole_rounds();
        for _ in 0..most {
            if self.is_stopped() || self.spent_s() > until_s {
                break;
            }
            samples.push(self.round(&mut order, rng, sized.len())?, true);
        }
        Ok(())
    }
}
