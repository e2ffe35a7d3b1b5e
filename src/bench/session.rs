//! Sessions: an open device with its tested clock and its observed subgroup size.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use super::Profile;
use super::controls::tolerance_of;
use super::pause::RISE_S;
use super::plan::{CaseSpec, Sizing};
use super::profile::{MAX_TARGET_S, MIN_TICKS};
use super::resolution::resolution;
use super::search::Found;
use super::sizing::size;
use super::throughput::Throughput;
use crate::gpu::{AdapterFacts, BadSpan, Executor, GpuError, ShaderFeature, Timing, Workload};
use crate::kernels::{chain::Chain, empty, subgroup_size};
use crate::model::{Adapter, Check, Clock, ClockKind, DeviceType, SubgroupSize};
use crate::stats;

/// State that the experiments of a run share.
pub struct Session {
    pub(super) executor: Box<dyn Executor>,
    /// Adapter, as the record stores it.
    pub adapter: Adapter,
    /// Clock, as the record stores it.
    pub clock: Clock,
    /// Time limits and precision of the run.
    pub profile: Profile,
    /// Seed from which the seed of each experiment is derived.
    pub seed: u64,
    /// Subgroup width in lanes, as an experiment of this run found it.
    pub effective_width: Option<u32>,
    /// Launch configurations found in this run.
    pub(super) found: Found,
    /// Seconds of sampling that the experiments so far left of their budgets together, at least zero.
    pub(super) spare_s: f64,
    /// Seconds that a subgroup takes to issue one instruction.
    issue_s: f64,
}

/// Samples of each test dispatch, which give the clock's resolution and the time of an empty dispatch.
const CLOCK_SAMPLES: usize = 24;
/// Least number of times that each clock times the dispatch of the host check.
const HOST_CHECKS: usize = 9;
/// Largest number of times, if the clocks do not agree before.
const MAX_HOST_CHECKS: usize = 12 * HOST_CHECKS;
/// Target time of the dispatch of the host check, in seconds. Submission and wait are short in comparison.
const HOST_CHECK_S: f64 = 8e-3;

impl Session {
    /// Probes the device and tests its clock.
    ///
    /// # Errors
    /// Returns an error if the device fails.
    pub fn open(
        mut executor: Box<dyn Executor>,
        profile: Profile,
        seed: u64,
    ) -> Result<Self, GpuError> {
        let facts = executor.facts().clone();
        let mut probe = || {
            let observed = observe_subgroup_size(&mut *executor, &facts)?;
            Ok((observed, working_clock(&mut *executor)?))
        };
        let (observed, (clock, issue_s)) = match probe() {
            Ok(probed) => probed,
            Err(error) => {
                close(executor, &error);
                return Err(error);
            }
        };
        let adapter = executor.facts().described(observed);
        Ok(Self {
            executor,
            adapter,
            clock,
            profile,
            seed,
            effective_width: None,
            found: Found::default(),
            spare_s: 0.0,
            issue_s,
        })
    }

    /// Returns a conservative estimate of the device's throughput, from the first dispatches of the session.
    pub(super) fn throughput(&self) -> Throughput {
        let width = self.effective_width.or(self.reported_width()).unwrap_or(1);
        Throughput::new(self.issue_s, width)
    }

    /// Returns whether the device runs on the cores of the host and so has no clocks of its own.
    pub(super) fn has_fixed_clocks(&self) -> bool {
        self.adapter.device_type == DeviceType::Cpu
    }

    /// Returns the least time for which the device is kept busy before samples count, in seconds.
    pub(super) fn warm_up_s(&self) -> f64 {
        let planned_s = self.profile.warm_up_s;
        if self.has_fixed_clocks() { planned_s } else { planned_s.max(RISE_S) }
    }

    /// Returns the number of workers of a software device; `None` for other devices.
    pub(super) fn workers(&self) -> Option<u32> {
        self.executor.facts().workers.map(|workers| workers.count)
    }

