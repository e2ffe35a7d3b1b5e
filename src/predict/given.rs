//! Values of the parameters of a law, with their sources.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::parameter::{Choice, Parameter, REPORTED_WIDTH};
use crate::model::{Experiment, Interval, Point, Record, Verdict, figures};

/// Source of a parameter's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The command line, or a call of [`Given::number`].
    Given,
    /// This place in a record.
    Record(String),
    /// The default of the parameter.
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

/// A parameter value that an answer depends on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Used {
    /// Flag of the parameter.
    pub name: &'static str,
    /// Meaning, as a noun phrase.
    pub what: &'static str,
    /// Value, or the last value of a range.
    pub value: f64,
    /// Unit; empty for a count or a share.
    pub unit: &'static str,
    /// Source of the value.
    pub source: Source,
    /// 95 % interval of a value from a record.
    pub interval: Option<Interval>,
}

/// Reason why a law cannot be evaluated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unanswered {
    /// A parameter is neither given nor in a record, and has no default.
    #[error("`{law}` requires --{flag}, {what} ({domain}){looked}")]
    Missing {
        /// Name of the law.
        law: &'static str,
        /// Flag of the parameter.
        flag: &'static str,
        /// Meaning of the parameter.
        what: &'static str,
        /// Unit and bounds of the parameter.
        domain: String,
        /// Text that names the places of the parameter in a record; empty if the parameter has no place.
        looked: String,
    },
    /// A parameter contradicts another parameter or the law.
    #[error("--{flag} is invalid: {reason}")]
    Unfit {
        /// Flag of the parameter to change.
        flag: &'static str,
        /// Reason.
        reason: &'static str,
    },
    /// A figure is not finite.
    #[error(
        "`{law}` cannot compute `{figure}`: the value of a parameter is too large or too small"
    )]
    Beyond {
        /// Name of the law.
        law: &'static str,
        /// Name of the figure.
        figure: &'static str,
    },
    /// A record contains an invalid value of a parameter.
    #[error("{place} of the record is {value}, but {reason}; pass --{flag} instead")]
    Senseless {
        /// Place in the record.
        place: String,
        /// Value in the record, with its unit.
        value: String,
        /// Sentence that describes the valid values.
        reason: String,
        /// Flag of the parameter.
        flag: &'static str,
    },
}

/// Values of the parameters and choices of one law.
///
/// The value of a parameter is the given value, else the value in the record, else the default.
#[derive(Debug, Clone)]
pub struct Given {
    name: &'static str,
    formula: &'static str,
    parameters: &'static [Parameter],
    choices: &'static [Choice],
    /// Given parameters by flag, as range.
    numbers: BTreeMap<&'static str, (f64, f64)>,
    /// Given choices by flag.
    words: BTreeMap<&'static str, String>,
    record: Option<Record>,
    /// Parameters that the law has read so far.
    used: Vec<Used>,
}

impl Given {
    /// Returns values for a law with this name, formula, parameters and choices, without any given value.
    pub(super) fn new(
        name: &'static str,
        formula: &'static str,
        (parameters, choices): (&'static [Parameter], &'static [Choice]),
        record: Option<Record>,
    ) -> Self {
        let (numbers, words) = (BTreeMap::new(), BTreeMap::new());
        Self { name, formula, parameters, choices, numbers, words, record, used: Vec::new() }
    }

    /// Sets a parameter to the range from `range.0` to `range.1`. Equal ends denote a single value.
    pub fn number(&mut self, flag: &'static str, range: (f64, f64)) {
        self.numbers.insert(flag, range);
    }

    /// Sets a choice.
    pub fn word(&mut self, flag: &'static str, word: String) {
        self.words.insert(flag, word);
    }

    /// Returns the parameters that the law has read so far.
    pub(crate) fn used(&self) -> Vec<Used> {
        self.used.clone()
    }

    /// Returns name and formula of the law.
    pub(crate) fn law(&self) -> (&'static str, &'static str) {
        (self.name, self.formula)
    }

