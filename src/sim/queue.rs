//! The time of a sample: dispatches on the device, and what the host adds to them.

use std::collections::HashSet;

use super::machine::{Machine, Queue};
use crate::gpu::{Contents, DeviceWork, Dispatch, Stream, Timing, Upload, Workload};

/// The clocks of the host and of the device during a sample, in seconds since its begin.
#[derive(Default)]
struct Timelines {
    host_s: f64,
    device_s: f64,
}

impl Timelines {
    /// The device works for `work_s` seconds on what the host has just submitted.
    fn work(&mut self, work_s: f64) {
        self.device_s = self.device_s.max(self.host_s) + work_s;
    }

    /// The host waits for the device.
    fn wait(&mut self, queue: &Queue) {
        self.host_s = self.host_s.max(self.device_s) + queue.wait_s;
    }
}

impl Machine {
    /// Returns the duration of one run of each dispatch of `workload` without its launch, in seconds, on a machine that is
    /// not slowed down.
    pub(super) fn runs_s(&self, workload: &Workload) -> Vec<f64> {
        workload.dispatches.iter().map(|dispatch| self.run_s(dispatch)).collect()
    }

    /// Returns the duration of a dispatch without its launch, in seconds.
    fn run_s(&self, dispatch: &Dispatch) -> f64 {
        let work = dispatch.costs_at(self.shape(dispatch));
        let subgroups = (work.subgroups / work.workgroups.max(1.0)).round() as u32;
        let units = f64::from(self.units.count);
        let resident = units * f64::from(self.units.resident(subgroups));
        let compute_s = self.units.makespan_s(&work, self.memory.chain_s(&work));
        // A unit computes while its loads are under way.
        let both_s = compute_s.max(self.memory.busy_s(&work, units, resident));
        let atomics_s = self.atomics.busy_s(&work);
        if self.atomics.blocking { both_s + atomics_s } else { both_s.max(atomics_s) }
    }

    /// Returns the duration of one sample of `workload` without noise, in seconds. `runs_s` are those of its dispatches.
    ///
    /// If `by_host` is `true`, the host clock times passes too, and the overheads of pass, submission and wait are
    /// included.
    pub(super) fn sample_s(&self, workload: &Workload, runs_s: &[f64], by_host: bool) -> f64 {
        let queue = &self.queue;
        let batches_s = |[dispatches, passes, submits, waits]: [u32; 4]| {
            let pass_s = self.dispatches_s(queue, workload, runs_s, dispatches);
            let mut times = Timelines::default();
            for _ in 0..waits {
                for _ in 0..submits {
                    times.host_s += f64::from(passes) * queue.pass_s + queue.submit_s;
                    times.work(f64::from(passes) * pass_s);
                    if !queue.asynchronous {
                        times.host_s = times.device_s;
                    }
                }
                times.wait(queue);
            }
            times.host_s
        };
        let sample_s = match workload.timing {
            Timing::Pass { repeats } if by_host => batches_s([repeats, 1, 1, 1]),
            Timing::Pass { repeats } => self.dispatches_s(queue, workload, runs_s, repeats),
            Timing::Host { dispatches, passes, submits, waits } => {
                batches_s([dispatches, passes, submits, waits])
            }
            Timing::Readback { maps, words } => {
                f64::from(maps) * (queue.map_s + f64::from(words) * queue.word_s)
            }
            Timing::Stream(stream) => stream_s(queue, workload, runs_s, stream),
            Timing::WakeUps { count } => f64::from(count) * queue.wake_up_s,
            Timing::Exchange { exchange, repeats } => {
                // Without other ranks, nobody answers.
                let repeat_s = self.links.map_or(f64::NAN, |of| {
                    of.exchange_s(exchange, |work, words| work_s(queue, work, words))
                });
                f64::from(repeats) * repeat_s
            }
        };
        self.slowness * sample_s
    }

