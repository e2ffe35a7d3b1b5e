//! A session: one executor, its clock tested, its subgroup size seen.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use super::Profile;
use super::controls::tolerance_of;
use super::plan::{CaseSpec, Sizing};
use super::profile::{MAX_TARGET_S, MIN_TICKS};
use super::search::Found;
use super::sizing::size;
use super::throughput::Throughput;
use crate::gpu::{AdapterFacts, BadSpan, Executor, GpuError, Timing, Workload};
use crate::kernels::{chain::Chain, empty, subgroup_size};
use crate::model::{Adapter, Check, Clock, ClockKind, SubgroupSize};
use crate::stats;

/// What holds for every experiment of a run.
pub struct Session {
    pub(super) executor: Box<dyn Executor>,
    /// The adapter, for the record.
    pub adapter: Adapter,
    /// The clock, for the record.
    pub clock: Clock,
    /// How much to measure.
    pub profile: Profile,
    /// Seed of every random choice.
    pub seed: u64,
    /// Lanes in a subgroup as an experiment of this run found them.
    pub effective_width: Option<u32>,
    /// Launch configurations found in this run.
    pub(super) found: Found,
    issue_s: f64,
}

/// Dispatches of each length from which the clock's resolution and floor are read.
const CLOCK_SAMPLES: usize = 24;
/// Times that dispatch is timed by each clock, and at most where they do not agree by then.
const HOST_CHECKS: usize = 9;
const MAX_HOST_CHECKS: usize = 5 * HOST_CHECKS;
/// Long enough that submission and wait are small beside it.
const HOST_CHECK_S: f64 = 8e-3;

impl Session {
    /// Probes the device and tests its clock.
    ///
    /// # Errors
    /// When the device fails.
    pub fn open(
        mut executor: Box<dyn Executor>,
        profile: Profile,
        seed: u64,
    ) -> Result<Self, GpuError> {
        let facts = executor.facts().clone();
        let mut probe = || {
            let observed = observe_subgroup_size(&mut *executor, &facts)?;
            Ok((observed, test_clock(&mut *executor, &facts)?))
        };
        let (observed, (clock, issue_s)) = match probe() {
            Ok(probed) => probed,
            Err(error) => {
                close(executor, &error);
                return Err(error);
            }
        };
        let adapter = adapter(&facts, observed);
        Ok(Self {
            executor,
            adapter,
            clock,
            profile,
            seed,
            effective_width: None,
            found: Found::default(),
            issue_s,
        })
    }

    /// How fast the device is at the least, by the first dispatches that it ran.
    pub(super) fn throughput(&self) -> Throughput {
        let width = self.effective_width.or(self.reported_width()).unwrap_or(1);
        Throughput::new(self.issue_s, width)
    }

    /// Lanes in a subgroup as a shader saw them, else as the driver reports them if it is sure.
    #[must_use]
    pub fn reported_width(&self) -> Option<u32> {
        let SubgroupSize { min, max, observed } = self.adapter.subgroup_size;
        observed.or(if min == max { max } else { None })
    }
}

/// Lets go of a device that failed.
pub(super) fn close<T>(device: T, error: &GpuError) {
    if matches!(error, GpuError::Hung { .. }) {
        // To close it would be to wait for it.
        std::mem::forget(device);
    }
}

/// Loads workloads that nothing works without.
fn load_all(executor: &mut dyn Executor, workloads: &[Workload]) -> Result<(), GpuError> {
    match executor.load(workloads)?.into_iter().flatten().next() {
        None => Ok(()),
        Some(reason) => Err(GpuError::Device { adapter: executor.facts().name.clone(), reason }),
    }
}

