//! The device: adapter selection, loading of workloads, and timing.
//!
//! All other modules access the device through the [`Executor`] trait. [`Hardware`] implements this trait
//! with wgpu. [`crate::sim::Simulator`] is a deterministic implementation without a GPU: it computes outputs
//! from CPU references and durations from [cost models](CostModel). With the simulator, the complete suite
//! runs without a GPU.

pub(crate) mod adapter;
mod cost_model;
mod error;
mod exchange;
mod executor;
mod features;
mod hardware;
mod host_clock;
mod host_load;
mod invariant;
mod loading;
pub(crate) mod params;
mod pipeline;
mod size_probe;
mod state;
pub(crate) mod timer;
mod unchecked;
mod verify;
mod wake_up;
mod workload;

pub use adapter::{
    AdapterFacts, DeviceLimits, Hidden, LimitSet, Selection, WantedWorkers, Workers,
    list as list_adapters, signs_of_gpus,
};
pub use cost_model::{CostModel, DeviceShape, Merging};
pub use error::GpuError;
pub(crate) use error::one_line;
pub use exchange::{Algorithm, Arithmetic, DeviceWork, Exchange, Pattern, Ranks, Traffic};
pub use executor::Executor;
pub(crate) use executor::compare_outputs;
pub use features::ShaderFeature;
pub use hardware::{Hardware, Options};
pub use invariant::{Invariant, Property};
pub(crate) use loading::{create, for_readback};
pub use pipeline::Built;
pub(crate) use pipeline::{OUT_OF_MEMORY, catching, validator};
pub(crate) use timer::read_mapped;
pub use timer::{BadSpan, Span};
pub use unchecked::prepare_environment;
#[cfg(feature = "cli")]
pub(crate) use unchecked::prepared_variables;
#[cfg(feature = "mpi")]
pub(crate) use unchecked::set_unless_set;
pub use verify::Mismatch;
pub use workload::{
    Check, Contents, Dispatch, Shader, Stream, Timing, Upload, UploadPath, UploadSource, Workload,
};
