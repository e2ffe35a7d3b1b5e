//! Result of an experiment, as records contain it.

use serde::{Deserialize, Serialize};

use super::{Interval, Metric, Verdict};

/// Category of experiments. Each category is one principle of efficient parallel execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Category {
    /// Find independence.
    Independence,
    /// Preserve uniformity.
    Uniformity,
    /// Minimise coordination.
    Coordination,
    /// Amortize overhead.
    Amortization,
    /// Keep the hardware busy.
    Busy,
    /// A category that this version does not know.
    #[serde(other)]
    Other,
}

impl Category {
    /// All known categories in display order.
    ///
    /// The order follows a workload: which operations can run in parallel, how they execute, what delays
    /// them, what starting them costs, and how much of the hardware they use.
    pub const ALL: [Self; 5] =
        [Self::Independence, Self::Uniformity, Self::Coordination, Self::Amortization, Self::Busy];

    /// Returns the principle as advice and its reason, separated by `: `.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Independence => {
                "Find independence: only operations that do not wait for each other run in parallel."
            }
            Self::Uniformity => {
                "Preserve uniformity: lanes that take the same path share one instruction stream."
            }
            Self::Coordination => "Minimise coordination: every dependent operation has to wait.",
            Self::Amortization => "Amortize overhead: all items of a batch share one fixed cost.",
            Self::Busy => {
                "Keep the hardware busy: enough other work hides the time that operations wait."
            }
            Self::Other => "Other.",
        }
    }
}

/// Outcome of running an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The experiment was measured and judged.
    Measured,
    /// The adapter lacks a feature or limit that the experiment needs.
    Unsupported,
    /// An output was wrong, or the device failed.
    Failed,
    /// The run stopped before or during the experiment.
    Interrupted,
}

impl Status {
    /// Returns the status as records and reports write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Unsupported => "unsupported",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Reason why sampling ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoppedBy {
    /// All judged intervals were narrow enough.
    Precision,
    /// The verdict was decided: every judged point is decided, or one deviates.
    Decided,
    /// Further rounds no longer narrowed the intervals.
    NoiseStable,
    /// The time budget was spent.
    Time,
    /// The maximum number of rounds was reached.
    Rounds,
    /// The user stopped the run.
    Interrupted,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
}

impl StoppedBy {
    /// Returns the reason as reports write it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Precision => "precision",
            Self::Decided => "decided",
            Self::NoiseStable => "noise stable",
            Self::Time => "time",
            Self::Rounds => "rounds",
            Self::Interrupted => "interrupted",
            Self::Other => "other",
        }
    }
}

/// Result of one experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Id in the registry.
    pub id: String,
    /// Category under which reports list the experiment.
    pub category: Category,
    /// Law in one line.
    pub law: String,
    /// Whether the experiment was measured.
    pub status: Status,
    /// Reason why the status is not `measured`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Verdict from all judged points and controls; absent if the status is not `measured`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Reason why sampling ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<StoppedBy>,
    /// Number of kept rounds.
    #[serde(default)]
    pub rounds: u32,
    /// Duration in seconds, including autotuning and verification.
    #[serde(default)]
    pub duration_s: f64,
    /// Workgroups that the software device ran at the same time; absent for other devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
    /// Cores that other processes kept busy on average during sampling; absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_load: Option<f64>,
    /// Breakdown of the duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub costs: Option<Costs>,
    /// Tolerance of |ratio − 1| by which points are judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// Reason for the size of the tolerance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance_reason: Option<String>,
    /// Searches for the fastest launch configurations (autotuning).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub searches: Vec<Search>,
    /// Calibrated parameters and other figures.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// Series that reports compare between devices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<Curve>,
    /// Predictions with their measurements.
    #[serde(default)]
    pub points: Vec<Point>,
    /// Checks of the measurement itself.
    #[serde(default)]
    pub controls: Vec<Control>,
    /// Diagnosis: likely mechanisms of deviations, warnings, and omissions with their reasons.
    #[serde(default)]
    pub diagnosis: Vec<String>,
    /// What would decide the experiment; empty if it is decided or no advice is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
    /// Cases with their raw samples.
    #[serde(default)]
    pub cases: Vec<Case>,
}

impl Experiment {
    /// Returns the metric with this id.
    #[must_use]
    pub fn metric(&self, id: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.id == id)
    }

    /// Returns the figure of the metric with this id, or `None` if the metric is absent or a text.
    #[must_use]
    pub fn number(&self, id: &str) -> Option<f64> {
        self.metric(id)?.value
    }

    /// Returns the verdict, or the status if there is no verdict, as records write it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.verdict.map_or(self.status.as_str(), Verdict::as_str)
    }

    /// Returns the points on which the verdict rests.
    pub fn judged(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|point| point.judged)
    }

    /// Returns the first metric of the device card, the key figure of the experiment.
    #[must_use]
    pub fn key_figure(&self) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.headline)
    }

    /// Returns |ratio − 1| of every judged point.
    #[must_use]
    pub fn residuals(&self) -> Vec<f64> {
        self.judged().map(Point::residual).collect()
    }
}

