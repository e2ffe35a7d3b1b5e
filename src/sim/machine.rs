//! The timing model of the simulated GPU: an ideal lockstep machine. It computes durations from cost models.

use std::collections::HashSet;

use super::noise::Noise;
use crate::gpu::{Contents, CostModel, Stream, Timing, Upload, Workload};

/// The cost of each operation on the machine, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Overhead of a dispatch that waits for the dispatches before it.
    pub dispatch_s: f64,
    /// Overhead of a dispatch that does not wait.
    pub issue_dispatch_s: f64,
    /// Overhead of a pass, by the host clock.
    pub pass_s: f64,
    /// Overhead of a submission, by the host clock.
    pub submit_s: f64,
    /// Overhead of a wait, by the host clock.
    pub wait_s: f64,
    /// Overhead of a readback of zero words, by the host clock.
    pub map_s: f64,
    /// Reading back one word.
    pub word_s: f64,
    /// Launching one workgroup.
    pub workgroup_s: f64,
    /// Launching one subgroup.
    pub subgroup_s: f64,
    /// Issuing one instruction for one subgroup.
    pub issue_s: f64,
    /// Latency from one instruction to the next instruction that depends on it.
    pub latency_s: f64,
    /// Passing one workgroup barrier.
    pub barrier_s: f64,
    /// One atomic operation, if the operations on one address limit the dispatch.
    pub atomic_s: f64,
    /// One atomic operation, if the operations on all addresses together limit the dispatch.
    pub atomic_anywhere_s: f64,
    /// Reading or writing one byte.
    pub byte_s: f64,
    /// Streaming one byte by one workgroup.
    pub stream_byte_s: f64,
    /// One load request, if the number of requests limits the dispatch.
    pub load_s: f64,
    /// Latency of one load, if a chain of dependent loads limits the dispatch.
    pub load_latency_s: f64,
    /// Writing one byte of an upload to staging memory by the host.
    pub write_byte_s: f64,
    /// Copying one byte of an upload to its buffer by the device. The device does nothing else during the
    /// copy.
    pub copy_byte_s: f64,
}

/// A simulated GPU: its parallelism, its costs and its noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Actual subgroup width.
    pub width: u32,
    /// Subgroup width that the driver and shaders report. `None` for a device without subgroup operations.
    pub reported_width: Option<u32>,
    /// Number of workgroups that run at the same time.
    pub workers: f64,
    /// Number of independent dispatches that run at the same time.
    pub slots: usize,
    /// Costs of the operations.
    pub costs: Costs,
    /// Factor that multiplies every duration.
    pub slowness: f64,
    /// Noise that is applied to every sample.
    pub noise: Noise,
    /// Seed of the noise and of random faults.
    pub seed: u64,
}

impl Machine {
    /// Creates a machine of the given subgroup width that obeys every law, with little noise.
    #[must_use]
    pub fn lawful(width: u32) -> Self {
        Self {
            width,
            reported_width: Some(width),
            workers: 4.0,
            slots: 8,
            costs: Costs {
                dispatch_s: 5e-6,
                issue_dispatch_s: 1e-6,
                pass_s: 2e-6,
                submit_s: 20e-6,
                wait_s: 50e-6,
                map_s: 60e-6,
                word_s: 1e-9,
                workgroup_s: 20e-9,
                subgroup_s: 5e-9,
                issue_s: 0.3e-9,
                latency_s: 1.2e-9,
                barrier_s: 100e-9,
                atomic_s: 2e-9,
                atomic_anywhere_s: 0.05e-9,
                byte_s: 0.1e-9,
                stream_byte_s: 0.5e-9,
                load_s: 10e-9,
                load_latency_s: 400e-9,
                write_byte_s: 0.2e-9,
                copy_byte_s: 0.0,
            },
            slowness: 1.0,
            noise: Noise::QUIET,
            seed: 7,
        }
    }

    /// Returns the duration of one sample of `workload` without noise, in seconds.
    ///
    /// If `by_host` is `true`, the host clock times passes too, and the overheads of pass, submission and
    /// wait are included.
    pub(super) fn sample_s(&self, workload: &Workload, by_host: bool) -> f64 {
        let costs = &self.costs;
        let batches_s = |[dispatches, passes, submits, waits]: [u32; 4]| {
            let pass_s = costs.pass_s + self.dispatches_s(workload, dispatches);
            let submit_s = costs.submit_s + f64::from(passes) * pass_s;
            f64::from(waits) * (costs.wait_s + f64::from(submits) * submit_s)
        };
        let sample_s = match workload.timing {
            Timing::Pass { repeats } if by_host => batches_s([repeats, 1, 1, 1]),
            Timing::Pass { repeats } => self.dispatches_s(workload, repeats),
            Timing::Host { dispatches, passes, submits, waits } => {
                batches_s([dispatches, passes, submits, waits])
            }
            Timing::Readback { maps, words } => {
                f64::from(maps) * (costs.map_s + f64::from(words) * costs.word_s)
            }
            Timing::Stream(stream) => self.stream_s(workload, stream),
        };
        self.slowness * sample_s
    }

