//! How fast warplaw itself is, as its benches measured it.

use super::super::{Document, Table};
use crate::model::Performance;

/// Adds what every bench left.
pub(in super::super) fn add(document: &mut Document, parts: &[Performance]) {
    if parts.is_empty() {
        return;
    }
    document.heading(2, "PERFORMANCE");
    document.text(
        "How fast warplaw itself is, and how it compares. Each part is made by the command beneath it; all of them by \
         `cargo bench --bench peers --bench precision --bench scale`.",
    );
    for part in parts {
        document.append(performance(part));
    }
}

/// What one bench left.
#[must_use]
pub fn performance(part: &Performance) -> Document {
    let mut document = Document::default();
    document.heading(3, &part.title);
    for paragraph in &part.about {
        document.text(paragraph);
    }
    for figures in &part.tables {
        let columns: Vec<&str> = figures.columns.iter().map(String::as_str).collect();
        let mut table = Table::new(&columns);
        table.rows.clone_from(&figures.rows);
        document.table(table);
    }
    let on = part.adapter.as_ref().map_or(String::new(), |adapter| format!("{adapter}, "));
    let host = &part.machine;
    document.text(format!(
        "{on}{}, {} cores, {}; {}, by `{}` of warplaw {}.",
        host.cpu.as_deref().unwrap_or("a processor that does not say its name"),
        host.cores,
        host.os,
        part.started_at.get(..10).unwrap_or(&part.started_at),
        part.made_by,
        part.version
    ));
    document
}
