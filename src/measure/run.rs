//! One experiment from its plan to its judged result.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::analysis::{analyse, undecided, widest};
use super::controls::Controls;
use super::plan::{Context, Experiment, Plan};
use super::profile::{LEAST_TICKS, MOST_TARGET_S};
use super::remarks::{add_case_remarks, add_clock_control};
use super::rounds::Samples;
use super::session::Session;
use super::sizing::{Length, Sized, size};
use super::stopping::Stopping;
use super::typical::Typical;
use super::verify::{Checked, verify};
use crate::gpu::{GpuError, Span};
use crate::record::{self, Case, Status};
use crate::stats::tolerance;

/// Where an experiment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
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
const VERIFYING: f64 = 0.2;

/// How long a device is kept busy before the first round counts.
const WARM_UP_S: f64 = 0.15;
/// What a round of warming up counts at least, so that lost stamps cannot make it endless.
const LEAST_WARM_UP_S: f64 = 0.01;

/// Share of the time budget that goes once more to the cases behind undecided points.
const UNDECIDED: f64 = 0.15;

const INTERRUPTED: &str = "interrupted";

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
) -> Result<(record::Experiment, Vec<Case>), GpuError> {
    let start_s = session.executor.elapsed_s();
    let seed = seed_of(session.seed, experiment.id);
    let facts = session.executor.facts().clone();
    let reported_width = session.reported_width();
    let context = Context {
        facts: &facts,
        width: session.effective_width.or(reported_width),
        reported_width,
        profile: &session.profile,
        seed,
    };
    let mut plan = match (experiment.plan)(&context) {
        Ok(plan) => plan,
        Err(unsupported) => {
            let outcome = unmeasured(experiment, Status::Unsupported, &unsupported.0);
            return Ok((outcome, Vec::new()));
        }
    };
    let controls = Controls::add(&mut plan, seed);
    let mut attempt = Attempt {
        session,
        experiment,
        plan: &plan,
        controls: &controls,
        seed,
        start_s,
        stop,
        progress,
    };
    let sized = attempt.size()?;
    let mut checked = attempt.verify(&sized)?;
    let timed: Vec<usize> =
        (0..checked.len()).filter(|&i| checked[i].case.failure.is_none()).collect();
    let (samples, stopped_by) = attempt.time(&timed, &sized)?;
    let typical = attempt.typical(&samples, &sized);
    for &index in &timed {
        checked[index].case.samples_s = samples.of(index);
        checked[index].bad = samples.bad(index);
    }

    let mut outcome = analyse(experiment, &plan, &controls, &samples, &typical);
    outcome.stopped_by = Some(stopped_by.to_owned());
    add_clock_control(&session.clock, &mut outcome);
    add_case_remarks(&session.clock, &checked, &mut outcome);
    if stopped_by == INTERRUPTED && outcome.status != Status::Failed {
        outcome.status = Status::Interrupted;
        outcome.reason = Some("stopped before it was done".to_owned());
        outcome.verdict = None;
    }
    outcome.duration_s = session.executor.elapsed_s() - start_s;
    session.learn_from(&outcome);
    Ok((outcome, checked.into_iter().map(|checked| checked.case).collect()))
}

/// The result of an experiment that was not measured, and why.
#[must_use]
pub fn unmeasured(experiment: &Experiment, status: Status, reason: &str) -> record::Experiment {
    record::Experiment {
        id: experiment.id.to_owned(),
        idea: experiment.idea.word().to_owned(),
        law: experiment.law.to_owned(),
        status,
        reason: Some(reason.to_owned()),
        verdict: None,
        stopped_by: None,
        rounds: 0,
        duration_s: 0.0,
        tolerance: None,
        parameters: Vec::new(),
        findings: Vec::new(),
        points: Vec::new(),
        controls: Vec::new(),
        diagnosis: Vec::new(),
    }
}

/// An experiment's choices do not depend on which others run.
fn seed_of(seed: u64, id: &str) -> u64 {
    id.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// One experiment under way.
struct Attempt<'a> {
    session: &'a mut Session,
    experiment: &'a Experiment,
    plan: &'a Plan,
    controls: &'a Controls,
    seed: u64,
    start_s: f64,
    stop: &'a AtomicBool,
    progress: &'a mut dyn FnMut(Progress),
}

