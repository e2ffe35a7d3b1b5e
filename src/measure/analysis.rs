//! From samples to a judged result.

use std::collections::BTreeSet;

use super::controls::{CONTROLS, Controls};
use super::plan::{Experiment, Plan, PointSpec};
use super::rounds::{Round, Samples};
use crate::record::{self, Parameter, Point, Quantity, Status, Value};
use crate::stats::{self, Interval, Verdict, combine, judge, tolerance};

/// Seeds the bootstrap apart for each figure, so that no two share their luck.
fn seed_for(seed: u64, index: usize) -> u64 {
    seed.wrapping_add((index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// Measured over predicted in each round.
fn ratios(point: &PointSpec, samples: &Samples) -> Vec<f64> {
    let ratios = samples.per_round(&|round| (point.measured)(round) / (point.predicted)(round));
    ratios.into_iter().filter(|ratio| ratio.is_finite()).collect()
}

/// What was measured, in the rounds in which it was.
fn measured(point: &PointSpec, samples: &Samples) -> Vec<f64> {
    samples.per_round(&*point.measured).into_iter().filter(|value| value.is_finite()).collect()
}

/// The widest half-width among the claimed points' intervals: infinite where one has no interval yet or
/// no point was timed at all. A point whose case was not timed does not count, since no further round
/// will sharpen it.
pub(super) fn widest(plan: &Plan, samples: &Samples, seed: u64) -> f64 {
    let half_width = |(index, point): (usize, &PointSpec)| {
        if !point.claimed || measured(point, samples).is_empty() {
            return None;
        }
        let interval = stats::median_interval(&ratios(point, samples), seed_for(seed, index));
        Some(interval.map_or(f64::INFINITY, Interval::half_width))
    };
    plan.points
        .iter()
        .enumerate()
        .filter_map(half_width)
        .max_by(f64::total_cmp)
        .unwrap_or(f64::INFINITY)
}

/// The cases that undecided points depend on, where no point deviates and with it the experiment.
pub(super) fn undecided(
    plan: &Plan,
    samples: &Samples,
    tolerance: f64,
    seed: u64,
) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    for (index, spec) in plan.points.iter().enumerate().filter(|(_, spec)| spec.claimed) {
        match point(spec, samples, tolerance, seed_for(seed, index)).map(|point| point.verdict) {
            Some(Verdict::Deviates) => return BTreeSet::new(),
            Some(Verdict::Inconclusive) => needed.extend(
                samples.needed_by(&|round| (spec.measured)(round) / (spec.predicted)(round)),
            ),
            Some(Verdict::Holds) | None => (),
        }
    }
    needed
}

/// Everything that the samples say.
pub(super) fn analyse(
    experiment: &Experiment,
    plan: &Plan,
    controls: &Controls,
    samples: &Samples,
    seed: u64,
) -> record::Experiment {
    let tolerance = tolerance::of(experiment.id);
    let points: Vec<Point> = plan
        .points
        .iter()
        .enumerate()
        .filter_map(|(index, spec)| point(spec, samples, tolerance, seed_for(seed, index)))
        .collect();
    let controls = controls.read(samples, tolerance, seed);
    let mut outcome = record::Experiment {
        id: experiment.id.to_owned(),
        idea: experiment.idea.word().to_owned(),
        law: experiment.law.to_owned(),
        status: Status::Measured,
        reason: None,
        verdict: Some(combine(points.iter().filter(|p| p.claimed).map(|p| p.verdict))),
        stopped_by: None,
        rounds: samples.rounds() as u32,
        duration_s: 0.0,
        tolerance: Some(tolerance),
        parameters: parameters(plan, samples, seed),
        findings: findings(plan, samples),
        points,
        controls,
        diagnosis: plan.notes.clone(),
    };
    if samples.rounds_of_some() > 0 {
        outcome.diagnosis.push(format!(
            "{} rounds more of the cases behind points that were undecided",
            samples.rounds_of_some()
        ));
    }
    let lost = unpredicted(plan, samples);
    if lost > 0 {
        outcome.verdict = Some(Verdict::Inconclusive);
        outcome.diagnosis.push(format!(
            "{lost} points were measured and not predicted: a parameter that they need is not known"
        ));
    }
    for name in CONTROLS.iter().filter(|&&name| outcome.controls.iter().all(|c| c.name != name)) {
        outcome.verdict = Some(Verdict::Inconclusive);
        outcome
            .diagnosis
            .push(format!("control `{name}` could not be read, so nothing is decided"));
    }
    for control in outcome.controls.iter().filter(|control| !control.passed) {
        outcome.verdict = Some(Verdict::Inconclusive);
        outcome.diagnosis.push(format!(
            "control `{}` reads {} instead of 1: {}",
            control.name,
            control.ratio_ci.map_or_else(
                || format!("{:.3}", control.ratio),
                |ci| { format!("{:.3} [{:.3}, {:.3}]", control.ratio, ci.lo, ci.hi) }
            ),
            what_a_control_catches(&control.name)
        ));
    }
    if let Some(diagnose) = &plan.diagnose {
        let more = diagnose(&outcome);
        outcome.diagnosis.extend(more);
    }
    outcome
}

fn what_a_control_catches(name: &str) -> &'static str {
    match name {
        "same" => "one case under two names differs, or by more than can be told",
        "linear" => "spans do not grow with their work: preemption, or a clock that is not linear",
        _ => "the device's speed changed while it was measured",
    }
}

/// The judged point; `None` where its case was not timed, which a remark on the case explains.
fn point(spec: &PointSpec, samples: &Samples, tolerance: f64, seed: u64) -> Option<Point> {
    let measured = measured(spec, samples);
    let ratios = ratios(spec, samples);
    let ratio_ci = stats::median_interval(&ratios, seed);
    // Rounds without a prediction are no evidence that the rest of them is right. In rounds of some cases
    // those of the prediction may be missing for no fault of theirs.
    let in_rounds_of_all = |figure: &dyn Fn(&Round<'_>) -> f64| {
        let figures = samples.per_round(figure).into_iter().take(samples.rounds());
        figures.filter(|value| value.is_finite()).count() as f64
    };
    let predicted_often =
        in_rounds_of_all(&|round| (spec.measured)(round) / (spec.predicted)(round))
            >= PREDICTED * in_rounds_of_all(&*spec.measured);
    let (name, value, unit) = spec.x;
    Some(Point {
        series: spec.series.clone(),
        x: Quantity { name: name.to_owned(), value, unit: unit.to_owned() },
        measured: stats::median(&measured)?,
        predicted: stats::median(&samples.per_round(&*spec.predicted))?,
        unit: spec.unit.to_owned(),
        ratio: stats::median(&ratios)?,
        ratio_ci: ratio_ci.filter(|_| predicted_often),
        verdict: judge(ratio_ci.filter(|_| predicted_often), tolerance),
        claimed: spec.claimed,
    })
}

/// Share of a point's rounds that must have a prediction.
const PREDICTED: f64 = 0.8;

/// Claimed points that were measured and for which the law could say nothing.
fn unpredicted(plan: &Plan, samples: &Samples) -> usize {
    let lost = |point: &&PointSpec| {
        point.claimed && !measured(point, samples).is_empty() && ratios(point, samples).is_empty()
    };
    plan.points.iter().filter(lost).count()
}

fn parameters(plan: &Plan, samples: &Samples, seed: u64) -> Vec<Parameter> {
    plan.parameters
        .iter()
        .enumerate()
        .filter_map(|(index, spec)| {
            let values = samples.per_round(&*spec.estimate);
            Some(Parameter {
                name: spec.name.clone(),
                value: stats::median(&values)?,
                unit: spec.unit.to_owned(),
                ci: stats::median_interval(&values, seed_for(seed, index)),
            })
        })
        .collect()
}

fn findings(plan: &Plan, samples: &Samples) -> Vec<record::Finding> {
    let medians = samples.medians();
    plan.findings
        .iter()
        .filter_map(|spec| {
            let value = (spec.find)(&medians)?;
            debug_assert!(!matches!(value, Value::Number(n) if !n.is_finite()));
            Some(record::Finding { name: spec.name.clone(), value, unit: spec.unit.to_owned() })
        })
        .collect()
}
