//! A simulated GPU: a deterministic [`Executor`] that needs no hardware.
//!
//! Outputs come from CPU references. Durations come from the cost models of the kernels and the mechanisms of a
//! [`Machine`]: compute units whose schedulers are shared by resident subgroups, caches by level, slices that serve
//! atomics, a launch queue, a clock that slows down in pauses. Noise, wrong timestamps, failures of the device and
//! wrong outputs can be added.
//!
//! The simulator uses no prediction of an experiment: a kernel counts its work, most of it lane by lane, and the durations
//! follow from these counts. Some mechanisms have the form of a law, such as the longer of issuing and latency. There the
//! simulator shows that an experiment finds the parameters, and not that the law is true. The simulator keeps its own time
//! and never reads the host clock, so that equal seeds give byte-identical records.

mod faults;
mod governor;
mod links;
mod lockstep;
mod machine;
mod machines;
mod memory;
mod noise;
mod queue;
mod units;

use std::collections::HashSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::gpu::adapter::TIMESTAMPS;
use crate::gpu::params::check_params;
use crate::gpu::timer::decode;
use crate::gpu::{
    AdapterFacts, BadSpan, Built, DeviceLimits, Executor, GpuError, LimitSet, Mismatch,
    OUT_OF_MEMORY, Ranks, ShaderFeature, Span, Timing, Workload, compare_outputs,
};
use crate::model::ClockKind;
use governor::Clock;
use noise::{Disturber, Moment};

pub use faults::{DeviceFault, StampFault};
pub use links::Links;
pub use lockstep::{Followed, follow};
pub use machine::{Atomics, Governor, Level, Machine, Memory, Queue, Units};
pub use noise::{Clocks, Interference, Noise, Preemption, Throttle};

type Pipeline = (String, &'static str, Vec<(&'static str, u32)>);
type Distort = Box<dyn Fn(&Workload, f64) -> f64>;
type Corrupt = Box<dyn Fn(&Workload, &mut [u32])>;

/// Limit of the watchdog in seconds. A longer dispatch loses the device, as on Windows.
const WATCHDOG_S: f64 = 2.0;

/// Idle time from one sample to the next, in seconds.
const GAP_S: f64 = 20e-6;

/// An executor that runs workloads on a simulated GPU.
pub struct Simulator {
    machine: Machine,
    facts: AdapterFacts,
    loaded: Vec<Loaded>,
    rng: ChaCha8Rng,
    disturber: Disturber,
    clock: Clock,
    /// The pipelines built so far: shader, entry point and constants.
    pipelines: HashSet<Pipeline>,
    built: Built,
    /// Subgroup size that the shaders of the last run report.
    reported: Option<u32>,
    /// Rounds since an output was last read. Outputs are read before an experiment is timed, so these are the
    /// rounds of its timing.
    rounds: u32,
    now_s: f64,
    distort: Option<Distort>,
    corrupt: Option<Corrupt>,
    stamp_fault: Option<StampFault>,
    device_fault: Option<DeviceFault>,
}

struct Loaded {
    workload: Workload,
    sample_s: f64,
    longest_dispatch_s: f64,
    refusal: Option<String>,
}

impl Simulator {
    /// Creates an executor for `machine`, without faults.
    #[must_use]
    pub fn new(machine: Machine) -> Self {
        Self {
            facts: AdapterFacts {
                name: machine.name.to_owned(),
                vendor_id: 0,
                device_id: 0,
                pci_bus_id: None,
                compiler: None,
                device_type: machine.device_type,
                backend: "fake",
                driver: "fake".to_owned(),
                driver_info: String::new(),
                subgroup_min: machine.units.narrow_width.or(machine.reported_width),
                subgroup_max: machine.reported_width,
                features: [TIMESTAMPS, ShaderFeature::U64.as_str(), ShaderFeature::F16.as_str()]
                    .into_iter()
                    .chain(machine.reported_width.map(|_| ShaderFeature::Subgroups.as_str()))
                    .collect(),
                shader_checks: false,
                clock: ClockKind::TimestampQuery,
                period_ns: 1.0,
                clock_fault: None,
                workers: None,
                ranks: machine.links.map(|links| Ranks {
                    count: links.ranks,
                    forces_ring: true,
                    oversubscribed: None,
                    links_differ: false,
                }),
                limits: DeviceLimits {
                    max_workgroup_size: 1024,
                    workgroups: 65_535,
                    binding_bytes: machine.binding_bytes,
                },
                limit_set: LimitSet::Adapter,
            },
            loaded: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(machine.seed),
            disturber: Disturber::new(machine.noise),
            clock: Clock::new(machine.governor),
            pipelines: HashSet::new(),
            built: Built::default(),
            reported: machine.reported_width,
            rounds: 0,
            now_s: 0.0,
            distort: None,
            corrupt: None,
            // The period is 1 ns, but timestamps differ by at least `tick_s`.
            stamp_fault: (machine.tick_s > 1e-9)
                .then_some(StampFault::Coarse(1e9 * machine.tick_s)),
            device_fault: None,
            machine,
        }
    }