    /// Returns the value of a parameter, or the last value of its range.
    ///
    /// # Errors
    /// Returns an error if the parameter has no value, or an invalid one in the record.
    pub(crate) fn get(&mut self, flag: &str) -> Result<f64, Unanswered> {
        let parameter = self.parameter(flag);
        self.find(flag)?.ok_or_else(|| self.missing(parameter))
    }

    /// Returns the value of a parameter like [`get`](Self::get), or `None` if the parameter has no value.
    ///
    /// # Errors
    /// Returns an error if the value in the record is invalid.
    pub(crate) fn find(&mut self, flag: &str) -> Result<Option<f64>, Unanswered> {
        Ok(self.range(flag)?.map(|(_, last)| last))
    }

    /// Returns the ends of the 95 % interval of a parameter that the law has read from the record; `None` if it is given or has
    /// no interval.
    pub(crate) fn interval(&self, flag: &str) -> Option<Interval> {
        self.used.iter().find(|used| used.name == flag)?.interval
    }

    /// Returns the values of a parameter for several sizes, each with its size, if the law has read it from the record: those of
    /// the places that continue the parameter's own by `.part.` and a number.
    pub(crate) fn by_size(&self, flag: &str) -> Vec<(f64, Recorded)> {
        let used = self.used.iter().find(|used| used.name == flag);
        let (Some(record), Some(Used { source: Source::Record(place), .. })) = (&self.record, used)
        else {
            return Vec::new();
        };
        let metrics = record.experiments.iter().flat_map(|experiment| {
            experiment.metrics.iter().map(|metric| format!("{}.{}", experiment.id, metric.id))
        });
        let sized = metrics.filter_map(|sized| {
            let size: f64 =
                sized.strip_prefix(place.as_str())?.strip_prefix(".part.")?.parse().ok()?;
            let found = look_up(record, sized)?;
            self.parameter(flag).domain.check(found.value).is_ok().then_some((size, found))
        });
        sized.collect()
    }

    /// Names `recorded` as the value of a parameter that the law has read from the record.
    pub(crate) fn read_instead(&mut self, flag: &str, recorded: &Recorded) {
        let Recorded { value, place, interval } = recorded;
        for used in self.used.iter_mut().filter(|used| used.name == flag) {
            (used.value, used.interval) = (*value, *interval);
            used.source = Source::Record(place.clone());
        }
    }

    /// Returns the first and the last value of a table over a parameter.
    ///
    /// A given range sets both values. A single value is the last value, and the table begins at `from` or at
    /// the single value, whichever is smaller.
    ///
    /// # Errors
    /// Returns an error like [`get`](Self::get).
    pub(crate) fn swept(&mut self, flag: &str, from: f64) -> Result<(f64, f64), Unanswered> {
        let parameter = self.parameter(flag);
        let (first, last) = self.range(flag)?.ok_or_else(|| self.missing(parameter))?;
        Ok((if first < last { first } else { from.min(last) }, last))
    }

    /// Returns the range of a parameter, or `None` if the parameter has no value. Equal ends denote a single
    /// value.
    ///
    /// # Errors
    /// Returns an error if the value in the record is invalid.
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

    /// Returns the given or default word of a choice.
    fn chosen(&self, flag: &str) -> &str {
        let choice = self.choices.iter().find(|choice| choice.flag == flag);
        let default = choice.expect("the flag is one of the law's choices").default;
        self.words.get(flag).map_or(default, String::as_str)
    }

    /// Returns the word of a choice, or `None` if no value from the record was used.
    pub(crate) fn chosen_of_record(&self, flag: &str) -> Option<&str> {
        let recorded = |used: &Used| matches!(used.source, Source::Record(_));
        self.used.iter().any(recorded).then(|| self.chosen(flag))
    }

    /// Returns the error for a parameter that contradicts another parameter or the law.
    pub(crate) fn unfit(&self, flag: &str, reason: &'static str) -> Unanswered {
        Unanswered::Unfit { flag: self.parameter(flag).flag, reason }
    }

