//! The shape of a record, version 1. Additions keep the major version, and a reader ignores what it does
//! not know. What a run could not measure is absent, never zero.

use serde::{Deserialize, Serialize};

use super::{Machine, Value};
use crate::stats::{Interval, Verdict};

/// One run on one adapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What this file is.
    pub schema: Schema,
    /// What made it.
    pub tool: Tool,
    /// When, RFC 3339.
    pub started_at: String,
    /// How long the run has taken so far, in seconds.
    pub duration_s: f64,
    /// Seed of every random choice.
    pub seed: u64,
    /// The host.
    pub machine: Machine,
    /// The device.
    pub adapter: Adapter,
    /// What the spans were measured with.
    pub clock: Clock,
    /// Results, in the order run.
    pub experiments: Vec<Experiment>,
    /// Raw samples of every case.
    pub cases: Vec<Case>,
}

/// Name and version of the format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Always [`Schema::NAME`].
    pub name: String,
    /// Semantic version.
    pub version: String,
}

impl Schema {
    /// The format's name.
    pub const NAME: &'static str = "warplaw-record";
    /// The version written.
    pub const VERSION: &'static str = "1.2.0";

    /// The schema of the records this version writes.
    #[must_use]
    pub fn current() -> Self {
        Self { name: Self::NAME.to_owned(), version: Self::VERSION.to_owned() }
    }
}

/// The build and the command that made the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Version of warplaw.
    pub version: String,
    /// Commit it was built from; absent outside a checkout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_rev: Option<String>,
    /// Whether the checkout had uncommitted changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
    /// The command line, program first.
    pub argv: Vec<String>,
    /// `quick` or `full`.
    pub profile: String,
}

/// The adapter measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adapter {
    /// Name as the driver gives it.
    pub name: String,
    /// PCI vendor id, or the backend's own.
    pub vendor_id: u32,
    /// PCI device id, or the backend's own.
    pub device_id: u32,
    /// `discrete`, `integrated`, `virtual`, `cpu` or `other`.
    pub device_type: String,
    /// `vulkan`, `metal`, `dx12` or `gl`.
    pub backend: String,
    /// Driver name.
    pub driver: String,
    /// Driver version and build.
    pub driver_info: String,
    /// Lanes in a subgroup, reported and seen.
    pub subgroup_size: SubgroupSize,
    /// Optional features in use.
    pub features: Vec<String>,
    /// Whether wgpu's injected shader checks were on.
    pub shader_checks: bool,
    /// Which limits the device was opened with: `adapter` for all it offers, `default` or `downlevel`.
    #[serde(default = "all_limits")]
    pub limits: String,
}

/// What records asked for before they said so.
fn all_limits() -> String {
    "adapter".to_owned()
}

/// Lanes in a subgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubgroupSize {
    /// Smallest that the driver reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// Largest that the driver reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// What a shader saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<u32>,
}

/// The clock, as measured at start-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// `timestamp_query`, or `host` where there are no timestamps that can be used.
    pub kind: String,
    /// Nanoseconds per tick.
    pub period_ns: f64,
    /// Nanoseconds that all differences between spans are multiples of.
    pub resolution_ns: f64,
    /// Median span of a dispatch that does nothing; absent where the clock gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_span_ns: Option<f64>,
    /// Span of one long dispatch over the host's view of it, submission and wait included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_check_ratio: Option<f64>,
    /// What is wrong with it, if anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
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
    pub fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Unsupported => "unsupported",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One experiment's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Registry id.
    pub id: String,
    /// `independence`, `uniformity`, `coordination`, `amortization` or `busy`.
    pub idea: String,
    /// The law in one line.
    pub law: String,
    /// How far it got.
    pub status: Status,
    /// Why not `measured`.
    pub reason: Option<String>,
    /// What the judged points and the controls say together.
    pub verdict: Option<Verdict>,
    /// `precision`, `noise_stable`, `time`, `rounds` or `interrupted`.
    pub stopped_by: Option<String>,
    /// Rounds kept.
    #[serde(default)]
    pub rounds: u32,
    /// Seconds it took, verification included.
    #[serde(default)]
    pub duration_s: f64,
    /// Where those seconds went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub costs: Option<Costs>,
    /// Tolerance of |ratio − 1| that its points were judged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// Shapes of kernels that were chosen by trying some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub searches: Vec<Search>,
    /// What was calibrated.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// What was found out.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Predictions and measurements.
    #[serde(default)]
    pub points: Vec<Point>,
    /// Checks on the measuring itself.
    #[serde(default)]
    pub controls: Vec<Control>,
    /// Likely mechanisms, warnings, and what was left out and why.
    #[serde(default)]
    pub diagnosis: Vec<String>,
}

/// A short search: one axis after the other, the best of each kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// What was tuned; a run searches once for each name.
    pub name: String,
    /// The shape that was the fastest; `None` where none worked.
    pub chosen: Option<String>,
    /// Every shape that was timed, in the order tried.
    pub tried: Vec<Tried>,
    /// How many were left out: they gave a wrong answer, or the device would not load them.
    #[serde(default)]
    pub left_out: u32,
    /// Seconds it took.
    pub took_s: f64,
}

