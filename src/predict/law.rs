//! Declarations of laws.

use super::answer::Answer;
use super::given::{Given, Unanswered};
use super::parameter::{Choice, Parameter};
use crate::model::Record;

/// Declaration of a law that `warplaw predict` evaluates.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    /// Name on the command line: the id of the experiment.
    pub name: &'static str,
    /// One line of text for `--help`: the question that the law answers.
    pub about: &'static str,
    /// Formula in one line.
    pub formula: &'static str,
    /// Numeric parameters.
    pub parameters: &'static [Parameter],
    /// Words that select among the metrics of a record.
    pub choices: &'static [Choice],
    /// Computes the answer from the parameters.
    pub(crate) answer: fn(&mut Given) -> Result<Answer, Unanswered>,
}

impl Law {
    /// Returns parameter values for this law, without any given value.
    ///
    /// `record` supplies the parameters that are not given later.
    #[must_use]
    pub fn given(&self, record: Option<Record>) -> Given {
        Given::new(self.name, self.formula, (self.parameters, self.choices), record)
    }

    /// Evaluates the law with the values in `given`.
    ///
    /// # Errors
    /// Returns an error if a parameter is missing or invalid, or if a figure overflows.
    pub fn ask(&self, given: &mut Given) -> Result<Answer, Unanswered> {
        (self.answer)(given)?.complete(given)
    }
}
