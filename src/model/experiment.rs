//! One experiment's result, as records hold it.

use serde::{Deserialize, Serialize};

use super::{Interval, Metric, Verdict};

/// The five ideas, each a family of experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    /// One that this version does not know.
    #[serde(other)]
    Other,
}

impl Category {
    /// Those that there are: what there is to run, how it runs, what holds it up, what it costs to start, and whether
    /// all of the hardware is at work.
    pub const ALL: [Self; 5] =
        [Self::Independence, Self::Uniformity, Self::Coordination, Self::Amortization, Self::Busy];

    /// The idea as advice, with its reason.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Independence => {
                "Find independence: only what does not wait for something else can run beside it."
            }
            Self::Uniformity => {
                "Preserve uniformity: lanes that do the same share one instruction stream."
            }
            Self::Coordination => {
                "Minimise coordination: whatever depends on something else waits for it."
            }
            Self::Amortization => {
                "Amortize overhead: one control cost carries as many items as it is given."
            }
            Self::Busy => {
                "Keep the hardware busy: waiting is hidden by other work, if there is enough of it."
            }
            Self::Other => "Other.",
        }
    }
}

/// How far an experiment got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Measured and judged.
    Measured,
    /// The adapter cannot do it.
    Unsupported,
    /// An output was wrong, or the device failed.
    Failed,
    /// Stopped before the end, or not reached.
    Interrupted,
}

impl Status {
    /// The word used in records and reports.
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

/// Why no further round was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// Every judged interval was narrow enough.
    Precision,
    /// Intervals no longer narrowed.
    NoiseStable,
    /// The time budget was spent.
    Time,
    /// The most rounds were done.
    Rounds,
    /// The user stopped it.
    Interrupted,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
}

impl StoppedBy {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Precision => "precision",
            Self::NoiseStable => "noise stable",
            Self::Time => "time",
            Self::Rounds => "rounds",
            Self::Interrupted => "interrupted",
            Self::Other => "other",
        }
    }
}

/// One experiment's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Registry id.
    pub id: String,
    /// Its family.
    pub category: Category,
    /// The law in one line.
    pub law: String,
    /// How far it got.
    pub status: Status,
    /// Why not `measured`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the judged points and the controls say together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Why sampling ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<StoppedBy>,
    /// Rounds kept.
    #[serde(default)]
    pub rounds: u32,
    /// Seconds it took, verification included.
    #[serde(default)]
    pub duration_s: f64,
    /// Where those seconds went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub costs: Option<Costs>,
    /// Tolerance of |ratio − 1| that its points are judged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// Why that size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance_reason: Option<String>,
    /// Launch configurations that were chosen by trying some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub searches: Vec<Search>,
    /// What was calibrated and found.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// Series that several devices are compared by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<Curve>,
    /// Predictions and measurements.
    #[serde(default)]
    pub points: Vec<Point>,
    /// Checks on the measuring itself.
    #[serde(default)]
    pub controls: Vec<Control>,
    /// Likely mechanisms, warnings, and what was left out and why.
    #[serde(default)]
    pub diagnosis: Vec<String>,
    /// Its cases with their raw samples.
    #[serde(default)]
    pub cases: Vec<Case>,
}

impl Experiment {
    /// The metric of that id.
    #[must_use]
    pub fn metric(&self, id: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.id == id)
    }

    /// The figure that the metric of that id is, if it is one.
    #[must_use]
    pub fn number(&self, id: &str) -> Option<f64> {
        self.metric(id)?.value
    }

    /// The verdict, or how far the experiment got, in a word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.verdict.map_or(self.status.as_str(), Verdict::as_str)
    }

    /// |ratio − 1| over the points that the verdict rests on.
    #[must_use]
    pub fn residuals(&self) -> Vec<f64> {
        self.points.iter().filter(|p| p.judged).map(Point::residual).collect()
    }
}

/// A search for the fastest launch configuration: one axis after the other, the best of each kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// What was tuned; a run searches once for each name.
    pub name: String,
    /// The fastest configuration; `None` where none worked.
    pub chosen: Option<String>,
    /// Every configuration that was timed, in the order tried.
    pub tried: Vec<Tried>,
    /// How many were left out: they gave a wrong answer, or the device would not load them.
    #[serde(default)]
    pub left_out: u32,
    /// Seconds it took.
    pub took_s: f64,
}

/// A launch configuration that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The configuration.
    #[serde(alias = "shape")]
    pub configuration: String,
    /// Units of work in a second.
    pub rate: f64,
    /// What is counted.
    pub unit: String,
}

/// Where an experiment's seconds went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Declaring cases, with the inputs that they share.
    pub planning_s: f64,
    /// Choosing launch configurations by trying some.
    pub searching_s: f64,
    /// Choosing how much work a sample holds, kernels compiled and buffers filled on the way.
    pub sizing_s: f64,
    /// Loading what is timed and comparing every element of every output with its CPU reference.
    pub verifying_s: f64,
    /// Rounds that are not kept.
    pub warming_s: f64,
    /// Rounds that are kept, from the first to the last, everything between them included.
    pub sampling_s: f64,
    /// Of the sampling, the time inside of samples.
    #[serde(alias = "in_spans_s")]
    pub in_samples_s: f64,
    /// Of the sampling, the time that looking at the intervals takes, to decide whether to go on.
    pub looking_s: f64,
    /// Samples taken.
    #[serde(alias = "spans")]
    pub samples: u64,
    /// Pipelines built, each once in a run.
    pub pipelines: u64,
    /// Seconds that building and compiling them takes, spread over searching, sizing and verifying. With what a
    /// driver leaves to the first dispatch, as far as one of no workgroups has it compile.
    pub compiling_s: f64,
}

