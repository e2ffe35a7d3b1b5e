//! One experiment from its plan to its judged result.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::analysis::analyse;
use super::controls::{CONTROLS, Controls};
use super::plan::{Context, Experiment, Plan, Unsupported};
use super::profile::{LEAST_TICKS, MOST_TARGET_S};
use super::remarks::{add_case_remarks, add_clock_control};
use super::replay::seed_of;
use super::rounds::Samples;
use super::session::Session;
use super::sizing::{Length, Sized, size};
use super::tuner::Trying;
use super::typical::Typical;
use super::verify::{Checked, verify};
use crate::gpu::{Built, GpuError};
use crate::model::{self, Case, Check, Costs, Status, StoppedBy};

/// Where an experiment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Choosing launch configurations.
    Searching,
    /// Choosing how much work a span holds.
    Sizing,
    /// Comparing outputs with their twins.
    Verifying,
    /// Timing.
    Timing,
}

/// Told to whoever draws the progress bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// How much of the experiment is done, 0 to 1.
    pub done: f64,
    /// Rounds so far.
    pub rounds: u32,
    /// Half-width of the widest judged interval, once there is one.
    pub half_width: Option<f64>,
    /// Seconds left, or less if the intervals become sharp before; once rounds are timed.
    pub left_s: Option<f64>,
}

impl Progress {
    /// Before the first round.
    fn before(stage: Stage, done: f64) -> Self {
        Self { stage, done, rounds: 0, half_width: None, left_s: None }
    }
}

/// Verification's share of the progress bar.
pub(super) const VERIFYING: f64 = 0.2;

/// Why a case was not verified.
const INTERRUPTED: &str = "interrupted";

/// An experiment's result, and what those after it build on.
pub struct Outcome {
    /// The result.
    pub experiment: model::Experiment,
    /// Lanes in lockstep, where the experiment established them.
    pub width: Option<u32>,
}

/// Runs `experiment` and judges it. Once `stop` is set it ends after the round in hand and keeps what
/// it has.
///
/// # Errors
/// When the device fails; what an experiment cannot do or gets wrong is a result, not an error.
pub fn run(
    session: &mut Session,
    experiment: &Experiment,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Outcome, GpuError> {
    let start_s = session.executor.elapsed_s();
    let built = session.executor.built();
    let seed = seed_of(session.seed, experiment.id);
    progress(Progress::before(Stage::Searching, 0.0));
    let Planned { plan, searches, searching_s } = plan(session, experiment, seed, stop)?;
    let mut plan = match plan {
        Ok(plan) => plan,
        Err(unsupported) => {
            let experiment = unmeasured(experiment, Status::Unsupported, &unsupported.0);
            return Ok(Outcome { experiment, width: None });
        }
    };
    let controls = Controls::add(&mut plan, seed);
    let planning_s = session.executor.elapsed_s() - start_s - searching_s;
    let mut attempt = Attempt {
        session,
        experiment,
        plan: &plan,
        controls: &controls,
        seed,
        // The time budget is for measuring.
        start_s: start_s + searching_s,
        stop,
        progress,
        costs: Costs { planning_s, searching_s, ..Costs::default() },
    };
    let sized = attempt.size()?;
    let mut checked = attempt.verify(&sized)?;
    let timed: Vec<usize> =
        (0..checked.len()).filter(|&i| checked[i].case.failure.is_none()).collect();
    let (samples, stopped_by) = attempt.sample(&timed, &sized)?;
    let typical = attempt.typical(&samples, &sized);
    let costs = attempt.costs_since(built);
    for &index in &timed {
        checked[index].case.samples_s = samples.of(index);
        checked[index].bad = samples.bad(index);
    }

    let mut outcome = analyse(experiment, &plan, &controls, &samples, &typical);
    outcome.stopped_by = Some(stopped_by);
    add_clock_control(&session.clock, &mut outcome);
    add_case_remarks(&session.clock, &checked, &mut outcome);
    if stopped_by == StoppedBy::Interrupted && outcome.status != Status::Failed {
        outcome.status = Status::Interrupted;
        outcome.reason = Some("stopped before it was done".to_owned());
        outcome.verdict = None;
    }
    outcome.searches = searches;
    outcome.costs = Some(costs);
    outcome.duration_s = session.executor.elapsed_s() - start_s;
    outcome.cases = checked.into_iter().map(|checked| checked.case).collect();
    let sure = plan.width.as_ref().and_then(|width| typical.sure(width));
    let width = sure.filter(|_| is_trusted(&outcome)).map(|width| width as u32);
    session.effective_width = width.or(session.effective_width);
    Ok(Outcome { experiment: outcome, width })
}

/// A plan with the searches that its launch configurations come from.
struct Planned {
    plan: Result<Plan, Unsupported>,
    searches: Vec<model::Search>,
    searching_s: f64,
}

fn plan(
    session: &mut Session,
    experiment: &Experiment,
    seed: u64,
    stop: &AtomicBool,
) -> Result<Planned, GpuError> {
    let facts = session.executor.facts().clone();
    let reported_width = session.reported_width();
    let width = session.effective_width.or(reported_width);
    let (profile, throughput) = (session.profile, session.throughput());
    let Session { executor, found, .. } = &mut *session;
    let tuner = Trying::new(&mut **executor, found, profile.search, throughput, stop);
    let context = Context::new(&facts, &profile, seed, &tuner);
    let plan = (experiment.plan)(&Context { width, reported_width, ..context });
    let (searches, searching_s) = tuner.finish()?;
    Ok(Planned { plan, searches, searching_s })
}

/// Whether nothing says that an experiment measured something else than it should.
fn is_trusted(outcome: &model::Experiment) -> bool {
    let has = |check: &Check| outcome.controls.iter().any(|control| control.check == *check);
    outcome.status == Status::Measured
        && CONTROLS.iter().all(has)
        && outcome.controls.iter().all(|control| control.passed)
}

/// The result of an experiment that was not measured, and why.
#[must_use]
pub fn unmeasured(experiment: &Experiment, status: Status, reason: &str) -> model::Experiment {
    model::Experiment {
        id: experiment.id.to_owned(),
        category: experiment.category,
        law: experiment.law.to_owned(),
        status,
        reason: Some(reason.to_owned()),
        verdict: None,
        stopped_by: None,
        rounds: 0,
        duration_s: 0.0,
        costs: None,
        tolerance: None,
        tolerance_reason: None,
        searches: Vec::new(),
        metrics: Vec::new(),
        curves: Vec::new(),
        points: Vec::new(),
        controls: Vec::new(),
        diagnosis: Vec::new(),
        cases: Vec::new(),
    }
}

/// One experiment under way.
pub(super) struct Attempt<'a> {
    pub(super) session: &'a mut Session,
    pub(super) experiment: &'a Experiment,
    pub(super) plan: &'a Plan,
    pub(super) controls: &'a Controls,
    pub(super) seed: u64,
    pub(super) start_s: f64,
    pub(super) stop: &'a AtomicBool,
    pub(super) progress: &'a mut dyn FnMut(Progress),
    pub(super) costs: Costs,
}

