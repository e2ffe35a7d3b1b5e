//! A law as it is asked for.

use super::answer::Answer;
use super::given::{Given, Unanswered};
use super::parameter::{Choice, Parameter};
use crate::model::Record;

/// A law as it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    /// Its name on the command line: the experiment's id.
    pub name: &'static str,
    /// The question it answers, in one line.
    pub about: &'static str,
    /// The formula in one line.
    pub formula: &'static str,
    /// What it depends on.
    pub parameters: &'static [Parameter],
    /// Words that choose among a record's parameters.
    pub choices: &'static [Choice],
    /// Makes the answer.
    pub(crate) answer: fn(&mut Given) -> Result<Answer, Unanswered>,
}

impl Law {
    /// Nothing given yet, but for what `record` holds.
    #[must_use]
    pub fn given(&self, record: Option<Record>) -> Given {
        Given::new(self.name, self.formula, (self.parameters, self.choices), record)
    }

    /// The answer to what is given.
    ///
    /// # Errors
    /// A parameter that nobody gave, one that makes no sense, or a figure beyond all numbers.
    pub fn ask(&self, given: &mut Given) -> Result<Answer, Unanswered> {
        (self.answer)(given)?.complete(given)
    }
}
