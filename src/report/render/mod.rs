//! Renderers: one per format. A renderer knows the blocks of a document and nothing else.

mod csv;
mod html;
mod letters;
mod markdown;
#[cfg(feature = "plots")]
mod pen;
#[cfg(feature = "plots")]
mod svg;
mod terminal;
mod words;

use super::{Document, Plot};
use crate::model::{plain_to, to_ascii};

/// Replaces the plots of a build without the `plots` feature: pages contain the tables only.
#[cfg(not(feature = "plots"))]
mod svg {
    use super::Plot;

    pub(super) const STYLE: &str = "";

    pub(super) fn draw(_plot: &Plot, _id: usize) -> Option<String> {
        None
    }

    pub(super) fn file(_plot: &Plot) -> Option<String> {
        None
    }
}

/// Output format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Text with ruled tables, and plots in text characters.
    Terminal {
        /// Maximum line length in columns; `None` for no limit.
        width: Option<u16>,
        /// Whether verdicts are coloured.
        color: bool,
        /// Whether the text contains ASCII characters only.
        ascii: bool,
    },
    /// Markdown with pipe tables.
    Markdown,
    /// Comma-separated values: only the tables.
    Csv,
    /// One self-contained HTML page.
    Html,
}

/// Renders the document in a format. Strings from records are made safe to show first.
#[must_use]
pub fn render(document: &Document, format: Format) -> String {
    let plain = || document.safe(plain_to);
    match format {
        Format::Terminal { width, color, ascii: false } => terminal::render(&plain(), width, color),
        Format::Terminal { width, color, ascii: true } => {
            // Texts first, so that tables are laid out with their final widths. Then what the layout adds.
            let safe = |text: &str, most: usize| to_ascii(&plain_to(text, most));
            to_ascii(&terminal::render(&document.safe(safe), width, color))
        }
        Format::Markdown => markdown::render(&plain()),
        Format::Csv => csv::render(&plain()),
        Format::Html => html::render(&plain()),
    }
}

/// Draws a plot as a standalone SVG file, or returns `None` if the plot has no finite value.
#[must_use]
pub(super) fn picture(plot: &Plot) -> Option<String> {
    svg::file(&plot.safe(plain_to))
}
