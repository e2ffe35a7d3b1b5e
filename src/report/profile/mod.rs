//! Documents about the profile of a shader.

mod accesses;
mod cells;
mod lines;
mod meanings;
mod summary;
mod tables;

use accesses::accesses;
use lines::{hottest, listing};
use meanings::meanings;
use summary::{heading, summary};
use tables::{decisions, loops, outputs, paths, widths, work};

use super::{Document, Table};
use crate::model::{Line, ShaderProfile};

/// Builds the page of a profile: a summary, the hottest lines, the source with its figures, and where they come from.
#[must_use]
pub fn profile(profile: &ShaderProfile) -> Document {
    let of_dispatch = &profile.dispatch;
    let mut document = Document::default();
    document.heading(1, format!("{}, entry point {}", of_dispatch.file, of_dispatch.entry));
    heading(&mut document, profile);
    summary(&mut document, profile);
    hottest(&mut document, profile);
    document.heading(2, "Source");
    document.listing(listing(profile));
    decisions(&mut document, profile);
    loops(&mut document, profile);
    accesses(&mut document, profile);
    paths(&mut document, profile);
    work(&mut document, profile);
    widths(&mut document, profile);
    outputs(&mut document, profile);
    document.heading(2, "What the figures mean");
    document.list(meanings(profile));
    document
}

/// Builds the table of a profile for spreadsheets: one line of the source per row, numbers without units.
#[must_use]
pub fn profile_table(profile: &ShaderProfile) -> Document {
    let mut table = Table::new(&[
        "file",
        "line",
        "executions",
        "issues",
        "active_lanes",
        "lane_slots",
        "lost_slots",
        "efficiency",
        "splits",
        "estimated_s",
    ]);
    for line in &profile.lines {
        let Line { number, executions, totals, splits, estimated_s } = line;
        let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        table.rows.push(vec![
            profile.dispatch.file.clone(),
            number.to_string(),
            executions.to_string(),
            totals.issues.to_string(),
            totals.lanes.to_string(),
            totals.slots.to_string(),
            totals.lost().to_string(),
            optional(totals.efficiency()),
            splits.to_string(),
            optional(*estimated_s),
        ]);
    }
    let mut document = Document::default();
    document.table(table);
    document
}

/// Returns the executions of lines in the format of LCOV, which editors and coverage tools show beside the source.
#[must_use]
pub fn lcov(profile: &ShaderProfile) -> String {
    let mut text = format!("TN:\nSF:{}\n", profile.dispatch.file.replace('\n', " "));
    for line in &profile.lines {
        text.push_str(&format!("DA:{},{}\n", line.number, line.executions));
    }
    let hit = profile.lines.iter().filter(|line| line.executions > 0).count();
    text.push_str(&format!("LH:{hit}\nLF:{}\nend_of_record\n", profile.lines.len()));
    text
}
