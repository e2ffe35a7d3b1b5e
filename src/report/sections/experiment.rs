//! One experiment: its curves, what it was calibrated by, what it found, and what its deviations suggest.

use super::plots::plots;
use super::verdicts::place;
use crate::model::figures;
use crate::model::{Experiment, Point, Search};
use crate::report::{Document, Table, judge};

pub(super) fn experiment(experiment: &Experiment) -> Document {
    let mut document = Document::default();
    document.heading(2, format!("{}: {}", experiment.id, experiment.law));
    if let Some(reason) = &experiment.reason {
        document.text(format!("{}: {reason}", experiment.status.as_str()));
    } else {
        document.text(format!(
            "{}: {}.",
            judge::outcome(experiment),
            judge::decided_by(experiment)
        ));
    }
    document.list(experiment.diagnosis.clone());
    for plot in plots(experiment) {
        document.plot(plot);
    }
    if !experiment.points.is_empty() {
        let many = figures::counted(experiment.points.len(), "point");
        document.folded(
            many,
            point_table(&experiment.points, |p| judge::judge_point(experiment, p).as_str()),
        );
    }
    for search in &experiment.searches {
        add_search(&mut document, search);
    }
    document.table(figure_table(experiment));
    document
}

/// The launch configuration that was chosen, and every one that was tried.
fn add_search(document: &mut Document, search: &Search) {
    let tried = figures::counted(search.tried.len(), "configuration");
    let best = search.tried.iter().max_by(|a, b| a.rate.total_cmp(&b.rate));
    let (Some(chosen), Some(best)) = (&search.chosen, best) else {
        document.text(format!("{}: no launch configuration worked, of {tried}.", search.name));
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
    let mut table = Table::new(&["launch configuration", "rate>"]);
    for tried in &search.tried {
        let rate = figures::quantity(tried.rate, &tried.unit);
        table.rows.push(vec![tried.configuration.clone(), rate]);
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
            if point.judged { verdict(point) } else { "not judged" }.to_owned(),
        ]);
    }
    table
}

/// What was calibrated and found.
fn figure_table(experiment: &Experiment) -> Table {
    let mut table = Table::new(&["figure", "value [95 %]", "", "id"]);
    for metric in &experiment.metrics {
        table.rows.push(vec![
            metric.label.clone(),
            figures::metric_with_interval(metric),
            metric.note.clone(),
            metric.id.clone(),
        ]);
    }
    table
}
