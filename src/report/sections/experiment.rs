//! One experiment: its curves, what it was calibrated by, what it found, and what its deviations suggest.

use std::collections::HashMap;

use super::plots::plots;
use super::verdicts::place;
use crate::record::{Case, Experiment, Point, Search};
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
    for search in &experiment.searches {
        add_search(&mut document, search);
    }
    document.table(figure_table(experiment));
    document
}

/// The shape that was chosen, and every one that was tried.
fn add_search(document: &mut Document, search: &Search) {
    let tried = figures::counted(search.tried.len(), "shape");
    let best = search.tried.iter().max_by(|a, b| a.rate.total_cmp(&b.rate));
    let (Some(chosen), Some(best)) = (&search.chosen, best) else {
        document.text(format!("{}: no shape worked, of {tried}.", search.name));
        return;
    };
    let left_out = match search.left_out {
        0 => String::new(),
        left_out => format!("; {left_out} more would not load or gave a wrong answer"),
    };
    document.text(format!(
        "{}: {chosen}, with {} the fastest of {tried} tried in {}{left_out}.",
        search.name,
        figures::quantity(best.rate, &best.unit),
        figures::quantity(search.took_s, "s"),
    ));
    let mut table = Table::new(&["shape", "rate>"]);
    for tried in &search.tried {
        let rate = figures::quantity(tried.rate, &tried.unit);
        table.rows.push(vec![tried.shape.clone(), rate]);
    }
    document.folded(format!("{tried} of {}", search.name), table);
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
