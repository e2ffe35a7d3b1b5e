//! Replay: judges stored samples by the current laws, without a device.

use std::collections::BTreeMap;

use super::analysis::analyse;
use super::controls::Controls;
use super::diagnosis::{add_case_diagnosis, add_clock_control};
use super::plan::{Context, Experiment, Unsupported};
use super::rounds::Samples;
use super::typical::Typical;
use super::verify::Checked;
use crate::gpu::{BadSpan, Span};
use crate::model::{self, Clock};

/// Returns the result that the samples of `recorded` give for `experiment` as it is declared now.
///
/// The experiment is planned in `context`. To use the record's launch configurations, create the context with
/// the tuner [`Recorded`](super::Recorded).
///
/// Cases are matched by id. A case that the record does not contain counts as not timed. Records do not store
/// why a sample was rejected, so replay counts each rejected sample as one of two equal timestamps.
///
/// # Errors
/// Returns [`Unsupported`] if the experiment cannot be planned in `context`.
pub fn replay(
    experiment: &Experiment,
    recorded: &model::Experiment,
    clock: &Clock,
    context: &Context<'_>,
) -> Result<model::Experiment, Unsupported> {
    let mut plan = (experiment.plan)(context)?;
    let controls = Controls::add(&mut plan, context.seed);
    let by_id: BTreeMap<&str, &model::Case> =
        recorded.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let case = |index: usize| by_id.get(plan.cases[index].id.as_str()).copied();
    let whole = recorded.rounds as usize;
    let rounds = recorded.cases.iter().map(|case| case.samples_s.len()).max().unwrap_or(0);
    let mut samples = Samples::default();
    for round in 0..rounds {
        let sample = |index: usize| -> Option<Span> {
            let sample = case(index).filter(|case| case.failure.is_none())?.samples_s.get(round)?;
            Some(sample.ok_or(BadSpan::Zero))
        };
        samples.push((0..plan.cases.len()).map(sample).collect(), round >= whole);
    }
    let scales = (0..plan.cases.len()).map(|index| case(index).map_or(0, |case| case.scale));
    let typical = Typical::of(&samples, scales.collect(), clock.resolution_ns * 1e-9);
    let mut outcome = analyse(experiment, &plan, &controls, &samples, &typical);
    add_clock_control(clock, &mut outcome);
    let checked = plan.cases.iter().enumerate().filter_map(|(index, spec)| {
        let case = case(index)?.clone();
        let bad = samples.bad(index);
        Some(Checked { case, mismatched: false, refused: false, is_floor: spec.is_floor, bad })
    });
    add_case_diagnosis(clock, &checked.collect::<Vec<_>>(), &mut outcome);
    outcome.stopped_by = recorded.stopped_by;
    outcome.searches.clone_from(&recorded.searches);
    outcome.costs = recorded.costs;
    outcome.duration_s = recorded.duration_s;
    outcome.cases.clone_from(&recorded.cases);
    Ok(outcome)
}
