//! Plots that overlay the curves of several records.

use super::named::{Named, letter};
use crate::model::{Curve, Experiment, Over, Point, Ranks, Record};
use crate::report::plot::{self, Axis, Mark, Panel, Plot, is_spaced_by_factors};
use crate::report::sections::MAX_CURVES;

/// Returns one plot for each curve that an experiment declares for comparisons, with the experiment's id.
///
/// The plots are in the order in which the curves first appear. A plot shows the first [`MAX_CURVES`]
/// records, because readers cannot distinguish more curves.
pub(in crate::report) fn overlaid<'a>(records: &[Named<'a>]) -> Vec<(&'a str, Plot)> {
    let records = &records[..records.len().min(MAX_CURVES)];
    let mut known: Vec<(&'a str, &Curve)> = Vec::new();
    for experiment in records.iter().flat_map(|named| &named.record.experiments) {
        for curve in &experiment.curves {
            let key = (experiment.id.as_str(), &curve.series);
            if known.iter().all(|&(id, other)| (id, &other.series) != key) {
                known.push((&experiment.id, curve));
            }
        }
    }
    known.into_iter().filter_map(|(id, curve)| Some((id, plot(id, curve, records)?))).collect()
}

/// Builds the plot of one curve, with the reference line of the curve if the curve has one.
///
/// Returns `None` if no record has a point of the curve.
fn plot(id: &str, curve: &Curve, records: &[Named<'_>]) -> Option<Plot> {
    let mut curves = Vec::new();
    let (mut places, mut swept) = (Vec::new(), None);
    for (index, named) in records.iter().enumerate() {
        let points = points(named.record, id, curve);
        swept = swept.or_else(|| points.first().map(|point| point.x.clone()));
        let marks = marks(&points, curve.over);
        places.extend(marks.iter().map(|mark| mark.x));
        // A legend has no room for the library and its settings.
        let ranks = named.record.ranks.as_ref().map(Ranks::count);
        let device = ranks.unwrap_or_else(|| named.record.adapter.name.clone());
        let name = format!("{}: {device}", letter(index));
        curves.push(plot::Curve { name, line: Vec::new(), marks, joined: true });
    }
    places.sort_by(f64::total_cmp);
    places.dedup();
    if let Some(name) = curve.reference.clone() {
        let line = places.iter().map(|&x| (x, x)).collect();
        curves.push(plot::Curve { name, line, ..plot::Curve::default() });
    }
    let swept = swept?;
    Some(Plot {
        title: format!("{id}: {}", curve.title),
        x: Axis { name: swept.name, unit: swept.unit, logarithmic: is_spaced_by_factors(&places) },
        panels: vec![Panel {
            y: Axis {
                name: curve.y.clone(),
                unit: curve.unit.clone(),
                logarithmic: curve.logarithmic,
            },
            curves,
            band: None,
        }],
    })
}

/// Returns the points of a curve in one record, by increasing swept value.
fn points<'a>(record: &'a Record, id: &str, curve: &Curve) -> Vec<&'a Point> {
    let of = |experiment: &&Experiment| experiment.id == id;
    let all = record.experiments.iter().find(of).into_iter().flat_map(|e| &e.points);
    let mut points: Vec<&Point> = all.filter(|point| point.series == curve.series).collect();
    points.sort_by(|a, b| a.x.value.total_cmp(&b.x.value));
    points
}

/// Returns the marks of a curve: each measurement divided by the divisor of the curve.
fn marks(points: &[&Point], over: Over) -> Vec<Mark> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let divisor = match over {
        Over::First => first.measured,
        Over::Last => last.measured,
        Over::Nothing | Over::One => 1.0,
    };
    let mark =
        |point: &&Point| Mark { x: point.x.value, y: point.measured / divisor, ..Mark::default() };
    let one = (over == Over::One).then(|| Mark { x: 1.0, y: 1.0, ..Mark::default() });
    one.into_iter().chain(points.iter().map(mark)).collect()
}
