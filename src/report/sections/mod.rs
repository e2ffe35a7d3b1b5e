//! The sections of the report on one record.

mod card;
mod detail;
mod experiment;
mod heading;
mod health;
mod plots;
mod points;
mod summary;
mod verdicts;

use super::Document;
use crate::model::Record;

use detail::Detail;
pub(super) use heading::{heading, revision};
pub(super) use plots::MAX_CURVES;
pub use points::points;
pub use summary::summary;
pub(super) use verdicts::verdicts;

/// Builds the full report: verdicts, device card, every experiment, and the quality of the measurements.
#[must_use]
pub fn report(record: &Record) -> Document {
    assemble(record, &[heading, verdicts, card::card, experiments, health::health])
}

/// Builds the part of [`report`] that [`Format::Terminal`](super::Format::Terminal) shows. A terminal shows neither the
/// single samples of a plot nor the values below it, which are most of a report.
#[must_use]
pub fn terminal_report(record: &Record) -> Document {
    assemble(record, &[heading, verdicts, card::card, drawn_experiments, health::health])
}

/// Joins sections into one document.
fn assemble(record: &Record, sections: &[fn(&Record) -> Document]) -> Document {
    let mut document = Document::default();
    for section in sections {
        document.append(section(record));
    }
    document
}

fn experiments(record: &Record) -> Document {
    sections(record, Detail::All)
}

fn drawn_experiments(record: &Record) -> Document {
    sections(record, Detail::Terminal)
}

/// Builds the sections of all experiments.
fn sections(record: &Record, detail: Detail) -> Document {
    let mut document = Document::default();
    for each in &record.experiments {
        document.append(experiment::experiment(each, detail));
    }
    document
}
