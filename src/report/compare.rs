//! Several records side by side: one column a device, what differs in its own words.

use std::collections::HashMap;

use super::document::{Document, Table};
use super::figures;
use super::judge;
use crate::record::{Experiment, Record};

/// Lays records side by side, in the order given.
#[must_use]
pub fn compare(records: &[(String, Record)]) -> Document {
    let mut document = Document::default();
    document.heading(1, "Comparison");
    document.list(
        records
            .iter()
            .enumerate()
            .map(|(i, (path, record))| {
                format!(
                    "{}: {}, {}, {} profile, {} (`{path}`)",
                    letter(i),
                    record.adapter.name,
                    record.adapter.backend,
                    record.tool.profile,
                    record.started_at
                )
            })
            .collect(),
    );
    document.heading(2, "Verdicts");
    document.table(rows(records, |experiment| {
        let verdict = judge::word(experiment);
        let residual = crate::stats::median(&experiment.residuals());
        vec![(
            "verdict, median residual".to_owned(),
            residual.map_or_else(
                || verdict.to_owned(),
                |residual| format!("{verdict}, {}", figures::per_cent(residual)),
            ),
        )]
    }));
    document.heading(2, "Findings");
    document.table(rows(records, |experiment| {
        experiment.findings.iter().map(|f| (f.name.clone(), figures::finding(f))).collect()
    }));
    document.heading(2, "Calibrated");
    document.table(rows(records, |experiment| {
        experiment.parameters.iter().map(|p| (p.name.clone(), figures::parameter(p))).collect()
    }));
    document
}

fn letter(index: usize) -> String {
    char::from_u32('A' as u32 + index as u32)
        .filter(char::is_ascii_uppercase)
        .map_or_else(|| format!("#{}", index + 1), |letter| letter.to_string())
}

/// One row for each name that any record has; an empty cell where a record lacks it.
fn rows(
    records: &[(String, Record)],
    entries: impl Fn(&Experiment) -> Vec<(String, String)>,
) -> Table {
    let heads: Vec<String> = (0..records.len()).map(|i| format!("{}>", letter(i))).collect();
    let columns: Vec<&str> =
        ["experiment", "what"].into_iter().chain(heads.iter().map(String::as_str)).collect();
    let mut table = Table::new(&columns);
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    for (column, (_, record)) in records.iter().enumerate() {
        for experiment in &record.experiments {
            for (name, value) in entries(experiment) {
                let place = places.entry((experiment.id.clone(), name));
                let mut row = vec![place.key().0.clone(), place.key().1.clone()];
                let at = *place.or_insert_with(|| {
                    row.resize(2 + records.len(), String::new());
                    table.rows.push(std::mem::take(&mut row));
                    table.rows.len() - 1
                });
                table.rows[at][2 + column] = value;
            }
        }
    }
    table
}
