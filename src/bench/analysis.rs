//! Analysis: computes a judged result from samples.

use super::controls::{CONTROLS, Controls};
use super::looks::Looks;
use super::plan::{Experiment, Plan, PointSpec, Value};
use super::rounds::Samples;
use super::traces::Traces;
use super::typical::{CONFIDENCE, Typical};
use crate::model::figures;
use crate::model::{self, Check, Interval, Metric, Point, Quantity, Status, Verdict};
use crate::stats::{combine, is_near, judge};

/// Returns the largest half-width among the intervals of the judged points.
///
/// The result is infinite if a point has no interval yet, or if no point was timed. A point that needs an
/// untimed case does not count, since no further round can narrow its interval; the diagnosis explains why
/// the case was not timed.
pub(super) fn widest(plan: &Plan, typical: &Typical) -> f64 {
    let judged = plan.points.iter().filter(|p| p.judged && typical.was_timed(&p.ratio));
    let widths = judged.map(|point| {
        typical.interval(&point.ratio, CONFIDENCE).map_or(f64::INFINITY, Interval::half_width)
    });
    widths.max_by(f64::total_cmp).unwrap_or(f64::INFINITY)
}

/// Computes the experiment's result: metrics, judged points, controls, verdict and diagnosis.
pub(super) fn analyse(
    experiment: &Experiment,
    plan: &Plan,
    controls: &Controls,
    samples: &Samples,
    typical: &Typical,
    looks: &Looks,
) -> model::Experiment {
    let tolerance = experiment.tolerance.ratio;
    let traces = Traces::of(plan, typical);
    let points: Vec<Point> = plan
        .points
        .iter()
        .enumerate()
        .filter_map(|(index, spec)| {
            let trace = traces.of_point(spec).map(Box::new);
            let point = point(plan, spec, typical, tolerance, looks.of_point(index));
            point.map(|point| Point { trace, ..point })
        })
        .collect();
    let judged = points.iter().filter(|point| point.judged);
    let judged =
        judged.map(|point| (point.verdict, is_near(point.ratio, point.ratio_ci, tolerance)));
    let mut outcome = model::Experiment {
        verdict: Some(combine(judged)),
        rounds: samples.whole_rounds() as u32,
        tolerance: Some(tolerance),
        tolerance_reason: Some(experiment.tolerance.reason.to_owned()),
        metrics: metrics(plan, typical),
        curves: plan.curves.clone(),
        points,
        controls: controls.read(samples, typical, tolerance),
        diagnosis: plan.notes.clone(),
        ..experiment.blank(Status::Measured)
    };
    if let Some(longer_s) = controls.longer_sample_s(typical) {
        outcome.diagnosis.push(format!(
            "The control `linear` covers samples of up to {}, and the longest sample takes {}. Disturbances while \
             samples were sized made it too short.",
            figures::quantity(controls.covered_s(typical), "s"),
            figures::quantity(longer_s, "s")
        ));
    }
    if samples.extra_rounds() > 0 {
        outcome.diagnosis.push(format!(
            "extra rounds for the cases of undecided points: {}",
            samples.extra_rounds()
        ));
    }
    let doubted = outcome.points.iter().filter(|point| {
        let alone = judge(point.ratio_ci, None, tolerance);
        point.judged && alone == Verdict::Deviates && point.verdict == Verdict::Inconclusive
    });
    let doubted = doubted.count();
    if doubted > 0 {
        outcome.diagnosis.push(format!(
            "points whose interval is outside the tolerance but whose spread bound is not: {doubted}; other \
             work may have kept the device busy, so they stay undecided"
        ));
    }
    let lost = lost(plan, typical);
    if lost > 0 {
        // An unknown point does not refute a point that deviates.
        if outcome.verdict == Some(Verdict::Holds) {
            outcome.verdict = Some(Verdict::Inconclusive);
        }
        outcome.diagnosis.push(format!(
            "points that were timed and cannot be judged: {lost}; a sample or a parameter that they need is \
             unknown"
        ));
    }
    heed_controls(&mut outcome);
    // Each goes before all else, the first one first.
    for reason in plan.undecided.iter().rev() {
        outcome.verdict = Some(Verdict::Inconclusive);
        outcome.diagnosis.insert(0, format!("{reason}, so nothing is decided"));
    }
    if let Some(diagnose) = &plan.diagnose {
        let more = diagnose(&outcome);
        outcome.diagnosis.extend(more);
    }
    outcome
}

