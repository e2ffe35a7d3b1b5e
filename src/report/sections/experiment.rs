//! The section of one experiment: verdict, diagnosis, plots, points, autotuning and metrics.

use super::detail::Detail;
use super::plots::plots;
use super::verdicts::place;
use crate::model::figures;
use crate::model::{Experiment, Point, Search};
use crate::report::{Document, Table, judge};

/// Builds the section of one experiment.
pub(super) fn experiment(experiment: &Experiment, detail: Detail) -> Document {
    let mut document = Document::default();
    document.heading(2, format!("{}: {}", experiment.id, experiment.law));
    if let Some(reason) = &experiment.reason {
        document.text(format!("Status: {}. Reason: {reason}", experiment.status.as_str()));
    } else {
        document.text(format!(
            "Verdict: {} ({}).",
            judge::outcome(experiment),
            judge::decided_by(experiment)
        ));
    }
    document.list(experiment.diagnosis.clone());
    if !experiment.advice.is_empty() {
        document.text("What would decide this law:");
        document.list(experiment.advice.clone());
    }
    let mut with_values = true;
    for plot in plots(experiment, detail) {
        // A terminal shows no values below a plot that it draws, and making them takes long.
        with_values &= detail == Detail::All || !plot.is_drawn_in_letters();
        document.plot(plot);
    }
    if with_values && !experiment.points.is_empty() {
        let summary = figures::counted(experiment.points.len(), "point");
        document.folded(
            summary,
            point_table(&experiment.points, |p| judge::judge_point(experiment, p).as_str()),
        );
    }
    for search in &experiment.searches {
        add_search(&mut document, search, with_values);
    }
    document.table(metric_table(experiment));
    document
}

/// Adds the launch configuration that autotuning chose, and with its values the table of all that autotuning tried.
fn add_search(document: &mut Document, search: &Search, with_values: bool) {
    let tried = figures::counted(search.tried.len(), "configuration");
    let best = search.tried.iter().max_by(|a, b| a.rate.total_cmp(&b.rate));
    let (Some(chosen), Some(best)) = (&search.chosen, best) else {
        document.text(format!(
            "Autotuning of {} found no launch configuration that works ({tried} timed).",
            search.name
        ));
        return;
    };
    let left_out = match search.left_out {
        0 => String::new(),
        left_out => format!(" Left out, because of a load failure or a wrong output: {left_out}."),
    };
    document.text(format!(
        "Autotuning of {} chose the launch configuration {chosen}: {}, the fastest of {tried} tried in \
         {}.{left_out}",
        search.name,
        figures::quantity(best.rate, &best.unit),
        figures::quantity(search.took_s, "s"),
    ));
    if !with_values {
        return;
    }
    let mut table = Table::new(&["launch configuration", "rate>"]);
    for tried in &search.tried {
        let rate = figures::quantity(tried.rate, &tried.unit);
        table.rows.push(vec![tried.configuration.clone(), rate]);
    }
    document.folded(format!("{tried} tried for {}", search.name), table);
}

/// Builds the table of points: prediction, measurement, ratio and verdict.
fn point_table(points: &[Point], verdict: impl Fn(&Point) -> &'static str) -> Table {
    let columns = [
        "series",
        "swept value",
        "predicted>",
        "measured>",
        "measured / predicted [interval]>",
        "verdict",
    ];
    let mut table = Table::new(&columns);
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

/// Builds the table of all metrics.
fn metric_table(experiment: &Experiment) -> Table {
    let mut table = Table::new(&["metric", "value [95 % interval]", "note", "id"]);
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