    /// Returns the subgroup width in lanes: as a shader observed it, else as the driver reports it if the
    /// reported minimum and maximum are equal.
    #[must_use]
    pub fn reported_width(&self) -> Option<u32> {
        let SubgroupSize { min, max, observed } = self.adapter.subgroup_size;
        observed.or(if min == max { max } else { None })
    }
}

/// Closes a device that failed with `error`.
pub(super) fn close<T>(device: T, error: &GpuError) {
    if matches!(error, GpuError::Hung { .. }) {
        // Dropping a hung device would wait for it, so the device is leaked.
        std::mem::forget(device);
    }
}

/// Loads workloads that the session requires. A workload that the device refuses is an error.
fn load_all(executor: &mut dyn Executor, workloads: &[Workload]) -> Result<(), GpuError> {
    match executor.load(workloads)?.into_iter().flatten().next() {
        None => Ok(()),
        Some(reason) => Err(GpuError::Device { adapter: executor.facts().name.clone(), reason }),
    }
}

/// Returns the subgroup size that all invocations of a shader observe; `None` without such a size.
fn observe_subgroup_size(
    executor: &mut dyn Executor,
    facts: &AdapterFacts,
) -> Result<Option<u32>, GpuError> {
    if !facts.has(ShaderFeature::Subgroups) {
        return Ok(None);
    }
    let workload = subgroup_size::workload(facts.limits.max_workgroup_size.min(128));
    if executor.load(&[workload])?[0].is_some() {
        return Ok(None);
    }
    let sizes = executor.outputs(0)?;
    let alike = sizes.iter().all(|&size| size == sizes[0] && size > 0);
    Ok(sizes.first().copied().filter(|_| alike))
}

/// Share of the timestamps of the test that must be usable. With fewer, the host's clock takes over.
const USABLE: f64 = 0.1;

/// Tests the clock. If hardly any timestamp is usable, the host's clock takes over and is tested instead.
fn working_clock(executor: &mut dyn Executor) -> Result<(Clock, f64), GpuError> {
    let tested = test_clock(executor)?;
    if tested.usable >= USABLE || tested.clock.kind == ClockKind::Host {
        return Ok((tested.clock, tested.issue_s));
    }
    let reason = tested.clock.faults.join("; ");
    executor.use_host_clock(format!("{reason}, so the host clock times all samples"));
    let by_host = test_clock(executor)?;
    Ok((by_host.clock, by_host.issue_s))
}

/// A clock with what its test found.
struct Tested {
    clock: Clock,
    /// Seconds that a subgroup takes to issue one instruction.
    issue_s: f64,
    /// Share of the samples that are valid.
    usable: f64,
}

