//! The values a law is asked with, and where each came from.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::parameter::{Choice, Parameter, REPORTED_WIDTH};
use crate::model::{Interval, Record, Verdict, figures};

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
    /// The record's 95 % interval.
    pub interval: Option<Interval>,
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
    /// Two parameters do not go together.
    #[error("--{flag} does not fit: {reason}")]
    Unfit {
        /// The one to change.
        flag: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A figure is too large to be a number.
    #[error("`{law}` has no number for the {figure}: what was given is too large or too small")]
    Beyond {
        /// The law.
        law: &'static str,
        /// What could not be said.
        figure: &'static str,
    },
    /// A record holds it, and it makes no sense there.
    #[error("{place} of the record is {value}: {reason}; give --{flag} instead")]
    Senseless {
        /// Where it stands.
        place: String,
        /// What stands there.
        value: String,
        /// What it would have to be.
        reason: String,
        /// What could be given instead.
        flag: &'static str,
    },
}

/// The values a law is asked with.
#[derive(Debug, Clone)]
pub struct Given {
    name: &'static str,
    formula: &'static str,
    parameters: &'static [Parameter],
    choices: &'static [Choice],
    numbers: BTreeMap<&'static str, (f64, f64)>,
    words: BTreeMap<&'static str, String>,
    record: Option<Record>,
    used: Vec<Used>,
}

impl Given {
    /// Nothing yet, for the law of that name and formula.
    pub(super) fn new(
        name: &'static str,
        formula: &'static str,
        (parameters, choices): (&'static [Parameter], &'static [Choice]),
        record: Option<Record>,
    ) -> Self {
        let (numbers, words) = (BTreeMap::new(), BTreeMap::new());
        Self { name, formula, parameters, choices, numbers, words, record, used: Vec::new() }
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
    pub(crate) fn used(&self) -> Vec<Used> {
        self.used.clone()
    }

    /// Name and formula of the law that is asked.
    pub(crate) fn law(&self) -> (&'static str, &'static str) {
        (self.name, self.formula)
    }

    /// A value, or why there is none.
    pub(crate) fn get(&mut self, flag: &str) -> Result<f64, Unanswered> {
        let parameter = self.parameter(flag);
        self.find(flag)?.ok_or_else(|| self.missing(parameter))
    }

    /// A value if there is one.
    pub(crate) fn find(&mut self, flag: &str) -> Result<Option<f64>, Unanswered> {
        Ok(self.range(flag)?.map(|(_, last)| last))
    }

    /// Where a table begins, and the value asked for with which it ends. A lone value is tabled from `from`
    /// on.
    pub(crate) fn swept(&mut self, flag: &str, from: f64) -> Result<(f64, f64), Unanswered> {
        let parameter = self.parameter(flag);
        let (first, last) = self.range(flag)?.ok_or_else(|| self.missing(parameter))?;
        Ok((if first < last { first } else { from.min(last) }, last))
    }

    /// The ends of what was given: twice the same unless it was a range.
    pub(crate) fn range(&mut self, flag: &str) -> Result<Option<(f64, f64)>, Unanswered> {
        let parameter = self.parameter(flag);
        let both = |value: f64| (value, value);
        let found = if let Some(&range) = self.numbers.get(flag) {
            Some((range, Source::Given, None))
        } else if let Some(Recorded { value, place, interval }) = self.recorded(parameter)? {
            Some((both(value), Source::Record(place), interval))
        } else {
            parameter.default.map(|value| (both(value), Source::Default, None))
        };
        Ok(found.map(|(range, source, interval)| {
            let Parameter { flag: name, what, domain, .. } = *parameter;
            let unit = domain.unit.symbol();
            if self.used.iter().all(|used| used.name != name) {
                self.used.push(Used { name, what, value: range.1, unit, source, interval });
            }
            range
        }))
    }

    /// The word that was chosen.
    fn chosen(&self, flag: &str) -> &str {
        let choice = self.choices.iter().find(|choice| choice.flag == flag);
        let default = choice.expect("a law names its own choices").default;
        self.words.get(flag).map_or(default, String::as_str)
    }

    /// The word that chose a value of the record, where one was used.
    pub(crate) fn chosen_of_record(&self, flag: &str) -> Option<&str> {
        let recorded = |used: &Used| matches!(used.source, Source::Record(_));
        self.used.iter().any(recorded).then(|| self.chosen(flag))
    }

    /// The refusal of a parameter that does not go with another.
    pub(crate) fn unfit(&self, flag: &str, reason: &'static str) -> Unanswered {
        Unanswered::Unfit { flag: self.parameter(flag).flag, reason }
    }

    /// What the reader of an answer should know of the record behind it.
    pub(crate) fn cautions(&self) -> Vec<String> {
        let Some(record) = &self.record else {
            return Vec::new();
        };
        let mut cautions = Vec::new();
        for used in &self.used {
            let Source::Record(place) = &used.source else { continue };
            if used.interval.is_some_and(|ci| !ci.is_firm_about(used.value)) {
                cautions.push(format!("{} is known to no better than a fifth.", used.name));
            }
            let id = place.split('.').next().unwrap_or_default();
            let unproven = record
                .experiments
                .iter()
                .find(|experiment| experiment.id == id)
                .filter(|experiment| experiment.verdict != Some(Verdict::Holds));
            let caution = unproven
                .map(|experiment| format!("In this record `{id}` reads {}.", experiment.as_str()));
            cautions.extend(caution.filter(|caution| !cautions.contains(caution)));
        }
        cautions
    }

    fn parameter(&self, flag: &str) -> &'static Parameter {
        let parameter = self.parameters.iter().find(|parameter| parameter.flag == flag);
        parameter.expect("a law asks for its own parameters")
    }

