//! The device card: one table of the metrics that experiments declare as headlines.

use crate::model::{Metric, Record, figures};
use crate::report::{Document, Table, judge};

/// Builds the device card. The document is empty if there is no headline metric.
pub(super) fn card(record: &Record) -> Document {
    let mut table = Table::new(&["metric", "value [95 % interval]", "note", "law and verdict"]);
    for experiment in &record.experiments {
        let law = format!("{} {}", experiment.id, judge::outcome(experiment));
        let headlines = experiment.metrics.iter().filter(|metric| metric.headline);
        table.rows.extend(headlines.map(|metric| {
            let value = figures::metric_with_interval(metric);
            vec![metric.label.clone(), value, note(metric), law.clone()]
        }));
    }
    let mut document = Document::default();
    if !table.rows.is_empty() {
        document.heading(2, "Device card");
        document.table(table);
    }
    document
}

/// Returns the note of a metric, after a warning if the interval is wide.
fn note(metric: &Metric) -> String {
    let wide = metric.ci.is_some() && !metric.is_firm();
    let warning = wide.then_some("95 % interval wider than ±20 %");
    let own = Some(metric.note.as_str()).filter(|note| !note.is_empty());
    [warning, own].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