/// Tests the clock of the executor.
fn test_clock(executor: &mut dyn Executor) -> Result<Tested, GpuError> {
    let facts = executor.facts().clone();
    // One invocation runs chains of several lengths, so that a clock with long ticks does not give all of
    // them the same time.
    let lengths = [101, 1_009, 10_007].map(|iterations| {
        Chain { workgroup_size: 1, active: 1, iterations, workgroups: 1, seed: 1 }.workload()
    });
    let [_, short, long] = lengths.each_ref().map(|w| w.dispatches[0].costs_at(1).issues);
    let workloads: Vec<Workload> = std::iter::once(empty::workload(1)).chain(lengths).collect();
    load_all(executor, &workloads)?;
    executor.round(&[0, 1, 2, 3])?;
    let order: Vec<usize> = (0..4).flat_map(|index| [index; CLOCK_SAMPLES]).collect();
    let probes = executor.round(&order)?;
    let typical_s = |length: usize| {
        let probes = &probes[length * CLOCK_SAMPLES..(length + 1) * CLOCK_SAMPLES];
        stats::median(&probes.iter().copied().filter_map(Result::ok).collect::<Vec<_>>())
    };
    let difference_s = typical_s(3).zip(typical_s(2)).map_or(0.0, |(long, short)| long - short);
    let issue_s = difference_s.max(0.0) / (long - short);
    let ticks = probes
        .iter()
        .filter_map(|probe| probe.ok())
        .map(|sample_s| (sample_s * 1e9 / facts.period_ns).round() as u64);
    let resolution_ticks = resolution(ticks.collect());
    let mut clock = Clock {
        kind: facts.clock,
        period_ns: facts.period_ns,
        resolution_ns: resolution_ticks * facts.period_ns,
        empty_span_ns: typical_s(0).map(|sample_s| sample_s * 1e9),
        host_check_ratio: match facts.clock {
            ClockKind::TimestampQuery => host_check(executor)?,
            ClockKind::Host => None,
        },
        faults: facts.clock_fault.iter().cloned().collect(),
    };
    if is_too_coarse(&clock) {
        clock.faults.push(format!(
            "the clock ticks every {:.0} ns: {MIN_TICKS} ticks are longer than any sample may be",
            clock.resolution_ns
        ));
    }
    let mut bad: BTreeMap<BadSpan, usize> = BTreeMap::new();
    for reason in probes.iter().filter_map(|probe| probe.err()) {
        *bad.entry(reason).or_default() += 1;
    }
    let of = probes.len();
    clock.faults.extend(
        bad.iter()
            .map(|(reason, n)| format!("{n} of the first {of} samples were rejected: {reason}")),
    );
    let usable = probes.iter().filter(|probe| probe.is_ok()).count() as f64 / of as f64;
    Ok(Tested { clock, issue_s, usable })
}

/// Returns whether the least number of ticks is longer than any sample that may be planned.
pub(super) fn is_too_coarse(clock: &Clock) -> bool {
    MIN_TICKS * clock.resolution_ns * 1e-9 > MAX_TARGET_S
}

/// Times one long dispatch alternately by timestamps and by the host's clock.
///
/// Returns the time by timestamps over the time by the host's clock, or `None` if a clock gives no valid
/// sample. Timestamps that are taken at dispatch instead of at completion give a ratio far below 1.
fn host_check(executor: &mut dyn Executor) -> Result<Option<f64>, GpuError> {
    let case = CaseSpec {
        id: "host check".to_owned(),
        build: Box::new(|workgroups| {
            Chain { workgroup_size: 64, active: 64, iterations: 2048, workgroups, seed: 1 }
                .workload()
        }),
        sizing: Sizing::Own { granule: 64, most: 32_768 },
        smaller: None,
        is_floor: false,
    };
    let by_timestamps =
        size(executor, &[case], HOST_CHECK_S, Throughput::UNKNOWN, &AtomicBool::new(false))?
            .remove(0)
            .workload;
    let once = Timing::Host { dispatches: 1, passes: 1, submits: 1, waits: 1 };
    let by_host = by_timestamps.clone().timed(once);
    load_all(executor, &[by_timestamps, by_host])?;
    executor.round(&[0, 1])?;
    // The shortest sample by each clock counts, since interference only lengthens samples, and not equally
    // for both clocks. Further checks do not reconcile clocks that really differ.
    let mut shortest = [f64::INFINITY; 2];
    for check in 1..=MAX_HOST_CHECKS {
        for (shortest, sample) in shortest.iter_mut().zip(executor.round(&[0, 1])?) {
            *shortest = shortest.min(sample.unwrap_or(f64::INFINITY));
        }
        let [timestamps, host] = shortest;
        let off = (timestamps / host - 1.0).abs();
        if check >= HOST_CHECKS && off <= tolerance_of(Check::Clock).ratio {
            break;
        }
    }
    let [timestamps, host] = shortest;
    Ok(Some(timestamps / host).filter(|_| timestamps.is_finite() && host.is_finite()))
}
