//! One row per experiment: what was predicted well, and what was not.

use crate::model::figures;
use crate::model::{Experiment, Point, Record, Status, Verdict};
use crate::report::{Document, Table, judge};
use crate::stats;

pub(in crate::report) fn verdicts(record: &Record) -> Document {
    let mut document = Document::default();
    document.heading(2, "Verdicts");
    document.text(counts(record));
    let mut table = Table::new(&[
        "experiment",
        "verdict",
        "by",
        "median residual>",
        "worst: measured / predicted [95 %]",
    ]);
    table.rows.extend(record.experiments.iter().map(row));
    document.table(table);
    document.text(
        "A residual is |measured / predicted − 1| over the points that the law claims. A law holds where \
         every point's whole 95 % interval lies within the tolerance of 1, and deviates where one point's \
         lies outside. Where a control of the measuring failed, nothing is decided. In the plots a line is what \
         was predicted and a mark what was measured, with its 95 % interval, hollow where the law claims nothing; \
         faint dots are single samples, and the band below is the tolerance.",
    );
    document
}

/// How many laws hold, deviate and are undecided.
fn counts(record: &Record) -> String {
    let measured = record.experiments.iter().filter(|e| e.status == Status::Measured);
    let verdicts: Vec<Verdict> = measured.filter_map(judge::rejudge).collect();
    let many = |verdict| verdicts.iter().filter(|v| **v == verdict).count();
    let other = record.experiments.len() - verdicts.len();
    format!(
        "Laws that hold: {}; that deviate: {}; undecided: {}; not measured: {other}.",
        many(Verdict::Holds),
        many(Verdict::Deviates),
        many(Verdict::Inconclusive),
    )
}

fn row(experiment: &Experiment) -> Vec<String> {
    let tolerance = match experiment.tolerance {
        Some(tolerance) if experiment.status == Status::Measured => {
            format!(" (±{:.0} %)", tolerance * 100.0)
        }
        _ => String::new(),
    };
    vec![
        experiment.id.clone(),
        format!("{}{tolerance}", judge::outcome(experiment)),
        judge::decided_by(experiment),
        stats::median(&experiment.residuals()).map_or(String::new(), figures::per_cent),
        worst(experiment).map_or(String::new(), |point| {
            format!(
                "{}: {}, {}",
                figures::ratio(point.ratio, point.ratio_ci),
                point.series,
                place(point)
            )
        }),
    ]
}

/// The judged point that lies furthest from its prediction.
fn worst(experiment: &Experiment) -> Option<&Point> {
    let judged = experiment.points.iter().filter(|point| point.judged);
    judged.max_by(|a, b| a.residual().total_cmp(&b.residual()))
}

/// Where in the sweep.
pub(super) fn place(point: &Point) -> String {
    let x = &point.x;
    if x.unit.is_empty() {
        format!("{} {}", figures::count(x.value), x.name)
    } else {
        format!("{} {}", figures::quantity(x.value, &x.unit), x.name)
    }
}
