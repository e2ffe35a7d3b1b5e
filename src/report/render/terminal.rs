//! For a terminal: tables no wider than it is.

use comfy_table::{
    Cell, CellAlignment, Color, ContentArrangement, LineStyle, Table as Grid, TableStyle,
};

use super::letters;
use super::words::is_verdict;
use crate::report::{Align, Block, Document, Table};

/// Columns below which a table that does not fit is written as a list, an entry a row: broken into narrow cells
/// nobody could read it.
const NARROW: u16 = 100;

pub(super) fn render(document: &Document, width: Option<u16>, color: bool) -> String {
    let mut text = String::new();
    let mut drawn = false;
    for block in &document.blocks {
        match block {
            Block::Heading(1, title) => {
                let title = wrapped(title, "", width);
                let longest = title.lines().map(textwrap::core::display_width).max().unwrap_or(0);
                text.push_str(&format!("\n{title}\n{}\n", "═".repeat(longest)));
            }
            Block::Heading(_, title) => {
                text.push_str(&format!("\n{}\n", wrapped(title, "  ", width)));
            }
            Block::Text(words) => text.push_str(&format!("{}\n", wrapped(words, "", width))),
            Block::List(items) => {
                for item in items {
                    text.push_str(&format!("{}\n", wrapped(&format!("• {item}"), "  ", width)));
                }
            }
            Block::Table(table) => text.push_str(&laid_out(table, width, color)),
            // A plot has shown it.
            Block::Folded(..) if drawn => (),
            Block::Folded(_, table) => text.push_str(&laid_out(table, width, color)),
            Block::Links(links) => {
                for link in links {
                    let line = format!("• {}: {}", link.text, link.target);
                    text.push_str(&format!("{}\n", wrapped(&line, "  ", width)));
                }
            }
            Block::Picture(_) => (),
            Block::Plot(plot) => {
                let letters = letters::draw(plot, width);
                drawn |= !letters.is_empty();
                if !letters.is_empty() {
                    text.push_str(&format!("\n{}\n{letters}", wrapped(&plot.title, "  ", width)));
                }
            }
        }
        drawn &= !matches!(block, Block::Heading(..));
    }
    text
}

/// As a grid where that fits or there is room to break cells, else as a list.
fn laid_out(table: &Table, width: Option<u16>, color: bool) -> String {
    let free = grid(table, None, color);
    let widest =
        grid(table, None, false).lines().map(|line| line.chars().count()).max().unwrap_or(0);
    match width {
        Some(width) if widest <= usize::from(width) => format!("{free}\n"),
        Some(width) if width < NARROW => entries(table, width, color),
        Some(width) => format!("{}\n", grid(table, Some(width), color)),
        None => format!("{free}\n"),
    }
}

/// A paragraph a row: its first cell, then the others behind the names of their columns.
fn entries(table: &Table, width: u16, color: bool) -> String {
    let rule = "─".repeat(usize::from(width));
    let mut text = format!("{rule}\n");
    for row in &table.rows {
        let named = row.iter().zip(&table.columns).filter(|(cell, _)| !cell.is_empty());
        for (index, (cell, column)) in named.enumerate() {
            let (first, rest) = if index == 0 { ("", "  ") } else { ("  ", "    ") };
            let name = if index == 0 || column.name.is_empty() {
                String::new()
            } else {
                format!("{}: ", column.name)
            };
            let options = textwrap::Options::new(usize::from(width))
                .initial_indent(first)
                .subsequent_indent(rest);
            let line = textwrap::fill(&format!("{name}{cell}"), options);
            text.push_str(&colored(&line, cell, color));
            text.push('\n');
        }
    }
    format!("{text}{rule}\n")
}

/// What a cell says of a law or of a difference, by colour beside its word.
fn verdict_color(cell: &str) -> Option<Color> {
    let begins = |words: &[&str]| words.iter().any(|word| is_verdict(cell, word));
    if begins(&["holds", "FASTER"]) {
        Some(Color::Green)
    } else if begins(&["deviates", "failed", "SLOWER"]) {
        Some(Color::Red)
    } else if begins(&["inconclusive", "interrupted"]) {
        Some(Color::Yellow)
    } else {
        None
    }
}

fn colored(line: &str, cell: &str, color: bool) -> String {
    let code = match verdict_color(cell).filter(|_| color) {
        Some(Color::Green) => 32,
        Some(Color::Red) => 31,
        Some(_) => 33,
        None => return line.to_owned(),
    };
    format!("\u{1b}[{code}m{line}\u{1b}[0m")
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

fn grid(table: &Table, width: Option<u16>, color: bool) -> String {
    let mut grid = Grid::new();
    // What it looks like must follow from the arguments alone, not from where the test happens to run.
    grid.force_no_tty();
    if color {
        grid.enforce_styling();
    }
    if let Some(width) = width {
        grid.set_width(width);
    }
    grid.load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(table.columns.iter().map(|column| column.name.clone()));
    for row in &table.rows {
        grid.add_row(row.iter().zip(&table.columns).map(|(text, column)| {
            let cell = Cell::new(text).set_alignment(match column.align {
                Align::Left => CellAlignment::Left,
                Align::Right => CellAlignment::Right,
            });
            match verdict_color(text).filter(|_| color) {
                Some(color) => cell.fg(color),
                None => cell,
            }
        }));
    }
    grid.trim_fmt()
}
