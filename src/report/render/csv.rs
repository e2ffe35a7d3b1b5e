//! Comma-separated values (RFC 4180): only the tables.
//!
//! Each row begins with the heading of its section, if there is one. Of several parts, only the first has the names of
//! the columns.

use crate::report::{Block, Document};

pub(super) fn render(document: &Document, part: usize) -> String {
    let mut text = String::new();
    let mut section = String::new();
    for block in &document.blocks {
        match block {
            Block::Heading(_, title) => section.clone_from(title),
            Block::Table(table) | Block::Folded(_, table) => {
                let in_section = |name: &str| (!section.is_empty()).then(|| name.to_owned());
                let head = table.columns.iter().map(|column| column.name.clone());
                if part == 1 {
                    line(&mut text, in_section("section").into_iter().chain(head));
                }
                for row in &table.rows {
                    line(&mut text, in_section(&section).into_iter().chain(row.iter().cloned()));
                }
            }
            _ => {}
        }
    }
    text
}

/// Appends one row.
fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    let fields: Vec<String> = cells.map(|cell| field(&cell)).collect();
    text.push_str(&fields.join(","));
    text.push_str("\r\n");
}

/// Returns the cell, quoted if necessary, and safe to open in a spreadsheet.
fn field(cell: &str) -> String {
    // A spreadsheet evaluates a cell that begins like a formula. An apostrophe makes the cell text.
    let cell = if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() };
    // Some locales separate cells by a semicolon or a tab.
    if cell.contains([',', ';', '\t', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

/// Returns whether a spreadsheet may evaluate the cell as a formula.
///
/// A negative number, with or without a unit, is not a formula.
fn is_formula(cell: &str) -> bool {
    let text = cell.trim_start();
    if !text.starts_with(['=', '+', '-', '@']) {
        return false;
    }
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    let number = number.trim_end_matches(['×', ',']);
    let plain = |c: char| c.is_alphanumeric() || " .,[]-/%×".contains(c);
    number.parse::<f64>().is_err() || !unit.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_numbers_stay_numbers() {
        for formula in ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", " =1", "-1 =cmd", "-"] {
            assert!(field(formula).trim_start_matches('"').starts_with('\''), "{formula}");
        }
        for number in ["-250 ps", "-1.5", "-1.00×", "-2.5 ps [-3.1, 0.2]", "1.2 ns", "a=b", ""] {
            assert!(!field(number).contains('\''), "{number}");
        }
    }
}
