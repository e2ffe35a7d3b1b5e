//! A deterministic executor: outputs from CPU twins, spans from counted demand on an ideal lockstep
//! machine, and whatever is planted of noise, drift, spikes, lost stamps, lies and wrong answers.
//!
//! It never consults a law: time follows from what each kernel counts lane by lane, so a wrong law is as
//! visible here as on hardware.

use std::collections::HashSet;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::adapter::{SUBGROUPS, TIMESTAMPS};
use super::{
    AdapterFacts, BadSpan, ClockKind, Contents, Demand, DeviceLimits, Executor, GpuError, LimitSet,
    Span, Stream, Timing, Upload, Workload,
};

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
    /// Relative standard deviation of a span.
    pub noise: f64,
    /// Relative growth of all spans from one round to the next.
    pub drift: f64,
    /// Chance that a span is three times as long.
    pub spikes: f64,
    /// Chance that stamps are lost and read zero.
    pub lost_stamps: f64,
    /// Timestamps are this many times the truth; the host clock is right.
    pub stamp_scale: f64,
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
            noise: 0.003,
            drift: 0.0,
            spikes: 0.01,
            lost_stamps: 0.0,
            stamp_scale: 1.0,
            seed: 7,
        }
    }
}

type Distort = Box<dyn Fn(&Workload, f64) -> f64>;
type Corrupt = Box<dyn Fn(&Workload, &mut [u32])>;

/// The executor.
pub struct FakeExecutor {
    machine: Machine,
    facts: AdapterFacts,
    loaded: Vec<(Workload, f64)>,
    rng: ChaCha8Rng,
    rounds: u32,
    distort: Option<Distort>,
    corrupt: Option<Corrupt>,
}

impl FakeExecutor {
    /// An executor of `machine`.
    #[must_use]
    pub fn new(machine: Machine) -> Self {
        Self {
            facts: AdapterFacts {
                name: "Lawful <Machine> & Sons | 1".to_owned(),
                vendor_id: 0,
                device_id: 0,
                device_type: "other",
                backend: "fake",
                driver: "fake".to_owned(),
                driver_info: String::new(),
                subgroup_min: machine.reported_width,
                subgroup_max: machine.reported_width,
                features: std::iter::once(TIMESTAMPS)
                    .chain(machine.reported_width.map(|_| SUBGROUPS))
                    .collect(),
                shader_checks: false,
                clock: ClockKind::TimestampQuery,
                period_ns: 1.0,
                limits: DeviceLimits {
                    workgroup_lanes: 1024,
                    workgroups: 65_535,
                    binding_bytes: 1 << 30,
                },
                limit_set: LimitSet::Adapter,
            },
            loaded: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(machine.seed),
            rounds: 0,
            machine,
            distort: None,
            corrupt: None,
        }
    }

    /// Makes the device appear other than it does by itself.
    #[must_use]
    pub fn appearing(mut self, change: impl FnOnce(&mut AdapterFacts)) -> Self {
        change(&mut self.facts);
        self
    }

    /// Plants a breach of the law: what it makes of a workload's true span, in seconds. NaN loses its
    /// stamps.
    #[must_use]
    pub fn distorting(mut self, distort: impl Fn(&Workload, f64) -> f64 + 'static) -> Self {
        self.distort = Some(Box::new(distort));
        self
    }

