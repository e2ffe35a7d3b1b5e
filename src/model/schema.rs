//! Fields of a record, version 2.
//!
//! New fields keep the major version, and readers ignore unknown fields. A value that a run cannot measure is
//! absent, never zero.

use serde::{Deserialize, Serialize};

use super::{Case, Experiment, Machine, Point, Quantity, Ranks};

/// Record of one run on one adapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Name and version of the file format.
    pub schema: Schema,
    /// Build and command that made the record.
    pub tool: Tool,
    /// Start time, RFC 3339.
    pub started_at: String,
    /// Duration of the run so far, in seconds.
    pub duration_s: f64,
    /// Seed of every random choice.
    pub seed: u64,
    /// Host.
    pub machine: Machine,
    /// Adapter and driver.
    pub adapter: Adapter,
    /// Clock that timed the samples.
    pub clock: Clock,
    /// Processes that ran together; absent if one ran alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranks: Option<Ranks>,
    /// Results, in the order of execution.
    pub experiments: Vec<Experiment>,
}

impl Adapter {
    /// Returns the name, with the address on the PCI bus if it is known.
    #[must_use]
    pub fn full_name(&self) -> String {
        match &self.pci_bus_id {
            Some(id) => format!("{} (PCI {id})", self.name),
            None => self.name.clone(),
        }
    }

    /// Returns whether both are of one model of device.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let identity = |of: &Self| (of.name.clone(), of.vendor_id, of.device_id);
        identity(self) == identity(other)
    }
}

impl Record {
    /// Returns the name of the adapter; for several processes, that of the first one, with what connects them.
    #[must_use]
    pub fn device(&self) -> String {
        let ranks = self.ranks.as_ref().map(|ranks| format!(", {}", ranks.words()));
        format!("{}{}", self.adapter.name, ranks.unwrap_or_default())
    }

    /// Returns the cases of all experiments, in the order of execution.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.experiments.iter().flat_map(|experiment| &experiment.cases)
    }

    /// Returns what comparisons need: the record without its raw samples, which take most of its memory, and without
    /// searches, diagnoses and advice.
    #[must_use]
    pub fn for_comparison(mut self) -> Self {
        for experiment in &mut self.experiments {
            experiment.cases = Vec::new();
            experiment.searches = Vec::new();
            experiment.diagnosis = Vec::new();
            experiment.advice = Vec::new();
            experiment.points.iter_mut().for_each(|point| point.trace = None);
            experiment.points.shrink_to_fit();
            experiment.metrics.shrink_to_fit();
        }
        self
    }

    /// Returns what a comparison of many records needs: less than [`Self::for_comparison`] keeps. Of the points outside the
    /// curves, only the judgement remains, without the names of their series and units.
    #[must_use]
    pub fn for_many(self) -> Self {
        let mut record = self.for_comparison();
        for experiment in &mut record.experiments {
            let curves = &experiment.curves;
            let is_drawn = |point: &Point| curves.iter().any(|curve| curve.series == point.series);
            for point in experiment.points.iter_mut().filter(|point| !is_drawn(point)) {
                let Quantity { name, unit, .. } = &mut point.x;
                for text in [name, unit, &mut point.series, &mut point.unit] {
                    *text = String::new();
                }
            }
            experiment.metrics.iter_mut().for_each(|metric| metric.note = String::new());
        }
        record
    }
}

/// Name and version of a file format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Name; [`Schema::NAME`] for a record.
    pub name: String,
    /// Semantic version.
    pub version: String,
}

impl Schema {
    /// Name of the record format.
    pub const NAME: &'static str = "warplaw-record";
    /// Version of the records that this version of warplaw writes.
    pub const VERSION: &'static str = "2.5.0";

    /// Returns the schema with this name and version.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        Self { name: name.to_owned(), version: version.to_owned() }
    }

    /// Returns whether records of this version have the fields of those that this version of warplaw writes. Records
    /// of version 2.0 have other ids.
    pub(super) fn is_like_present(&self) -> bool {
        let mut numbers = self.version.split('.');
        numbers.next() == Some("2") && numbers.next().is_some_and(|minor| minor != "0")
    }

    /// Returns the schema of the records that this version of warplaw writes.
    #[must_use]
    pub fn current() -> Self {
        Self::new(Self::NAME, Self::VERSION)
    }
}

/// The build and the command that made the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Version of warplaw.
    pub version: String,
    /// Commit of the sources; absent if the build was outside a git checkout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_rev: Option<String>,
    /// Whether the checkout had uncommitted changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
    /// Command line, beginning with the program.
    pub argv: Vec<String>,
    /// `quick` or `full`.
    pub profile: String,
}

/// Kind of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DeviceType {
    /// A GPU with separate memory.
    Discrete,
    /// A GPU that shares memory with the CPU.
    Integrated,
    /// A virtual or partitioned GPU.
    Virtual,
    /// The CPU, with a software driver.
    Cpu,
    /// Another or unknown kind.
    #[serde(other)]
    Other,
}

impl DeviceType {
    /// Returns the kind as records write it.
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

/// Kind of the clock that times samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClockKind {
    /// Timestamp queries of the device.
    TimestampQuery,
    /// The host clock, if the device has no usable timestamps.
    #[serde(other)]
    Host,
}

impl ClockKind {
    /// Returns the kind as reports write it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::TimestampQuery => "timestamp query",
            Self::Host => "host",
        }
    }
}

/// The measured adapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adapter {
    /// Name that the driver reports.
    pub name: String,
    /// PCI vendor id, or an id that the backend defines.
    pub vendor_id: u32,
    /// PCI device id, or an id that the backend defines.
    pub device_id: u32,
    /// Address on the PCI bus, such as `0000:01:00.0`; absent if the backend does not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pci_bus_id: Option<String>,
    /// Kind of the device.
    pub device_type: DeviceType,
    /// `vulkan`, `metal`, `dx12` or `gl`.
    pub backend: String,
    /// Name of the driver.
    pub driver: String,
    /// Version and build of the driver.
    pub driver_info: String,
    /// Shader compiler, `dxc` or `fxc`, of a DX12 device; absent for other backends, whose driver compiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compiler: Option<String>,
    /// Reported and observed subgroup sizes.
    pub subgroup_size: SubgroupSize,
    /// Optional device features in use.
    pub features: Vec<String>,
    /// Whether shaders contained the checks that wgpu injects.
    pub shader_checks: bool,
    /// Limits of the device: `adapter` for all limits that the adapter offers, `default` or `downlevel`.
    #[serde(default = "all_limits")]
    pub limits: String,
}

/// Limits of records without this field, whose runs requested all limits of the adapter.
fn all_limits() -> String {
    "adapter".to_owned()
}

/// Subgroup sizes in lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubgroupSize {
    /// Smallest size that the driver reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// Largest size that the driver reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Size that a shader observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<u32>,
}

/// The clock, tested when the device is opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// Kind of the clock.
    pub kind: ClockKind,
    /// Nanoseconds per tick.
    pub period_ns: f64,
    /// Resolution in nanoseconds: the largest value that divides all samples of the test.
    pub resolution_ns: f64,
    /// Median time of an empty dispatch in nanoseconds; absent if the clock returned no valid time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_span_ns: Option<f64>,
    /// Time of a long dispatch by timestamps, divided by its time by the host clock. The host time includes
    /// submission and wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_check_ratio: Option<f64>,
    /// Detected faults of the clock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}
