//! The device card: the metrics that experiments marked as headlines, in one table.

use crate::model::{Metric, Record, figures};
use crate::report::{Document, Table, judge};

pub(super) fn card(record: &Record) -> Document {
    let mut table = Table::new(&["on this device", "figure [95 %]", "", "its law"]);
    for experiment in &record.experiments {
        let law = format!("{} {}", experiment.id, judge::outcome(experiment));
        let headlines = experiment.metrics.iter().filter(|metric| metric.headline);
        table.rows.extend(headlines.map(|metric| {
            let figure = figures::metric_with_interval(metric);
            vec![metric.label.clone(), figure, note(metric), law.clone()]
        }));
    }
    let mut document = Document::default();
    if !table.rows.is_empty() {
        document.heading(2, "Device card");
        document.table(table);
    }
    document
}

/// What to know of the figure: how unsure it is, and its own note.
fn note(metric: &Metric) -> String {
    let wide = metric.ci.is_some() && !metric.is_firm();
    let unsure = wide.then_some("known to no better than a fifth");
    let own = Some(metric.note.as_str()).filter(|note| !note.is_empty());
    [unsure, own].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