    /// Returns the duration of `repeats` runs of the dispatch list in one pass, in seconds.
    ///
    /// The first dispatch of each run waits for all dispatches before it. So does a dispatch that binds a buffer which an
    /// earlier dispatch of the pass may have written. Every other dispatch runs in the slot that becomes free first.
    fn dispatches_s(
        &self,
        queue: &Queue,
        workload: &Workload,
        runs_s: &[f64],
        repeats: u32,
    ) -> f64 {
        let mut written = HashSet::new();
        let first_s = dispatch_list_s(queue, workload, runs_s, &mut written);
        if repeats < 2 {
            return first_s;
        }
        first_s + f64::from(repeats - 1) * dispatch_list_s(queue, workload, runs_s, &mut written)
    }
}

/// Returns the duration of one run of the dispatch list, in seconds.
///
/// `written` contains the buffers that earlier dispatches of the pass may have written. The buffers of this run are
/// added.
fn dispatch_list_s(
    queue: &Queue,
    workload: &Workload,
    runs_s: &[f64],
    written: &mut HashSet<usize>,
) -> f64 {
    let may_write = |&&(_, buffer): &&(&str, usize)| {
        matches!(workload.buffers[buffer], Contents::Zeroed(_) | Contents::Scratch(..))
    };
    // When each slot is free, and when the device last issued a dispatch. A full queue does not delay issuing.
    let mut slots = vec![0.0f64; queue.slots];
    let mut begun_s = 0.0f64;
    for (index, (dispatch, run_s)) in workload.dispatches.iter().zip(runs_s).enumerate() {
        let mut buffers = dispatch.bindings.iter().filter(may_write).map(|&(_, buffer)| buffer);
        let waits = index == 0 || buffers.clone().any(|buffer| written.contains(&buffer));
        written.extend(&mut buffers);
        begun_s = if waits {
            slots.iter().copied().fold(begun_s, f64::max) + queue.dispatch_s
        } else if queue.issues_ahead {
            begun_s + queue.issue_dispatch_s
        } else {
            slots.iter().copied().fold(begun_s, f64::max) + queue.issue_dispatch_s
        };
        let free = slots
            .iter_mut()
            .min_by(|a, b| a.total_cmp(b))
            .expect("a machine has at least one slot");
        *free = free.max(begun_s) + run_s;
    }
    slots.into_iter().fold(begun_s, f64::max)
}

/// Returns the duration of a stream in seconds. It follows the timelines of the host and of the device from batch to
/// batch.
fn stream_s(queue: &Queue, workload: &Workload, runs_s: &[f64], stream: Stream) -> f64 {
    let targets = workload.upload_source.as_ref().map_or(&[][..], |source| &source.targets);
    let depth = targets.len().max(1);
    let words = targets.first().map_or(0, |&target| workload.buffers[target].words());
    let bytes = words as f64 * 4.0;
    let mut times = Timelines::default();
    let mut done_s: Vec<f64> = Vec::new();
    for batch in 0..stream.batches as usize {
        if batch >= depth {
            times.host_s = times.host_s.max(done_s[batch - depth]) + queue.wait_s;
        }
        if stream.upload == Upload::Whole {
            times.host_s += bytes * queue.write_byte_s;
        }
        times.host_s += queue.submit_s;
        let copied_s =
            if stream.upload == Upload::Nothing { 0.0 } else { bytes * queue.copy_byte_s };
        let computed_s = f64::from(stream.computes) * (queue.dispatch_s + runs_s[batch % depth]);
        times.work(copied_s + computed_s);
        done_s.push(times.device_s);
    }
    times.wait(queue);
    times.host_s
}

/// Returns the seconds for which a rank uses its device in a step of an all-reduce.
fn work_s(queue: &Queue, work: DeviceWork, words: u32) -> f64 {
    let words = f64::from(words);
    let upload_s = 4.0 * words * (queue.write_byte_s + queue.copy_byte_s);
    let read_back_s = queue.map_s + words * queue.word_s;
    match work {
        DeviceWork::Upload => queue.submit_s + queue.wait_s + upload_s,
        DeviceWork::ReadBack => queue.submit_s + read_back_s,
        DeviceWork::Step => upload_s + queue.submit_s + queue.dispatch_s + read_back_s,
    }
}
