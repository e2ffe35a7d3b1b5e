//! A deterministic executor: outputs from CPU twins, spans from counted demand on an ideal lockstep
//! machine, and whatever is planted of noise, drift, spikes, lost stamps, lies and wrong answers.
//!
//! It never consults a law: time follows from what each kernel counts lane by lane, so a wrong law is as
//! visible here as on hardware.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::adapter::{SUBGROUPS, TIMESTAMPS};
use super::{
    AdapterFacts, BadSpan, ClockKind, Demand, DeviceLimits, Executor, GpuError, Span, Timing,
    Workload,
};

/// What things cost on the machine, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// A dispatch.
    pub dispatch_s: f64,
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
    /// An atomic on one address.
    pub atomic_s: f64,
    /// Reading a byte.
    pub byte_s: f64,
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
            costs: Costs {
                dispatch_s: 5e-6,
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
                byte_s: 0.1e-9,
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
            },
            loaded: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(machine.seed),
            rounds: 0,
            machine,
            distort: None,
            corrupt: None,
        }
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

    fn dispatches_s(&self, workload: &Workload) -> f64 {
        workload
            .dispatches
            .iter()
            .map(|dispatch| self.dispatch_s((dispatch.demand)(self.machine.width)))
            .sum()
    }

    fn dispatch_s(&self, demand: Demand) -> f64 {
        let costs = &self.machine.costs;
        let spread = demand.workgroups.clamp(1.0, self.machine.workers);
        let work_s = demand.workgroups * costs.workgroup_s
            + demand.subgroups * costs.subgroup_s
            + (demand.issues * costs.issue_s).max(demand.dependent * costs.latency_s)
            + demand.barriers * costs.barrier_s;
        costs.dispatch_s
            + work_s / spread
            + demand.atomics * costs.atomic_s
            + demand.bytes * costs.byte_s
    }

    fn true_span_s(&self, workload: &Workload) -> f64 {
        let costs = &self.machine.costs;
        let dispatches_s = self.dispatches_s(workload);
        match workload.timing {
            Timing::Pass { repeats } => {
                f64::from(repeats) * dispatches_s * self.machine.stamp_scale
            }
            Timing::Host { dispatches, passes, submits, waits } => {
                let pass_s = costs.pass_s + f64::from(dispatches) * dispatches_s;
                let submit_s = costs.submit_s + f64::from(passes) * pass_s;
                f64::from(waits) * (costs.wait_s + f64::from(submits) * submit_s)
            }
            Timing::Readback { maps, words } => {
                f64::from(maps) * (costs.map_s + f64::from(words) * costs.word_s)
            }
        }
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
        Ok(workloads
            .iter()
            .map(|workload| {
                (workload.needs_subgroups() && !offered)
                    .then(|| "the adapter offers no subgroup operations".to_owned())
            })
            .collect())
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
