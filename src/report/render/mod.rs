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
use crate::model::{MAX_CHARS, plain_to, to_ascii};

/// Replaces the plots of a build without the `plots` feature: pages contain the tables only.
#[cfg(not(feature = "plots"))]
mod svg {
    use super::Plot;

    pub(super) const STYLE: &str = "";

    pub(super) fn draw(_plot: &Plot, _id: &str) -> Option<String> {
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

/// Renders the document in a format. Strings from records are made safe to show.
#[must_use]
pub fn render(document: &Document, format: Format) -> String {
    let (head, foot) = (render_head(document.title(), format), render_foot(format));
    format!("{head}{}{foot}", render_part(document, format, 1))
}

/// Returns what precedes the first part of a page that is made of several documents, so that not all of them have to be
/// in memory.
#[must_use]
pub fn render_head(title: &str, format: Format) -> String {
    let has_head = format == Format::Html;
    if has_head { html::head(&plain_to(title, MAX_CHARS)) } else { String::new() }
}

/// Returns what follows the last part of a page.
#[must_use]
pub fn render_foot(format: Format) -> &'static str {
    if format == Format::Html { html::foot() } else { "" }
}

/// Renders the document as a part of a page: the part with the number `part`, counted from 1.
#[must_use]
pub fn render_part(document: &Document, format: Format, part: usize) -> String {
    let plain = || document.safe(plain_to);
    match format {
        Format::Terminal { width, color, ascii: false } => terminal::render(&plain(), width, color),
        Format::Terminal { width, color, ascii: true } => {
            // Texts first, so that tables are laid out with their final widths. Then what the layout adds.
            let safe = |text: &str, most: usize| to_ascii(&plain_to(text, most));
            to_ascii(&terminal::render(&document.safe(safe), width, color))
        }
        Format::Markdown if part > 1 => format!("\n{}", markdown::render(&plain())),
        Format::Markdown => markdown::render(&plain()),
        Format::Csv => csv::render(&plain(), part),
        Format::Html => html::render(&plain(), part),
    }
}

/// Draws a plot as a standalone SVG file, or returns `None` if the plot has no finite value.
#[must_use]
pub(super) fn picture(plot: &Plot) -> Option<String> {
    svg::file(&plot.safe(plain_to))
}