impl Attempt<'_> {
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn spent_s(&self) -> f64 {
        self.session.executor.elapsed_s() - self.start_s
    }

    /// What the samples so far make each case typically take.
    pub(super) fn typical(&self, samples: &Samples, sized: &[Sized]) -> Typical {
        let scales = sized.iter().map(|case| case.scale).collect();
        Typical::of(samples, scales, self.session.clock.resolution_ns * 1e-9)
    }

    /// Where the time went, with what was compiled since.
    fn costs_since(&self, before: Built) -> Costs {
        let built = self.session.executor.built();
        Costs {
            pipelines: built.pipelines - before.pipelines,
            compiling_s: built.seconds - before.seconds,
            ..self.costs
        }
    }

    fn size(&mut self) -> Result<Vec<Sized>, GpuError> {
        let began_s = self.spent_s();
        (self.progress)(Progress::before(Stage::Sizing, 0.0));
        let span_s = self.session.profile.span_s / f64::from(self.plan.sample_divisor.max(1));
        let least_s = LEAST_TICKS * self.session.clock.resolution_ns * 1e-9;
        let target_s = span_s.max(least_s).min(MOST_TARGET_S);
        let throughput = self.session.throughput();
        let sized =
            size(&mut *self.session.executor, &self.plan.cases, target_s, throughput, self.stop)?;
        self.costs.sizing_s = self.spent_s() - began_s;
        Ok(sized)
    }

    /// Loads every case and compares every element of its output.
    fn verify(&mut self, sized: &[Sized]) -> Result<Vec<Checked>, GpuError> {
        let began_s = self.spent_s();
        let workloads: Vec<_> = sized.iter().map(|case| case.workload.clone()).collect();
        let refusals = self.session.executor.load(&workloads)?;
        let mut all = Vec::with_capacity(sized.len());
        for (index, (case, refusal)) in sized.iter().zip(refusals).enumerate() {
            let done = VERIFYING * index as f64 / sized.len() as f64;
            (self.progress)(Progress::before(Stage::Verifying, done));
            let (mut mismatched, refused) = (false, refusal.is_some());
            let unverified = if refused {
                refusal
            } else if self.is_stopped() {
                Some(INTERRUPTED.to_owned())
            } else if matches!(case.length, Length::NearsWatchdog(_)) {
                case.length.reason()
            } else {
                let wrong = verify(&mut *self.session.executor, index, &case.workload)?.err();
                mismatched = wrong.is_some();
                wrong.map(|mismatch| format!("wrong output: {mismatch}"))
            };
            let case = Case {
                id: self.plan.cases[index].id.clone(),
                verified: unverified.is_none(),
                scale: case.scale,
                failure: unverified.or_else(|| case.length.reason()),
                samples_s: Vec::new(),
            };
            let is_floor = self.plan.cases[index].is_floor;
            all.push(Checked { case, mismatched, refused, is_floor, bad: BTreeMap::new() });
        }
        self.costs.verifying_s = self.spent_s() - began_s;
        Ok(all)
    }
}

/// A seed nobody chose.
#[must_use]
pub fn seed_from_time() -> u64 {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64);
    // Short enough to type back on a command line and exact in every JSON reader.
    ChaCha8Rng::seed_from_u64(nanos).random_range(0..1 << 32)
}
