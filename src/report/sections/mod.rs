//! What is said of one record, section by section.

mod card;
mod experiment;
mod heading;
mod health;
mod performance;
mod plots;
mod points;
mod verdicts;

use super::Document;
use crate::model::Record;

pub(super) use heading::{heading, revision};
pub(super) use performance::add as add_performance;
pub use performance::performance;
pub(super) use plots::MAX_CURVES;
pub use points::points;
pub(super) use verdicts::verdicts;

/// Everything a record says, in the order people ask: verdicts, card, experiment after experiment, and whether
/// the measuring itself was sound.
#[must_use]
pub fn report(record: &Record) -> Document {
    assemble(record, &[heading, verdicts, card::card, experiments, health::health])
}

/// What people want to see first, with the verdicts last, where a terminal leaves them in sight.
#[must_use]
pub fn summary(record: &Record) -> Document {
    assemble(record, &[heading, card::card, verdicts])
}

/// Everything, with the verdicts last, for a run that people watch scroll by.
#[must_use]
pub fn closing_with_verdicts(record: &Record) -> Document {
    assemble(record, &[heading, experiments, health::health, card::card, verdicts])
}

fn assemble(record: &Record, sections: &[fn(&Record) -> Document]) -> Document {
    let mut document = Document::default();
    for section in sections {
        document.append(section(record));
    }
    document
}

fn experiments(record: &Record) -> Document {
    let mut document = Document::default();
    for each in &record.experiments {
        document.append(experiment::experiment(each));
    }
    document
}
