//! Runs one experiment, from its plan to its judged result.

use std::sync::atomic::AtomicBool;

use super::advice::add_advice;
use super::analysis::analyse;
use super::attempt::Attempt;
use super::controls::{CONTROLS, Controls};
use super::diagnosis::{add_case_diagnosis, add_clock_control};
use super::plan::{Context, Experiment, Plan, Unsupported};
use super::progress::{Progress, Stage};
use super::sampling::Sampled;
use super::seed::seed_of;
use super::session::Session;
use super::tuner::{Trying, Tuned};
use crate::gpu::GpuError;
use crate::model::{self, Check, Costs, Status, StoppedBy};

/// Runs `experiment` and judges it.
///
/// Once `stop` is set, the run ends after the current round and keeps the samples taken so far.
///
/// # Errors
/// Returns an error if the device fails. An unsupported experiment or a wrong output is a result, not an
/// error.
pub fn run(
    session: &mut Session,
    experiment: &Experiment,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<model::Experiment, GpuError> {
    let start_s = session.executor.elapsed_s();
    let built = session.executor.built();
    let seed = seed_of(session.seed, experiment.id);
    progress(Progress::before(Stage::Searching, 0.0));
    let (plan, tuned) = plan(session, experiment, seed, stop)?;
    let mut plan = match plan {
        Ok(plan) => plan,
        Err(Unsupported(reason)) => {
            session.spare_s += session.profile.budget_s;
            return Ok(unmeasured(experiment, Status::Unsupported, &reason));
        }
    };
    let is_narrow = session.has_fixed_clocks();
    let controls = Controls::add(&mut plan, is_narrow, seed);
    let planning_s = session.executor.elapsed_s() - start_s - tuned.seconds;
    let mut attempt = Attempt {
        session,
        experiment,
        plan: &plan,
        controls: &controls,
        seed,
        sampling_since_s: f64::NAN,
        idle_since_s: f64::NAN,
        stop,
        progress,
        costs: Costs { planning_s, searching_s: tuned.seconds, ..Costs::default() },
    };
    let sized = attempt.size()?;
    let mut checked = attempt.verify(&sized)?;
    let timed: Vec<usize> =
        (0..checked.len()).filter(|&i| checked[i].case.failure.is_none()).collect();
    let Sampled { samples, looks, stopped_by, states, other_load } =
        attempt.sample(&timed, &sized)?;
    let typical = attempt.typical(&samples, &sized);
    let costs = attempt.costs_since(built);
    for &index in &timed {
        checked[index].case.samples_s = samples.of(index);
        checked[index].case.rounds = samples.rounds_of(index);
        checked[index].bad = samples.bad(index);
    }

    let mut outcome = analyse(experiment, &plan, &controls, &samples, &typical, &looks);
    outcome.width = tuned.width;
    outcome.stopped_by = Some(stopped_by);
    outcome.other_load = other_load;
    outcome.states = states;
    add_clock_control(&plan, &session.clock, &mut outcome);
    add_case_diagnosis(&session.clock, &checked, &mut outcome);
    if stopped_by == StoppedBy::Interrupted && outcome.status != Status::Failed {
        outcome.status = Status::Interrupted;
        outcome.reason = Some("the run was stopped before the experiment was complete".to_owned());
        outcome.verdict = None;
    }
    if plan.undecided.is_empty() {
        add_advice(costs.sampling_s, &mut outcome);
    }
    outcome.workers = session.workers();
    outcome.searches = tuned.searches;
    outcome.costs = Some(costs);
    outcome.duration_s = session.executor.elapsed_s() - start_s;
    outcome.cases = checked.into_iter().map(|checked| checked.case).collect();
    let sure = plan.width.as_ref().and_then(|width| typical.sure(width));
    let width = sure.filter(|_| is_trusted(&outcome)).map(|width| width as u32);
    session.effective_width = width.or(session.effective_width);
    Ok(outcome)
}

/// Plans the experiment and autotunes its launch configurations.
fn plan(
    session: &mut Session,
    experiment: &Experiment,
    seed: u64,
    stop: &AtomicBool,
) -> Result<(Result<Plan, Unsupported>, Tuned), GpuError> {
    let facts = session.executor.facts().clone();
    let reported_width = session.reported_width();
    let width = session.effective_width.or(reported_width);
    let (profile, throughput) = (session.profile, session.throughput());
    let search = profile.search_on(facts.device_type);
    let Session { executor, found, .. } = &mut *session;
    let tuner = Trying::new(&mut **executor, found, search, throughput, stop);
    let context = Context::new(&facts, &profile, seed, &tuner);
    let plan = (experiment.plan)(&Context { width, reported_width, ..context });
    Ok((plan, tuner.finish()?))
}

/// Returns whether the experiment was measured, no required control is missing, and all controls passed.
fn is_trusted(outcome: &model::Experiment) -> bool {
    let has = |check: &Check| outcome.controls.iter().any(|control| control.check == *check);
    outcome.status == Status::Measured
        && CONTROLS.iter().all(has)
        && outcome.controls.iter().all(|control| control.passed)
}

/// Returns the result of an experiment that was not measured, with the reason.
#[must_use]
pub fn unmeasured(experiment: &Experiment, status: Status, reason: &str) -> model::Experiment {
    model::Experiment { reason: Some(reason.to_owned()), ..experiment.blank(status) }
}
