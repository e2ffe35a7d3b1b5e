//! Controls: what must come out as 1 in every round, whatever the law.

use super::plan::{CaseId, Plan, Sizing};
use super::rounds::Samples;
use crate::kernels::chain::Chain;
use crate::record::Control;
use crate::stats::{self, Interval, tolerance};

/// The control cases among a plan's own.
pub(super) struct Controls {
    canary: CaseId,
    twin: CaseId,
    multiple: CaseId,
    floor: CaseId,
}

/// Times the canary's work in its multiple.
const TIMES: u32 = 4;

impl Controls {
    /// Adds a fixed canary, the same case under a second name, a multiple of its work, and their floor.
    pub(super) fn add(plan: &mut Plan, seed: u64) -> Self {
        let chain = move |workgroups, trips| {
            Chain { lanes: 64, active: 64, trips, workgroups, seed: seed as u32 }.workload()
        };
        const TRIPS: u32 = 192;
        let own = Sizing::Own { granule: 64, most: 16_320 };
        let canary = plan.case("control.canary", own, move |n| chain(n, TRIPS));
        let mut follow = |name: &str, times: u32, trips: u32| {
            plan.case(name, Sizing::Follow(canary), move |n| chain(times * n, trips))
        };
        Self {
            canary,
            twin: follow("control.twin", 1, TRIPS),
            multiple: follow("control.multiple", TIMES, TRIPS),
            floor: follow("control.floor", 1, 0),
        }
    }

    /// What the controls read.
    pub(super) fn read(&self, samples: &Samples, seed: u64) -> Vec<Control> {
        let same = samples.per_round(&|round| round.span(self.canary) / round.span(self.twin));
        let linear = samples.per_round(&|round| {
            round.above(self.multiple, self.floor)
                / (f64::from(TIMES) * round.above(self.canary, self.floor))
        });
        let canary = samples.per_round(&|round| round.span(self.canary));
        [ratio("same", &same, seed), ratio("linear", &linear, seed), drift(&canary, seed)]
            .into_iter()
            .flatten()
            .collect()
    }
}

fn ratio(name: &str, per_round: &[f64], seed: u64) -> Option<Control> {
    control(name, stats::median(per_round)?, stats::median_interval(per_round, seed))
}

/// The canary in the second half of the run over the first.
fn drift(canary: &[f64], seed: u64) -> Option<Control> {
    let (early, late) = canary.split_at(canary.len() / 2);
    let value = stats::median(late)? / stats::median(early)?;
    let interval = stats::median_interval(early, seed)
        .zip(stats::median_interval(late, seed))
        .map(|(e, l)| Interval { lo: l.lo / e.hi, hi: l.hi / e.lo });
    control("drift", value, interval)
}

/// Passed unless the evidence puts it beyond its tolerance.
fn control(name: &str, value: f64, interval: Option<Interval>) -> Option<Control> {
    let evidence = interval.unwrap_or(Interval { lo: value, hi: value });
    let passed = evidence.distance(1.0) <= tolerance::of(&format!("control.{name}"));
    value.is_finite().then(|| Control {
        name: name.to_owned(),
        ratio: value,
        ratio_ci: interval,
        passed,
    })
}