impl Costs {
    /// The share of the sampling that lies inside of samples; `None` if there was none.
    #[must_use]
    pub fn share_in_samples(&self) -> Option<f64> {
        (self.sampling_s > 0.0).then(|| self.in_samples_s / self.sampling_s)
    }

    /// Seconds of the host for each sample, that is of the sampling outside of samples; `None` if there was none.
    #[must_use]
    pub fn host_s_per_sample(&self) -> Option<f64> {
        (self.samples > 0).then(|| (self.sampling_s - self.in_samples_s) / self.samples as f64)
    }
}

/// A series that several devices are compared by, drawn over one another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// The series of the points.
    pub series: String,
    /// A title.
    pub title: String,
    /// Name of the vertical axis.
    pub y: String,
    /// Its unit.
    pub unit: String,
    /// What each measurement is divided by.
    #[serde(default)]
    pub over: Over,
    /// Whether the vertical axis is logarithmic.
    #[serde(default)]
    pub logarithmic: bool,
    /// The name of a reference line at y = x, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl Curve {
    /// A curve with a title and the name and unit of its vertical axis, for [`compare_by`] to say of which series.
    ///
    /// [`compare_by`]: crate::bench::Plan::compare_by
    #[must_use]
    pub fn new(title: &str, y: &str, unit: &str) -> Self {
        let [title, y, unit] = [title, y, unit].map(str::to_owned);
        let (series, over) = (String::new(), Over::Nothing);
        Self { series, title, y, unit, over, logarithmic: false, reference: None }
    }

    /// With what each measurement is divided by.
    #[must_use]
    pub fn over(self, over: Over) -> Self {
        Self { over, ..self }
    }

    /// With a logarithmic vertical axis.
    #[must_use]
    pub fn logarithmic(self) -> Self {
        Self { logarithmic: true, ..self }
    }

    /// With a reference line at y = x.
    #[must_use]
    pub fn reference(self, name: &str) -> Self {
        Self { reference: Some(name.to_owned()), ..self }
    }
}

/// What the measurements of a curve are divided by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Over {
    /// Nothing; they are speed-ups over one, which is 1 at 1 by definition.
    One,
    /// The measurement at the first place of the sweep.
    First,
    /// The measurement at the last place.
    Last,
    /// Nothing, which is also what a divisor of a later version is read as.
    #[default]
    #[serde(other)]
    Nothing,
}

/// A named value with its unit.
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

/// One prediction against one measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Sweep it belongs to.
    pub series: String,
    /// Where in the sweep.
    pub x: Quantity,
    /// Computed from the typical sample times of its cases over the rounds.
    pub measured: f64,
    /// The law's value, from other cases likewise.
    pub predicted: f64,
    /// Unit of both.
    pub unit: String,
    /// Measured / predicted.
    pub ratio: f64,
    /// 95 % interval of the ratio; absent for too few rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio_ci: Option<Interval>,
    /// Spread bound of the ratio: see [`Metric::spread`]. A deviation must lie beyond it.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "ratio_reach")]
    pub ratio_spread: Option<Interval>,
    /// The point alone.
    pub verdict: Verdict,
    /// Whether the law claims this point, so that the experiment's verdict rests on it.
    #[serde(default = "yes", alias = "claimed")]
    pub judged: bool,
    /// What single samples made of `measured`; absent where it is no simple figure of any one case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
}

/// How a measured figure follows from the sample of one case, `s` in seconds, while its other cases take their
/// typical times: `(offset + factor·s)^power`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The [`Case`]'s id.
    pub case: String,
    /// In the figure's unit to that power.
    pub offset: f64,
    /// The same for each second.
    pub factor: f64,
    /// 1, or −1 for a figure that is so much less as the sample is longer, such as a speed-up.
    pub power: i32,
}

impl Trace {
    /// The figure if the case had taken `sample_s` seconds.
    #[must_use]
    pub fn at(&self, sample_s: f64) -> f64 {
        (self.offset + self.factor * sample_s).powi(self.power)
    }
}

impl Point {
    /// |ratio − 1|: how far it lies from its prediction, either way.
    #[must_use]
    pub fn residual(&self) -> f64 {
        (self.ratio - 1.0).abs()
    }

    /// Whether it deviates, and to more than was predicted (`over`) or to less.
    #[must_use]
    pub fn deviates(&self, over: bool) -> bool {
        self.verdict == Verdict::Deviates && (self.ratio > 1.0) == over
    }
}

fn yes() -> bool {
    true
}

/// What a control checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// One case under two names.
    Same,
    /// A multiple of the work, in as many times the time.
    Linear,
    /// Late rounds against early ones.
    Drift,
    /// Timestamps against the host's clock.
    Clock,
    /// One that this version does not know.
    #[serde(other)]
    Other,
}

impl Check {
    /// The word used in records and reports.
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

/// A check on the measuring itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// What it checks.
    #[serde(rename = "name")]
    pub check: Check,
    /// What must be 1.
    pub ratio: f64,
    /// Its 95 % interval; absent for too few rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio_ci: Option<Interval>,
    /// Whether it is as it must be.
    #[serde(default = "yes")]
    pub passed: bool,
}

/// One timed case with its raw samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Its name within the experiment.
    pub id: String,
    /// Whether every element of its output was compared and right.
    pub verified: bool,
    /// Units of work in a sample.
    #[serde(default)]
    pub scale: u32,
    /// Why it was not timed: the first mismatch, or what the adapter lacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// All kept samples in round order, in seconds here and in nanoseconds in records; `null` there where the
    /// stamps were rejected.
    #[serde(rename = "samples_ns", with = "super::nanoseconds")]
    pub samples_s: Vec<Option<f64>>,
}
