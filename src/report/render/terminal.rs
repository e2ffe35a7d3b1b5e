//! Text for a terminal: no table is wider than the terminal.

use comfy_table::{
    Cell, CellAlignment, Color, ContentArrangement, LineStyle, Table as Grid, TableStyle,
};

use super::letters;
use super::words::is_verdict;
use crate::report::{Align, Block, Column, Document, Listing, Table};

/// Terminal width in columns below which a table that does not fit becomes a list.
///
/// Cells broken into such narrow columns would be unreadable.
const NARROW: u16 = 100;
/// Terminal columns that each column of a broken grid needs at least to be readable.
const READABLE: usize = 8;

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
            Block::Text(paragraph) => {
                text.push_str(&format!("{}\n", wrapped(paragraph, "", width)));
            }
            Block::List(items) => {
                for item in items {
                    text.push_str(&format!("{}\n", wrapped(&format!("• {item}"), "  ", width)));
                }
            }
            Block::Table(table) => text.push_str(&laid_out(table, width, color)),
            // A plot of this section shows the values.
            Block::Folded(..) if drawn => (),
            Block::Folded(_, table) => text.push_str(&laid_out(table, width, color)),
            Block::Links(links) => {
                for link in links {
                    let line = format!("• {}: {}", link.text, link.target);
                    text.push_str(&format!("{}\n", wrapped(&line, "  ", width)));
                }
            }
            Block::Picture(_) => (),
            Block::Listing(listing) => text.push_str(&listed(listing, width, color)),
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

/// Returns source code with its margin, which is coloured by heat.
fn listed(listing: &Listing, width: Option<u16>, color: bool) -> String {
    let line = |(steps, line): (usize, String)| {
        let code = match steps {
            0 => None,
            1..=2 => Some(33),
            _ => Some(31),
        };
        match (code.filter(|_| color), line.split_once('│')) {
            (Some(code), Some((margin, source))) => {
                format!("\u{1b}[{code}m{margin}\u{1b}[0m│{source}\n")
            }
            _ => format!("{line}\n"),
        }
    };
    listing.text(width).into_iter().map(line).collect()
}

/// Lays out a table as a grid, or as a list if the grid does not fit and its cells would be broken into narrow columns.
fn laid_out(table: &Table, width: Option<u16>, color: bool) -> String {
    let is_crowded = |width: u16| usize::from(width) < READABLE * table.columns.len();
    match width.filter(|&width| width_unbroken(table) > usize::from(width)) {
        Some(width) if width < NARROW || is_crowded(width) => entries(table, width, color),
        narrower => format!("{}\n", grid(table, narrower, color)),
    }
}

/// Returns the width of the grid in columns if no cell is broken: each cell has a space on both sides, and another one
/// separates two cells.
fn width_unbroken(table: &Table) -> usize {
    let widest = |(index, column): (usize, &Column)| {
        let cells = table.rows.iter().filter_map(|row| row.get(index)).map(String::as_str);
        let widths = cells.chain([column.name.as_str()]).map(textwrap::core::display_width);
        widths.max().unwrap_or(0) + 2
    };
    let separators = table.columns.len().saturating_sub(1);
    table.columns.iter().enumerate().map(widest).sum::<usize>() + separators
}

/// Lays out a table as a list.
///
/// Each row is a paragraph: the first cell, then every other cell after the name of its column.
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
            let line = format!("{first}{name}{cell}");
            let line = wrapped(&line, rest, Some(width));
            text.push_str(&colored(&line, cell, color));
            text.push('\n');
        }
    }
    format!("{text}{rule}\n")
}

/// Returns the colour of a cell that contains a verdict. The text carries the same information.
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

/// Returns the line in the colour of the verdict in `cell`.
fn colored(line: &str, cell: &str, color: bool) -> String {
    let code = match verdict_color(cell).filter(|_| color) {
        Some(Color::Green) => 32,
        Some(Color::Red) => 31,
        Some(_) => 33,
        None => return line.to_owned(),
    };
    format!("\u{1b}[{code}m{line}\u{1b}[0m")
}

/// Wraps text to the terminal's width and indents every line but the first.
fn wrapped(text: &str, indent: &str, width: Option<u16>) -> String {
    // Most texts fit, and a comparison of many records has hundreds of thousands of them.
    match width.map(usize::from).filter(|&width| textwrap::core::display_width(text) > width) {
        Some(width) => {
            let options = textwrap::Options::new(width).subsequent_indent(indent);
            textwrap::fill(text, options)
        }
        None => text.to_owned(),
    }
}

/// Rules above and below the table, and below the head. Many rows make rules between rows impractical.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// Lays out a table as a grid. Cells are broken if the grid would exceed the width.
fn grid(table: &Table, width: Option<u16>, color: bool) -> String {
    let mut grid = Grid::new();
    // The output must depend only on the arguments, not on the terminal that runs the program.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_of_a_grid_is_known_before_it_is_drawn() {
        let mut table = Table::new(&["metric", "value>", "η"]);
        assert_eq!(width_unbroken(&table), 8 + 7 + 3 + 2);
        for row in [["time", "1.2 ns [1.1, 1.3]", "½"], ["bandwidth of a read", "97 GB/s", ""]] {
            table.rows.push(row.map(str::to_owned).to_vec());
            let drawn = grid(&table, None, false);
            let widest = drawn.lines().map(|line| line.chars().count()).max();
            assert_eq!(widest, Some(width_unbroken(&table)), "{drawn}");
        }
    }
}
