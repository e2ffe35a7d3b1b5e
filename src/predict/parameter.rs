//! What a law is asked with.

use super::domain::Domain;

/// The place of a subgroup's size as a shader or the driver says it.
pub(crate) const REPORTED_WIDTH: &str = "adapter.subgroup_size";

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
    pub(crate) const fn new(flag: &'static str, what: &'static str, domain: Domain) -> Self {
        let (places, instead_of) = (&[], None);
        Self { flag, what, domain, places, instead_of, default: None, swept: false }
    }

    pub(crate) const fn at(self, places: &'static [&'static str]) -> Self {
        Self { places, ..self }
    }

    pub(crate) const fn instead_of(self, flag: &'static str) -> Self {
        Self { instead_of: Some(flag), ..self }
    }

    pub(crate) const fn or(self, default: f64) -> Self {
        Self { default: Some(default), ..self }
    }

    pub(crate) const fn swept(self) -> Self {
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
