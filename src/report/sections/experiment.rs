//! One experiment: its curves, what it was calibrated by, what it found, and what its deviations suggest.

use std::collections::HashMap;

use super::plots::plots;
use super::verdicts::place;
use crate::record::{Case, Experiment, Point};
use crate::report::{Document, Table, figures, judge, names};

pub(super) fn experiment(experiment: &Experiment, cases: &HashMap<&str, &Case>) -> Document {
    let mut document = Document::default();
    document.heading(2, format!("{}: {}", experiment.id, experiment.law));
    if let Some(reason) = &experiment.reason {
        document.text(format!("{}: {reason}", experiment.status.word()));
    } else {
        document.text(format!("{}: {}.", judge::word(experiment), judge::decided_by(experiment)));
    }
    document.list(experiment.diagnosis.clone());
    for plot in plots(experiment, cases) {
        document.plot(plot);
    }
    if !experiment.points.is_empty() {
        let many = figures::counted(experiment.points.len(), "point");
        document.folded(
            many,
            point_table(&experiment.points, |p| judge::judge_point(experiment, p).word()),
        );
    }
    document.table(figure_table(experiment));
    document
}

fn point_table(points: &[Point], verdict: impl Fn(&Point) -> &'static str) -> Table {
    let mut table =
        Table::new(&["series", "at", "predicted>", "measured>", "ratio [95 %]>", "verdict"]);
    for point in points {
        table.rows.push(vec![
            point.series.clone(),
            place(point),
            figures::quantity(point.predicted, &point.unit),
            figures::quantity(point.measured, &point.unit),
            figures::ratio(point.ratio, point.ratio_ci),
            if point.claimed { verdict(point) } else { "not claimed" }.to_owned(),
        ]);
    }
    table
}

/// What the law's formula was given, and what came out.
fn figure_table(experiment: &Experiment) -> Table {
    let mut table = Table::new(&["figure", "what it is", "value [95 %]"]);
    let what = |name: &str| names::words(&experiment.id, name).unwrap_or_default();
    for parameter in &experiment.parameters {
        let name = &parameter.name;
        table.rows.push(vec![name.clone(), what(name), figures::parameter(parameter)]);
    }
    for finding in &experiment.findings {
        let name = &finding.name;
        table.rows.push(vec![name.clone(), what(name), figures::finding_with_interval(finding)]);
    }
    table
}
