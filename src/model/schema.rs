//! The shape of a record, version 2. Additions keep the major version, and a reader ignores what it does
//! not know. What a run could not measure is absent, never zero.

use serde::{Deserialize, Serialize};

use super::{Case, Experiment, Machine};

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
    /// What the samples were measured with.
    pub clock: Clock,
    /// Results, in the order run.
    pub experiments: Vec<Experiment>,
}

impl Record {
    /// Every case of every experiment, in the order run.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.experiments.iter().flat_map(|experiment| &experiment.cases)
    }
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
    pub const VERSION: &'static str = "2.0.0";

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

/// What kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceType {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares the processor's memory.
    Integrated,
    /// A part of a GPU.
    Virtual,
    /// The processor itself.
    Cpu,
    /// Unknown.
    #[serde(other)]
    Other,
}

impl DeviceType {
    /// The word used in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Cpu => "cpu",
            Self::Other => "other",
        }
    }
}

/// Which clock times samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// The device's timestamps.
    TimestampQuery,
    /// The host's, where there are no timestamps that can be used.
    #[serde(other)]
    Host,
}

impl ClockKind {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::TimestampQuery => "timestamp query",
            Self::Host => "host",
        }
    }
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
    /// What kind of device.
    pub device_type: DeviceType,
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
    /// Which clock.
    pub kind: ClockKind,
    /// Nanoseconds per tick.
    pub period_ns: f64,
    /// Nanoseconds that all differences between samples are multiples of.
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
