//! Controls: what must come out as 1, whatever the law.

use super::plan::{CaseId, Plan, Sizing};
use super::rounds::Samples;
use super::typical::{Spans, Typical};
use crate::kernels::{chain::Chain, empty};
use crate::record::Control;
use crate::stats::{self, Interval, tolerance};

/// The controls that every experiment must have.
pub(super) const CONTROLS: [&str; 3] = ["same", "linear", "drift"];

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
    /// Adds a fixed canary, the same case under a second name, a multiple of its work, and a dispatch that
    /// does nothing.
    pub(super) fn add(plan: &mut Plan, seed: u64) -> Self {
        const TRIPS: u32 = 1024;
        let chain = move |workgroups| {
            Chain { lanes: 64, active: 64, trips: TRIPS, workgroups, seed: seed as u32 }.workload()
        };
        let own = Sizing::Own { granule: 4, most: 16_320 };
        let canary = plan.case("control.canary", own, chain);
        let follow = || Sizing::Follow(canary);
        Self {
            canary,
            twin: plan.case("control.twin", follow(), chain),
            multiple: plan.case("control.multiple", follow(), move |n| chain(TIMES * n)),
            floor: plan.case("control.floor", follow(), |_| empty::workload(1)),
        }
    }

    /// Their cases.
    pub(super) fn cases(&self) -> [usize; 4] {
        [self.canary, self.twin, self.multiple, self.floor].map(|CaseId(case)| case)
    }

    /// What the controls read, for points judged by `tolerance`.
    pub(super) fn read(
        &self,
        samples: &Samples,
        typical: &Typical,
        tolerance: f64,
    ) -> Vec<Control> {
        let same = |spans: &Spans<'_>| spans.of(self.canary) / spans.of(self.twin);
        let linear = |spans: &Spans<'_>| {
            spans.above(self.multiple, self.floor)
                / (f64::from(TIMES) * spans.above(self.canary, self.floor))
        };
        let canary: Vec<f64> = samples.of(self.canary.0).into_iter().flatten().collect();
        [
            ratio("same", typical, &same, tolerance),
            ratio("linear", typical, &linear, tolerance),
            drift(&canary),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A control whose interval reaches further than twice its own tolerance, and than half of the tolerance
/// of what is judged, says nothing, and so does not pass.
fn widest(name: &str, judged: f64) -> f64 {
    (2.0 * tolerance_of(name)).max(judged / 2.0)
}

fn ratio(
    name: &str,
    typical: &Typical,
    figure: &dyn Fn(&Spans<'_>) -> f64,
    judged: f64,
) -> Option<Control> {
    let interval = typical.interval(figure);
    let mut control = control(name, typical.read(figure), interval)?;
    let half_width = interval.map_or(f64::INFINITY, Interval::half_width);
    control.passed &= half_width <= widest(name, judged);
    Some(control)
}

/// The canary in the second half of the run over the first: each round over the one half of the run before
/// it, so that a steady drift shows as one figure.
fn drift(canary: &[f64]) -> Option<Control> {
    let half = canary.len().div_ceil(2);
    let apart = canary.iter().zip(canary.get(half..)?);
    let ratios: Vec<f64> = apart.map(|(early, late)| late / early).collect();
    control("drift", stats::median(&ratios)?, stats::median_interval(&ratios))
}

/// Passed unless the evidence puts it beyond its tolerance.
fn control(name: &str, value: f64, interval: Option<Interval>) -> Option<Control> {
    let evidence = interval.unwrap_or(Interval { lo: value, hi: value });
    let passed = evidence.distance(1.0) <= tolerance_of(name);
    value.is_finite().then(|| Control {
        name: name.to_owned(),
        ratio: value,
        ratio_ci: interval,
        passed,
    })
}

fn tolerance_of(name: &str) -> f64 {
    tolerance::of(&format!("control.{name}"))
}