    /// Changes the properties that the device reports.
    #[must_use]
    pub fn appearing(mut self, change: impl FnOnce(&mut AdapterFacts)) -> Self {
        change(&mut self.facts);
        self
    }

    /// Sets the timestamp period that the device reports, in nanoseconds.
    #[must_use]
    pub fn ticking(self, period_ns: f64) -> Self {
        self.appearing(|facts| facts.set_period(period_ns))
    }

    /// Replaces the duration of every workload, to make a law deviate.
    ///
    /// `distort` receives the workload and the duration of its sample without noise, and returns the new
    /// duration, both in seconds. NaN loses the timestamps of the workload.
    #[must_use]
    pub fn distorting(mut self, distort: impl Fn(&Workload, f64) -> f64 + 'static) -> Self {
        self.distort = Some(Box::new(distort));
        self
    }

    /// Applies `corrupt` to the output of every workload, to produce wrong outputs.
    #[must_use]
    pub fn corrupting(mut self, corrupt: impl Fn(&Workload, &mut [u32]) + 'static) -> Self {
        self.corrupt = Some(Box::new(corrupt));
        self
    }

    /// Adds a fault of the timestamps.
    #[must_use]
    pub fn stamping(mut self, fault: StampFault) -> Self {
        self.stamp_fault = Some(fault);
        self
    }

    /// Adds a failure of the device.
    #[must_use]
    pub fn failing(mut self, fault: DeviceFault) -> Self {
        self.device_fault = Some(fault);
        self
    }

    fn failed(&self, reason: impl Into<String>) -> GpuError {
        GpuError::Device { adapter: self.facts.name.clone(), reason: reason.into() }
    }

    /// Returns an error if the device is lost or hangs, or if it cannot run workload `index`.
    fn ensure_runnable(&self, index: usize) -> Result<(), GpuError> {
        match self.device_fault {
            Some(DeviceFault::LostAfter(s)) if self.now_s > s => {
                return Err(self.failed("the device was lost"));
            }
            Some(DeviceFault::HangsAfter(s)) if self.now_s > s => {
                return Err(GpuError::Hung { adapter: self.facts.name.clone(), seconds: 30 });
            }
            _ => (),
        }
        let loaded = &self.loaded[index];
        if loaded.refusal.is_some() {
            return Err(self.failed(format!("workload {index} is not loaded")));
        }
        if loaded.longest_dispatch_s > WATCHDOG_S {
            let label = &loaded.workload.label;
            return Err(self.failed(format!(
                "the device was lost: a dispatch of `{label}` exceeded the watchdog limit"
            )));
        }
        Ok(())
    }

    /// Builds the pipelines of a workload that are not built yet.
    fn compile(&mut self, workload: &Workload) {
        for dispatch in workload.all_dispatches() {
            let name = dispatch.shader.name.clone();
            if self.pipelines.insert((name, dispatch.entry, dispatch.constants.clone())) {
                self.now_s += self.machine.queue.compile_s;
                self.built.pipelines += 1;
                self.built.seconds += self.machine.queue.compile_s;
            }
        }
    }

    /// Runs loaded workload `index` once outside of a round.
    fn run_once(&mut self, index: usize) -> Result<(), GpuError> {
        self.ensure_runnable(index)?;
        let loaded = &self.loaded[index];
        self.now_s += self.clock.duration_s(self.now_s, loaded.sample_s.max(0.0));
        self.rounds = 0;
        if let Some(dispatch) = loaded.workload.dispatches.first() {
            self.reported = self.machine.reported(dispatch);
        }
        Ok(())
    }

    /// Returns the reason why the device cannot load `workload`, or `None`.
    fn refusal(&self, workload: &Workload) -> Option<String> {
        if let Err(mismatch) = check_params(workload) {
            return Some(mismatch);
        }
        if let Some(missing) = workload.needs().find(|&feature| !self.facts.has(feature)) {
            return Some(missing.missing());
        }
        let largest = workload.buffers.iter().map(|buffer| buffer.words() as u64 * 4).max();
        let limit = self.facts.limits.binding_bytes;
        if largest > Some(limit) {
            return Some(format!("a buffer is larger than the limit of {limit} bytes"));
        }
        let uses =
            |shader: &str| workload.dispatches.iter().any(|d| d.shader.name.starts_with(shader));
        match self.device_fault? {
            DeviceFault::OutOfMemory(bytes) if largest > Some(bytes) => {
                Some(OUT_OF_MEMORY.to_owned())
            }
            DeviceFault::Uncompilable(shader) if uses(shader) => {
                Some(format!("shader `{shader}` does not compile"))
            }
            DeviceFault::Invalid(shader) if uses(shader) => {
                Some(format!("validation error in a dispatch of `{shader}`"))
            }
            _ => None,
        }
    }

