//! The parameters of a simulated GPU: compute units, memory, atomics, launch queue, clock.

use super::links::Links;
use super::noise::Noise;
use crate::gpu::{DeviceShape, Dispatch, Merging};
use crate::model::DeviceType;

/// A simulated GPU: its mechanisms with their parameters, its noise and the seed of everything random.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    /// Name that the adapter reports.
    pub name: &'static str,
    /// Kind of device that the adapter reports.
    pub device_type: DeviceType,
    /// Compute units.
    pub units: Units,
    /// Caches and memory.
    pub memory: Memory,
    /// Atomic operations on memory. All times are in seconds.
    pub atomics: Atomics,
    /// Launches, and what the host adds to them.
    pub queue: Queue,
    /// Other ranks; `None` if the process runs alone.
    pub links: Option<Links>,
    /// Clock rate.
    pub governor: Governor,
    /// Distance between two timestamps that differ, in seconds.
    pub tick_s: f64,
    /// Largest binding, in bytes.
    pub binding_bytes: u64,
    /// Subgroup width that the driver and shaders report. `None` for a device without subgroup operations.
    pub reported_width: Option<u32>,
    /// Factor that multiplies every duration but that of compiling.
    pub slowness: f64,
    /// Noise that is applied to every sample.
    pub noise: Noise,
    /// Seed of the noise and of random faults.
    pub seed: u64,
}

/// The compute units: each has schedulers, and each scheduler issues for the subgroups that are resident on it. All times
/// are in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Units {
    /// Number of units.
    pub count: u32,
    /// Schedulers of a unit. The subgroups of a workgroup go to them in turn.
    pub schedulers: u32,
    /// Subgroups that a scheduler can hold.
    pub subgroups: u32,
    /// Workgroups that a unit can hold.
    pub workgroups: u32,
    /// Lanes of a subgroup.
    pub width: u32,
    /// Lanes of a subgroup in a pipeline whose workgroups have at most this many invocations, if the compiler gives them
    /// narrower subgroups.
    pub narrow_width: Option<u32>,
    /// Lanes that one issue slot executes.
    pub issue_width: u32,
    /// Whether a slot is skipped if a branch leaves all of its lanes inactive.
    pub skips_inactive: bool,
    /// Time of an issue slot, in seconds.
    pub issue_s: f64,
    /// Issue slots of an integer multiplication.
    pub multiply_slots: f64,
    /// Latency from an instruction to the next one that depends on it.
    pub latency_s: f64,
    /// Time that a workgroup waits at a barrier. Other workgroups of the unit run meanwhile.
    pub barrier_s: f64,
    /// Time for which a barrier keeps the scheduler of a subgroup busy.
    pub barrier_issue_s: f64,
    /// Interval at which workgroups are launched, over all units.
    pub workgroup_s: f64,
    /// Interval at which a unit launches subgroups.
    pub subgroup_s: f64,
    /// Size of the instruction cache of a unit, in bytes.
    pub code_bytes: f64,
    /// Time for which a scheduler waits if a subgroup enters code that is not in the instruction cache.
    pub code_miss_s: f64,
    /// Whether each unit gets an equal run of workgroups in advance, instead of the next one as soon as it has room.
    pub shares_fixed: bool,
}

/// A level of the memory hierarchy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Name of the level.
    pub name: &'static str,
    /// Size in bytes; of each unit's own, if the level is private.
    pub bytes: f64,
    /// Latency of a load that finds its line in this level, in seconds.
    pub latency_s: f64,
    /// Bytes per second that the level delivers, to all units together.
    pub bytes_per_s: f64,
    /// Whether each unit has its own.
    pub private: bool,
}

/// Caches and memory, the nearest level first. The last one holds everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    /// The levels.
    pub levels: Vec<Level>,
    /// Bytes of a line.
    pub line_bytes: u32,
    /// Bytes of a sector.
    pub sector_bytes: u32,
    /// Time for which a unit looks up a line, in seconds.
    pub line_s: f64,
}

/// Atomic operations on memory. All times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Atomics {
    /// Time between two requests on one address.
    pub address_s: f64,
    /// Number of slices that serve requests. The addresses are spread over them.
    pub slices: u32,
    /// Time between two requests of one slice.
    pub slice_s: f64,
    /// Whether a hash spreads the addresses over the slices: few addresses by chance, so that some slices get several, and
    /// many evenly. Otherwise the slices get them in turn.
    pub hashed: bool,
    /// Which lanes of a subgroup make one request.
    pub merging: Merging,
    /// Whether a unit waits for its atomic operations, as the core of a CPU does.
    pub blocking: bool,
}

/// Launches: what the device and the host spend on dispatches, passes, submissions and waits. All times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Queue {
    /// From the end of a dispatch to the start of one that waits for it.
    pub dispatch_s: f64,
    /// Interval at which the device begins dispatches that wait for nothing. Those before them run meanwhile.
    pub issue_dispatch_s: f64,
    /// Whether the device issues the next independent dispatch while one runs.
    pub issues_ahead: bool,
    /// Number of independent dispatches that run at the same time.
    pub slots: usize,
    /// Encoding a pass by the host.
    pub pass_s: f64,
    /// A submission by the host.
    pub submit_s: f64,
    /// A wait of the host for the device, in addition to the device's work.
    pub wait_s: f64,
    /// Whether the device works while the host encodes the next submission. It always does while the host uploads.
    pub asynchronous: bool,
    /// Waking a sleeping thread of the host.
    pub wake_up_s: f64,
    /// A readback of zero words by the host.
    pub map_s: f64,
    /// Reading back one word.
    pub word_s: f64,
    /// Writing one byte of an upload to staging memory by the host.
    pub write_byte_s: f64,
    /// Copying one byte of an upload to its buffer by the device. The device does nothing else during the copy.
    pub copy_byte_s: f64,
    /// Compiling a pipeline.
    pub compile_s: f64,
}

/// The clock rate: low after a pause, full again after some time of work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Governor {
    /// Factor by which everything takes longer at the low rate.
    pub low: f64,
    /// Seconds of work at the low rate until the rate is full.
    pub up_s: f64,
    /// Seconds without work after which the rate is low.
    pub down_s: f64,
}

impl Governor {
    /// A clock that never changes.
    pub const STEADY: Self = Self { low: 1.0, up_s: 0.0, down_s: f64::INFINITY };
}

impl Machine {
    /// Changes the parameters.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Returns the shape that the cost model of `dispatch` needs.
    #[must_use]
    pub fn shape(&self, dispatch: &Dispatch) -> DeviceShape {
        let width = self.narrowed(dispatch).unwrap_or(self.units.width);
        DeviceShape {
            width,
            issue_width: self.units.issue_width.min(width),
            skips_inactive: self.units.skips_inactive,
            atomic_merging: self.atomics.merging,
            line_bytes: self.memory.line_bytes,
            sector_bytes: self.memory.sector_bytes,
        }
    }

    /// Returns the subgroup size that the shader of `dispatch` reports.
    pub(super) fn reported(&self, dispatch: &Dispatch) -> Option<u32> {
        self.reported_width.map(|width| self.narrowed(dispatch).unwrap_or(width))
    }

    /// Returns the subgroup size of a dispatch to which the compiler gives narrower subgroups than to others.
    fn narrowed(&self, dispatch: &Dispatch) -> Option<u32> {
        let size = dispatch.constants.iter().find(|(name, _)| *name == "WORKGROUP_SIZE");
        self.units.narrow_width.filter(|&narrow| size.is_some_and(|&(_, size)| size <= narrow))
    }
}
