//! How a document is written: each renderer knows the document's blocks and nothing else.

mod csv;
mod html;
mod letters;
mod markdown;
mod pen;
mod svg;
mod terminal;
mod words;

use super::{Document, Plot};

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Ruled tables and plots in letters.
    Terminal {
        /// Columns to keep to; as many as needed unless given.
        width: Option<u16>,
        /// Whether verdicts have colours.
        color: bool,
    },
    /// Pipe tables.
    Markdown,
    /// Tables alone.
    Csv,
    /// One self-contained page.
    Html,
}

/// The document as text.
#[must_use]
pub fn render(document: &Document, format: Format) -> String {
    let document = &document.plain();
    match format {
        Format::Terminal { width, color } => terminal::render(document, width, color),
        Format::Markdown => markdown::render(document),
        Format::Csv => csv::render(document),
        Format::Html => html::render(document),
    }
}

/// A plot as an SVG file of its own; `None` where there is nothing to see.
#[must_use]
pub(super) fn picture(plot: &Plot) -> Option<String> {
    svg::file(&plot.plain())
}
