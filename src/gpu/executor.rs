//! Something that runs workloads and times them.

use super::adapter::AdapterFacts;
use super::error::GpuError;
use super::pipeline::Built;
use super::timer::Span;
use super::workload::Workload;

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
    /// When the device itself fails. A span that cannot be trusted is not an error but a
    /// [`BadSpan`](super::BadSpan).
    fn round(&mut self, order: &[usize]) -> Result<Vec<Span>, GpuError>;
}