/// Makes the verdict inconclusive if a control failed or could not be read.
fn heed_controls(outcome: &mut model::Experiment) {
    for check in CONTROLS {
        if outcome.controls.iter().all(|control| control.check != check) {
            outcome.verdict = Some(Verdict::Inconclusive);
            outcome.diagnosis.push(format!(
                "control `{}` could not be read, so nothing is decided",
                check.as_str()
            ));
        }
    }
    for control in outcome.controls.iter().filter(|control| !control.passed) {
        outcome.verdict = Some(Verdict::Inconclusive);
        outcome.diagnosis.push(format!(
            "control `{}` reads {} instead of 1: {}",
            control.check.as_str(),
            control.ratio_ci.map_or_else(
                || format!("{:.3}", control.ratio),
                |ci| { format!("{:.3} [{:.3}, {:.3}]", control.ratio, ci.lo, ci.hi) }
            ),
            meaning(control.check)
        ));
    }
}

/// Returns what the failure of a control means.
fn meaning(check: Check) -> &'static str {
    match check {
        Check::Same => {
            "the same case under two names differs, or its interval is too wide to show that it agrees"
        }
        Check::Linear => {
            "samples do not grow in proportion to their work: preemption, or a clock that is not linear"
        }
        Check::Drift | Check::Clock | Check::Other => {
            "the speed of the device changed during the measurement"
        }
    }
}

/// Returns the judged point; `None` if measured / predicted is not finite.
fn point(
    plan: &Plan,
    spec: &PointSpec,
    typical: &Typical,
    tolerance: f64,
    confidence: f64,
) -> Option<Point> {
    let [measured, predicted] = [&spec.measured, &spec.predicted].map(|side| typical.read(side));
    let evidence = typical.evidence(&spec.ratio, confidence);
    let series = plan.series_of(spec);
    let (name, unit) = series.x;
    let ratio = measured / predicted;
    ratio.is_finite().then(|| Point {
        series: series.name.clone(),
        x: Quantity { name: name.to_owned(), value: spec.x, unit: unit.to_owned() },
        measured,
        predicted,
        unit: series.unit.to_owned(),
        ratio,
        ratio_ci: evidence.interval,
        ratio_spread: evidence.spread,
        confidence,
        verdict: evidence.verdict(tolerance),
        judged: spec.judged,
        trace: None,
    })
}

/// Counts the judged points without a ratio although the cases of the measured figure were timed.
///
/// For such a point, the clock rejected all samples of a case, or the law gives no prediction.
fn lost(plan: &Plan, typical: &Typical) -> usize {
    let lost = |point: &&PointSpec| {
        point.judged
            && typical.was_timed(&point.measured)
            && !typical.read(&point.ratio).is_finite()
    };
    plan.points.iter().filter(lost).count()
}

fn metrics(plan: &Plan, typical: &Typical) -> Vec<Metric> {
    let known = plan.metrics.iter().filter_map(|spec| {
        let metric = spec.about.metric();
        let figure = |value: f64, ci: Option<Interval>, spread: Option<Interval>| {
            value.is_finite().then(|| Metric { value: Some(value), ci, spread, ..metric.clone() })
        };
        match &spec.value {
            Value::Known(value) => figure(*value, None, None),
            Value::Figure(formula) => figure(
                typical.read(formula),
                typical.interval(formula, CONFIDENCE),
                typical.spread(formula),
            ),
            Value::Sure(formula) => {
                let value = typical.sure(formula)?;
                let exactly = Some(Interval { lo: value, hi: value });
                figure(value, exactly, exactly)
            }
            Value::Word(formula, words) => {
                let place = typical.read(formula);
                let word = (place >= 0.0).then(|| words.get(place as usize))??;
                Some(Metric { text: Some(word.clone()), ..metric })
            }
        }
    });
    known.collect()
}
