//! Replay of all sampled workgroups, on all cores.

use naga::valid::ModuleInfo;
use naga::{Module, ShaderStage, back::pipeline_constants::process_overrides};

use super::error::ProfileError;
use super::log::Decisions;
use super::probes::Probed;
use crate::gpu::one_line;
use crate::simt::{Arrangement, Counted, Replay, Unsupported};

/// A shader whose pipeline-overridable constants have their values.
pub(super) struct Specialized {
    pub(super) module: Module,
    pub(super) info: ModuleInfo,
    pub(super) entry: String,
}

impl Specialized {
    /// Gives the constants of the shader without probes their values.
    ///
    /// # Errors
    /// Returns an error if a constant is missing or has a wrong value.
    pub(super) fn new(probed: &Probed, constants: &[(String, f64)]) -> Result<Self, ProfileError> {
        let Probed { module, info, entry, .. } = probed;
        Self::of(module, info, entry, constants)
    }

    /// Gives the constants of a module their values.
    ///
    /// # Errors
    /// Returns an error if a constant is missing or has a wrong value.
    pub(super) fn of(
        module: &Module,
        info: &ModuleInfo,
        entry: &str,
        constants: &[(String, f64)],
    ) -> Result<Self, ProfileError> {
        let constants = constants.iter().cloned().collect();
        let stage = Some((ShaderStage::Compute, entry));
        let (module, info) = process_overrides(module, info, stage, &constants)
            .map_err(|error| ProfileError::Constants(one_line(&error.to_string())))?;
        let (module, info) = (module.into_owned(), info.into_owned());
        Ok(Self { module, info, entry: entry.to_owned() })
    }

    /// Returns the entry point.
    pub(super) fn point(&self) -> &naga::EntryPoint {
        let point = self.module.entry_points.iter().find(|point| point.name == self.entry);
        point.expect("the module has its entry point")
    }

    /// Returns the invocations of a workgroup.
    ///
    /// # Errors
    /// Returns an error if they do not fit 32 bits.
    pub(super) fn lanes(&self) -> Result<u32, ProfileError> {
        let sizes = self.point().workgroup_size.map(u64::from);
        u32::try_from(sizes.iter().product::<u64>()).map_err(|_| ProfileError::TooLarge)
    }

    /// Replays `count` workgroups with these subgroups, and counts totals at `widths` too. `decisions` returns the
    /// decisions of each workgroup.
    ///
    /// # Errors
    /// Returns an error if the shader cannot be replayed, or if decisions do not fit its control flow.
    pub(super) fn replay<'l>(
        &self,
        arrangement: &Arrangement,
        widths: &[u32],
        count: usize,
        decisions: impl Fn(usize) -> Decisions<'l> + Sync,
    ) -> Result<Counted, ProfileError> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = cores.min(count).max(1);
        let of_thread = |thread: usize| -> Result<Counted, ProfileError> {
            let unsupported = |Unsupported(what): Unsupported| ProfileError::Unsupported(what);
            let replay = Replay::new(&self.module, &self.info, &self.entry).map_err(unsupported)?;
            let mut replay = replay.counting_at(widths);
            // Neighbours, so that the counts of the threads follow one another.
            for workgroup in thread * count / threads..(thread + 1) * count / threads {
                let mut decisions = decisions(workgroup);
                replay.workgroup(arrangement, |lane, outcomes| decisions.next(lane, outcomes))?;
                decisions.finish()?;
            }
            Ok(replay.into_counted())
        };
        std::thread::scope(|scope| {
            let of_thread = &of_thread;
            let running: Vec<_> =
                (0..threads).map(|thread| scope.spawn(move || of_thread(thread))).collect();
            let mut all: Option<Counted> = None;
            for thread in running {
                let counted = thread.join().expect("a replay does not panic")?;
                match &mut all {
                    Some(all) => all.add(&counted),
                    None => all = Some(counted),
                }
            }
            Ok(all.unwrap_or_default())
        })
    }
}
