//! The interface of a device that runs and times workloads.

use super::adapter::AdapterFacts;
use super::error::GpuError;
use super::pipeline::Built;
use super::timer::Span;
use super::verify::{Mismatch, compare};
use super::workload::Workload;
use crate::model::DeviceState;

/// Runs workloads and returns the duration of each.
pub trait Executor {
    /// Returns the properties of the adapter and its clock. No workload runs.
    fn facts(&self) -> &AdapterFacts;

    /// Returns the seconds since the device was opened. Time budgets and run durations use this clock.
    fn elapsed_s(&self) -> f64;

    /// Returns how many cores of the host other processes kept busy on average since the last call; `None` if this is
    /// unknown, and at the first call.
    fn other_load(&mut self) -> Option<f64> {
        None
    }

    /// Returns the state of the device now; `None` if the system does not tell it.
    fn state(&self) -> Option<DeviceState> {
        None
    }

    /// Times all samples by the host's clock from now on, because the timestamps are unusable for this reason.
    ///
    /// Loaded workloads must be loaded again.
    fn use_host_clock(&mut self, reason: String);

    /// Returns the number of pipelines built since the device was opened and the time spent on them.
    fn built(&self) -> Built;

    /// Replaces the loaded set with `workloads`.
    ///
    /// All pipelines, buffers and bind groups are built here, so that a sample does not include building,
    /// allocating or mapping. The result has one entry per workload: `None`, or the reason why the workload
    /// cannot run.
    ///
    /// # Errors
    /// Returns an error if the device itself fails.
    fn load(&mut self, workloads: &[Workload]) -> Result<Vec<Option<String>>, GpuError>;

    /// Runs loaded workload `index` once and returns its checked output.
    ///
    /// The zeroed buffers of the workload are cleared before the run, and its `prepare` dispatches run.
    ///
    /// # Errors
    /// Returns an error if the device itself fails or if the workload is not loaded.
    fn outputs(&mut self, index: usize) -> Result<Vec<u32>, GpuError>;

    /// Runs loaded workload `index`, which is `workload`, once and compares every element of its output with the CPU
    /// reference.
    ///
    /// # Errors
    /// Returns an error if the device itself fails or if the workload is not loaded. A wrong element is not an error
    /// of the device but the result.
    fn verify(
        &mut self,
        index: usize,
        workload: &Workload,
    ) -> Result<Result<(), Mismatch>, GpuError> {
        compare_outputs(self, index, workload)
    }

    /// Returns the subgroup sizes with which the dispatches ran whose outputs were read last, in lanes: in ascending
    /// order, each once. Empty if the device does not tell them.
    ///
    /// On some GPUs, the compiler chooses the size for each pipeline.
    fn subgroup_sizes(&self) -> &[u32];

    /// Takes one sample of each loaded workload in `order`. The result has one entry per entry of `order`.
    ///
    /// [`Hardware`](super::Hardware) first runs the workloads that the host clock times, in the given order.
    /// It then runs the workloads that timestamps bracket, in the given order and in few submissions.
    ///
    /// # Errors
    /// Returns an error if the device itself fails or if a workload is not loaded. A sample that the clock
    /// reported wrongly is not an error but a [`BadSpan`](super::BadSpan) in the result.
    fn round(&mut self, order: &[usize]) -> Result<Vec<Span>, GpuError>;
}

/// Runs loaded workload `index`, which is `workload`, and compares its outputs with its CPU reference.
pub(crate) fn compare_outputs(
    executor: &mut (impl Executor + ?Sized),
    index: usize,
    workload: &Workload,
) -> Result<Result<(), Mismatch>, GpuError> {
    let outputs = executor.outputs(index)?;
    Ok(compare(&outputs, &workload.expected()))
}
