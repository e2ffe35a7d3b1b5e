//! Why a shader cannot be profiled.

use std::fmt;

/// A reason why a shader cannot be profiled, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileError {
    /// naga does not parse or accept the shader.
    Invalid(String),
    /// The module has no compute entry point of this name. The others are listed.
    NoEntryPoint {
        /// The name.
        wanted: String,
        /// Names of all compute entry points.
        known: Vec<String>,
    },
    /// The module has no compute entry point.
    NoCompute,
    /// The module has several compute entry points, and none is chosen.
    SeveralEntryPoints {
        /// Their names.
        known: Vec<String>,
    },
    /// The dispatch has too many invocations, or the log would need 2^32 words or more.
    TooLarge,
    /// An invocation needs this number of words for its decisions.
    NoRoom {
        /// Words of each log.
        words: u32,
    },
    /// A lane made fewer or more decisions than its replay asks for, so that it did something else.
    Unlike {
        /// The lane.
        lane: usize,
    },
    /// The shader uses something that cannot be replayed.
    Unsupported(String),
    /// Bindings without a buffer, each as group, binding and name.
    Missing(Vec<String>),
    /// The log needs more bytes than it may have, even with a single sampled workgroup.
    Budget {
        /// Most bytes of the log.
        bytes: u64,
        /// Bytes that it needs.
        needed: u64,
    },
    /// The values of pipeline-overridable constants are not those that the shader needs.
    Constants(String),
    /// A buffer is larger than the device allows.
    LargeBuffer {
        /// Group and binding.
        place: String,
        /// Its bytes.
        bytes: u64,
        /// Most bytes of a buffer that a shader binds.
        most: u64,
    },
    /// The dispatch has more workgroups along an axis than the device allows.
    TooManyWorkgroups {
        /// Most workgroups along an axis.
        most: u32,
    },
    /// The shader needs more workgroup memory than the device has.
    WorkgroupMemory {
        /// Bytes that it needs.
        bytes: u64,
        /// Bytes that the device has.
        most: u64,
    },
    /// Nothing says how many lanes a subgroup has.
    NoLanes,
    /// A record lacks a metric that costs are taken from.
    Unpriced {
        /// Id of the metric, with that of its experiment.
        metric: String,
    },
    /// The device refuses the shader, or fails.
    Device(String),
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(error) => write!(f, "the shader is not valid WGSL: {error}"),
            Self::NoEntryPoint { wanted, known } => {
                let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                write!(f, "no compute entry point `{wanted}`; there is {known}")
            }
            Self::NoCompute => f.write_str("the shader has no compute entry point"),
            Self::SeveralEntryPoints { known } => write!(
                f,
                "the shader has several compute entry points; choose one by --entry: `{}`",
                known.join("`, `")
            ),
            Self::TooLarge => f.write_str(
                "the dispatch has too many invocations for a log: dispatch fewer workgroups",
            ),
            Self::NoRoom { words } => {
                write!(f, "an invocation needs {words} words for its decisions")
            }
            Self::Unlike { lane } => {
                write!(
                    f,
                    "the decisions of lane {lane} of a workgroup do not fit its control flow; perhaps the driver ended a long \
                     loop: try fewer iterations"
                )
            }
            Self::Unsupported(what) => write!(f, "the profiler does not support {what}"),
            Self::Missing(bindings) => {
                write!(f, "bindings without a buffer: {}", bindings.join(", "))
            }
            Self::Budget { bytes, needed } => write!(
                f,
                "the log needs {needed} bytes with a single sampled workgroup, and it may have {bytes}, by the limit that was given \
                 or that of a storage buffer of the device"
            ),
            Self::LargeBuffer { place, bytes, most } => write!(
                f,
                "the buffer {place} has {bytes} bytes, and a shader on this device can bind {most} at most"
            ),
            Self::TooManyWorkgroups { most } => write!(
                f,
                "the dispatch has more than {most} workgroups along an axis, the most of this device"
            ),
            Self::WorkgroupMemory { bytes, most } => write!(
                f,
                "the shader needs {bytes} bytes of workgroup memory, and the device has {most}"
            ),
            Self::NoLanes => f.write_str(
                "the device does not tell how many lanes a subgroup has; give the number by --width",
            ),
            Self::Unpriced { metric } => write!(
                f,
                "the record has no `{metric}`, from which costs are taken; give a record of a full run"
            ),
            Self::Constants(error) => write!(f, "pipeline-overridable constants: {error}"),
            Self::Device(error) => write!(f, "the device: {error}"),
        }
    }
}

impl std::error::Error for ProfileError {}
