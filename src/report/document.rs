//! One model of what is said: headings, paragraphs, lists, tables and plots. Renderers know nothing else.

use super::plot::Plot;
use crate::model::{plain, plain_to};

/// Characters in a cell at most: columns are as wide as their widest.
const MAX_CELL: usize = 200;

/// Which side of a column its cells keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its head.
    pub name: String,
    /// Its side.
    pub align: Align,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table whose column names ending in `>` keep their figures to the right.
    #[must_use]
    pub fn new(columns: &[&str]) -> Self {
        let column = |name: &&str| match name.strip_suffix('>') {
            Some(name) => Column { name: name.to_owned(), align: Align::Right },
            None => Column { name: (*name).to_owned(), align: Align::Left },
        };
        Self { columns: columns.iter().map(column).collect(), rows: Vec::new() }
    }

    fn plain(&self) -> Self {
        let column = |column: &Column| Column { name: plain(&column.name), align: column.align };
        let cells = |row: &Vec<String>| row.iter().map(|cell| plain_to(cell, MAX_CELL)).collect();
        Self {
            columns: self.columns.iter().map(column).collect(),
            rows: self.rows.iter().map(cells).collect(),
        }
    }
}

/// Another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it shows.
    pub text: String,
    /// Where it lies from here, with `/` between names.
    pub target: String,
}

impl Link {
    fn plain(&self) -> Self {
        Self { text: plain(&self.text), target: self.target.clone() }
    }

    /// The target as pages write it: whatever is in a name stays in it.
    pub(super) fn href(&self) -> String {
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        let written = |byte: u8| {
            if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        };
        self.target.bytes().map(written).collect()
    }
}

/// A piece of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading of level 1 to 3.
    Heading(u8, String),
    /// A paragraph.
    Text(String),
    /// A list.
    List(Vec<String>),
    /// A table.
    Table(Table),
    /// The figures of the plots above it, with what they are: pages fold it away, a terminal leaves it out.
    Folded(String, Table),
    /// Files that say more.
    Links(Vec<Link>),
    /// A file with a picture.
    Picture(Link),
    /// A plot. Pages that cannot draw one leave it out, since a table has its figures.
    Plot(Plot),
}

/// What is said, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// The pieces.
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

    /// Adds the figures of the plots above.
    pub fn folded(&mut self, what: impl Into<String>, table: Table) {
        self.blocks.push(Block::Folded(what.into(), table));
    }

    /// Adds files that say more.
    pub fn links(&mut self, links: impl IntoIterator<Item = Link>) {
        self.blocks.push(Block::Links(links.into_iter().collect()));
    }

    /// Adds a picture.
    pub fn picture(&mut self, picture: Link) {
        self.blocks.push(Block::Picture(picture));
    }

    /// Adds a plot.
    pub fn plot(&mut self, plot: Plot) {
        self.blocks.push(Block::Plot(plot));
    }

    /// Ends with the command that makes the document.
    pub fn push_maker(&mut self, command: &str) {
        self.text(format!("Made by `{command}`."));
    }

    /// The document with every string made safe to show: most come from a record, which anyone may have
    /// written.
    pub(super) fn plain(&self) -> Self {
        let block = |block: &Block| match block {
            Block::Heading(level, title) => Block::Heading(*level, plain(title)),
            Block::Text(words) => Block::Text(plain(words)),
            Block::List(items) => Block::List(items.iter().map(|item| plain(item)).collect()),
            Block::Table(table) => Block::Table(table.plain()),
            Block::Folded(what, table) => Block::Folded(plain(what), table.plain()),
            Block::Links(links) => Block::Links(links.iter().map(Link::plain).collect()),
            Block::Picture(picture) => Block::Picture(picture.plain()),
            Block::Plot(plot) => Block::Plot(plot.plain()),
        };
        Self { blocks: self.blocks.iter().map(block).collect() }
    }

    /// Adds `other` at the end.
    pub fn append(&mut self, mut other: Self) {
        self.blocks.append(&mut other.blocks);
    }
}
