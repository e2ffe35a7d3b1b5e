//! The values a law is asked with, and where each came from.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{Law, Parameter};
use crate::record::Record;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Given,
    /// A record, at this place.
    Record(String),
    /// Nobody said otherwise.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => write!(f, "given"),
            Self::Record(place) => write!(f, "{place} of the record"),
            Self::Default => write!(f, "default"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A value that went into an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Used {
    /// The parameter's flag.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// The value; where a range was given, its end.
    pub value: f64,
    /// Its unit, empty for a count or a share.
    pub unit: &'static str,
    /// Where it came from.
    pub source: Source,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unanswered {
    /// Nobody gave it.
    #[error("`{law}` needs --{flag}, {what} ({domain}){looked}")]
    Missing {
        /// The law.
        law: &'static str,
        /// The parameter.
        flag: &'static str,
        /// What it is.
        what: &'static str,
        /// Its unit and bounds.
        domain: String,
        /// Where in the record it was looked for, or that one could be given.
        looked: String,
    },
    /// A record holds it, and it makes no sense there.
    #[error("{place} of the record is {value}: {reason}; give --{flag} instead")]
    Senseless {
        /// Where it stands.
        place: String,
        /// What stands there.
        value: f64,
        /// What it would have to be.
        reason: String,
        /// What could be given instead.
        flag: &'static str,
    },
}

/// The values a law is asked with.
#[derive(Debug, Clone)]
pub struct Given {
    law: &'static Law,
    numbers: BTreeMap<&'static str, (f64, f64)>,
    words: BTreeMap<&'static str, String>,
    record: Option<Record>,
    used: Vec<Used>,
}

impl Given {
    /// Nothing yet, for `law`.
    #[must_use]
    pub fn new(law: &'static Law, record: Option<Record>) -> Self {
        let (numbers, words) = (BTreeMap::new(), BTreeMap::new());
        Self { law, numbers, words, record, used: Vec::new() }
    }

    /// Gives a parameter, from one value to another where it is swept.
    pub fn number(&mut self, flag: &'static str, range: (f64, f64)) {
        self.numbers.insert(flag, range);
    }

    /// Gives a choice.
    pub fn word(&mut self, flag: &'static str, word: String) {
        self.words.insert(flag, word);
    }

    /// What went into the answer so far.
    pub(super) fn used(&self) -> Vec<Used> {
        self.used.clone()
    }

    /// The law that is asked.
    pub(super) fn law(&self) -> &'static Law {
        self.law
    }

    /// A value, or why there is none.
    pub(super) fn get(&mut self, flag: &str) -> Result<f64, Unanswered> {
        let parameter = self.parameter(flag);
        self.find(flag)?.ok_or_else(|| self.missing(parameter))
    }

    /// A value if there is one.
    pub(super) fn find(&mut self, flag: &str) -> Result<Option<f64>, Unanswered> {
        Ok(self.range(flag)?.map(|(_, last)| last))
    }

    /// Where a table begins, and the value asked for with which it ends. A lone value is tabled from `from`
    /// on.
    pub(super) fn swept(&mut self, flag: &str, from: f64) -> Result<(f64, f64), Unanswered> {
        let parameter = self.parameter(flag);
        let (first, last) = self.range(flag)?.ok_or_else(|| self.missing(parameter))?;
        Ok((if first < last { first } else { from.min(last) }, last))
    }

    /// The ends of what was given: twice the same unless it was a range.
    pub(super) fn range(&mut self, flag: &str) -> Result<Option<(f64, f64)>, Unanswered> {
        let parameter = self.parameter(flag);
        let both = |value: f64| (value, value);
        let found = if let Some(&range) = self.numbers.get(flag) {
            Some((range, Source::Given))
        } else if let Some((value, place)) = self.recorded(parameter)? {
            Some((both(value), Source::Record(place)))
        } else {
            parameter.default.map(|value| (both(value), Source::Default))
        };
        Ok(found.map(|(range, source)| {
            let Parameter { flag: name, what, domain, .. } = *parameter;
            let unit = domain.unit.symbol();
            if self.used.iter().all(|used| used.name != name) {
                self.used.push(Used { name, what, value: range.1, unit, source });
            }
            range
        }))
    }

    /// The word that was chosen.
    fn chosen(&self, flag: &str) -> &str {
        let choice = self.law.choices.iter().find(|choice| choice.flag == flag);
        let default = choice.expect("a law names its own choices").default;
        self.words.get(flag).map_or(default, String::as_str)
    }

    fn parameter(&self, flag: &str) -> &'static Parameter {
        let parameter = self.law.parameters.iter().find(|parameter| parameter.flag == flag);
        parameter.expect("a law asks for its own parameters")
    }

    /// The place in a record, choices filled in.
    fn place(&self, parameter: &Parameter) -> Option<String> {
        let mut place = parameter.place?.to_owned();
        for choice in self.law.choices {
            place = place.replace(&format!("{{{}}}", choice.flag), self.chosen(choice.flag));
        }
        Some(place)
    }

    fn recorded(&self, parameter: &Parameter) -> Result<Option<(f64, String)>, Unanswered> {
        let (Some(record), Some(place)) = (&self.record, self.place(parameter)) else {
            return Ok(None);
        };
        let Some(value) = look_up(record, &place) else {
            return Ok(None);
        };
        match parameter.domain.check(value) {
            Ok(value) => Ok(Some((value, place))),
            Err(reason) => {
                Err(Unanswered::Senseless { place, value, reason, flag: parameter.flag })
            }
        }
    }

    fn missing(&self, parameter: &Parameter) -> Unanswered {
        let looked = match (&self.record, self.place(parameter)) {
            (Some(record), Some(place)) => {
                format!("; the record has no {place}{}", others(record, &place))
            }
            (None, Some(place)) => format!(", or a record that has {place}: --from RECORD"),
            (_, None) => String::new(),
        };
        Unanswered::Missing {
            law: self.law.name,
            flag: parameter.flag,
            what: parameter.what,
            domain: parameter.domain.describe(),
            looked,
        }
    }
}

/// The parameter or finding at `experiment.name`.
fn look_up(record: &Record, place: &str) -> Option<f64> {
    let (id, name) = place.split_once('.')?;
    let experiment = record.experiments.iter().find(|experiment| experiment.id == id)?;
    let parameter = experiment.parameter(name).map(|parameter| parameter.value);
    parameter.or_else(|| experiment.finding(name)?.value.number())
}

/// Places of the same last name or first, since a choice may have been misspelt.
fn others(record: &Record, place: &str) -> String {
    let Some((id, name)) = place.split_once('.') else {
        return String::new();
    };
    let parts: Vec<&str> = name.split('.').collect();
    let Some(experiment) = record.experiments.iter().find(|experiment| experiment.id == id) else {
        return format!(", since it has no experiment `{id}`");
    };
    let like: Vec<&str> = experiment
        .parameters
        .iter()
        .map(|parameter| parameter.name.as_str())
        .filter(|other| parts.len() > 1 && other.split('.').any(|part| parts.contains(&part)))
        .collect();
    if like.is_empty() { String::new() } else { format!("; it has {}", like.join(", ")) }
}
