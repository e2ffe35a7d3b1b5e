//! A deterministic executor: outputs from CPU twins, spans from counted demand on an ideal lockstep
//! machine, and whatever is planted of noise, lying clocks, failing devices and wrong answers.
//!
//! It never consults a law: time follows from what each kernel counts lane by lane, so a wrong law is as
//! visible here as on hardware. Its time is its own: no clock of the host is looked at, so that the same
//! seeds give the same record, byte for byte.

mod faults;
mod machine;
mod noise;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::gpu::adapter::{INTEGERS_OF_64_BITS, SUBGROUPS, TIMESTAMPS};
use crate::gpu::params::check_params;
use crate::gpu::timer::decode;
use crate::gpu::{
    AdapterFacts, BadSpan, Built, DeviceLimits, Executor, GpuError, LimitSet, Span, Timing,
    Workload,
};
use crate::model::{ClockKind, DeviceType};
use noise::{Disturber, Moment};

pub use faults::{DeviceFault, StampFault};
pub use machine::{Costs, Machine};
pub use noise::{Clocks, Interference, Noise, Preemption, Throttle};

type Distort = Box<dyn Fn(&Workload, f64) -> f64>;
type Corrupt = Box<dyn Fn(&Workload, &mut [u32])>;

/// A dispatch that runs longer than this takes the device with it, as on Windows.
const WATCHDOG_S: f64 = 2.0;

/// From one span of a submission to the next.
const GAP_S: f64 = 20e-6;

/// The executor.
pub struct Simulator {
    machine: Machine,
    facts: AdapterFacts,
    loaded: Vec<Loaded>,
    rng: ChaCha8Rng,
    disturber: Disturber,
    /// Rounds since an output was last looked at: those of an experiment's timing.
    rounds: u32,
    now_s: f64,
    distort: Option<Distort>,
    corrupt: Option<Corrupt>,
    stamp_fault: Option<StampFault>,
    device_fault: Option<DeviceFault>,
}

struct Loaded {
    workload: Workload,
    span_s: f64,
    longest_dispatch_s: f64,
    refusal: Option<String>,
}

impl Simulator {
    /// An executor of `machine`.
    #[must_use]
    pub fn new(machine: Machine) -> Self {
        Self {
            facts: AdapterFacts {
                name: "Lawful <Machine> & Sons | 1".to_owned(),
                vendor_id: 0,
                device_id: 0,
                device_type: DeviceType::Other,
                backend: "fake",
                driver: "fake".to_owned(),
                driver_info: String::new(),
                subgroup_min: machine.reported_width,
                subgroup_max: machine.reported_width,
                features: [TIMESTAMPS, INTEGERS_OF_64_BITS]
                    .into_iter()
                    .chain(machine.reported_width.map(|_| SUBGROUPS))
                    .collect(),
                shader_checks: false,
                clock: ClockKind::TimestampQuery,
                period_ns: 1.0,
                clock_fault: None,
                limits: DeviceLimits {
                    max_workgroup_size: 1024,
                    workgroups: 65_535,
                    binding_bytes: 1 << 27,
                },
                limit_set: LimitSet::Adapter,
            },
            loaded: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(machine.seed),
            disturber: Disturber::new(machine.noise),
            rounds: 0,
            now_s: 0.0,
            machine,
            distort: None,
            corrupt: None,
            stamp_fault: None,
            device_fault: None,
        }
    }

    /// Makes the device appear other than it does by itself.
    #[must_use]
    pub fn appearing(mut self, change: impl FnOnce(&mut AdapterFacts)) -> Self {
        change(&mut self.facts);
        self
    }

