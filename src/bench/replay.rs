//! Replay: judges stored samples by the current laws, without a device.

use std::collections::BTreeMap;

use super::analysis::analyse;
use super::controls::Controls;
use super::diagnosis::{add_case_diagnosis, add_clock_control};
use super::looks::Looks;
use super::plan::{Context, Experiment, Plan, Unsupported};
use super::rounds::Samples;
use super::typical::{CONFIDENCE, Typical};
use super::verify::Checked;
use crate::gpu::{BadSpan, Span};
use crate::model::{self, Clock, Verdict};

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
    let controls = Controls::add(&mut plan, context.is_narrow(), context.seed);
    let by_id: BTreeMap<&str, &model::Case> =
        recorded.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let case = |index: usize| by_id.get(plan.cases[index].id.as_str()).copied();
    let samples = samples_of(&plan, recorded);
    let looks = Looks::recorded(plan.points.iter().map(|point| {
        let series = &plan.series_of(point).name;
        let is_same = |of: &&model::Point| (&of.series, of.x.value) == (series, point.x);
        recorded
            .points
            .iter()
            .find(is_same)
            .map_or((CONFIDENCE, Verdict::Inconclusive), |of| (of.confidence, of.verdict))
    }));
    let scales = (0..plan.cases.len()).map(|index| case(index).map_or(0, |case| case.scale));
    let typical = Typical::of(&samples, scales.collect(), clock.resolution_ns * 1e-9);
    let mut outcome = analyse(experiment, &plan, &controls, &samples, &typical, &looks);
    outcome.width = recorded.width;
    add_clock_control(&plan, clock, &mut outcome);
    let checked = plan.cases.iter().enumerate().filter_map(|(index, spec)| {
        let case = case(index)?.clone();
        let bad = samples.bad(index);
        Some(Checked { case, mismatched: false, refused: false, is_floor: spec.is_floor, bad })
    });
    add_case_diagnosis(clock, &checked.collect::<Vec<_>>(), &mut outcome);
    outcome.stopped_by = recorded.stopped_by;
    outcome.advice.clone_from(&recorded.advice);
    outcome.searches.clone_from(&recorded.searches);
    outcome.workers = recorded.workers;
    outcome.other_load = recorded.other_load;
    outcome.costs = recorded.costs;
    outcome.duration_s = recorded.duration_s;
    outcome.cases.clone_from(&recorded.cases);
    Ok(outcome)
}

/// Returns the samples of the plan's cases, by the rounds in which the recorded run took them.
fn samples_of(plan: &Plan, recorded: &model::Experiment) -> Samples {
    let mut rounds: BTreeMap<u32, Vec<(usize, Span)>> = BTreeMap::new();
    for (index, spec) in plan.cases.iter().enumerate() {
        let is_timed = |case: &&model::Case| case.id == spec.id && case.failure.is_none();
        let Some(case) = recorded.cases.iter().find(is_timed) else { continue };
        for (place, sample) in case.samples_s.iter().enumerate() {
            let round = case.rounds.get(place).copied().unwrap_or(place as u32);
            rounds.entry(round).or_default().push((index, sample.ok_or(BadSpan::Zero)));
        }
    }
    let mut samples = Samples::default();
    for (number, round) in rounds {
        if number < recorded.rounds { samples.push(round) } else { samples.push_extra(round) }
    }
    samples
}
