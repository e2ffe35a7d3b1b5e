//! Several records side by side: what differs by more than two runs of one device do, and in which way.

mod caveats;
mod curves;
mod figure;
mod named;
mod rule;
mod tables;

use crate::model::figures;
use crate::report::Document;

pub(super) use curves::overlaid;
pub use named::Named;
pub(super) use named::letter;
pub use rule::{Difference, Doubt};
use tables::Rows;

/// Records side by side, in the order given. Two are compared, the second with the first; of more, each figure's
/// ranks are given.
#[must_use]
pub fn compare(records: &[Named<'_>]) -> Document {
    let mut document = Document::default();
    document.heading(1, "Comparison");
    document.list(caveats::devices(records));
    let rows = Rows::of(records);
    document.append(differing(records, &rows));
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

/// What beside the devices differs, and what comes of it all.
fn differing(records: &[Named<'_>], rows: &Rows<'_>) -> Document {
    let mut document = Document::default();
    let caveats = caveats::caveats(records);
    if !caveats.is_empty() {
        document.text("Beside the devices, these differ:");
        document.list(caveats);
    }
    document.text(rows.summary());
    document
}

/// Verdicts and figures, a column a record.
pub(super) fn side_by_side(records: &[Named<'_>]) -> Document {
    of_rows(records, &Rows::of(records))
}

fn of_rows(records: &[Named<'_>], rows: &Rows<'_>) -> Document {
    let mut document = Document::default();
    document.heading(2, "Verdicts");
    document.table(tables::verdicts(records));
    document.heading(2, "Figures");
    if records.len() == 2 {
        let apart = figures::quantity(1.0 + rule::SHARED, "x");
        document.text(format!(
            "FASTER and SLOWER are said of B where the whole interval of B / A, and what single spans spread by, lie \
             beyond what two runs of one device may differ by (\"alike within\"; times and rates of a CPU, which others \
             share, must lie {apart} apart); SAME where the whole interval lies within it; and otherwise UNCLEAR, \
             with the reason."
        ));
        document.list(rows.doubts());
    } else {
        document.text(
            "Where any device is clearly better than another, by more than two runs of one device may differ by, ranks \
             stand before the figures: one more than there are devices that are better. Devices between which it is \
             unclear share a rank.",
        );
        document.table(rows.ranking());
    }
    document.table(rows.table());
    document.heading(2, "Described, not ranked");
    document.table(tables::described(records));
    document
}

/// The same as one tidy table: a row for each figure and pair of the first record and another.
#[must_use]
pub fn comparison(records: &[Named<'_>]) -> Document {
    let mut document = Document::default();
    document.table(Rows::of(records).tidy());
    document
}

/// Figures of `record` that are clearly worse than in `baseline`, in words.
#[must_use]
pub fn slower(baseline: Named<'_>, record: Named<'_>) -> Vec<String> {
    Rows::of(&[baseline, record]).slower()
}

/// What makes it hard to compare the records, in words.
#[must_use]
pub fn differences(baseline: Named<'_>, record: Named<'_>) -> Vec<String> {
    caveats::caveats(&[baseline, record])
}
