//! Comma-separated values (RFC 4180): the tables alone, behind the name of their section where there is one.

use crate::report::{Block, Document};

pub(super) fn render(document: &Document) -> String {
    let mut text = String::new();
    let mut section = String::new();
    for block in &document.blocks {
        match block {
            Block::Heading(_, title) => section.clone_from(title),
            Block::Table(table) | Block::Folded(_, table) => {
                let in_section = |name: &str| (!section.is_empty()).then(|| name.to_owned());
                let head = table.columns.iter().map(|column| column.name.clone());
                line(&mut text, in_section("section").into_iter().chain(head));
                for row in &table.rows {
                    line(&mut text, in_section(&section).into_iter().chain(row.iter().cloned()));
                }
            }
            _ => {}
        }
    }
    text
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    let fields: Vec<String> = cells.map(|cell| field(&cell)).collect();
    text.push_str(&fields.join(","));
    text.push_str("\r\n");
}

fn field(cell: &str) -> String {
    // A spreadsheet runs what begins like a formula; behind an apostrophe it is text.
    let cell = if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() };
    // Some locales part cells by other marks.
    if cell.contains([',', ';', '\t', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

/// Whether a spreadsheet may take the cell for a formula. A figure below zero is none: a number, and perhaps
/// a unit.
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
    fn formulas_are_text_and_figures_are_figures() {
        for formula in ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", " =1", "-1 =cmd", "-"] {
            assert!(field(formula).trim_start_matches('"').starts_with('\''), "{formula}");
        }
        for figure in ["-250 ps", "-1.5", "-1.00×", "-2.5 ps [-3.1, 0.2]", "1.2 ns", "a=b", ""] {
            assert!(!field(figure).contains('\''), "{figure}");
        }
    }
}
