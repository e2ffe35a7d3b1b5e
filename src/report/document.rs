//! The document model: headings, paragraphs, lists, tables, links and plots. Renderers know nothing else.

use super::listing::Listing;
use super::plot::Plot;
use super::safe::Safe;
use crate::model::MAX_CHARS;

/// Maximum length of a table cell, in characters.
///
/// Longer cells are cut, because a column is as wide as its widest cell.
const MAX_CELL: usize = 200;

/// Alignment of the cells of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Left-aligned, for text.
    Left,
    /// Right-aligned, for numbers.
    Right,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Text of the head.
    pub name: String,
    /// Alignment of the head and the cells.
    pub align: Align,
}

/// A table with a head row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Columns, from left to right.
    pub columns: Vec<Column>,
    /// Rows, each with one cell per column.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Creates a table without rows.
    ///
    /// A `>` at the end of a column name right-aligns the column. The head omits the `>`.
    #[must_use]
    pub fn new(columns: &[&str]) -> Self {
        let column = |name: &&str| match name.strip_suffix('>') {
            Some(name) => Column { name: name.to_owned(), align: Align::Right },
            None => Column { name: (*name).to_owned(), align: Align::Left },
        };
        Self { columns: columns.iter().map(column).collect(), rows: Vec::new() }
    }

    /// Returns the table with every string safe to show, and with long cells cut.
    fn safe(&self, safe: Safe) -> Self {
        let column =
            |column: &Column| Column { name: safe(&column.name, MAX_CHARS), align: column.align };
        let cells = |row: &Vec<String>| row.iter().map(|cell| safe(cell, MAX_CELL)).collect();
        Self {
            columns: self.columns.iter().map(column).collect(),
            rows: self.rows.iter().map(cells).collect(),
        }
    }
}

/// A reference to another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Text of the link, or description of the picture.
    pub text: String,
    /// Path relative to the document, with `/` between names.
    pub target: String,
}

impl Link {
    /// Returns the link with its text safe to show.
    fn safe(&self, safe: Safe) -> Self {
        Self { text: safe(&self.text, MAX_CHARS), target: self.target.clone() }
    }

    /// Returns the target percent-encoded, so that no character of a file name has a meaning in a URL.
    pub(super) fn href(&self) -> String {
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        let encoded = |byte: u8| {
            if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        };
        self.target.bytes().map(encoded).collect()
    }
}

/// A block of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading with its level, 1 to 3.
    Heading(u8, String),
    /// A paragraph.
    Text(String),
    /// A list.
    List(Vec<String>),
    /// A table.
    Table(Table),
    /// A summary and a table of details, such as the values of a plot.
    ///
    /// Pages fold the table under its summary. A terminal omits the table after a plot of the same section.
    Folded(String, Table),
    /// A list of links to other files.
    Links(Vec<Link>),
    /// A picture in another file.
    Picture(Link),
    /// A plot. A format without plots omits it, because a table contains the same values.
    Plot(Plot),
    /// Source code. A format for spreadsheets omits it.
    Listing(Listing),
}

/// A sequence of blocks, independent of the output format.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// Blocks, in reading order.
    pub blocks: Vec<Block>,
}

impl Document {
    /// Adds a heading.
    pub fn heading(&mut self, level: u8, text: impl Into<String>) {
        self.blocks.push(Block::Heading(level, text.into()));
    }

    /// Adds a paragraph.
    pub fn text(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Text(text.into()));
    }

    /// Adds a list, unless it is empty.
    pub fn list(&mut self, items: Vec<String>) {
        if !items.is_empty() {
            self.blocks.push(Block::List(items));
        }
    }

    /// Adds a table, unless it is empty.
    pub fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.blocks.push(Block::Table(table));
        }
    }

    /// Adds a summary and a table of details.
    pub fn folded(&mut self, summary: impl Into<String>, table: Table) {
        self.blocks.push(Block::Folded(summary.into(), table));
    }

    /// Adds a list of links to other files.
    pub fn links(&mut self, links: impl IntoIterator<Item = Link>) {
        self.blocks.push(Block::Links(links.into_iter().collect()));
    }

    /// Adds a picture in another file.
    pub fn picture(&mut self, picture: Link) {
        self.blocks.push(Block::Picture(picture));
    }

    /// Adds a plot.
    pub fn plot(&mut self, plot: Plot) {
        self.blocks.push(Block::Plot(plot));
    }

    /// Adds source code.
    pub fn listing(&mut self, listing: Listing) {
        self.blocks.push(Block::Listing(listing));
    }

    /// Returns the heading of level 1, or an empty text without one.
    #[must_use]
    pub fn title(&self) -> &str {
        let title = self.blocks.iter().find_map(|block| match block {
            Block::Heading(1, title) => Some(title.as_str()),
            _ => None,
        });
        title.unwrap_or_default()
    }

    /// Adds a paragraph with the command that makes the document.
    pub fn push_maker(&mut self, command: &str) {
        self.text(format!("Made by `{command}`."));
    }

    /// Returns the document with every string safe to show.
    ///
    /// Most strings come from records, which anyone may have written.
    pub(super) fn safe(&self, safe: Safe) -> Self {
        let plain = |text: &str| safe(text, MAX_CHARS);
        let block = |block: &Block| match block {
            Block::Heading(level, title) => Block::Heading(*level, plain(title)),
            Block::Text(text) => Block::Text(plain(text)),
            Block::List(items) => Block::List(items.iter().map(|item| plain(item)).collect()),
            Block::Table(table) => Block::Table(table.safe(safe)),
            Block::Folded(summary, table) => Block::Folded(plain(summary), table.safe(safe)),
            Block::Links(links) => Block::Links(links.iter().map(|link| link.safe(safe)).collect()),
            Block::Picture(picture) => Block::Picture(picture.safe(safe)),
            Block::Plot(plot) => Block::Plot(plot.safe(safe)),
            Block::Listing(listing) => Block::Listing(listing.safe(safe)),
        };
        Self { blocks: self.blocks.iter().map(block).collect() }
    }

    /// Adds the blocks of `other` at the end.
    pub fn append(&mut self, mut other: Self) {
        self.blocks.append(&mut other.blocks);
    }
}