    /// Takes one sample of loaded workload `index`.
    ///
    /// Returns its begin and its duration in seconds, and whether the host clock times it. `rounds` is the
    /// number of rounds so far, with the elapsed part of the present round.
    fn run(&mut self, index: usize, rounds: f64) -> (f64, f64, bool) {
        let Loaded { workload, sample_s, .. } = &self.loaded[index];
        let in_a_pass = matches!(workload.timing, Timing::Pass { .. });
        let by_host = !in_a_pass || self.facts.clock == ClockKind::Host;
        let moment = Moment { now_s: self.now_s, rounds };
        let clocked_s = self.clock.duration_s(self.now_s, *sample_s);
        let duration_s = self.disturber.disturbed(clocked_s, moment, &mut self.rng);
        self.now_s += duration_s.max(0.0);
        self.clock.ended(self.now_s);
        self.now_s += GAP_S;
        (moment.now_s, duration_s, by_host)
    }
}

impl Executor for Simulator {
    fn facts(&self) -> &AdapterFacts {
        &self.facts
    }

    fn elapsed_s(&self) -> f64 {
        self.now_s
    }

    fn use_host_clock(&mut self, reason: String) {
        self.facts.clock = ClockKind::Host;
        self.facts.clock_fault = Some(reason);
    }

    fn built(&self) -> Built {
        self.built
    }

    fn load(&mut self, workloads: &[Workload]) -> Result<Vec<Option<String>>, GpuError> {
        let by_host = self.facts.clock == ClockKind::Host;
        for workload in workloads {
            self.compile(workload);
        }
        let load = |workload: &Workload| {
            let runs_s = self.machine.runs_s(workload);
            let true_s = self.machine.sample_s(workload, &runs_s, by_host);
            Loaded {
                workload: workload.clone(),
                sample_s: self.distort.as_ref().map_or(true_s, |distort| distort(workload, true_s)),
                longest_dispatch_s: self.machine.slowness * runs_s.into_iter().fold(0.0, f64::max),
                refusal: self.refusal(workload),
            }
        };
        self.loaded = workloads.iter().map(load).collect();
        Ok(self.loaded.iter().map(|loaded| loaded.refusal.clone()).collect())
    }

    fn outputs(&mut self, index: usize) -> Result<Vec<u32>, GpuError> {
        self.run_once(index)?;
        let workload = &self.loaded[index].workload;
        let mut expected = workload.expected();
        if expected.is_empty() {
            // Only the kernel that reports the subgroup size has an output that is not known in advance.
            expected = vec![self.reported.unwrap_or(0)];
        }
        let words = workload.checked_words();
        let mut outputs: Vec<u32> = expected.into_iter().cycle().take(words).collect();
        if let Some(corrupt) = &self.corrupt {
            corrupt(workload, &mut outputs);
        }
        Ok(outputs)
    }

    fn verify(
        &mut self,
        index: usize,
        workload: &Workload,
    ) -> Result<Result<(), Mismatch>, GpuError> {
        if self.corrupt.is_some() {
            return compare_outputs(self, index, workload);
        }
        // The outputs are those of the reference, so nothing is learned from computing both.
        self.run_once(index)?;
        Ok(Ok(()))
    }

    fn subgroup_sizes(&self) -> &[u32] {
        self.reported.as_slice()
    }

    fn round(&mut self, order: &[usize]) -> Result<Vec<Span>, GpuError> {
        let (mut spans, mut stamped, mut slots) = (Vec::new(), Vec::new(), Vec::new());
        for (slot, &index) in order.iter().enumerate() {
            self.ensure_runnable(index)?;
            let share = slot as f64 / order.len() as f64;
            let (begin_s, duration_s, by_host) = self.run(index, f64::from(self.rounds) + share);
            let lost = duration_s.is_nan();
            let rounded_s = (duration_s * 1e9).round().max(1.0) / 1e9;
            spans.push(if lost { Err(BadSpan::Unwritten) } else { Ok(rounded_s) });
            if !by_host && !lost {
                stamped.push((begin_s, duration_s));
                slots.push(slot);
            }
        }
        self.rounds += 1;
        let stamps =
            faults::stamps(self.stamp_fault, &stamped, self.facts.period_ns, &mut self.rng);
        for (slot, span) in slots.into_iter().zip(decode(&stamps, self.facts.period_ns)) {
            spans[slot] = span;
        }
        Ok(spans)
    }
}
