//! Parameters and choices of a law.

use super::domain::Domain;

/// Place in a record of the subgroup size that a shader observed.
pub(crate) const REPORTED_WIDTH: &str = "adapter.subgroup_size";

/// A numeric parameter of a law.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Flag on the command line, without the dashes.
    pub flag: &'static str,
    /// Meaning, as a noun phrase.
    pub what: &'static str,
    /// Unit and valid values.
    pub domain: Domain,
    /// Places in a record, best first. A place is `experiment.metric`, with the flags of choices in braces.
    pub places: &'static [&'static str],
    /// Flag of a parameter that cannot be given together with this one.
    pub instead_of: Option<&'static str>,
    /// Value if the parameter is neither given nor in a record.
    pub default: Option<f64>,
    /// Whether the answer contains a table over this parameter, so that a range may be given.
    pub swept: bool,
}

impl Parameter {
    /// Returns a parameter without places and default.
    pub(crate) const fn new(flag: &'static str, what: &'static str, domain: Domain) -> Self {
        let (places, instead_of) = (&[], None);
        Self { flag, what, domain, places, instead_of, default: None, swept: false }
    }

    /// Sets the places in a record.
    pub(crate) const fn at(self, places: &'static [&'static str]) -> Self {
        Self { places, ..self }
    }

    /// Excludes the parameter `flag`.
    pub(crate) const fn instead_of(self, flag: &'static str) -> Self {
        Self { instead_of: Some(flag), ..self }
    }

    /// Sets the default value.
    pub(crate) const fn or(self, default: f64) -> Self {
        Self { default: Some(default), ..self }
    }

    /// Allows a range.
    pub(crate) const fn swept(self) -> Self {
        Self { swept: true, ..self }
    }

    /// Returns the text for `--help`: meaning, unit, domain, places in a record, and default.
    #[must_use]
    pub fn help(&self) -> String {
        let range = if self.swept { "; a range `a..b` sets the rows of the table" } else { "" };
        let place = match self.places {
            [] => String::new(),
            places => format!("; from a record: {}", places.join(", else ")),
        };
        let default = self.default.map_or(String::new(), |value| format!("; default {value}"));
        format!("{} ({}){range}{place}{default}", self.what, self.domain.describe())
    }
}

/// A word that selects among the metrics of a record.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// Flag on the command line, without the dashes.
    pub flag: &'static str,
    /// Meaning, as a noun phrase.
    pub what: &'static str,
    /// Word if the choice is not given.
    pub default: &'static str,
    /// Valid words. If empty, any word is valid that occurs in a metric of the record.
    pub among: &'static [&'static str],
}
