//! An experiment in progress: sizes and verifies its cases, and records the time spent.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::controls::Controls;
use super::plan::{Experiment, Plan};
use super::profile::{MAX_TARGET_S, MIN_TICKS};
use super::progress::{Progress, Stage, VERIFYING};
use super::rounds::Samples;
use super::session::Session;
use super::sizing::{Length, Sized, size};
use super::typical::Typical;
use super::verify::Checked;
use crate::gpu::{Built, GpuError, OUT_OF_MEMORY};
use crate::model::{Case, Costs};

/// Failure of a case that an interrupted run did not verify.
const INTERRUPTED: &str = "the run was interrupted before verification";

/// Share of the spare time that an experiment may take, so that one hopeless point does not take it from all
/// experiments to come.
const OF_SPARE: f64 = 0.5;

/// One experiment in progress.
pub(super) struct Attempt<'a> {
    pub(super) session: &'a mut Session,
    pub(super) experiment: &'a Experiment,
    pub(super) plan: &'a Plan,
    pub(super) controls: &'a Controls,
    pub(super) seed: u64,
    /// Time of the executor at which sampling began.
    pub(super) sampling_since_s: f64,
    /// Time of the executor at which the last round ended.
    pub(super) idle_since_s: f64,
    pub(super) stop: &'a AtomicBool,
    pub(super) progress: &'a mut dyn FnMut(Progress),
    pub(super) costs: Costs,
}

impl Attempt<'_> {
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn elapsed_s(&self) -> f64 {
        self.session.executor.elapsed_s()
    }

    /// Returns the seconds since sampling began.
    pub(super) fn sampled_s(&self) -> f64 {
        self.elapsed_s() - self.sampling_since_s
    }

    /// Returns the seconds that sampling may take: the budget, and a share of what earlier experiments left.
    pub(super) fn limit_s(&self) -> f64 {
        self.session.profile.budget_s + OF_SPARE * self.session.spare_s
    }

    /// Estimates the typical sample times of all cases from the samples so far.
    pub(super) fn typical(&self, samples: &Samples, sized: &[Sized]) -> Typical {
        let scales = sized.iter().map(|case| case.scale).collect();
        Typical::of(samples, scales, self.session.clock.resolution_ns * 1e-9)
    }

    /// Returns how the time was spent, including the pipelines compiled since `before`.
    pub(super) fn costs_since(&self, before: Built) -> Costs {
        let built = self.session.executor.built();
        Costs {
            pipelines: built.pipelines - before.pipelines,
            compiling_s: built.seconds - before.seconds,
            ..self.costs
        }
    }

    /// Chooses the scale of every case.
    pub(super) fn size(&mut self) -> Result<Vec<Sized>, GpuError> {
        let began_s = self.elapsed_s();
        (self.progress)(Progress::before(Stage::Sizing, 0.0));
        let sample_s = self.session.profile.sample_s_on(self.session.adapter.device_type);
        let sample_s = sample_s / f64::from(self.plan.sample_divisor.max(1));
        let least_s = MIN_TICKS * self.session.clock.resolution_ns * 1e-9;
        let target_s = sample_s.max(least_s).min(MAX_TARGET_S);
        let throughput = self.session.throughput();
        let sized =
            size(&mut *self.session.executor, &self.plan.cases, target_s, throughput, self.stop)?;
        self.costs.sizing_s = self.elapsed_s() - began_s;
        Ok(sized)
    }

    /// Loads every case and compares every element of its output with the CPU reference.
    pub(super) fn verify(&mut self, sized: &[Sized]) -> Result<Vec<Checked>, GpuError> {
        let began_s = self.elapsed_s();
        let workloads: Vec<_> = sized.iter().map(|case| case.workload.clone()).collect();
        let refusals = self.session.executor.load(&workloads)?;
        let mut all = Vec::with_capacity(sized.len());
        for (index, (case, refusal)) in sized.iter().zip(refusals).enumerate() {
            let done = VERIFYING * index as f64 / sized.len() as f64;
            (self.progress)(Progress::before(Stage::Verifying, done));
            let mut mismatched = false;
            let is_of_device = case.workload.timing.is_of_device();
            let refused =
                is_of_device && refusal.as_deref().is_some_and(|reason| reason != OUT_OF_MEMORY);
            let mut subgroup_sizes = Vec::new();
            let unverified = if refusal.is_some() {
                refusal
            } else if self.is_stopped() {
                Some(INTERRUPTED.to_owned())
            } else if matches!(case.length, Length::NearsWatchdog(_)) {
                case.length.reason(&case.workload)
            } else {
                let wrong = self.session.executor.verify(index, &case.workload)?.err();
                mismatched = wrong.is_some();
                subgroup_sizes = self.session.executor.subgroup_sizes().to_vec();
                wrong.map(|mismatch| format!("wrong output: {mismatch}"))
            };
            let case = Case {
                id: self.plan.cases[index].id.clone(),
                verified: unverified.is_none(),
                scale: case.scale,
                subgroup_sizes,
                failure: unverified.or_else(|| case.length.reason(&case.workload)),
                rounds: Vec::new(),
                samples_s: Vec::new(),
            };
            let is_floor = self.plan.cases[index].is_floor;
            all.push(Checked { case, mismatched, refused, is_floor, bad: BTreeMap::new() });
        }
        self.costs.verifying_s = self.elapsed_s() - began_s;
        Ok(all)
    }
}