/// A search for the fastest launch configuration (autotuning).
///
/// The search varies one axis at a time and keeps the fastest option of each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// Name of the tuned kernel. The experiments of a run share the result of a search by its name.
    pub name: String,
    /// Fastest configuration; `None` if no configuration worked.
    pub chosen: Option<String>,
    /// Timed configurations, in the order tried.
    pub tried: Vec<Tried>,
    /// Number of rejected configurations: their output was wrong, or the device could not load them.
    #[serde(default)]
    pub left_out: u32,
    /// Duration in seconds.
    pub took_s: f64,
}

/// A launch configuration that a search timed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Launch configuration.
    #[serde(alias = "shape")]
    pub configuration: String,
    /// Units of work per second.
    pub rate: f64,
    /// Unit of work.
    pub unit: String,
}

/// Breakdown of an experiment's duration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Seconds for declaring cases, including the inputs that they share.
    pub planning_s: f64,
    /// Seconds for autotuning launch configurations.
    pub searching_s: f64,
    /// Seconds for choosing the work per sample, including compiling kernels and filling buffers.
    pub sizing_s: f64,
    /// Seconds for loading the timed workloads and comparing every output element with the CPU reference.
    pub verifying_s: f64,
    /// Seconds for warm-up rounds, which are not kept.
    pub warming_s: f64,
    /// Seconds from the first kept round to the last, including everything between rounds.
    pub sampling_s: f64,
    /// Part of `sampling_s` inside samples.
    #[serde(alias = "in_spans_s")]
    pub in_samples_s: f64,
    /// Part of `sampling_s` for computing the intervals that decide whether to stop.
    pub looking_s: f64,
    /// Number of samples taken.
    #[serde(alias = "spans")]
    pub samples: u64,
    /// Number of pipelines built. A run builds each pipeline once.
    pub pipelines: u64,
    /// Seconds for building and compiling these pipelines, as part of searching, sizing and verifying.
    ///
    /// A driver may defer compilation to the first dispatch. A dispatch of zero workgroups triggers deferred
    /// compilation on some drivers, and these seconds include that dispatch.
    pub compiling_s: f64,
}

impl Costs {
    /// Returns the share of `sampling_s` inside samples, or `None` if no round was kept.
    #[must_use]
    pub fn share_in_samples(&self) -> Option<f64> {
        (self.sampling_s > 0.0).then(|| self.in_samples_s / self.sampling_s)
    }

    /// Returns the host's seconds per sample, or `None` if no sample was taken.
    ///
    /// The host's seconds are the part of `sampling_s` outside samples.
    #[must_use]
    pub fn host_s_per_sample(&self) -> Option<f64> {
        (self.samples > 0).then(|| (self.sampling_s - self.in_samples_s) / self.samples as f64)
    }
}

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
    /// Spread bound of the ratio: see [`Metric::spread`]. A point deviates only if the whole spread bound is
    /// outside the tolerance.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "ratio_reach")]
    pub ratio_spread: Option<Interval>,
    /// Verdict of this point.
    pub verdict: Verdict,
    /// Whether the law applies to this point. If not, the point has no influence on the experiment's verdict.
    #[serde(default = "yes", alias = "claimed")]
    pub judged: bool,
    /// `measured` as a function of single samples of one case; absent if no [`Trace`] expresses the function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
}

/// A measured figure as a function of one sample of one case: `(offset + factor·s)^power` for `s` seconds.
///
/// The other cases of the figure keep their typical times. Reports use the function to draw single samples in
/// the unit of the figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Id of the [`Case`].
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

fn yes() -> bool {
    true
}

/// Confidence of the intervals in records without this field.
pub(super) fn usual_confidence() -> f64 {
    0.95
}

/// Kind of a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Check {
    /// One case under two names must take the same time.
    Same,
    /// A multiple of the work must take the same multiple of the time.
    Linear,
    /// A fixed case must take the same time in late rounds as in early rounds.
    Drift,
    /// Timestamps must agree with the host clock.
    Clock,
    /// A control that this version does not know.
    #[serde(other)]
    Other,
}

impl Check {
    /// Returns the control as records and reports write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Linear => "linear",
            Self::Drift => "drift",
            Self::Clock => "clock",
            Self::Other => "other",
        }
    }
}

/// Result of a control, which checks the measurement itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// Kind of the control.
    #[serde(rename = "name")]
    pub check: Check,
    /// Measured ratio, whose expected value is 1.
    pub ratio: f64,
    /// Interval of the ratio, of at least 95 % confidence; absent if there are too few rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio_ci: Option<Interval>,
    /// Whether the control passed.
    #[serde(default = "yes")]
    pub passed: bool,
}

/// A case with its raw samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Id within the experiment.
    pub id: String,
    /// Whether every element of the output was compared with the CPU reference and is correct.
    pub verified: bool,
    /// Units of work per sample.
    #[serde(default)]
    pub scale: u32,
    /// Reason why the case was not timed, such as its first wrong element or a missing feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Round of each sample, counted from 0; empty if each round of all cases has one sample, and no extra round
    /// has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<u32>,
    /// Kept samples in round order, in seconds. A record contains nanoseconds, and `null` for a sample whose
    /// timestamps were rejected.
    #[serde(rename = "samples_ns", with = "super::nanoseconds")]
    pub samples_s: Vec<Option<f64>>,
}
