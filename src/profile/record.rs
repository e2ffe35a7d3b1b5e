//! Recording: a shader with probes runs on the device with the user's data.

use std::borrow::Cow;

use super::device::{BoundBuffer, Buffers, Gpu, Place, Program, bound_by, most_bytes};
use super::error::ProfileError;
use super::log::{Log, LogLayout};
use super::probes::Probed;
use super::replaying::Specialized;

/// A dispatch to record.
#[derive(Debug, Clone)]
pub struct Recording<'a> {
    /// The shader.
    pub probed: &'a Probed,
    /// Values of pipeline-overridable constants, by name.
    pub constants: Vec<(String, f64)>,
    /// Number of workgroups in x, y and z.
    pub workgroups: [u32; 3],
    /// The buffers.
    pub buffers: Cow<'a, [BoundBuffer]>,
    /// Most bytes of the log.
    pub budget: u64,
    /// Seed of the sample of workgroups.
    pub seed: u64,
}

/// What a dispatch did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// What its invocations decided.
    pub log: Log,
    /// The buffers that the dispatch may write, with their contents after it, in the order of [`Recording::buffers`].
    pub buffers: Vec<BoundBuffer>,
}

/// A shader with probes on the device, with a log that had room for all decisions.
pub(super) struct Recorder {
    pub(super) program: Program,
    pub(super) log_buffers: Buffers,
    pub(super) log: Log,
}

/// Words of a log that are tried first. Few shaders decide more often.
const WORDS: u32 = 16;

impl Recording<'_> {
    /// Runs the dispatch. If the decisions of an invocation do not fit its log, the dispatch runs again with longer logs,
    /// and of fewer workgroups if they exceed the budget.
    ///
    /// # Errors
    /// Returns an error if a buffer is missing, if the budget does not suffice for a single workgroup, or if the device
    /// refuses the shader or fails.
    pub fn run(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
    ) -> Result<Recorded, ProfileError> {
        let gpu = Gpu { device, queue };
        let buffers = self.upload(gpu)?;
        let log = self.record(gpu, &buffers)?.log;
        let buffers = buffers.read(gpu)?.into_iter();
        let of = |((group, binding), bytes)| BoundBuffer { group, binding, bytes };
        Ok(Recorded { log, buffers: buffers.map(of).collect() })
    }

    /// Uploads the buffers.
    pub(super) fn upload(&self, gpu: Gpu<'_>) -> Result<Buffers, ProfileError> {
        let Probed { probed, probed_info, entry, .. } = self.probed;
        let bound = bound_by(probed, probed_info, entry);
        let is_written = |place: Place| bound.iter().any(|b| b.place == place && b.is_written);
        Buffers::new(gpu, &self.buffers, is_written)
    }

    /// Runs the dispatch on buffers that were uploaded: see [`Recording::run`].
    pub(super) fn record(&self, gpu: Gpu<'_>, buffers: &Buffers) -> Result<Recorder, ProfileError> {
        let Probed { probed, probed_info, entry, group, .. } = self.probed;
        check_group(gpu.device, *group)?;
        let lanes = Specialized::new(self.probed, &self.constants)?.lanes()?;
        let budget = self.budget.min(most_bytes(gpu.device));
        let mut words = WORDS;
        loop {
            let layout = LogLayout::sampled(self.workgroups, lanes, words, (budget, self.seed))?;
            // The probes write all that is read of the log, so it keeps what it contains.
            let log_buffers = Buffers::of_words(gpu, *group, &layout.contents())?;
            let both = [buffers, &log_buffers];
            let program = Program::new(gpu, (probed, probed_info), entry, &self.constants, &both)?;
            program.run(gpu, self.workgroups, &both)?;
            match layout.read(&log_buffers.words(gpu)?) {
                Err(ProfileError::NoRoom { words: needed }) if needed > words => words = needed,
                read => return Ok(Recorder { program, log_buffers, log: read? }),
            }
        }
    }
}

/// Checks that a device has the bind group of the log.
pub(super) fn check_group(device: &wgpu::Device, group: u32) -> Result<(), ProfileError> {
    match device.limits().max_bind_groups {
        groups if group < groups => Ok(()),
        groups => Err(ProfileError::Unsupported(format!(
            "a shader that uses all {groups} bind groups of the device, because its log needs one"
        ))),
    }
}