fn observe_subgroup_size(
    executor: &mut dyn Executor,
    facts: &AdapterFacts,
) -> Result<Option<u32>, GpuError> {
    if !facts.has_subgroups() {
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

/// The clock, and how many seconds a subgroup takes to issue an instruction.
fn test_clock(executor: &mut dyn Executor, facts: &AdapterFacts) -> Result<(Clock, f64), GpuError> {
    // Of one lane and several lengths, so that a clock that ticks rarely does not read the same of all.
    let lengths = [101, 1_009, 10_007].map(|iterations| {
        Chain { workgroup_size: 1, active: 1, iterations, workgroups: 1, seed: 1 }.workload()
    });
    let [_, short, long] = lengths.each_ref().map(|w| (w.dispatches[0].cost_model)(1).issues);
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
    let resolution_ticks = ticks.fold(0, greatest_common_divisor).max(1);
    let mut clock = Clock {
        kind: facts.clock,
        period_ns: facts.period_ns,
        resolution_ns: resolution_ticks as f64 * facts.period_ns,
        empty_span_ns: typical_s(0).map(|sample_s| sample_s * 1e9),
        host_check_ratio: match facts.clock {
            ClockKind::TimestampQuery => host_check(executor)?,
            ClockKind::Host => None,
        },
        faults: facts.clock_fault.iter().cloned().collect(),
    };
    if is_too_coarse(&clock) {
        clock.faults.push(format!(
            "it ticks every {:.0} ns: {MIN_TICKS} ticks are longer than a span may be",
            clock.resolution_ns
        ));
    }
    let mut bad: BTreeMap<BadSpan, usize> = BTreeMap::new();
    for reason in probes.iter().filter_map(|probe| probe.err()) {
        *bad.entry(reason).or_default() += 1;
    }
    let of = probes.len();
    clock.faults.extend(bad.iter().map(|(reason, n)| format!("{n} of {of} first spans: {reason}")));
    Ok((clock, issue_s))
}

/// Whether the clock ticks too rarely for any span that may be planned.
pub(super) fn is_too_coarse(clock: &Clock) -> bool {
    MIN_TICKS * clock.resolution_ns * 1e-9 > MAX_TARGET_S
}

/// One long dispatch by both clocks, in turn: timestamps that are taken at dispatch and not at
/// completion read far below the host.
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
    let by_stamps =
        size(executor, &[case], HOST_CHECK_S, Throughput::UNKNOWN, &AtomicBool::new(false))?
            .remove(0)
            .workload;
    let once = Timing::Host { dispatches: 1, passes: 1, submits: 1, waits: 1 };
    let by_host = by_stamps.clone().timed(once);
    load_all(executor, &[by_stamps, by_host])?;
    executor.round(&[0, 1])?;
    // The shortest by each clock: whatever interferes only lengthens, and not both alike. Clocks that
    // disagree do so however often they are asked.
    let mut shortest = [f64::INFINITY; 2];
    for check in 1..=MAX_HOST_CHECKS {
        for (shortest, sample) in shortest.iter_mut().zip(executor.round(&[0, 1])?) {
            *shortest = shortest.min(sample.unwrap_or(f64::INFINITY));
        }
        let [stamps, host] = shortest;
        let off = (stamps / host - 1.0).abs();
        if check >= HOST_CHECKS && off <= tolerance_of(Check::Clock).ratio {
            break;
        }
    }
    let [stamps, host] = shortest;
    Ok(Some(stamps / host).filter(|_| stamps.is_finite() && host.is_finite()))
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn adapter(facts: &AdapterFacts, observed: Option<u32>) -> Adapter {
    Adapter {
        name: facts.name.clone(),
        vendor_id: facts.vendor_id,
        device_id: facts.device_id,
        device_type: facts.device_type,
        backend: facts.backend.to_owned(),
        driver: facts.driver.clone(),
        driver_info: facts.driver_info.clone(),
        subgroup_size: SubgroupSize { min: facts.subgroup_min, max: facts.subgroup_max, observed },
        features: facts.features.iter().map(|&feature| feature.to_owned()).collect(),
        shader_checks: facts.shader_checks,
        limits: facts.limit_set.as_str().to_owned(),
    }
}
