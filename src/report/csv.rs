//! Comma-separated values (RFC 4180): the tables alone, each under its section's name.

use super::document::{Block, Document};

pub(super) fn render(document: &Document) -> String {
    let mut text = String::new();
    let mut section = String::new();
    for block in &document.blocks {
        match block {
            Block::Heading(_, title) => section.clone_from(title),
            Block::Table(table) => {
                let head = table.columns.iter().map(|column| column.name.clone()).collect();
                line(&mut text, "section", head);
                for row in &table.rows {
                    line(&mut text, &section, row.clone());
                }
            }
            Block::Text(_) | Block::List(_) | Block::Plot(_) => {}
        }
    }
    text
}

fn line(text: &mut String, section: &str, cells: Vec<String>) {
    let fields: Vec<String> =
        std::iter::once(section.to_owned()).chain(cells).map(|cell| field(&cell)).collect();
    text.push_str(&fields.join(","));
    text.push_str("\r\n");
}

fn field(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
