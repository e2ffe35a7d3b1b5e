//! What if: any law evaluated from parameters that are given, or that a record holds.
//!
//! A law here is a declaration: its parameters, each with its domain and the place in a record where a
//! measured value stands, and a function that makes an [`Answer`] of them. Adding one is one file and
//! one line in [`LAWS`]. The formulas themselves stay in [`crate::laws`].

mod allreduce;
mod amdahl;
mod answer;
mod batching;
mod contention;
mod dependence;
mod divergence;
mod domain;
mod given;
mod ilp;
mod imbalance;
mod lanes;
mod occupancy;
mod overlap;
mod select;
mod steps;

pub use answer::{Answer, Column, Figure};
pub use domain::Domain;
pub use given::{Given, Source, Unanswered, Used};

/// Every law that can be asked.
pub const LAWS: &[Law] = &[
    amdahl::LAW,
    ilp::LAW,
    divergence::LAW,
    imbalance::LAW,
    select::LAW,
    lanes::LAW,
    batching::LAW,
    contention::LAW,
    dependence::LAW,
    allreduce::LAW,
    occupancy::LAW,
    overlap::LAW,
];

/// A law as it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    /// Its name on the command line.
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
    answer: fn(&mut Given) -> Result<Answer, Unanswered>,
}

impl Law {
    /// The answer to what is given.
    ///
    /// # Errors
    /// A parameter that nobody gave, one that makes no sense, or a figure beyond all numbers.
    pub fn ask(&'static self, given: &mut Given) -> Result<Answer, Unanswered> {
        (self.answer)(given)?.complete(given)
    }
}

/// A number that a law depends on.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its flag, without the dashes.
    pub flag: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Which values make sense.
    pub domain: Domain,
    /// Where a record has it, best first, as `experiment.name` with choices in braces.
    pub places: &'static [&'static str],
    /// A parameter that is not given when this one is.
    pub instead_of: Option<&'static str>,
    /// What it is unless said.
    pub default: Option<f64>,
    /// Whether the answer is tabled over it, so that a range may be given.
    pub swept: bool,
}

impl Parameter {
    const fn new(flag: &'static str, what: &'static str, domain: Domain) -> Self {
        let (places, instead_of) = (&[], None);
        Self { flag, what, domain, places, instead_of, default: None, swept: false }
    }

    const fn at(self, places: &'static [&'static str]) -> Self {
        Self { places, ..self }
    }

    const fn instead_of(self, flag: &'static str) -> Self {
        Self { instead_of: Some(flag), ..self }
    }

    const fn or(self, default: f64) -> Self {
        Self { default: Some(default), ..self }
    }

    const fn swept(self) -> Self {
        Self { swept: true, ..self }
    }

    /// For `--help`: what, unit, domain, and where it comes from if not given.
    #[must_use]
    pub fn help(&self) -> String {
        let range = if self.swept { "; a range `a..b` tables it" } else { "" };
        let place = match self.places {
            [] => String::new(),
            places => format!("; from a record: {}", places.join(", else ")),
        };
        let default = self.default.map_or(String::new(), |value| format!("; {value} unless given"));
        format!("{} ({}){range}{place}{default}", self.what, self.domain.describe())
    }
}

/// The lanes of a subgroup, as `width` finds them.
const WIDTH: Parameter = Parameter::new("width", "lanes in a subgroup, W", domain::LANES)
    .at(&["width.effective_width", given::REPORTED_WIDTH]);

/// A word that a law depends on.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// Its flag, without the dashes.
    pub flag: &'static str,
    /// What it chooses.
    pub what: &'static str,
    /// What it is unless said.
    pub default: &'static str,
    /// What it may be; anything that a record has where there are none.
    pub among: &'static [&'static str],
}
