//! Result of an experiment, as records contain it.

use serde::{Deserialize, Serialize};

use super::point::yes;
use super::{Curve, DeviceState, Interval, Metric, Point, Verdict};

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
    /// More samples could not decide what is still undecided: the spread bound of a ratio is too wide, or a figure is
    /// unknown.
    Exhausted,
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
            Self::Exhausted => "exhausted",
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
    /// Lanes per subgroup for which the cases and the predictions were made; absent if they do not depend on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// State of the device before the first round and after the last one; absent if the system does not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub states: Option<[DeviceState; 2]>,
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
    /// Subgroup sizes in lanes that the kernels of the case ran with, in ascending order; empty if the device does not
    /// tell them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subgroup_sizes: Vec<u32>,
    /// Reason why the case was not timed, such as its first wrong element or a missing feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Round of each sample, counted from 0; empty if each round of all cases has one sample, and no extra round
    /// has any.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "super::list::counts"
    )]
    pub rounds: Vec<u32>,
    /// Kept samples in round order, in seconds. A record contains nanoseconds, and `null` for a sample whose
    /// timestamps were rejected.
    #[serde(rename = "samples_ns", with = "super::nanoseconds")]
    pub samples_s: Vec<Option<f64>>,
}
