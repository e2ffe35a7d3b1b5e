//! Points of an experiment, as records contain them: predictions with their measurements.

use serde::{Deserialize, Serialize};

use super::{Interval, Verdict};

/// A series that reports compare between devices, with one curve per device in the same plot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Series of the points.
    pub series: String,
    /// Title of the plot.
    pub title: String,
    /// Name of the vertical axis.
    pub y: String,
    /// Unit of the vertical axis.
    pub unit: String,
    /// Divisor of each measurement.
    #[serde(default)]
    pub over: Over,
    /// Whether the vertical axis is logarithmic.
    #[serde(default)]
    pub logarithmic: bool,
    /// Name of the reference line y = x, if the plot contains one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl Curve {
    /// Returns a curve with this title, and with the name and unit of the vertical axis.
    ///
    /// [`Plan::compare_by`](crate::bench::Plan::compare_by) sets the series.
    #[must_use]
    pub fn new(title: &str, y: &str, unit: &str) -> Self {
        let [title, y, unit] = [title, y, unit].map(str::to_owned);
        let (series, over) = (String::new(), Over::Nothing);
        Self { series, title, y, unit, over, logarithmic: false, reference: None }
    }

    /// Sets the divisor of each measurement.
    #[must_use]
    pub fn over(self, over: Over) -> Self {
        Self { over, ..self }
    }

    /// Makes the vertical axis logarithmic.
    #[must_use]
    pub fn logarithmic(self) -> Self {
        Self { logarithmic: true, ..self }
    }

    /// Adds the reference line y = x with this name.
    #[must_use]
    pub fn reference(self, name: &str) -> Self {
        Self { reference: Some(name.to_owned()), ..self }
    }
}

/// Divisor of the measurements of a curve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Over {
    /// No division. The measurements are speed-ups over x = 1, and reports add the point (1, 1).
    One,
    /// The measurement at the first position of the sweep.
    First,
    /// The measurement at the last position of the sweep.
    Last,
    /// No division. A divisor that this version does not know is read as this value.
    #[default]
    #[serde(other)]
    Nothing,
}

/// A value with name and unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// Name.
    pub name: String,
    /// Value.
    pub value: f64,
    /// Unit; empty for a count.
    #[serde(default)]
    pub unit: String,
}

/// One prediction with its measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Series that the point belongs to.
    pub series: String,
    /// Position in the sweep.
    pub x: Quantity,
    /// Measured figure, computed from the typical sample times of its cases.
    pub measured: f64,
    /// Figure that the law predicts, computed from the typical sample times of other cases.
    pub predicted: f64,
    /// Unit of both figures.
    pub unit: String,
    /// `measured / predicted`.
    pub ratio: f64,
    /// Interval of the ratio; absent if there are too few rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio_ci: Option<Interval>,
    /// Confidence of the interval.
    ///
    /// A run that looks at a point several times judges it by intervals of more than 95 %, so that all looks
    /// together are wrong in less than 5 %.
    #[serde(default = "usual_confidence")]
    pub confidence: f64,
    /// Spread bound of the ratio: see [`Metric::spread`](super::Metric::spread). A point deviates only if the whole
    /// spread bound is outside the tolerance.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "ratio_reach")]
    pub ratio_spread: Option<Interval>,
    /// Verdict of this point.
    pub verdict: Verdict,
    /// Whether the law applies to this point. If not, the point has no influence on the experiment's verdict.
    #[serde(default = "yes", alias = "claimed")]
    pub judged: bool,
    /// `measured` as a function of single samples of one case; absent if no [`Trace`] expresses the function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Box<Trace>>,
}

/// A measured figure as a function of one sample of one case: `(offset + factor·s)^power` for `s` seconds.
///
/// The other cases of the figure keep their typical times. Reports use the function to draw single samples in
/// the unit of the figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Id of the [`Case`](super::Case).
    pub case: String,
    /// Offset, in the figure's unit raised to `power`.
    pub offset: f64,
    /// Factor, in the unit of `offset` per second.
    pub factor: f64,
    /// 1, or −1 for a figure that decreases as the sample becomes longer, such as a speed-up.
    pub power: i32,
}

impl Trace {
    /// Returns the figure for a sample of `sample_s` seconds.
    #[must_use]
    pub fn at(&self, sample_s: f64) -> f64 {
        (self.offset + self.factor * sample_s).powi(self.power)
    }
}

impl Point {
    /// Returns |ratio − 1|: the relative distance of the measurement from the prediction.
    #[must_use]
    pub fn residual(&self) -> f64 {
        (self.ratio - 1.0).abs()
    }

    /// Returns `true` if the point deviates and is above (`over`) or below (`!over`) its prediction.
    #[must_use]
    pub fn deviates(&self, over: bool) -> bool {
        self.verdict == Verdict::Deviates && (self.ratio > 1.0) == over
    }
}

/// Value of a flag in records without it.
pub(super) fn yes() -> bool {
    true
}

/// Confidence of the intervals in records without this field.
pub(super) fn usual_confidence() -> f64 {
    0.95
}
