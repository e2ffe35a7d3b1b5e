//! An experiment's points as plots: predictions as lines, measurements as marks, what lies between them under it.

use std::collections::HashMap;

use crate::model::{Case, Experiment, Point};
use crate::report::plot::{Axis, Curve, Mark, Panel, Plot, is_spaced_by_factors};

/// Curves in a plot at most: as many as there are marks and colours that people tell apart.
pub(in crate::report) const MAX_CURVES: usize = 6;
/// Samples of a mark at most, evenly taken from all.
const MAX_SAMPLES: usize = 200;
/// From this ratio of the most to the least on, an axis of measurements is logarithmic.
const DECADES: f64 = 20.0;
/// The same for ratios, which mostly stay near 1.
const RATIOS: f64 = 3.0;

/// The series of one sweep and unit, as many to a plot as can be told apart.
pub(super) fn plots(experiment: &Experiment) -> Vec<Plot> {
    let cases = experiment.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let mut plots = Vec::new();
    for sweep in sweeps(&experiment.points) {
        let series = series(&sweep);
        let parts = series.len().div_ceil(MAX_CURVES).max(1);
        let each = series.len().div_ceil(parts).max(1);
        for (part, series) in series.chunks(each).enumerate() {
            let of = if parts > 1 { format!(", {} of {parts}", part + 1) } else { String::new() };
            plots.push(plot(experiment, &cases, series, &of));
        }
    }
    plots
}

/// Points that share what is swept and in what they are measured.
fn sweeps(points: &[Point]) -> Vec<Vec<&Point>> {
    grouped(points.iter(), |point| (&point.x.name, &point.x.unit, &point.unit))
}

fn series<'a>(points: &[&'a Point]) -> Vec<Vec<&'a Point>> {
    let mut series = grouped(points.iter().copied(), |point| &point.series);
    for points in &mut series {
        points.sort_by(|a, b| a.x.value.total_cmp(&b.x.value));
    }
    series
}

/// By key, in the order that keys first appear.
fn grouped<'a, K: std::hash::Hash + Eq>(
    points: impl Iterator<Item = &'a Point>,
    key: impl Fn(&'a Point) -> K,
) -> Vec<Vec<&'a Point>> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<Vec<&Point>> = Vec::new();
    for point in points {
        let place = *places.entry(key(point)).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(point);
    }
    groups
}

fn plot(
    experiment: &Experiment,
    cases: &HashMap<&str, &Case>,
    series: &[Vec<&Point>],
    of: &str,
) -> Plot {
    let first = series[0][0];
    let figure = match first.unit.as_str() {
        "s" => "time",
        "x" => "factor",
        _ => "figure",
    };
    let all = || series.iter().flatten();
    let mut places: Vec<f64> = all().map(|point| point.x.value).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let values: Vec<f64> = all().flat_map(|point| [point.measured, point.predicted]).collect();
    let mut panels = vec![Panel {
        y: Axis {
            name: figure.to_owned(),
            unit: first.unit.clone(),
            logarithmic: is_wide(&values, DECADES),
        },
        curves: series.iter().map(|points| curve(points, cases)).collect(),
        band: None,
    }];
    let ratios: Vec<f64> = all().filter(|point| point.judged).map(|point| point.ratio).collect();
    if !ratios.is_empty() {
        panels.push(Panel {
            y: Axis {
                name: "measured / predicted".to_owned(),
                unit: String::new(),
                logarithmic: is_wide(&ratios, RATIOS),
            },
            curves: series.iter().map(|points| residuals(points)).collect(),
            band: experiment.tolerance.map(|t| (1.0 - t, 1.0 + t)),
        });
    }
    Plot {
        title: format!("{}: {figure} over {}{of}", experiment.id, first.x.name),
        x: Axis {
            name: first.x.name.clone(),
            unit: first.x.unit.clone(),
            logarithmic: is_spaced_by_factors(&places),
        },
        panels,
    }
}

/// Whether values above zero lie so many times apart.
fn is_wide(values: &[f64], times: f64) -> bool {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    least > 0.0 && most / least >= times
}

fn curve(points: &[&Point], cases: &HashMap<&str, &Case>) -> Curve {
    let mark = |point: &&Point| Mark {
        x: point.x.value,
        y: point.measured,
        // Where the ratio's interval puts the measurement, the prediction being what it is.
        interval: point.ratio_ci.map(|ci| (ci.lo * point.predicted, ci.hi * point.predicted)),
        samples: samples(point, cases),
        hollow: !point.judged,
    };
    Curve {
        name: points[0].series.clone(),
        line: points.iter().map(|point| (point.x.value, point.predicted)).collect(),
        marks: points.iter().map(mark).collect(),
        joined: false,
    }
}

/// What each span of the point's case alone would have said.
fn samples(point: &Point, cases: &HashMap<&str, &Case>) -> Vec<f64> {
    let case = point.trace.as_ref().and_then(|trace| cases.get(trace.case.as_str()));
    let (Some(trace), Some(case)) = (&point.trace, case) else {
        return Vec::new();
    };
    let every = case.samples_s.len().div_ceil(MAX_SAMPLES).max(1);
    let samples = case.samples_s.iter().step_by(every).flatten();
    samples.map(|&sample_s| trace.at(sample_s)).filter(|value| value.is_finite()).collect()
}

fn residuals(points: &[&Point]) -> Curve {
    let judged = points.iter().filter(|point| point.judged);
    let mark = |point: &&Point| Mark {
        x: point.x.value,
        y: point.ratio,
        interval: point.ratio_ci.map(|ci| (ci.lo, ci.hi)),
        ..Mark::default()
    };
    let (name, marks) = (points[0].series.clone(), judged.map(mark).collect());
    Curve { name, line: Vec::new(), marks, joined: false }
}
