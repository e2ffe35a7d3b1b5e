//! The end of a run: the verdicts in numbers, and the figures that matter most.

use crate::model::{Category, Experiment, Metric, Record, figures};
use crate::report::{Document, Table, judge};

/// Experiments of a category that have a row. Two of each category fit a terminal, and show every category.
const PER_CATEGORY: usize = 2;

/// Builds the summary: the number of laws for each verdict, and a table of key figures.
///
/// The table has the first two experiments of each
/// category that have one.
#[must_use]
pub fn summary(record: &Record) -> Document {
    let mut document = Document::default();
    document.text(format!(
        "{} through {}, {} in {}. {}",
        record.device(),
        record.adapter.backend,
        figures::counted(record.experiments.len(), "experiment"),
        figures::quantity(record.duration_s, "s"),
        super::verdicts::counts(record),
    ));
    let mut table = Table::new(&["metric", "value [95 % interval]", "law", "verdict"]);
    for (experiment, metric) in Category::ALL.into_iter().flat_map(|c| key_figures(record, c)) {
        table.rows.push(vec![
            metric.label.clone(),
            figures::metric_with_interval(metric),
            experiment.id.clone(),
            judge::outcome(experiment).to_owned(),
        ]);
    }
    if !table.rows.is_empty() {
        document.table(table);
    }
    let advice = record.experiments.iter().flat_map(|experiment| {
        experiment.advice.iter().map(|advice| format!("{}: {advice}", experiment.id))
    });
    let advice: Vec<String> = advice.collect();
    if !advice.is_empty() {
        document.text("What would decide the undecided laws:");
        document.list(advice);
    }
    document
}

/// Returns the key figures of `category` with their experiments.
fn key_figures(
    record: &Record,
    category: Category,
) -> impl Iterator<Item = (&Experiment, &Metric)> {
    let of_category = record.experiments.iter().filter(move |e| e.category == category);
    of_category.filter_map(|e| Some((e, e.key_figure()?))).take(PER_CATEGORY)
}
