//! Reports: what people read of a record. They see records alone, so any stored one can be judged and
//! drawn again without the hardware.

mod card;
mod compare;
mod csv;
mod document;
pub mod figures;
mod html;
mod judge;
pub mod levels;
mod markdown;
mod plot;
mod terminal;

use crate::record::Record;
pub use crate::stats::Interval;

pub use compare::compare;
pub use document::{Align, Axis, Block, Column, Curve, Document, Plot, Table};
pub use judge::{Judgement, rejudge, word};

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Ruled tables for a terminal.
    Terminal {
        /// Columns to keep to; as many as needed unless given.
        width: Option<u16>,
    },
    /// Pipe tables.
    Markdown,
    /// Tables alone.
    Csv,
    /// One self-contained page.
    Html,
}

/// Everything a record says, in the order people ask: verdicts, points, card.
#[must_use]
pub fn report(record: &Record) -> Document {
    assemble(record, [document::heading, document::verdicts, document::points, card::card])
}

/// The same with the verdicts last, for a run that people watch scroll by.
#[must_use]
pub fn closing_with_verdicts(record: &Record) -> Document {
    assemble(record, [document::heading, document::points, card::card, document::verdicts])
}

fn assemble(record: &Record, sections: [fn(&Record) -> Document; 4]) -> Document {
    let mut document = Document::default();
    for section in sections {
        document.append(section(record));
    }
    document
}

/// The document as text.
#[must_use]
pub fn render(document: &Document, format: Format) -> String {
    let document = &document.plain();
    match format {
        Format::Terminal { width } => terminal::render(document, width),
        Format::Markdown => markdown::render(document),
        Format::Csv => csv::render(document),
        Format::Html => html::render(document),
    }
}