    /// The places in a record, choices filled in.
    fn places(&self, parameter: &Parameter) -> Vec<String> {
        let fill = |place: &&str| {
            self.choices.iter().fold((*place).to_owned(), |place, choice| {
                place.replace(&format!("{{{}}}", choice.flag), self.chosen(choice.flag))
            })
        };
        parameter.places.iter().map(fill).collect()
    }

    fn recorded(&self, parameter: &Parameter) -> Result<Option<Recorded>, Unanswered> {
        let Some(record) = &self.record else {
            return Ok(None);
        };
        let mut places = self.places(parameter).into_iter();
        let Some(found) = places.find_map(|place| look_up(record, place)) else {
            return Ok(None);
        };
        match parameter.domain.check(found.value) {
            Ok(_) => Ok(Some(found)),
            Err(reason) => Err(Unanswered::Senseless {
                place: found.place,
                value: figures::quantity(found.value, parameter.domain.unit.symbol()),
                reason,
                flag: parameter.flag,
            }),
        }
    }

    fn missing(&self, parameter: &Parameter) -> Unanswered {
        let places = self.places(parameter);
        let looked = match (&self.record, places.first()) {
            (Some(record), Some(place)) => {
                format!("; the record has no {}{}", places.join(" and no "), others(record, place))
            }
            (None, Some(place)) => format!(", or a record that has {place}: --from RECORD"),
            (_, None) => String::new(),
        };
        Unanswered::Missing {
            law: self.name,
            flag: parameter.flag,
            what: parameter.what,
            domain: parameter.domain.describe(),
            looked,
        }
    }
}

/// A value in a record.
struct Recorded {
    value: f64,
    place: String,
    interval: Option<Interval>,
}

/// The metric at `experiment.id`, or the subgroup's size.
fn look_up(record: &Record, place: String) -> Option<Recorded> {
    if place == REPORTED_WIDTH {
        let value = f64::from(record.adapter.subgroup_size.observed?);
        return Some(Recorded { value, place, interval: None });
    }
    let (id, name) = place.split_once('.')?;
    let experiment = record.experiments.iter().find(|experiment| experiment.id == id)?;
    let metric = experiment.metric(name)?;
    let (value, interval) = (metric.value?, metric.ci);
    Some(Recorded { value, place, interval })
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
        .metrics
        .iter()
        .map(|metric| metric.id.as_str())
        .filter(|other| parts.len() > 1 && other.split('.').any(|part| parts.contains(&part)))
        .collect();
    if like.is_empty() { String::new() } else { format!("; it has {}", like.join(", ")) }
}
