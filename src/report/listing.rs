//! The listing: source code with cells before each line.

use super::safe::Safe;
use crate::model::MAX_CHARS;

/// Source code with cells before each line.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// Heads of the cells.
    pub columns: Vec<String>,
    /// Lines, in the order of the source.
    pub lines: Vec<ListedLine>,
}

/// A line of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedLine {
    /// Number, from 1.
    pub number: u32,
    /// A cell for each column; none if the line has none.
    pub cells: Vec<String>,
    /// How hot the line is, from 0 to 1: the margin shows it.
    pub heat: f64,
    /// The line of the source.
    pub text: String,
}

/// Steps in which the margin shows heat.
const STEPS: f64 = 8.0;
/// Columns of the margin with the heat. Each holds two steps.
const BAR: usize = 4;

/// Returns a bar of so many half blocks.
pub(super) fn bar(halves: usize) -> String {
    format!("{}{}", "█".repeat(halves / 2), if halves % 2 == 1 { "▌" } else { "" })
}

impl ListedLine {
    /// Returns the heat in steps, from 0 to 8. Only a line without heat has 0 steps.
    pub(super) fn steps(&self) -> usize {
        (self.heat * STEPS).ceil().clamp(0.0, STEPS) as usize
    }
}

impl Listing {
    /// Returns the listing with every string safe to show.
    pub(super) fn safe(&self, safe: Safe) -> Self {
        // A tab would become a single space.
        let line = |line: &ListedLine| ListedLine {
            text: safe(&line.text.replace('\t', "    "), MAX_CHARS).trim_end().to_owned(),
            cells: line.cells.iter().map(|cell| safe(cell, MAX_CHARS)).collect(),
            ..line.clone()
        };
        let columns = self.columns.iter().map(|name| safe(name, MAX_CHARS)).collect();
        Self { columns, lines: self.lines.iter().map(line).collect() }
    }

    /// Returns the listing as text, with a head, and with the steps of heat of each line. No line is longer than `width`.
    pub(super) fn text(&self, width: Option<u16>) -> Vec<(usize, String)> {
        let count = |text: &str| text.chars().count();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = self.lines.iter().filter_map(|line| line.cells.get(column));
                let widths = cells.chain([&self.columns[column]]).map(|cell| count(cell));
                widths.max().unwrap_or(0)
            })
            .collect();
        let digits = self.lines.last().map_or(1, |line| line.number.to_string().len()).max(4);
        let line = |number: &str, cells: &[String], steps: usize, source: &str| {
            let empty = String::new();
            let cells = widths.iter().enumerate().map(|(column, &width)| {
                format!("{:>width$}  ", cells.get(column).unwrap_or(&empty))
            });
            let bar = bar(steps);
            let margin = format!("{number:>digits$}  {}{bar:<BAR$} │ ", cells.collect::<String>());
            let most = width.map(|width| usize::from(width).saturating_sub(count(&margin)).max(8));
            let source = match most.filter(|&most| count(source) > most) {
                Some(most) => source.chars().take(most - 1).chain(['…']).collect(),
                None => source.to_owned(),
            };
            (steps, format!("{margin}{source}").trim_end().to_owned())
        };
        let head = line("line", &self.columns, 0, "");
        let rest = self
            .lines
            .iter()
            .map(|of| line(&of.number.to_string(), &of.cells, of.steps(), &of.text));
        std::iter::once(head).chain(rest).collect()
    }
}