    /// Returns the duration of the longest dispatch of `workload`, in seconds.
    pub(super) fn longest_dispatch_s(&self, workload: &Workload) -> f64 {
        let each = workload.dispatches.iter().map(|d| self.work_s(d.costs_at(self.width)));
        self.slowness * each.fold(0.0, f64::max)
    }

    /// Returns the duration of `repeats` runs of the dispatch list in one pass, in seconds.
    ///
    /// The first dispatch of each run waits for all dispatches before it. So does a dispatch that binds a
    /// buffer which an earlier dispatch of the pass may have written. Every other dispatch runs in the slot
    /// that becomes free first.
    fn dispatches_s(&self, workload: &Workload, repeats: u32) -> f64 {
        let mut written = HashSet::new();
        let first_s = self.dispatch_list_s(workload, &mut written);
        if repeats < 2 {
            return first_s;
        }
        first_s + f64::from(repeats - 1) * self.dispatch_list_s(workload, &mut written)
    }

    /// Returns the duration of one run of the dispatch list, in seconds.
    ///
    /// `written` contains the buffers that earlier dispatches of the pass may have written. The buffers of
    /// this run are added.
    fn dispatch_list_s(&self, workload: &Workload, written: &mut HashSet<usize>) -> f64 {
        let costs = &self.costs;
        let may_write = |&&(_, buffer): &&(&str, usize)| {
            matches!(workload.buffers[buffer], Contents::Zeroed(_) | Contents::Scratch(..))
        };
        let mut slots = vec![0.0f64; self.slots];
        let mut total_s = 0.0;
        for (index, dispatch) in workload.dispatches.iter().enumerate() {
            let mut buffers = dispatch.bindings.iter().filter(may_write).map(|&(_, buffer)| buffer);
            if index == 0 || buffers.clone().any(|buffer| written.contains(&buffer)) {
                total_s += slots.iter().copied().fold(0.0, f64::max) + costs.dispatch_s;
                slots.fill(0.0);
            } else {
                total_s += costs.issue_dispatch_s;
            }
            written.extend(&mut buffers);
            let free = slots
                .iter_mut()
                .min_by(|a, b| a.total_cmp(b))
                .expect("a machine has at least one slot");
            *free += self.work_s(dispatch.costs_at(self.width));
        }
        total_s + slots.into_iter().fold(0.0, f64::max)
    }

    /// Returns the duration of a dispatch without its launch overhead, in seconds.
    fn work_s(&self, cost_model: CostModel) -> f64 {
        let costs = &self.costs;
        let parallelism = cost_model.workgroups.clamp(1.0, self.workers);
        let launch_s =
            cost_model.workgroups * costs.workgroup_s + cost_model.subgroups * costs.subgroup_s;
        let issue_s =
            (cost_model.issues * costs.issue_s).max(cost_model.dependent * costs.latency_s);
        let atomics_s = (cost_model.atomics * costs.atomic_s)
            .max(cost_model.atomics_anywhere * costs.atomic_anywhere_s);
        // Workgroups are launched while others are executed, and nothing waits for atomics.
        let work_s = launch_s.max(issue_s + cost_model.barriers * costs.barrier_s) / parallelism
            + cost_model.bytes * costs.byte_s
            + cost_model.streamed * costs.stream_byte_s
            + (cost_model.loads * costs.load_s).max(cost_model.load_chain * costs.load_latency_s);
        work_s.max(atomics_s)
    }

    /// Returns the duration of a stream in seconds. It follows the timelines of the host and of the device
    /// from batch to batch.
    fn stream_s(&self, workload: &Workload, stream: Stream) -> f64 {
        let costs = &self.costs;
        let targets =
            workload.upload_source.as_ref().map_or(&[][..], |upload_source| &upload_source.targets);
        let depth = targets.len().max(1);
        let words = targets.first().map_or(0, |&target| workload.buffers[target].words());
        let bytes = words as f64 * 4.0;
        let (mut host_s, mut device_s, mut done_s) = (0.0f64, 0.0f64, Vec::new());
        for batch in 0..stream.batches as usize {
            if batch >= depth {
                host_s = host_s.max(done_s[batch - depth]) + costs.wait_s;
            }
            if stream.upload == Upload::Whole {
                host_s += bytes * costs.write_byte_s;
            }
            host_s += costs.submit_s;
            device_s = device_s.max(host_s);
            if stream.upload != Upload::Nothing {
                device_s += bytes * costs.copy_byte_s;
            }
            let dispatch = &workload.dispatches[batch % depth];
            device_s += f64::from(stream.computes)
                * (costs.dispatch_s + self.work_s(dispatch.costs_at(self.width)));
            done_s.push(device_s);
        }
        host_s.max(device_s) + costs.wait_s
    }
}