    /// Returns warnings about the used values from the record: a wide interval, or a law that does not hold.
    pub(crate) fn cautions(&self) -> Vec<String> {
        let Some(record) = &self.record else {
            return Vec::new();
        };
        let mut cautions = Vec::new();
        for used in &self.used {
            let Source::Record(place) = &used.source else { continue };
            if used.interval.is_some_and(|ci| !ci.is_firm_about(used.value)) {
                cautions.push(format!("The 95 % interval of {} is wider than ±20 %.", used.name));
            }
            let id = place.split('.').next().unwrap_or_default();
            let unconfirmed = record
                .experiments
                .iter()
                .find(|experiment| experiment.id == id)
                .filter(|experiment| experiment.verdict != Some(Verdict::Holds));
            let caution = unconfirmed.map(|experiment| {
                let result = experiment.as_str();
                format!("In this record, the result of `{id}` is `{result}`.{}", worst(experiment))
            });
            cautions.extend(caution.filter(|caution| !cautions.contains(caution)));
        }
        cautions
    }

    fn parameter(&self, flag: &str) -> &'static Parameter {
        let parameter = self.parameters.iter().find(|parameter| parameter.flag == flag);
        parameter.expect("the flag is one of the law's parameters")
    }

    /// Returns the places of a parameter in a record, with the choices inserted.
    fn places(&self, parameter: &Parameter) -> Vec<String> {
        let fill = |place: &&str| {
            self.choices.iter().fold((*place).to_owned(), |place, choice| {
                place.replace(&format!("{{{}}}", choice.flag), self.chosen(choice.flag))
            })
        };
        parameter.places.iter().map(fill).collect()
    }

    /// Returns the value of a parameter in the record, if the record contains one.
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

    /// Returns the error for a parameter without a value.
    fn missing(&self, parameter: &Parameter) -> Unanswered {
        let places = self.places(parameter);
        let looked = match (&self.record, places.first()) {
            (Some(record), Some(place)) => {
                format!("; the record has no {}{}", places.join(" and no "), hint(record, place))
            }
            (None, Some(place)) => {
                format!(", or --from RECORD with a record that contains {place}")
            }
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

/// A value in a record, with its place and its 95 % interval.
pub(crate) struct Recorded {
    pub(crate) value: f64,
    place: String,
    interval: Option<Interval>,
}

/// Returns the metric at the place `experiment.metric`, or the observed subgroup size.
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

/// Returns a hint why the record lacks `place`: it lacks the experiment, or the word of a choice may be
/// misspelt. In the second case, the hint lists the metrics that share a part of their id with `place`.
fn hint(record: &Record, place: &str) -> String {
    let Some((id, name)) = place.split_once('.') else {
        return String::new();
    };
    let parts: Vec<&str> = name.split('.').collect();
    let Some(experiment) = record.experiments.iter().find(|experiment| experiment.id == id) else {
        return format!(" because it has no experiment `{id}`");
    };
    let similar: Vec<&str> = experiment
        .metrics
        .iter()
        .map(|metric| metric.id.as_str())
        .filter(|other| parts.len() > 1 && other.split('.').any(|part| parts.contains(&part)))
        .collect();
    if similar.is_empty() {
        String::new()
    } else {
        format!("; similar metrics in the record: {}", similar.join(", "))
    }
}

/// Returns a sentence with the number of points that deviate and the worst of them. Returns an empty string if no point
/// deviates.
fn worst(experiment: &Experiment) -> String {
    let deviating = || experiment.judged().filter(|point| point.verdict == Verdict::Deviates);
    let factor = |point: &Point| point.ratio.max(1.0 / point.ratio);
    let worst = deviating().max_by(|a, b| factor(a).total_cmp(&factor(b)));
    worst.map_or_else(String::new, |point| {
        format!(
            " {} of {} points deviate, the worst by a factor of {} ({}, {} {}): read the report before you use this \
             answer.",
            deviating().count(),
            experiment.judged().count(),
            figures::digits(factor(point)),
            point.series,
            figures::count(point.x.value),
            point.x.name
        )
    })
}
