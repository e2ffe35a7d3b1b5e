//! Markdown with pipe tables.

use super::document::{Align, Block, Document, Table};
use super::plot;

pub(super) fn render(document: &Document) -> String {
    let mut pieces = Vec::new();
    for block in &document.blocks {
        pieces.push(match block {
            Block::Heading(level, title) => {
                format!("{} {}", "#".repeat(usize::from(*level)), escape(title))
            }
            Block::Text(words) => escape(words),
            Block::List(items) => items
                .iter()
                .map(|item| format!("- {}", escape(item)))
                .collect::<Vec<_>>()
                .join("\n"),
            Block::Table(table) => pipes(table),
            Block::Plot(plot) => format!("```text\n{}```", plot::draw(plot, None)),
        });
    }
    pieces.join("\n\n") + "\n"
}

fn pipes(table: &Table) -> String {
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let mut lines = vec![
        row(table.columns.iter().map(|column| escape(&column.name)).collect()),
        row(table
            .columns
            .iter()
            .map(|column| match column.align {
                Align::Left => "---".to_owned(),
                Align::Right => "---:".to_owned(),
            })
            .collect()),
    ];
    lines.extend(table.rows.iter().map(|cells| row(cells.iter().map(|c| escape(c)).collect())));
    lines.join("\n")
}

/// What a driver puts into a name must stay a name. Code spans stay as they are.
fn escape(text: &str) -> String {
    text.split('`')
        .enumerate()
        .map(|(i, part)| {
            if i % 2 == 1 {
                return part.replace('|', "\\|");
            }
            let mut escaped = String::with_capacity(part.len());
            for c in part.chars() {
                match c {
                    '<' => escaped.push_str("&lt;"),
                    '>' => escaped.push_str("&gt;"),
                    '&' => escaped.push_str("&amp;"),
                    '|' | '*' | '_' => {
                        escaped.push('\\');
                        escaped.push(c);
                    }
                    c => escaped.push(c),
                }
            }
            escaped
        })
        .collect::<Vec<_>>()
        .join("`")
}
