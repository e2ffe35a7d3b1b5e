//! A session: one executor, its clock tested, its subgroup size seen.

use super::Profile;
use super::plan::{CaseSpec, Sizing};
use super::sizing::size;
use crate::gpu::{AdapterFacts, ClockKind, Executor, GpuError, Timing};
use crate::kernels::{chain::Chain, empty, subgroup_size};
use crate::record::{Adapter, Clock, Experiment, Status, SubgroupSize};
use crate::stats::{self, tolerance};
use std::sync::Arc;

/// What holds for every experiment of a run.
pub struct Session<'e> {
    pub(super) executor: &'e mut dyn Executor,
    /// The adapter, for the record.
    pub adapter: Adapter,
    /// The clock, for the record.
    pub clock: Clock,
    /// How much to measure.
    pub profile: Profile,
    /// Seed of every random choice.
    pub seed: u64,
    /// Lanes in a subgroup as `width` found them in this run.
    pub effective_width: Option<u32>,
}

/// Empty dispatches from which the clock's resolution and floor are read.
const CLOCK_SPANS: usize = 48;
/// Times that dispatch is timed by each clock, and at most where they do not agree by then.
const HOST_CHECKS: usize = 9;
const MOST_HOST_CHECKS: usize = 5 * HOST_CHECKS;
/// Long enough that submission and wait are small beside it.
const HOST_CHECK_S: f64 = 8e-3;

impl<'e> Session<'e> {
    /// Probes the device and tests its clock.
    ///
    /// # Errors
    /// When the device fails.
    pub fn open(
        executor: &'e mut dyn Executor,
        profile: Profile,
        seed: u64,
    ) -> Result<Self, GpuError> {
        let facts = executor.facts().clone();
        let observed = observe_subgroup_size(executor, &facts)?;
        let clock = test_clock(executor, &facts)?;
        let adapter = adapter(&facts, observed);
        Ok(Self { executor, adapter, clock, profile, seed, effective_width: None })
    }

    /// Takes up what an experiment found that later ones build on: the effective width.
    pub(super) fn learn_from(&mut self, outcome: &Experiment) {
        if outcome.status != Status::Measured {
            return;
        }
        let width = outcome.number("effective_width");
        self.effective_width = width.map(|width| width as u32).or(self.effective_width);
    }

    /// Lanes in a subgroup as a shader saw them, else as the driver reports them if it is sure.
    #[must_use]
    pub fn reported_width(&self) -> Option<u32> {
        let SubgroupSize { min, max, observed } = self.adapter.subgroup_size;
        observed.or(if min == max { max } else { None })
    }
}

fn observe_subgroup_size(
    executor: &mut dyn Executor,
    facts: &AdapterFacts,
) -> Result<Option<u32>, GpuError> {
    if !facts.has_subgroups() {
        return Ok(None);
    }
    let workload = subgroup_size::workload(facts.limits.workgroup_lanes.min(128));
    if executor.load(&[workload])?[0].is_some() {
        return Ok(None);
    }
    let sizes = executor.outputs(0)?;
    let alike = sizes.iter().all(|&size| size == sizes[0] && size > 0);
    Ok(sizes.first().copied().filter(|_| alike))
}

fn test_clock(executor: &mut dyn Executor, facts: &AdapterFacts) -> Result<Clock, GpuError> {
    executor.load(&[empty::workload(1)])?;
    executor.round(&[0])?;
    let spans: Vec<f64> =
        executor.round(&[0; CLOCK_SPANS])?.into_iter().filter_map(Result::ok).collect();
    let ticks: Vec<u64> =
        spans.iter().map(|s| (s * 1e9 / facts.period_ns).round() as u64).collect();
    // Spans that are all alike have no difference to tell a step from, and leave the nominal tick.
    let steps = ticks.iter().map(|t| t.abs_diff(ticks[0]));
    let resolution_ticks = steps.fold(0, greatest_common_divisor).max(1);
    Ok(Clock {
        kind: match facts.clock {
            ClockKind::TimestampQuery => "timestamp_query".to_owned(),
            ClockKind::Host => "host".to_owned(),
        },
        period_ns: facts.period_ns,
        resolution_ns: resolution_ticks as f64 * facts.period_ns,
        empty_span_ns: stats::median(&spans).map(|span_s| span_s * 1e9),
        host_check_ratio: match facts.clock {
            ClockKind::TimestampQuery => host_check(executor)?,
            ClockKind::Host => None,
        },
    })
}

/// One long dispatch by both clocks, in turn: timestamps that are taken at dispatch and not at
/// completion read far below the host.
fn host_check(executor: &mut dyn Executor) -> Result<Option<f64>, GpuError> {
    let case = CaseSpec {
        id: "host check".to_owned(),
        build: Arc::new(|workgroups| {
            Chain { lanes: 64, active: 64, trips: 2048, workgroups, seed: 1 }.workload()
        }),
        sizing: Sizing::Own { granule: 64, most: 32_768 },
        smaller: None,
    };
    let by_stamps = size(executor, &[case], HOST_CHECK_S)?.remove(0).workload;
    let once = Timing::Host { dispatches: 1, passes: 1, submits: 1, waits: 1 };
    let by_host = by_stamps.clone().timed(once);
    executor.load(&[by_stamps, by_host])?;
    executor.round(&[0, 1])?;
    // The shortest by each clock: whatever interferes only lengthens, and not both alike. Clocks that
    // disagree do so however often they are asked.
    let mut shortest = [f64::INFINITY; 2];
    for check in 1..=MOST_HOST_CHECKS {
        for (shortest, span) in shortest.iter_mut().zip(executor.round(&[0, 1])?) {
            *shortest = shortest.min(span.unwrap_or(f64::INFINITY));
        }
        let [stamps, host] = shortest;
        let off = (stamps / host - 1.0).abs();
        if check >= HOST_CHECKS && off <= tolerance::of("control.clock") {
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
        device_type: facts.device_type.to_owned(),
        backend: facts.backend.to_owned(),
        driver: facts.driver.clone(),
        driver_info: facts.driver_info.clone(),
        subgroup_size: SubgroupSize { min: facts.subgroup_min, max: facts.subgroup_max, observed },
        features: facts.features.iter().map(|&feature| feature.to_owned()).collect(),
        shader_checks: facts.shader_checks,
        limits: facts.limit_set.word().to_owned(),
    }
}