/// A shape that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The shape.
    pub shape: String,
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
    /// Choosing the shapes of kernels by trying some.
    pub searching_s: f64,
    /// Choosing how much work a span holds, kernels compiled and buffers filled on the way.
    pub sizing_s: f64,
    /// Loading what is timed and comparing every element of every output with its CPU twin.
    pub verifying_s: f64,
    /// Rounds that are not kept.
    pub warming_s: f64,
    /// Rounds that are, from the first to the last, everything between them included.
    pub sampling_s: f64,
    /// Of the sampling, what lies inside of timed spans.
    pub in_spans_s: f64,
    /// Of the sampling, what looking at the intervals takes, to decide whether to go on.
    pub looking_s: f64,
    /// Spans in the sampling.
    pub spans: u64,
    /// Pipelines built, each once in a run.
    pub pipelines: u64,
    /// What building and compiling them takes, spread over searching, sizing and verifying. With what a driver leaves
    /// to the first dispatch, as far as one of no workgroups has it compile.
    pub compiling_s: f64,
}

impl Costs {
    /// The share of the sampling that lies inside of timed spans; `None` if there was none.
    #[must_use]
    pub fn share_in_spans(&self) -> Option<f64> {
        (self.sampling_s > 0.0).then(|| self.in_spans_s / self.sampling_s)
    }

    /// Seconds of the host for a span beyond the span itself; `None` if there was none.
    #[must_use]
    pub fn outside_of_a_span_s(&self) -> Option<f64> {
        (self.spans > 0).then(|| (self.sampling_s - self.in_spans_s) / self.spans as f64)
    }
}

impl Experiment {
    /// The finding of that name.
    #[must_use]
    pub fn finding(&self, name: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.name == name)
    }

    /// The figure that the finding of that name is, if it is one.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.finding(name)?.value.number()
    }

    /// The parameter of that name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// |ratio − 1| over the points that the verdict rests on.
    #[must_use]
    pub fn residuals(&self) -> Vec<f64> {
        self.points.iter().filter(|p| p.claimed).map(Point::residual).collect()
    }
}

/// A calibrated parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Symbol or name.
    pub name: String,
    /// Computed from what its cases typically take over the rounds.
    pub value: f64,
    /// Unit.
    pub unit: String,
    /// 95 % interval; absent for too few rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<Interval>,
    /// How far it goes while each case behind it lies anywhere in the middle of its spans, as
    /// [`Point::ratio_reach`] does; absent for too few rounds, and before version 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Interval>,
}

impl Parameter {
    /// Whether its interval is narrow enough to build on: see [`Interval::is_firm_about`].
    #[must_use]
    pub fn is_firm(&self) -> bool {
        self.ci.is_some_and(|ci| ci.is_firm_about(self.value))
    }
}

/// Something found out that is not itself judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Name.
    pub name: String,
    /// Value.
    pub value: Value,
    /// Unit; empty for a name or a pure number.
    pub unit: String,
    /// 95 % interval of a figure; absent for a name, for too few rounds, and before version 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<Interval>,
    /// Its reach, as a parameter's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Interval>,
}

/// A named value with its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// Name.
    pub name: String,
    /// Value.
    pub value: f64,
    /// Unit; empty for a count.
    pub unit: String,
}

/// One prediction against one measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Sweep it belongs to.
    pub series: String,
    /// Where in the sweep.
    pub x: Quantity,
    /// Computed from what its cases typically take over the rounds.
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
    /// How far the ratio goes while each case behind it lies anywhere from quartile to quartile of its spans, or at
    /// their mean: a deviation must lie beyond it. Absent for too few rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio_reach: Option<Interval>,
    /// The point alone.
    pub verdict: Verdict,
    /// Whether the law claims this point, so that the experiment's verdict rests on it.
    #[serde(default = "yes")]
    pub claimed: bool,
    /// What single spans made of `measured`; absent where it is no simple figure of any one case, and before
    /// version 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
}

/// How a measured figure follows from the span of one case, `s` in seconds, while its other cases take what they
/// typically take: `(offset + factor·s)^power`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The [`Case`]'s id.
    pub case: String,
    /// In the figure's unit to that power.
    pub offset: f64,
    /// The same for each second.
    pub factor: f64,
    /// 1, or −1 for a figure that is so much less as the span is longer, such as a speed-up.
    pub power: i32,
}

impl Trace {
    /// The figure if the case had taken `span_s` seconds.
    #[must_use]
    pub fn at(&self, span_s: f64) -> f64 {
        (self.offset + self.factor * span_s).powi(self.power)
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

/// A check on the measuring itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// `same`, `linear`, `drift` or `clock`.
    pub name: String,
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
    /// Experiment and case.
    pub id: String,
    /// All kept samples in round order, in seconds; `null` where the stamps were rejected.
    pub samples_s: Vec<Option<f64>>,
    /// Whether every element of its output was compared and right.
    pub verified: bool,
    /// Units of work in a span.
    #[serde(default)]
    pub scale: u32,
    /// Why it was not timed: the first mismatch, or what the adapter lacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}
