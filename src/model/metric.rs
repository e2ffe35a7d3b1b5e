//! Metrics: figures that say themselves what they are.

use serde::{Deserialize, Serialize};

use super::Interval;

/// Which of two figures is the better one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// The larger.
    Higher,
    /// The smaller.
    Lower,
    /// Neither: it describes the device or the choice of work. A reader takes a word that it does not know so.
    #[default]
    #[serde(other)]
    Neither,
}

impl Better {
    /// The word used in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::Neither => "neither",
        }
    }
}

/// What a metric is: declared once, beside its experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its name in records, unique within the experiment: words joined by `_`, parts by `.`.
    pub id: String,
    /// A noun phrase with its condition, such as `load latency, 64 MiB working set`.
    pub label: String,
    /// Unit of the value: `s`, `B/s`, `x` for a multiple, `%` for a share of one, or empty for a count or text.
    pub unit: &'static str,
    /// Which direction is better.
    pub better: Better,
    /// Whether it belongs on the device card.
    pub headline: bool,
    /// What a reader must know beside the label; may be empty.
    pub note: String,
}

impl About {
    /// A metric that is neither better higher nor lower, and not a headline.
    #[must_use]
    pub fn new(id: impl Into<String>, label: impl Into<String>, unit: &'static str) -> Self {
        let (id, label) = (id.into(), label.into());
        Self { id, label, unit, better: Better::Neither, headline: false, note: String::new() }
    }

    /// More is better.
    #[must_use]
    pub fn higher(self) -> Self {
        Self { better: Better::Higher, ..self }
    }

    /// Less is better.
    #[must_use]
    pub fn lower(self) -> Self {
        Self { better: Better::Lower, ..self }
    }

    /// Belongs on the device card.
    #[must_use]
    pub fn headline(self) -> Self {
        Self { headline: true, ..self }
    }

    /// With what a reader must know beside the label.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// The metric, without a value yet.
    #[must_use]
    pub fn metric(&self) -> Metric {
        let Self { id, label, unit, better, headline, note } = self.clone();
        let (unit, value, text) = (unit.to_owned(), None, None);
        Metric { id, label, unit, better, headline, note, value, text, ci: None, spread: None }
    }
}

/// A figure or a word that an experiment found, with what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name in records.
    pub id: String,
    /// A noun phrase with its condition.
    pub label: String,
    /// Unit of the value.
    #[serde(default)]
    pub unit: String,
    /// Which direction is better.
    #[serde(default)]
    pub better: Better,
    /// Whether it belongs on the device card.
    #[serde(default)]
    pub headline: bool,
    /// What a reader must know beside the label.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The figure, computed from the typical sample times of its cases; absent for a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The word, where it is no figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// 95 % interval of the figure; absent for too few rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<Interval>,
    /// Spread bound: how far the figure goes while each case behind it lies anywhere from quartile to quartile of
    /// its samples, or at their mean. Absent for too few rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Interval>,
}

impl Metric {
    /// Whether its interval is narrow enough to build on: see [`Interval::is_firm_about`].
    #[must_use]
    pub fn is_firm(&self) -> bool {
        self.value.zip(self.ci).is_some_and(|(value, ci)| ci.is_firm_about(value))
    }
}
