//! Metrics: figures that carry their own label and unit, so that reports need no table of experiments.

use serde::{Deserialize, Serialize};

use super::Interval;

/// Direction in which a figure improves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Better {
    /// A larger figure is better.
    Higher,
    /// A smaller figure is better.
    Lower,
    /// Neither: the figure describes the device or the workload. Unknown words are read as this value.
    #[default]
    #[serde(other)]
    Neither,
}

impl Better {
    /// Returns the direction as records write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::Neither => "neither",
        }
    }
}

/// Declaration of a metric. Each experiment declares its metrics once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Id in records, unique within the experiment: words joined by `_`, parts joined by `.`.
    pub id: String,
    /// Noun phrase with its condition, such as `load latency, 64 MiB working set`.
    pub label: String,
    /// Unit of the value: `s`, `B/s`, `x` for a factor, `%` for a share of one, or empty for a count or text.
    pub unit: &'static str,
    /// Direction in which the value improves.
    pub better: Better,
    /// Whether reports show the metric on the device card, the summary of a device's main figures.
    pub headline: bool,
    /// Condition or caveat that the label does not contain; may be empty.
    pub note: String,
    /// Whether the value follows from the speed of caches and memory.
    pub memory: bool,
}

impl About {
    /// Returns a declaration with [`Better::Neither`], outside the device card and without a note.
    #[must_use]
    pub fn new(id: impl Into<String>, label: impl Into<String>, unit: &'static str) -> Self {
        let (id, label) = (id.into(), label.into());
        let (better, note) = (Better::Neither, String::new());
        Self { id, label, unit, better, headline: false, note, memory: is_of_bytes(unit) }
    }

    /// Sets [`Better::Higher`].
    #[must_use]
    pub fn higher(self) -> Self {
        Self { better: Better::Higher, ..self }
    }

    /// Sets [`Better::Lower`].
    #[must_use]
    pub fn lower(self) -> Self {
        Self { better: Better::Lower, ..self }
    }

    /// Adds the metric to the device card.
    #[must_use]
    pub fn headline(self) -> Self {
        Self { headline: true, ..self }
    }

    /// Says that the value follows from the speed of caches and memory. That of a value in bytes per second, or seconds
    /// per byte, always does.
    #[must_use]
    pub fn of_memory(self) -> Self {
        Self { memory: true, ..self }
    }

    /// Sets the note.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// Returns the metric without a value.
    #[must_use]
    pub fn metric(&self) -> Metric {
        let Self { id, label, unit, better, headline, note, memory } = self.clone();
        let (unit, value, text) = (unit.to_owned(), None, None);
        let (ci, spread) = (None, None);
        Metric { id, label, unit, better, headline, note, memory, value, text, ci, spread }
    }
}

/// A figure or a text that an experiment found, with its declaration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Id in records.
    pub id: String,
    /// Noun phrase with its condition.
    pub label: String,
    /// Unit of the value.
    #[serde(default)]
    pub unit: String,
    /// Direction in which the value improves.
    #[serde(default)]
    pub better: Better,
    /// Whether reports show the metric on the device card.
    #[serde(default)]
    pub headline: bool,
    /// Condition or caveat that the label does not contain.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Whether the value follows from the speed of caches and memory, which all cores of a host share.
    #[serde(default, skip_serializing_if = "is_false")]
    pub memory: bool,
    /// Figure, computed from the typical sample times of its cases; absent for a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Text; absent for a figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// 95 % confidence interval of the figure; absent if there are too few rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<Interval>,
    /// Spread bound: the range of the figure if the time of each case varies from the lower sixth to the median
    /// of its samples, by all rounds and by the rounds that timed all cases. Absent if there are too few rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Interval>,
}

/// Returns whether a flag is not set, and is left out of records.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Returns whether a unit is one of bytes per time or time per byte.
fn is_of_bytes(unit: &str) -> bool {
    ["GB/s", "B/s", "s/B"].contains(&unit)
}

impl Metric {
    /// Returns whether the value follows from the speed of caches and memory. Records of before 2.4 tell it by the unit
    /// alone.
    #[must_use]
    pub fn is_of_memory(&self) -> bool {
        self.memory || is_of_bytes(&self.unit)
    }

    /// Returns `true` if the metric has a figure and a narrow interval: see [`Interval::is_firm_about`].
    #[must_use]
    pub fn is_firm(&self) -> bool {
        self.value.zip(self.ci).is_some_and(|(value, ci)| ci.is_firm_about(value))
    }
}
