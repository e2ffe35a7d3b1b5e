//! Comparison of several records: which metrics differ by more than two runs of one device may, and in which
//! direction.

mod caveats;
mod curves;
mod data;
mod figure;
mod named;
mod rule;
mod tables;

use crate::model::figures;
use crate::report::Document;

pub use caveats::are_of_one_device;
pub(super) use curves::overlaid;
pub use data::{Comparison, comparison_data};
pub(super) use figure::Shared;
pub use named::Named;
pub(super) use named::letter;
pub use rule::{Difference, Doubt, has_changed};
use tables::Rows;

/// Compares records side by side, in the given order.
///
/// For two records, the tables compare the second with the first. For more records, the table of metrics
/// shows the rank of each record.
#[must_use]
pub fn compare(records: &[Named<'_>]) -> Document {
    let mut document = Document::default();
    document.heading(1, "Comparison");
    document.list(caveats::devices(records));
    let rows = Rows::of(records);
    document.append(conditions(records, &rows));
    let plots = overlaid(records);
    if !plots.is_empty() {
        document.heading(2, "Curves");
        for (_, plot) in plots {
            document.plot(plot);
        }
    }
    document.append(of_rows(records, &rows));
    document
}

/// Lists the conditions that differ, and summarises the results.
fn conditions(records: &[Named<'_>], rows: &Rows<'_>) -> Document {
    let mut document = Document::default();
    let caveats = caveats::caveats(records);
    if !caveats.is_empty() {
        document.text("Conditions that differ between the records and can affect the comparison:");
        document.list(caveats);
    }
    document.text(rows.summary());
    document
}

/// Builds the tables of verdicts and metrics, with a column per record.
pub(super) fn side_by_side(records: &[Named<'_>]) -> Document {
    of_rows(records, &Rows::of(records))
}

/// Builds the tables of verdicts and metrics from computed rows.
fn of_rows(records: &[Named<'_>], rows: &Rows<'_>) -> Document {
    let mut document = Document::default();
    document.heading(2, "Verdicts: with the median residual, |measured / predicted − 1|");
    document.table(tables::verdicts(records));
    document.heading(2, "Metrics");
    let factor = figures::quantity(1.0 + rule::SHARED, "x");
    let memory = figures::quantity(1.0 + rule::MEMORY, "x");
    if records.len() == 2 {
        document.text(format!(
            "B / A is the metric of record B divided by the metric of record A. Two runs of one device may \
             differ by the run-to-run limit, which is 10 % or the tolerance of the law, whichever is larger. \
             B is SAME if the whole 95 % interval of B / A is within the limit. B is FASTER (better) or \
             SLOWER (worse) if the whole interval and the spread bound of B / A are beyond the limit. The \
             spread bound is the range of B / A if both metrics vary over the spread of their samples. For \
             FASTER or SLOWER, metrics of a CPU must differ by more than {factor}, because other \
             programs share its cores, and by more than {memory} if they depend on caches and memory. In all other cases B is UNCLEAR, and the table gives the reason."
        ));
        document.list(rows.doubts());
    } else {
        document.text(format!(
            "The number before a value is the rank of the device in that metric: one plus the number of \
             devices that are clearly better. A device is clearly better if the whole 95 % interval and the \
             spread bound of the ratio of the two values are beyond the run-to-run limit. Two runs of one \
             device may differ by this limit, which is 10 % or the tolerance of the law, whichever is \
             larger. Metrics of a CPU must differ by more than {factor}, because other programs \
             share its cores, and by more than {memory} if they depend on caches and memory. Several devices may share a rank. A metric in which no device is clearly \
             better has no ranks."
        ));
        document.table(rows.ranking());
    }
    document.table(rows.table());
    document.heading(2, "Metrics without a better direction");
    document.table(tables::described(records));
    document
}

/// Builds one table in tidy form: a row for each metric and each pair of the first record and another.
#[must_use]
pub fn comparison(records: &[Named<'_>]) -> Document {
    let mut document = Document::default();
    document.table(Rows::of(records).tidy());
    document
}

/// Returns a line for each metric that is clearly worse in `record` than in `baseline`.
#[must_use]
pub fn slower(baseline: Named<'_>, record: Named<'_>) -> Vec<String> {
    Rows::of(&[baseline, record]).slower()
}

/// Returns a line for each condition that differs between the records.
#[must_use]
pub fn conditions_that_differ(records: &[Named<'_>]) -> Vec<String> {
    caveats::caveats(records)
}