    /// Makes its clock tick every so many nanoseconds, or so it says.
    #[must_use]
    pub fn ticking(self, period_ns: f64) -> Self {
        self.appearing(|facts| facts.set_period(period_ns))
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

    /// Plants a fault of its stamps.
    #[must_use]
    pub fn stamping(mut self, fault: StampFault) -> Self {
        self.stamp_fault = Some(fault);
        self
    }

    /// Plants a fault of the device.
    #[must_use]
    pub fn failing(mut self, fault: DeviceFault) -> Self {
        self.device_fault = Some(fault);
        self
    }

    fn failed(&self, reason: impl Into<String>) -> GpuError {
        GpuError::Device { adapter: self.facts.name.clone(), reason: reason.into() }
    }

    /// Whether the device survives what it is asked to run.
    fn survive(&self, index: usize) -> Result<(), GpuError> {
        match self.device_fault {
            Some(DeviceFault::LostAfter(s)) if self.now_s > s => {
                return Err(self.failed("it was lost"));
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
            return Err(self.failed(format!("it was lost: a dispatch of {label} ran for too long")));
        }
        Ok(())
    }

    fn refusal(&self, workload: &Workload) -> Option<String> {
        if let Err(mismatch) = check_params(workload) {
            return Some(mismatch);
        }
        if workload.needs_subgroups() && self.machine.reported_width.is_none() {
            return Some("the adapter offers no subgroup operations".to_owned());
        }
        let largest = workload.buffers.iter().map(|buffer| buffer.words() as u64 * 4).max();
        let most = self.facts.limits.binding_bytes;
        if largest > Some(most) {
            return Some(format!("a buffer is larger than the limit of {most} bytes"));
        }
        let uses =
            |shader: &str| workload.dispatches.iter().any(|d| d.shader.name.starts_with(shader));
        match self.device_fault? {
            DeviceFault::OutOfMemory(bytes) if largest > Some(bytes) => {
                Some("out of memory".to_owned())
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

    /// Times a loaded workload: when it began, how long it took, and whether the host's clock brackets it.
    fn run(&mut self, index: usize, rounds: f64) -> (f64, f64, bool) {
        let Loaded { workload, span_s, .. } = &self.loaded[index];
        let in_a_pass = matches!(workload.timing, Timing::Pass { .. });
        let by_host = !in_a_pass || self.facts.clock == ClockKind::Host;
        let moment = Moment { now_s: self.now_s, rounds };
        let took_s = self.disturber.disturbed(*span_s, moment, &mut self.rng);
        self.now_s += took_s.max(0.0) + GAP_S;
        (moment.now_s, took_s, by_host)
    }
}

impl Executor for Simulator {
    fn facts(&self) -> &AdapterFacts {
        &self.facts
    }

    fn elapsed_s(&self) -> f64 {
        self.now_s
    }

    fn built(&self) -> Built {
        Built::default()
    }

    fn load(&mut self, workloads: &[Workload]) -> Result<Vec<Option<String>>, GpuError> {
        let by_host = self.facts.clock == ClockKind::Host;
        let load = |workload: &Workload| {
            let true_s = self.machine.span_s(workload, by_host);
            Loaded {
                workload: workload.clone(),
                span_s: self.distort.as_ref().map_or(true_s, |distort| distort(workload, true_s)),
                longest_dispatch_s: self.machine.longest_dispatch_s(workload),
                refusal: self.refusal(workload),
            }
        };
        self.loaded = workloads.iter().map(load).collect();
        Ok(self.loaded.iter().map(|loaded| loaded.refusal.clone()).collect())
    }

    fn outputs(&mut self, index: usize) -> Result<Vec<u32>, GpuError> {
        self.survive(index)?;
        let Loaded { workload, span_s, .. } = &self.loaded[index];
        self.now_s += span_s.max(0.0);
        self.rounds = 0;
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
        let (mut spans, mut stamped, mut slots) = (Vec::new(), Vec::new(), Vec::new());
        for (slot, &index) in order.iter().enumerate() {
            self.survive(index)?;
            let share = slot as f64 / order.len() as f64;
            let (begin_s, took_s, by_host) = self.run(index, f64::from(self.rounds) + share);
            let lost = took_s.is_nan();
            let rounded_s = (took_s * 1e9).round().max(1.0) / 1e9;
            spans.push(if lost { Err(BadSpan::Unwritten) } else { Ok(rounded_s) });
            if !by_host && !lost {
                stamped.push((begin_s, took_s));
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
