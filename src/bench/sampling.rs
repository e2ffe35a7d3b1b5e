//! Sampling: a warm-up, rounds of all cases, then extra rounds of the cases that undecided points depend on.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::analysis::widest;
use super::attempt::Attempt;
use super::controls::are_settled;
use super::formula::Formula;
use super::looks::Looks;
use super::pause::{busy_s, keep_busy};
use super::progress::{Progress, Stage, VERIFYING};
use super::rounds::Samples;
use super::sizing::Sized;
use super::stopping::Stopping;
use super::typical::Typical;
use crate::gpu::{GpuError, Span};
use crate::model::{DeviceState, StoppedBy};

/// Least time that a warm-up round counts as, in seconds, so that the warm-up ends even if all samples are
/// rejected.
const MIN_WARM_UP_S: f64 = 0.01;

/// Most seconds for which a warm-up goes on because the clocks still rise.
const MOST_RISING_S: f64 = 2.0;

/// Share of the canary's time in the round before above which the clocks count as settled.
const SETTLED: f64 = 0.98;

/// Largest number of rounds, as a multiple of the rounds of all cases.
const MOST_ROUNDS: usize = 32;

/// Samples with the looks at them, and the reason why sampling ended.
pub(super) struct Sampled {
    pub(super) samples: Samples,
    pub(super) looks: Looks,
    pub(super) stopped_by: StoppedBy,
    /// State of the device before and after.
    pub(super) states: Option<[DeviceState; 2]>,
    /// Cores that other processes kept busy meanwhile.
    pub(super) other_load: Option<f64>,
}

