//! The device: which adapter, how a workload reaches it, and how long the workload took.
//!
//! Everything above this room speaks to an [`Executor`]. [`Hardware`] is the real one, over wgpu;
//! [`crate::sim::Simulator`] is a deterministic one that computes outputs from CPU twins and spans from
//! counted demand, so the whole pipeline runs without a GPU.

pub(crate) mod adapter;
mod error;
mod executor;
mod hardware;
mod host_clock;
mod loading;
pub(crate) mod params;
mod pipeline;
pub(crate) mod timer;
mod unchecked;
mod workload;

pub use adapter::{AdapterFacts, DeviceLimits, LimitSet, Selection, list as list_adapters};
pub use error::GpuError;
pub use executor::Executor;
pub use hardware::{Hardware, Options};
pub use pipeline::Built;
pub use timer::{BadSpan, Span};
pub use unchecked::prepare_environment;
pub use workload::{
    Check, Contents, CostModel, Dispatch, Shader, Stream, Timing, Upload, UploadPath, UploadSource,
    Workload,
};
