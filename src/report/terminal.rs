//! For a terminal: tables no wider than it is.

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table as Grid, TableStyle};

use super::document::{Align, Block, Document, Table};
use super::plot;

pub(super) fn render(document: &Document, width: Option<u16>) -> String {
    let mut text = String::new();
    for block in &document.blocks {
        match block {
            Block::Heading(1, title) => {
                text.push_str(&format!("\n{title}\n{}\n", "═".repeat(title.chars().count())));
            }
            Block::Heading(_, title) => {
                text.push_str(&format!("\n{title}\n"));
            }
            Block::Text(words) => text.push_str(&format!("{}\n", wrapped(words, "", width))),
            Block::List(items) => {
                for item in items {
                    text.push_str(&format!("{}\n", wrapped(&format!("• {item}"), "  ", width)));
                }
            }
            Block::Table(table) => text.push_str(&format!("{}\n", grid(table, width))),
            Block::Plot(plot) => text.push_str(&plot::draw(plot, width)),
        }
    }
    text
}

/// The words in lines no longer than the terminal's, all but the first behind `indent`.
fn wrapped(words: &str, indent: &str, width: Option<u16>) -> String {
    width.map_or_else(
        || words.to_owned(),
        |width| {
            let options = textwrap::Options::new(usize::from(width)).subsequent_indent(indent);
            textwrap::fill(words, options)
        },
    )
}

/// Rules above, below and under the head; none between rows, which are many.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

fn grid(table: &Table, width: Option<u16>) -> String {
    let mut grid = Grid::new();
    // What it looks like must follow from the arguments alone, not from where the test happens to run.
    grid.force_no_tty();
    if let Some(width) = width {
        grid.set_width(width);
    }
    grid.load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(table.columns.iter().map(|column| column.name.clone()));
    for row in &table.rows {
        grid.add_row(row.iter().zip(&table.columns).map(|(cell, column)| {
            Cell::new(cell).set_alignment(match column.align {
                Align::Left => CellAlignment::Left,
                Align::Right => CellAlignment::Right,
            })
        }));
    }
    grid.trim_fmt()
}