    /// Plants wrong answers: what it does to a workload's outputs.
    #[must_use]
    pub fn corrupting(mut self, corrupt: impl Fn(&Workload, &mut [u32]) + 'static) -> Self {
        self.corrupt = Some(Box::new(corrupt));
        self
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
        let costs = &self.machine.costs;
        let may_write = |&&(_, buffer): &&(&str, usize)| {
            matches!(workload.buffers[buffer], Contents::Zeroed(_) | Contents::Scratch(_))
        };
        let mut slots = vec![0.0f64; self.machine.slots];
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
            *free += self.work_s((dispatch.demand)(self.machine.width));
        }
        total_s + slots.into_iter().fold(0.0, f64::max)
    }

    /// What a dispatch does, without launching it.
    fn work_s(&self, demand: Demand) -> f64 {
        let costs = &self.machine.costs;
        let spread = demand.workgroups.clamp(1.0, self.machine.workers);
        let work_s = demand.workgroups * costs.workgroup_s
            + demand.subgroups * costs.subgroup_s
            + (demand.issues * costs.issue_s).max(demand.dependent * costs.latency_s)
            + demand.barriers * costs.barrier_s;
        work_s / spread
            + (demand.atomics * costs.atomic_s)
                .max(demand.atomics_anywhere * costs.atomic_anywhere_s)
            + demand.bytes * costs.byte_s
            + demand.streamed * costs.stream_byte_s
            + (demand.loads * costs.load_s).max(demand.load_chain * costs.load_latency_s)
    }

    fn true_span_s(&self, workload: &Workload) -> f64 {
        let costs = &self.machine.costs;
        match workload.timing {
            Timing::Pass { repeats } => {
                self.dispatches_s(workload, repeats) * self.machine.stamp_scale
            }
            Timing::Host { dispatches, passes, submits, waits } => {
                let pass_s = costs.pass_s + self.dispatches_s(workload, dispatches);
                let submit_s = costs.submit_s + f64::from(passes) * pass_s;
                f64::from(waits) * (costs.wait_s + f64::from(submits) * submit_s)
            }
            Timing::Readback { maps, words } => {
                f64::from(maps) * (costs.map_s + f64::from(words) * costs.word_s)
            }
            Timing::Stream(stream) => self.stream_s(workload, stream),
        }
    }

    /// A stream of batches, followed from batch to batch on the host's time line and the device's.
    fn stream_s(&self, workload: &Workload, stream: Stream) -> f64 {
        let costs = &self.machine.costs;
        let targets = workload.feed.as_ref().map_or(&[][..], |feed| &feed.targets);
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
                * (costs.dispatch_s + self.work_s((dispatch.demand)(self.machine.width)));
            done_s.push(device_s);
        }
        host_s.max(device_s) + costs.wait_s
    }

    fn sample(&mut self, true_s: f64) -> Span {
        let machine = self.machine;
        if self.rng.random_bool(machine.lost_stamps) || true_s.is_nan() {
            return Err(BadSpan::Unwritten);
        }
        // Twelve uniforms less six: a normal deviate near enough.
        let normal = (0..12).map(|_| self.rng.random::<f64>()).sum::<f64>() - 6.0;
        let spike = if self.rng.random_bool(machine.spikes) { 3.0 } else { 1.0 };
        let drift = 1.0 + machine.drift * f64::from(self.rounds);
        let span_s = true_s * drift * spike * (1.0 + machine.noise * normal).max(0.05);
        Ok((span_s * 1e9).round().max(1.0) * 1e-9)
    }
}

impl Executor for FakeExecutor {
    fn facts(&self) -> &AdapterFacts {
        &self.facts
    }

    fn load(&mut self, workloads: &[Workload]) -> Result<Vec<Option<String>>, GpuError> {
        self.loaded = workloads
            .iter()
            .map(|workload| {
                let true_s = self.true_span_s(workload);
                let span_s = self.distort.as_ref().map_or(true_s, |d| d(workload, true_s));
                (workload.clone(), span_s)
            })
            .collect();
        let offered = self.machine.reported_width.is_some();
        let most = self.facts.limits.binding_bytes;
        let refusal = |workload: &Workload| {
            if workload.needs_subgroups() && !offered {
                return Some("the adapter offers no subgroup operations".to_owned());
            }
            let largest = workload.buffers.iter().map(|buffer| buffer.words() as u64 * 4).max();
            (largest > Some(most))
                .then(|| format!("a buffer is larger than the limit of {most} bytes"))
        };
        Ok(workloads.iter().map(refusal).collect())
    }

    fn outputs(&mut self, index: usize) -> Result<Vec<u32>, GpuError> {
        let (workload, _) = &self.loaded[index];
        let mut expected = workload.expected();
        if expected.is_empty() {
            // The one kernel whose answer is not known beforehand asks for the subgroup's size.
            expected = vec![self.machine.reported_width.unwrap_or(0)];
        }
        let words = workload.checked_words();
        let mut outputs: Vec<u32> = expected.into_iter().cycle().take(words).collect();
        if let Some(corrupt) = &self.corrupt {
            corrupt(workload, &mut outputs);
        }
        Ok(outputs)
    }

    fn round(&mut self, order: &[usize]) -> Result<Vec<Span>, GpuError> {
        self.rounds += 1;
        Ok(order.iter().map(|&index| self.sample(self.loaded[index].1)).collect())
    }
}
