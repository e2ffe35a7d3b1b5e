//! The plots of an experiment.
//!
//! Predictions are lines and measurements are marks. A second panel shows measured / predicted.

use std::collections::HashMap;

use super::detail::Detail;
use crate::model::{Case, Experiment, Point};
use crate::report::plot::{Axis, Curve, Mark, Panel, Plot, is_spaced_by_factors};

/// Maximum number of curves in a plot: the number of marks and colours that people can distinguish.
pub(in crate::report) const MAX_CURVES: usize = 6;
/// Maximum number of samples at a mark, taken at even distances from all samples.
const MAX_SAMPLES: usize = 30;
/// Ratio of the largest to the smallest value from which an axis of measurements is logarithmic.
const DECADES: f64 = 20.0;
/// Ratio of the largest to the smallest value from which the axis of measured / predicted is logarithmic.
///
/// The limit is lower, because these values are mostly near 1.
const RATIOS: f64 = 3.0;

/// Builds the plots of an experiment.
///
/// Each plot shows series with equal swept quantity and unit, at most [`MAX_CURVES`] of them.
pub(super) fn plots(experiment: &Experiment, detail: Detail) -> Vec<Plot> {
    // Without cases there are no single samples.
    let cases = experiment.cases.iter().filter(|_| detail == Detail::All);
    let cases = cases.map(|case| (case.id.as_str(), case)).collect();
    let mut plots = Vec::new();
    for sweep in sweeps(&experiment.points) {
        let series = series(&sweep);
        let parts = series.len().div_ceil(MAX_CURVES).max(1);
        let each = series.len().div_ceil(parts).max(1);
        for (part, series) in series.chunks(each).enumerate() {
            let suffix =
                if parts > 1 { format!(", {} of {parts}", part + 1) } else { String::new() };
            plots.push(plot(experiment, &cases, series, &suffix));
        }
    }
    plots
}

/// Groups points by swept quantity and by unit of the measurement.
fn sweeps(points: &[Point]) -> Vec<Vec<&Point>> {
    grouped(points.iter(), |point| (&point.x.name, &point.x.unit, &point.unit))
}

/// Groups points by series, by increasing swept value.
fn series<'a>(points: &[&'a Point]) -> Vec<Vec<&'a Point>> {
    let mut series = grouped(points.iter().copied(), |point| &point.series);
    for points in &mut series {
        points.sort_by(|a, b| a.x.value.total_cmp(&b.x.value));
    }
    series
}

/// Groups points by key, in the order in which the keys first appear.
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

/// Builds the plot of some series. `suffix` completes the title.
fn plot(
    experiment: &Experiment,
    cases: &HashMap<&str, &Case>,
    series: &[Vec<&Point>],
    suffix: &str,
) -> Plot {
    let first = series[0][0];
    let quantity = match first.unit.as_str() {
        "s" => "time",
        "x" => "factor",
        _ => "value",
    };
    let all = || series.iter().flatten();
    let mut places: Vec<f64> = all().map(|point| point.x.value).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let values: Vec<f64> = all().flat_map(|point| [point.measured, point.predicted]).collect();
    let mut panels = vec![Panel {
        y: Axis {
            name: quantity.to_owned(),
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
        title: format!("{}: {quantity} by {}{suffix}", experiment.id, first.x.name),
        x: Axis {
            name: first.x.name.clone(),
            unit: first.x.unit.clone(),
            logarithmic: is_spaced_by_factors(&places),
        },
        panels,
    }
}

/// Returns whether all values are above zero and the largest is at least `times` the smallest.
fn is_wide(values: &[f64], times: f64) -> bool {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    least > 0.0 && most / least >= times
}

/// Builds the curve of a series: predictions, measurements, intervals and samples.
fn curve(points: &[&Point], cases: &HashMap<&str, &Case>) -> Curve {
    let mark = |point: &&Point| Mark {
        x: point.x.value,
        y: point.measured,
        // The ratio's interval, in units of the measurement.
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

/// Returns the values of the point that follow from single samples of its case.
///
/// Returns no values if the point has no trace or the record lacks the case.
fn samples(point: &Point, cases: &HashMap<&str, &Case>) -> Vec<f64> {
    let case = point.trace.as_ref().and_then(|trace| cases.get(trace.case.as_str()));
    let (Some(trace), Some(case)) = (&point.trace, case) else {
        return Vec::new();
    };
    let every = case.samples_s.len().div_ceil(MAX_SAMPLES).max(1);
    let samples = case.samples_s.iter().step_by(every).flatten();
    samples.map(|&sample_s| trace.at(sample_s)).filter(|value| value.is_finite()).collect()
}

/// Builds the curve of measured / predicted for the judged points of a series.
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
