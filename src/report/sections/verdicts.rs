//! The section of verdicts: a row per experiment, and the meaning of the verdicts and plots.

use crate::model::figures;
use crate::model::{Experiment, Point, Record, Status, Verdict};
use crate::report::{Document, Table, judge};
use crate::stats;

/// Builds the section of verdicts.
pub(in crate::report) fn verdicts(record: &Record) -> Document {
    let mut document = Document::default();
    document.heading(2, "Verdicts");
    document.text(counts(record));
    let mut table = Table::new(&[
        "experiment",
        "verdict",
        "reason",
        "median residual>",
        "worst point: measured / predicted [interval]",
    ]);
    table.rows.extend(record.experiments.iter().map(row));
    document.table(table);
    document.text(
        "The residual of a point is |measured / predicted − 1|. Only points to which the law applies are \
         judged. A point holds if the whole interval of measured / predicted is within the tolerance, which is \
         1 ± the percentage after the verdict. It deviates if the interval and the spread bound are outside \
         the tolerance on the same side. Else it is undecided. The interval has a confidence of at least \
         95 %. The spread bound is the range of the ratio while the time of each case behind it varies \
         between the lower sixth and the median of its samples; it covers this range by all rounds and by \
         the rounds that timed all cases. A law deviates if one judged point deviates. It holds if all judged points hold, or if at most one in twenty is undecided and each of \
         those is within the tolerance, with an interval within twice the tolerance. In all other cases, and \
         if a control failed, the verdict is inconclusive. In a plot, a line is a prediction and a mark is a \
         measurement. Graphical plots add the interval of each measurement, and single samples as faint dots. \
         A hollow mark is a point that is not judged. The lower panel shows measured / predicted, with the \
         tolerance as a band.",
    );
    document
}

/// Returns a sentence with the number of laws for each verdict.
pub(super) fn counts(record: &Record) -> String {
    let measured = record.experiments.iter().filter(|e| e.status == Status::Measured);
    let verdicts: Vec<Verdict> = measured.filter_map(judge::rejudge).collect();
    let count = |verdict| verdicts.iter().filter(|v| **v == verdict).count();
    let other = record.experiments.len() - verdicts.len();
    format!(
        "Laws that hold: {}. Laws that deviate: {}. Laws undecided: {}. Laws not measured: {other}.",
        count(Verdict::Holds),
        count(Verdict::Deviates),
        count(Verdict::Inconclusive),
    )
}

/// Returns the row of an experiment.
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

/// Returns the judged point with the largest residual.
fn worst(experiment: &Experiment) -> Option<&Point> {
    experiment.judged().max_by(|a, b| a.residual().total_cmp(&b.residual()))
}

/// Formats the swept value of a point with the name of the swept quantity.
pub(super) fn place(point: &Point) -> String {
    let x = &point.x;
    if x.unit.is_empty() {
        format!("{} {}", figures::count(x.value), x.name)
    } else {
        format!("{} {}", figures::quantity(x.value, &x.unit), x.name)
    }
}
