//! The device: which adapter, how a workload reaches it, and how long the workload took.
//!
//! Everything above this room speaks to an [`Executor`]. [`Hardware`] is the real one, over wgpu;
//! [`fake::FakeExecutor`] is a deterministic one that computes outputs from CPU twins and spans from
//! counted demand, so the whole pipeline runs without a GPU.

mod adapter;
pub mod fake;
mod hardware;
mod host_clock;
mod loading;
mod pipeline;
mod timer;
mod unchecked;
mod workload;

pub use adapter::{
    AdapterFacts, ClockKind, DeviceLimits, LimitSet, Selection, list as list_adapters,
};
pub use hardware::{Hardware, Options};
pub use timer::{BadSpan, Span};
pub use unchecked::prepare_environment;
pub use workload::{
    Check, Contents, Demand, Dispatch, Feed, Shader, Stream, Timing, Upload, UploadPath, Workload,
};

/// Why a device could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// There is no adapter at all.
    #[error(
        "no GPU adapter found: install a Vulkan, Metal or DX12 driver, or software Vulkan with `sh setup.sh --lavapipe`"
    )]
    NoAdapter,
    /// No adapter matches what was asked for.
    #[error("no adapter matches {wanted}; there is: {available}")]
    NoMatch {
        /// What was asked for, in words.
        wanted: String,
        /// The adapters there are.
        available: String,
    },
    /// An environment variable or option that names nothing wgpu knows.
    #[error("{name}={value} is not understood: use one of {accepted}")]
    BadSetting {
        /// Variable or option.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would do.
        accepted: &'static str,
    },
    /// The device was given work and never finished it.
    #[error(
        "the device `{adapter}` did not finish within {seconds} s what takes a fraction of one"
    )]
    Hung {
        /// Adapter name.
        adapter: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The adapter refused to open or the device failed while working.
    #[error("the device `{adapter}` failed: {reason}")]
    Device {
        /// Adapter name.
        adapter: String,
        /// What wgpu said.
        reason: String,
    },
}

/// Pipelines, each compiled once for as long as the device is open.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Built {
    /// How many.
    pub pipelines: u64,
    /// Seconds that took, with what the driver leaves to a first dispatch, as far as one of no workgroups shows it.
    pub seconds: f64,
}

/// Something that runs workloads and says how long each took.
pub trait Executor {
    /// What is known of the adapter and its clock without running anything.
    fn facts(&self) -> &AdapterFacts;

    /// Seconds since the device was opened: what budgets and durations are counted by.
    fn elapsed_s(&self) -> f64;

    /// What has been compiled since the device was opened.
    fn built(&self) -> Built;

    /// Makes `workloads` the loaded set: builds pipelines, buffers and bind groups, so that nothing is
    /// built, allocated or mapped per sample. One entry per workload: `None`, or why it cannot run.
    ///
    /// # Errors
    /// When the device itself fails.
    fn load(&mut self, workloads: &[Workload]) -> Result<Vec<Option<String>>, GpuError>;

    /// Runs loaded workload `index` once from zeroed outputs and reads back the buffer it is checked by.
    ///
    /// # Errors
    /// When the device itself fails.
    fn outputs(&mut self, index: usize) -> Result<Vec<u32>, GpuError>;

    /// Times each loaded workload named in `order` once; one span per entry. What the host's clock times
    /// is run in that order first, what timestamps bracket in that order after it, in few submissions.
    ///
    /// # Errors
    /// When the device itself fails. A span that cannot be trusted is not an error but a [`BadSpan`].
    fn round(&mut self, order: &[usize]) -> Result<Vec<Span>, GpuError>;
}
