//! One experiment from its plan to its judged result.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::analysis::{analyse, widest};
use super::controls::Controls;
use super::plan::{Context, Experiment, Plan};
use super::profile::LEAST_TICKS;
use super::rounds::Samples;
use super::session::Session;
use super::sizing::{Length, Sized, size};
use super::verify::verify;
use crate::gpu::GpuError;
use crate::record::{self, Case, Control, Status};
use crate::stats::{self, Verdict, tolerance};

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
}

/// What is not compared again: the noise is called stable when this many further rounds have not
/// narrowed the widest interval by a twentieth.
const STABLE_ROUNDS: usize = 12;

/// Runs `experiment` and judges it. Once `stop` is set it ends after the round in hand and keeps what
/// it has.
///
/// # Errors
/// When the device fails; what an experiment cannot do or gets wrong is a result, not an error.
pub fn run(
    session: &mut Session<'_>,
    experiment: &Experiment,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<(record::Experiment, Vec<Case>), GpuError> {
    let start = Instant::now();
    let seed = seed_of(session.seed, experiment.id);
    let reported_width = session.reported_width();
    let facts = session.executor.facts().clone();
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

    progress(Progress { stage: Stage::Sizing, done: 0.0 });
    let span_s = session.profile.span_s / f64::from(plan.brevity.max(1));
    let target_s = span_s.max(LEAST_TICKS * session.clock.resolution_ns * 1e-9);
    let sized = size(session.executor, &plan.cases, target_s)?;
    let mut cases = load_and_verify(session, experiment, &plan, &sized, stop, progress)?;
    let timed: Vec<usize> = (0..cases.len()).filter(|&i| cases[i].failure.is_none()).collect();

    let mut samples = Samples::new(sized.iter().map(|case| case.scale).collect());
    let stopped_by =
        time_rounds(session, experiment, &plan, &timed, &mut samples, seed, start, stop, progress)?;
    for &index in &timed {
        cases[index].samples_s = samples.of(index);
    }

    let mut outcome = analyse(experiment, &plan, &controls, &samples, seed);
    outcome.stopped_by = Some(stopped_by.to_owned());
    add_clock_control(session, &mut outcome);
    add_case_remarks(session, &cases, &mut outcome);
    if stopped_by == "interrupted" {
        outcome.status = Status::Interrupted;
        outcome.reason = Some("stopped before it was done".to_owned());
        outcome.verdict = None;
    }
    outcome.duration_s = start.elapsed().as_secs_f64();
    if experiment.id == "width" {
        session.effective_width = outcome
            .finding("effective_width")
            .and_then(|finding| finding.value.number())
            .map(|width| width as u32);
    }
    Ok((outcome, cases))
}

/// The result of an experiment that was not measured, and why.
pub(crate) fn unmeasured(
    experiment: &Experiment,
    status: Status,
    reason: &str,
) -> record::Experiment {
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

fn load_and_verify(
    session: &mut Session<'_>,
    experiment: &Experiment,
    plan: &Plan,
    sized: &[Sized],
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Case>, GpuError> {
    let workloads: Vec<_> = sized.iter().map(|case| case.workload.clone()).collect();
    let refusals = session.executor.load(&workloads)?;
    let mut cases = Vec::with_capacity(sized.len());
    for (index, (spec, case)) in plan.cases.iter().zip(sized).enumerate() {
        progress(Progress {
            stage: Stage::Verifying,
            done: 0.2 * index as f64 / sized.len() as f64,
        });
        let wrong = match &refusals[index] {
            Some(reason) => Some(reason.clone()),
            None if stop.load(Ordering::Relaxed) => Some("interrupted".to_owned()),
            None if matches!(case.length, Length::NearsWatchdog(_)) => case.length.reason(),
            None => verify(session.executor, index, &case.workload)?
                .err()
                .map(|mismatch| format!("wrong output: {mismatch}")),
        };
        cases.push(Case {
            id: format!("{}.{}", experiment.id, spec.id),
            samples_s: Vec::new(),
            verified: wrong.is_none(),
            scale: case.scale,
            failure: wrong.or_else(|| case.length.reason()),
        });
    }
    Ok(cases)
}

#[expect(clippy::too_many_arguments, reason = "the loop at the heart of the suite, used once")]
fn time_rounds(
    session: &mut Session<'_>,
    experiment: &Experiment,
    plan: &Plan,
    timed: &[usize],
    samples: &mut Samples,
    seed: u64,
    start: Instant,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<&'static str, GpuError> {
    let profile = session.profile;
    // An interval a tenth of the tolerance wide leaves nothing to decide.
    let sharp = profile.half_width.max(0.1 * tolerance::of(experiment.id));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut widths: Vec<f64> = Vec::new();
    let mut order = timed.to_vec();
    for round in 0.. {
        if stop.load(Ordering::Relaxed) {
            return Ok("interrupted");
        }
        order.shuffle(&mut rng);
        let spans = session.executor.round(&order)?;
        if round == 0 {
            continue; // caches, clocks and memory settle here
        }
        let mut row = vec![f64::NAN; plan.cases.len()];
        for (&case, span) in order.iter().zip(spans) {
            row[case] = span.unwrap_or(f64::NAN);
        }
        samples.push(row);
        let spent = start.elapsed().as_secs_f64();
        let share =
            (spent / profile.budget_s).max(f64::from(round) / f64::from(profile.most_rounds));
        progress(Progress { stage: Stage::Timing, done: 0.2 + 0.8 * share.min(1.0) });
        if round < profile.least_rounds {
            if spent > 3.0 * profile.budget_s {
                return Ok("time");
            }
            continue;
        }
        if spent > profile.budget_s {
            return Ok("time");
        }
        if round >= profile.most_rounds {
            return Ok("rounds");
        }
        // Looking is not free: every third round is soon enough.
        if round % 3 == 0 {
            let width = widest(plan, samples, seed);
            if width <= sharp {
                return Ok("precision");
            }
            widths.push(width);
            let looks = STABLE_ROUNDS / 3;
            if widths.len() > looks && width > 0.95 * widths[widths.len() - 1 - looks] {
                return Ok("noise_stable");
            }
        }
    }
    unreachable!("rounds end by time at the latest")
}

fn add_clock_control(session: &Session<'_>, outcome: &mut record::Experiment) {
    let Some(ratio) = session.clock.host_check_ratio else {
        return;
    };
    let passed = (ratio - 1.0).abs() <= tolerance::of("control.clock");
    outcome.controls.push(Control { name: "clock".to_owned(), ratio, ratio_ci: None, passed });
    if !passed {
        outcome.verdict = outcome.verdict.map(|_| Verdict::Inconclusive);
        outcome.diagnosis.push(format!(
            "a long dispatch takes {ratio:.2} of the host's time by timestamps: they are not to be trusted"
        ));
    }
}

/// Says what was not timed and why, and which spans the clock hardly resolves.
fn add_case_remarks(session: &Session<'_>, cases: &[Case], outcome: &mut record::Experiment) {
    let mut wrong = cases
        .iter()
        .filter_map(|case| Some((case, case.failure.as_ref()?)))
        .filter(|(_, failure)| failure.starts_with("wrong output"));
    if let Some((case, failure)) = wrong.next() {
        outcome.status = Status::Failed;
        outcome.reason = Some(format!("{}: {failure}", case.id));
        outcome.verdict = None;
    }
    for case in cases {
        if let Some(failure) = &case.failure {
            outcome.diagnosis.push(format!("{} was not timed: {failure}", case.id));
        }
        let samples: Vec<f64> = case.samples_s.iter().copied().flatten().collect();
        let rejected = case.samples_s.len() - samples.len();
        if case.failure.is_none() && rejected > 0 {
            outcome.diagnosis.push(format!(
                "{}: {rejected} of {} spans were rejected by the clock",
                case.id,
                case.samples_s.len()
            ));
        }
        let least_s = LEAST_TICKS * session.clock.resolution_ns * 1e-9;
        let coarse = stats::median(&samples).is_some_and(|median| median < least_s);
        if coarse && !case.id.contains("floor") {
            outcome
                .diagnosis
                .push(format!("{}: its span is under {LEAST_TICKS} ticks of the clock", case.id));
        }
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