impl Attempt<'_> {
    /// Times rounds of the `timed` cases until there is a reason to stop.
    pub(super) fn sample(&mut self, timed: &[usize], sized: &[Sized]) -> Result<Sampled, GpuError> {
        let began_s = self.elapsed_s();
        self.warm_up(timed)?;
        self.idle_since_s = self.elapsed_s();
        let _load_before = self.session.executor.other_load();
        let state_before = self.session.executor.state();
        self.sampling_since_s = self.elapsed_s();
        self.costs.warming_s = self.sampling_since_s - began_s;
        let mut sampling = Sampling {
            timed,
            sized,
            samples: Samples::default(),
            rng: ChaCha8Rng::seed_from_u64(self.seed),
        };
        let mut looks = Looks::none(self.plan);
        let mut stopped_by = self.sample_all(&mut sampling)?;
        if stopped_by != StoppedBy::Interrupted {
            stopped_by = self.sample_undecided(&mut sampling, &mut looks, stopped_by)?;
        }
        self.costs.sampling_s = self.sampled_s();
        let left_s = self.session.profile.budget_s - self.sampled_s();
        self.session.spare_s = (self.session.spare_s + left_s).max(0.0);
        // The state first, before the device idles.
        let states = state_before.zip(self.session.executor.state()).map(|(a, b)| [a, b]);
        let other_load = self.session.executor.other_load();
        Ok(Sampled { samples: sampling.samples, looks, stopped_by, states, other_load })
    }

    /// Runs rounds that are not kept, in which the device leaves its idle clocks and caches and memory
    /// settle.
    ///
    /// The warm-up is counted by the samples' own times, so that the same device takes the same number of
    /// rounds.
    ///
    /// The rounds of a GPU go on until the canary takes at least [`SETTLED`] of its time in the round before. This sees
    /// clocks that rise from round to round. Clocks that rise in one step are covered only by the least time.
    fn warm_up(&mut self, order: &[usize]) -> Result<(), GpuError> {
        let warm_up_s = self.session.warm_up_s();
        let canary = order.iter().position(|&case| case == self.controls.canary());
        let (mut busy_s, mut before_s, mut is_settled) = (0.0, f64::INFINITY, false);
        while busy_s < warm_up_s || !is_settled && busy_s < warm_up_s + MOST_RISING_S {
            if self.is_stopped() {
                break;
            }
            let samples = self.session.executor.round(order)?;
            busy_s += samples.iter().flatten().sum::<f64>().max(MIN_WARM_UP_S);
            let canary_s = canary.and_then(|place| samples[place].ok()).unwrap_or(before_s);
            is_settled = self.session.has_fixed_clocks() || canary_s >= SETTLED * before_s;
            before_s = canary_s;
        }
        Ok(())
    }

    /// Times rounds of all cases until there is a reason to stop, and returns that reason.
    ///
    /// The reason never depends on a verdict.
    fn sample_all(&mut self, sampling: &mut Sampling<'_>) -> Result<StoppedBy, GpuError> {
        let mut stopping = Stopping::new(self.session.profile, self.experiment.tolerance.ratio);
        let cases = self.controls.round(sampling.timed.iter().copied());
        let cases = sampling.only_timed(cases);
        for round in 1.. {
            if self.is_stopped() {
                return Ok(StoppedBy::Interrupted);
            }
            let samples = self.round(&cases, &mut sampling.rng)?;
            sampling.samples.push(samples);
            let spent_s = self.sampled_s();
            self.report(&sampling.samples, stopping.half_width());
            let look = || widest(self.plan, &self.typical(&sampling.samples, sampling.sized));
            let reason = stopping.decide(round, spent_s, look);
            self.costs.looking_s += self.sampled_s() - spent_s;
            if let Some(reason) = reason {
                return Ok(reason);
            }
        }
        unreachable!("sampling stops at the largest number of rounds")
    }

    /// Looks at the verdicts, and times extra rounds of the cases that undecided points depend on, until all
    /// points are decided or time is up. `before` is the reason why the rounds of all cases ended.
    ///
    /// Each look follows as many extra rounds as there were rounds before, because more looks need more
    /// confidence.
    fn sample_undecided(
        &mut self,
        sampling: &mut Sampling<'_>,
        looks: &mut Looks,
        before: StoppedBy,
    ) -> Result<StoppedBy, GpuError> {
        loop {
            let Some(cases) = self.look(sampling, looks) else {
                let is_decided = looks.undecided(self.plan).is_empty();
                let was_narrow =
                    before == StoppedBy::Precision && sampling.samples.extra_rounds() == 0;
                return Ok(match (is_decided, was_narrow) {
                    (_, true) => before,
                    (true, false) => StoppedBy::Decided,
                    (false, false) => StoppedBy::Exhausted,
                });
            };
            let cases = sampling.only_timed(self.controls.round(cases));
            let rounds = sampling.samples.whole_rounds() + sampling.samples.extra_rounds();
            if rounds >= MOST_ROUNDS * sampling.samples.whole_rounds() {
                return Ok(StoppedBy::Rounds);
            }
            for round in 0..rounds {
                if self.is_stopped() {
                    return Ok(StoppedBy::Interrupted);
                }
                if self.sampled_s() >= self.limit_s() {
                    if round > 0 {
                        let _open = self.look(sampling, looks);
                    }
                    return Ok(StoppedBy::Time);
                }
                let samples = self.round(&cases, &mut sampling.rng)?;
                sampling.samples.push_extra(samples);
                self.report(&sampling.samples, None);
            }
        }
    }

    /// Looks at the verdicts.
    ///
    /// Returns the cases whose samples would narrow the intervals of undecided points; `None` if no further sample can
    /// change the verdict of the experiment.
    fn look(&mut self, sampling: &Sampling<'_>, looks: &mut Looks) -> Option<BTreeSet<usize>> {
        let began_s = self.elapsed_s();
        let typical = self.typical(&sampling.samples, sampling.sized);
        looks.look(self.plan, &typical, self.experiment.tolerance.ratio);
        let cases = self.undecided(&sampling.samples, &typical, looks);
        self.costs.looking_s += self.elapsed_s() - began_s;
        cases
    }

    /// Returns what [`look`](Self::look) returns, from the looks so far.
    fn undecided(
        &self,
        samples: &Samples,
        typical: &Typical,
        looks: &Looks,
    ) -> Option<BTreeSet<usize>> {
        let points = looks.undecided(self.plan);
        let ratios = points.iter().map(|&index| &self.plan.points[index].ratio);
        let tolerance = self.experiment.tolerance.ratio;
        // No number of samples decides an unknown ratio, or one that only its spread bound keeps undecided.
        let can_be_decided = |ratio: &&Formula| {
            let evidence = typical.evidence(ratio, looks.next());
            typical.read(ratio).is_finite() && evidence.is_open(tolerance)
        };
        let cases: BTreeSet<usize> = ratios
            .filter(can_be_decided)
            .flat_map(|ratio| typical.widening(ratio, looks.next()))
            .collect();
        let controls = self.controls.read(samples, typical, tolerance);
        let is_open = !cases.is_empty() || !are_settled(&controls);
        is_open.then_some(cases)
    }

    /// Times the cases, each as often as it is in `cases`, in a fresh random order.
    fn round(
        &mut self,
        cases: &[usize],
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<(usize, Span)>, GpuError> {
        let mut order = cases.to_vec();
        order.shuffle(rng);
        self.make_up_for_pause(cases)?;
        let samples = self.session.executor.round(&order)?;
        self.idle_since_s = self.elapsed_s();
        self.costs.in_samples_s += samples.iter().flatten().sum::<f64>();
        self.costs.samples += samples.len() as u64;
        Ok(order.into_iter().zip(samples).collect())
    }

    /// Keeps the device busy for as long as it idled since the last round, so that its clocks are up again when the
    /// next round begins, of `cases`. The time counts as warming up.
    fn make_up_for_pause(&mut self, cases: &[usize]) -> Result<(), GpuError> {
        let canary = self.controls.canary();
        let began_s = self.elapsed_s();
        let device_type = self.session.adapter.device_type;
        let executor = &mut *self.session.executor;
        let busy_s = busy_s(device_type, began_s - self.idle_since_s);
        // The canary is not among the cases if it cannot be timed.
        if cases.contains(&canary) && keep_busy(executor, &[canary], busy_s)? {
            let took_s = self.elapsed_s() - began_s;
            self.costs.warming_s += took_s;
            self.sampling_since_s += took_s;
        }
        Ok(())
    }

    fn report(&mut self, samples: &Samples, half_width: Option<f64>) {
        let (sampled_s, limit_s) = (self.sampled_s(), self.limit_s());
        (self.progress)(Progress {
            stage: Stage::Timing,
            done: VERIFYING + (1.0 - VERIFYING) * (sampled_s / limit_s).min(1.0),
            rounds: (samples.whole_rounds() + samples.extra_rounds()) as u32,
            half_width,
            left_s: Some((limit_s - sampled_s).max(0.0)),
        });
    }
}

/// What the rounds of an experiment have in common.
struct Sampling<'a> {
    /// The cases that can be timed.
    timed: &'a [usize],
    sized: &'a [Sized],
    samples: Samples,
    rng: ChaCha8Rng,
}

impl Sampling<'_> {
    fn only_timed(&self, mut cases: Vec<usize>) -> Vec<usize> {
        cases.retain(|case| self.timed.contains(case));
        cases
    }
}
