//! An ideal lockstep machine: what a workload's counted demand costs on it.

use std::collections::HashSet;

use super::noise::Noise;
use crate::gpu::{Contents, CostModel, Stream, Timing, Upload, Workload};

/// What things cost on the machine, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// A dispatch that waits for those before it.
    pub dispatch_s: f64,
    /// A dispatch that does not.
    pub issue_dispatch_s: f64,
    /// A pass, by the host clock.
    pub pass_s: f64,
    /// A submission, by the host clock.
    pub submit_s: f64,
    /// A wait, by the host clock.
    pub wait_s: f64,
    /// A readback of nothing, by the host clock.
    pub map_s: f64,
    /// Each word of it.
    pub word_s: f64,
    /// Launching a workgroup.
    pub workgroup_s: f64,
    /// Launching a subgroup.
    pub subgroup_s: f64,
    /// Issuing an instruction to a subgroup.
    pub issue_s: f64,
    /// From an instruction to the next one that depends on it.
    pub latency_s: f64,
    /// A barrier step.
    pub barrier_s: f64,
    /// An atomic after another on one address.
    pub atomic_s: f64,
    /// An atomic where each goes to an address of its own.
    pub atomic_anywhere_s: f64,
    /// Reading a byte.
    pub byte_s: f64,
    /// Streaming a byte, by one workgroup.
    pub stream_byte_s: f64,
    /// A subgroup's load among many.
    pub load_s: f64,
    /// A load from start to end.
    pub load_latency_s: f64,
    /// Writing a byte of an upload, by the host.
    pub write_byte_s: f64,
    /// Copying it into its buffer, by the device, which does nothing else meanwhile.
    pub copy_byte_s: f64,
}

/// The machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Lanes that really go in lockstep.
    pub width: u32,
    /// Lanes that the driver and shaders report; `None` for no subgroup operations.
    pub reported_width: Option<u32>,
    /// Workgroups that run at once.
    pub workers: f64,
    /// Dispatches that run side by side where none waits for another.
    pub slots: usize,
    /// Costs.
    pub costs: Costs,
    /// Times as long as that.
    pub slowness: f64,
    /// What disturbs it.
    pub noise: Noise,
    /// Of the noise.
    pub seed: u64,
}

impl Machine {
    /// A lawful machine of the given width with a little noise.
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
                workgroup_s: 40e-9,
                subgroup_s: 10e-9,
                issue_s: 0.5e-9,
                latency_s: 2e-9,
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

    /// What the workload takes where nothing disturbs it, by the clock that brackets it.
    pub(super) fn span_s(&self, workload: &Workload, by_host: bool) -> f64 {
        let costs = &self.costs;
        let batches_s = |[dispatches, passes, submits, waits]: [u32; 4]| {
            let pass_s = costs.pass_s + self.dispatches_s(workload, dispatches);
            let submit_s = costs.submit_s + f64::from(passes) * pass_s;
            f64::from(waits) * (costs.wait_s + f64::from(submits) * submit_s)
        };
        let span_s = match workload.timing {
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
        self.slowness * span_s
    }

    /// The longest of the workload's dispatches.
    pub(super) fn longest_dispatch_s(&self, workload: &Workload) -> f64 {
        let each = workload.dispatches.iter().map(|d| self.work_s((d.cost_model)(self.width)));
        self.slowness * each.fold(0.0, f64::max)
    }

    /// The dispatch list so many times in a pass. A dispatch that binds what an earlier one of the pass may
    /// have written waits for all before it; others are handed to whichever slot is free first.
    fn dispatches_s(&self, workload: &Workload, repeats: u32) -> f64 {
        let mut written = HashSet::new();
        let first_s = self.dispatch_list_s(workload, &mut written);
        if repeats < 2 {
            return first_s;
        }
        first_s + f64::from(repeats - 1) * self.dispatch_list_s(workload, &mut written)
    }

    /// The dispatch list once, after dispatches that may have written to the given buffers.
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
            let free = slots.iter_mut().min_by(|a, b| a.total_cmp(b)).expect("there are slots");
            *free += self.work_s((dispatch.cost_model)(self.width));
        }
        total_s + slots.into_iter().fold(0.0, f64::max)
    }

    /// What a dispatch does, without launching it.
    fn work_s(&self, cost_model: CostModel) -> f64 {
        let costs = &self.costs;
        let spread = cost_model.workgroups.clamp(1.0, self.workers);
        let work_s = cost_model.workgroups * costs.workgroup_s
            + cost_model.subgroups * costs.subgroup_s
            + (cost_model.issues * costs.issue_s).max(cost_model.dependent * costs.latency_s)
            + cost_model.barriers * costs.barrier_s;
        work_s / spread
            + (cost_model.atomics * costs.atomic_s)
                .max(cost_model.atomics_anywhere * costs.atomic_anywhere_s)
            + cost_model.bytes * costs.byte_s
            + cost_model.streamed * costs.stream_byte_s
            + (cost_model.loads * costs.load_s).max(cost_model.load_chain * costs.load_latency_s)
    }

    /// A stream of batches, followed from batch to batch on the host's time line and the device's.
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
                * (costs.dispatch_s + self.work_s((dispatch.cost_model)(self.width)));
            done_s.push(device_s);
        }
        host_s.max(device_s) + costs.wait_s
    }
}