impl Attempt<'_> {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn spent_s(&self) -> f64 {
        self.session.executor.elapsed_s() - self.start_s
    }

    /// What the samples so far make each case typically take.
    fn typical(&self, samples: &Samples, sized: &[Sized]) -> Typical {
        let scales = sized.iter().map(|case| case.scale).collect();
        Typical::of(samples, scales, self.session.clock.resolution_ns * 1e-9)
    }

    fn size(&mut self) -> Result<Vec<Sized>, GpuError> {
        (self.progress)(Progress::before(Stage::Sizing, 0.0));
        let span_s = self.session.profile.span_s / f64::from(self.plan.brevity.max(1));
        let least_s = LEAST_TICKS * self.session.clock.resolution_ns * 1e-9;
        let target_s = span_s.max(least_s).min(MOST_TARGET_S);
        let pace = self.session.pace();
        size(&mut *self.session.executor, &self.plan.cases, target_s, pace, self.stop)
    }

    /// Loads every case and compares every element of its output.
    fn verify(&mut self, sized: &[Sized]) -> Result<Vec<Checked>, GpuError> {
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
                id: format!("{}.{}", self.experiment.id, self.plan.cases[index].id),
                samples_s: Vec::new(),
                verified: unverified.is_none(),
                scale: case.scale,
                failure: unverified.or_else(|| case.length.reason()),
            };
            all.push(Checked { case, mismatched, refused, bad: BTreeMap::new() });
        }
        Ok(all)
    }

    /// Rounds of the `timed` cases until there is a reason to stop, which is given too.
    fn time(
        &mut self,
        timed: &[usize],
        sized: &[Sized],
    ) -> Result<(Samples, &'static str), GpuError> {
        let mut samples = Samples::default();
        let mut stopping = Stopping::new(self.session.profile, tolerance::of(self.experiment.id));
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut order = timed.to_vec();
        let mut busy_s = 0.0;
        while busy_s < WARM_UP_S && !self.is_stopped() {
            // Not kept: the device leaves its idle clocks, and caches and memory settle. Counted by its own
            // spans, so that the same device takes the same number of rounds.
            let spans = self.session.executor.round(&order)?;
            busy_s += spans.iter().flatten().sum::<f64>().max(LEAST_WARM_UP_S);
        }
        let began_s = self.spent_s();
        for round in 1.. {
            if self.is_stopped() {
                return Ok((samples, INTERRUPTED));
            }
            samples.push(self.round(&mut order, &mut rng, sized.len())?, false);
            let spent_s = self.spent_s();
            let share = stopping.progress(round, spent_s);
            (self.progress)(Progress {
                stage: Stage::Timing,
                done: VERIFYING + (1.0 - VERIFYING) * share,
                rounds: round,
                half_width: stopping.half_width(),
                left_s: Some(stopping.left_s(round, spent_s, spent_s - began_s)),
            });
            let look = || widest(self.plan, &self.typical(&samples, sized));
            if let Some(reason) = stopping.decide(round, spent_s, look) {
                self.time_undecided(timed, sized, &mut samples, &mut rng)?;
                return Ok((samples, reason));
            }
        }
        unreachable!("rounds run out at the latest")
    }

    /// Times every case in `order` once, in a fresh order of its own; `None` for the others of `cases`.
    fn round(
        &mut self,
        order: &mut [usize],
        rng: &mut ChaCha8Rng,
        cases: usize,
    ) -> Result<Vec<Option<Span>>, GpuError> {
        order.shuffle(rng);
        let mut row = vec![None; cases];
        for (&case, span) in order.iter().zip(self.session.executor.round(order)?) {
            row[case] = Some(span);
        }
        Ok(row)
    }

    /// A while longer for the cases behind points that are still undecided, and the controls. How long does
    /// not depend on what comes of it, so that no verdict is waited for.
    fn time_undecided(
        &mut self,
        timed: &[usize],
        sized: &[Sized],
        samples: &mut Samples,
        rng: &mut ChaCha8Rng,
    ) -> Result<(), GpuError> {
        let tolerance = tolerance::of(self.experiment.id);
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

/// A seed nobody chose.
#[must_use]
pub fn seed_from_time() -> u64 {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64);
    // Short enough to type back on a command line and exact in every JSON reader.
    ChaCha8Rng::seed_from_u64(nanos).random_range(0..1 << 32)
}
