//! From samples to a judged result.

use std::collections::BTreeSet;

use super::controls::{CONTROLS, Controls};
use super::plan::{Experiment, Find, Plan, PointSpec};
use super::rounds::Samples;
use super::traces::Traces;
use super::typical::{Spans, Typical};
use crate::record::{self, Parameter, Point, Quantity, Status, Value};
use crate::stats::{Interval, Verdict, combine, judge, tolerance};

/// Measured over predicted.
fn ratio(point: &PointSpec) -> impl Fn(&Spans<'_>) -> f64 {
    |spans| (point.measured)(spans) / (point.predicted)(spans)
}

/// The widest half-width among the claimed points' intervals: infinite where one has no interval yet or
/// no point was timed at all. A point that needs a case that is not timed does not count, since no further round
/// will sharpen it; a remark on the case explains.
pub(super) fn widest(plan: &Plan, typical: &Typical) -> f64 {
    let claimed = plan.points.iter().filter(|p| p.claimed && typical.was_timed(&ratio(p)));
    let widths = claimed
        .map(|point| typical.interval(&ratio(point)).map_or(f64::INFINITY, Interval::half_width));
    widths.max_by(f64::total_cmp).unwrap_or(f64::INFINITY)
}

/// The cases that undecided points depend on, where no point deviates and with it the experiment.
pub(super) fn undecided(plan: &Plan, typical: &Typical, tolerance: f64) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    for spec in plan.points.iter().filter(|spec| spec.claimed) {
        match point(spec, typical, tolerance).map(|point| point.verdict) {
            Some(Verdict::Deviates) => return BTreeSet::new(),
            Some(Verdict::Inconclusive) => needed.extend(typical.needed_by(&ratio(spec))),
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
    typical: &Typical,
) -> record::Experiment {
    let tolerance = tolerance::of(experiment.id);
    let traces = Traces::of(experiment.id, plan, typical);
    let points: Vec<Point> = plan
        .points
        .iter()
        .filter_map(|spec| {
            let trace = traces.of_point(spec);
            point(spec, typical, tolerance).map(|point| Point { trace, ..point })
        })
        .collect();
    let mut outcome = record::Experiment {
        id: experiment.id.to_owned(),
        idea: experiment.idea.word().to_owned(),
        law: experiment.law.to_owned(),
        status: Status::Measured,
        reason: None,
        verdict: Some(combine(points.iter().filter(|p| p.claimed).map(|p| p.verdict))),
        stopped_by: None,
        rounds: samples.whole_rounds() as u32,
        duration_s: 0.0,
        costs: None,
        tolerance: Some(tolerance),
        searches: Vec::new(),
        parameters: parameters(plan, typical),
        findings: findings(plan, typical),
        points,
        controls: controls.read(samples, typical, tolerance),
        diagnosis: plan.notes.clone(),
    };
    if samples.rounds_of_some() > 0 {
        outcome.diagnosis.push(format!(
            "rounds more of the cases behind points that were undecided: {}",
            samples.rounds_of_some()
        ));
    }
    let doubted = outcome.points.iter().filter(|point| {
        let alone = judge(point.ratio_ci, None, tolerance);
        point.claimed && alone == Verdict::Deviates && point.verdict == Verdict::Inconclusive
    });
    let doubted = doubted.count();
    if doubted > 0 {
        outcome.diagnosis.push(format!(
            "points that lie outside of the tolerance by less than spans of one case spread: {doubted}; something \
             else may have kept the device busy, so they are not decided"
        ));
    }
    let lost = lost(plan, typical);
    if lost > 0 {
        outcome.verdict = Some(Verdict::Inconclusive);
        outcome.diagnosis.push(format!(
            "points that were timed and cannot be judged: {lost}; a span or a parameter that they need is not known"
        ));
    }
    heed_controls(&mut outcome);
    if let Some(diagnose) = &plan.diagnose {
        let more = diagnose(&outcome);
        outcome.diagnosis.extend(more);
    }
    outcome
}

/// Where a control failed or could not be read, nothing is decided.
fn heed_controls(outcome: &mut record::Experiment) {
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
}

fn what_a_control_catches(name: &str) -> &'static str {
    match name {
        "same" => "one case under two names differs, or by more than can be told",
        "linear" => "spans do not grow with their work: preemption, or a clock that is not linear",
        _ => "the device's speed changed while it was measured",
    }
}

/// The judged point; `None` where there is nothing to compare.
fn point(spec: &PointSpec, typical: &Typical, tolerance: f64) -> Option<Point> {
    let figures = [&spec.measured, &spec.predicted].map(|figure| typical.read(&**figure));
    let [measured, predicted] = figures;
    let ratio_reach = typical.reach(&ratio(spec));
    // A figure that is none somewhere within what was measured is not known.
    let ratio_ci = typical.interval(&ratio(spec)).filter(|_| ratio_reach.is_some());
    let (name, value, unit) = spec.x;
    let of_both = measured / predicted;
    of_both.is_finite().then(|| Point {
        series: spec.series.clone(),
        x: Quantity { name: name.to_owned(), value, unit: unit.to_owned() },
        measured,
        predicted,
        unit: spec.unit.to_owned(),
        ratio: of_both,
        ratio_ci,
        ratio_reach,
        verdict: judge(ratio_ci, ratio_reach, tolerance),
        claimed: spec.claimed,
        trace: None,
    })
}

/// Claimed points whose own cases were timed and that still have no ratio: the clock gave no span of a case, or
/// the law could say nothing.
fn lost(plan: &Plan, typical: &Typical) -> usize {
    let lost = |point: &&PointSpec| {
        let timed = typical.was_timed(&*point.measured);
        point.claimed && timed && !typical.read(ratio(point)).is_finite()
    };
    plan.points.iter().filter(lost).count()
}

fn parameters(plan: &Plan, typical: &Typical) -> Vec<Parameter> {
    let known = plan.parameters.iter().filter_map(|spec| {
        let value = typical.read(&*spec.estimate);
        value.is_finite().then(|| Parameter {
            name: spec.name.clone(),
            value,
            unit: spec.unit.to_owned(),
            ci: typical.interval(&*spec.estimate),
            reach: typical.reach(&*spec.estimate),
        })
    });
    known.collect()
}

fn findings(plan: &Plan, typical: &Typical) -> Vec<record::Finding> {
    let known = plan.findings.iter().filter_map(|spec| {
        let figure = |value: f64, ci: Option<Interval>, reach: Option<Interval>| {
            value.is_finite().then_some((Value::Number(value), ci, reach))
        };
        let (value, ci, reach) = match &spec.find {
            Find::Any(find) => (typical.read(&**find)?, None, None),
            Find::Figure(find) => {
                figure(typical.read(&**find), typical.interval(&**find), typical.reach(&**find))?
            }
            Find::Sure(find) => {
                let value = typical.sure(&**find)?;
                let exactly = Some(Interval { lo: value, hi: value });
                figure(value, exactly, exactly)?
            }
        };
        Some(record::Finding {
            name: spec.name.clone(),
            value,
            unit: spec.unit.to_owned(),
            ci,
            reach,
        })
    });
    known.collect()
}
