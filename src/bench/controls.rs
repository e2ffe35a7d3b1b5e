//! Controls: ratios that must be 1, independently of any law.

use std::rc::Rc;

use super::case::CaseId;
use super::formula::Formula;
use super::plan::{ControlBuilder, Plan, Sizing, Tolerance};
use super::profile::MAX_TARGET_S;
use super::rounds::Samples;
use super::typical::{CONFIDENCE, Typical};
use crate::kernels::chain::{Chain, Loops};
use crate::model::{Check, Control, Interval};
use crate::stats;

/// The controls that every experiment must have.
pub(super) const CONTROLS: [Check; 3] = [Check::Same, Check::Linear, Check::Drift];

/// Returns the largest accepted deviation of a control from 1.
#[must_use]
pub fn tolerance_of(check: Check) -> Tolerance {
    let (ratio, reason) = match check {
        Check::Same => (0.02, "the same case under two names differs only by noise"),
        Check::Linear => (
            0.05,
            "the time beyond the floor case grows in proportion to the loops; preemption of long samples raises the ratio",
        ),
        Check::Drift | Check::Other => (
            0.10,
            "the slowdown that a round shares is divided out; a drift of 10 % over a run leaves well under \
             1 % within a round",
        ),
        Check::Clock => (
            0.25,
            "the host's time of a long dispatch includes submission and wait; timestamps taken at dispatch, \
             or a wrong tick period, cause far larger errors",
        ),
    };
    Tolerance { ratio, reason }
}

/// The control cases of a plan.
pub(super) struct Controls {
    canary: CaseId,
    /// The canary under a second name, `control.twin` in records.
    copy: CaseId,
    multiple: CaseId,
    floor: CaseId,
    /// Work of the multiple over work of the canary, each without the work of the floor case.
    longer: f64,
    /// The cases of the experiment whose samples have a length of their own.
    sized: Vec<usize>,
}

/// Work of the case `control.multiple`, as a multiple of the canary's work.
const TIMES: u32 = 4;

/// Largest number of workgroups of a control case. Every device allows 65,535.
const MOST: u32 = 65_280;

/// Multiple of a sample of the case `control.multiple` up to which it covers the length of other samples.
const COVERED: f64 = 2.0;

/// Samples of each control case in a round. All verdicts of an experiment depend on its controls, so they are
/// sampled more often than any other case.
const PER_ROUND: usize = 3;

impl Controls {
    /// Adds the control cases: a fixed canary, the same case under a second name, a multiple of its work, and
    /// a floor case: the launch alone on a CPU, and fewer loop iterations on a GPU.
    ///
    /// A plan may say what the control cases run; then the floor case runs nothing.
    ///
    /// The multiple has longer loops in as many workgroups, so that one floor case serves both. A sample of
    /// the multiple is as long as the longest samples of the experiment, and one of the canary a quarter of it. So
    /// the control `linear` covers the lengths of the samples that it vouches for.
    pub(super) fn add(plan: &mut Plan, is_narrow: bool, seed: u64) -> Self {
        let chain = move |iterations, workgroups| {
            let seed = seed as u32;
            Chain { workgroup_size: 64, active: 64, iterations, workgroups, seed }.workload()
        };
        let (build, Loops { whole, floor }) = match &plan.control {
            Some(own) => (Rc::clone(own), Loops { whole: 1, floor: 0 }),
            None => (Rc::new(chain) as ControlBuilder, Loops::on(is_narrow)),
        };
        let of = |loops| {
            let build = Rc::clone(&build);
            move |scale| build(loops, scale)
        };
        let sized = (0..plan.cases.len())
            .filter(|&case| !matches!(plan.cases[case].sizing, Sizing::Follow(_)))
            .collect();
        let shared = || Sizing::Longest { group: "control".to_owned(), granule: 1, most: MOST };
        let canary = plan.case("control.canary", shared(), of(whole));
        let multiple = plan.case("control.multiple", shared(), of(TIMES * whole));
        let follow = || Sizing::Follow(canary);
        Self {
            canary,
            copy: plan.case("control.twin", follow(), of(whole)),
            multiple,
            longer: f64::from(TIMES * whole - floor) / f64::from(whole - floor),
            floor: plan.floor("control.floor", follow(), of(floor)),
            sized,
        }
    }

    /// Returns the cases of a round that times `cases`: each of them once, and each control case several times.
    pub(super) fn round(&self, cases: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let controls = self.cases();
        let others = cases.into_iter().filter(|case| !controls.contains(case));
        others.chain(controls.repeat(PER_ROUND)).collect()
    }

    /// Returns the index of the canary.
    pub(super) fn canary(&self) -> usize {
        self.canary.0
    }

    /// Returns the indices of the control cases.
    pub(super) fn cases(&self) -> [usize; 4] {
        [self.canary, self.copy, self.multiple, self.floor].map(|CaseId(case)| case)
    }

    /// Computes the controls. `tolerance` is the one that the experiment's points are judged by.
    pub(super) fn read(
        &self,
        samples: &Samples,
        typical: &Typical,
        tolerance: f64,
    ) -> Vec<Control> {
        let same = self.canary.time() / self.copy.time();
        let linear =
            self.multiple.above(self.floor) / (self.longer * self.canary.above(self.floor));
        let read = |check, figure| {
            let figure = Formula::from(figure);
            ratio(check, typical.read(&figure), typical.interval(&figure, CONFIDENCE), tolerance)
        };
        let linear = read(Check::Linear, &linear).map(|linear| Control {
            passed: linear.passed && self.longer_sample_s(typical).is_none(),
            ..linear
        });
        let drift = drift(&samples.shortest(self.canary.0));
        [read(Check::Same, &same), linear, drift].into_iter().flatten().collect()
    }

    /// Returns the longest sample that `linear` covers, in seconds.
    pub(super) fn covered_s(&self, typical: &Typical) -> f64 {
        COVERED * typical.time_s(self.multiple.0)
    }

    /// Returns the longest typical sample of the experiment, in seconds, if disturbances while samples were sized left
    /// `linear` too short to cover its length.
    ///
    /// A scheduler that interrupts long samples only may interrupt that one, and `linear` would not see it.
    pub(super) fn longer_sample_s(&self, typical: &Typical) -> Option<f64> {
        if typical.scale(self.multiple.0) >= MOST {
            return None;
        }
        let times = self.sized.iter().map(|&case| typical.time_s(case));
        let longest_s = times.filter(|time_s| time_s.is_finite()).fold(0.0, f64::max);
        let longest_s = longest_s.min(MAX_TARGET_S);
        (longest_s > self.covered_s(typical)).then_some(longest_s)
    }
}

/// Returns the largest half-width of a control's interval with which the control can pass.
///
/// This is twice the control's tolerance, or half of `judged`, the tolerance of the judged points, if that is
/// more. A control with a wider interval proves nothing.
fn widest(check: Check, judged: f64) -> f64 {
    (2.0 * tolerance_of(check).ratio).max(judged / 2.0)
}

fn ratio(check: Check, ratio: f64, interval: Option<Interval>, judged: f64) -> Option<Control> {
    let mut control = control(check, ratio, interval)?;
    let half_width = interval.map_or(f64::INFINITY, Interval::half_width);
    control.passed &= half_width <= widest(check, judged);
    Some(control)
}

/// Returns whether no control needs more samples: each passed, or failed for what it found.
pub(super) fn are_settled(controls: &[Control]) -> bool {
    let failed = |control: &Control| {
        let distance = control.ratio_ci.map(|interval| interval.distance(1.0));
        distance.is_some_and(|distance| distance > tolerance_of(control.check).ratio)
    };
    controls.iter().all(|control| control.passed || failed(control))
}

/// Compares the canary in the second half of the run with the canary in the first half.
///
/// `canary` has one time per round, because samples of one round are disturbed together. Each time is divided by the
/// time half a run before it, so that a steady drift appears as one ratio.
fn drift(canary: &[f64]) -> Option<Control> {
    let half = canary.len().div_ceil(2);
    let apart = canary.iter().zip(canary.get(half..)?);
    let ratios: Vec<f64> = apart.map(|(early, late)| late / early).collect();
    control(Check::Drift, stats::median(&ratios)?, stats::median_interval(&ratios))
}

/// Builds a control, which passes unless its interval is entirely beyond its tolerance.
fn control(check: Check, ratio: f64, ratio_ci: Option<Interval>) -> Option<Control> {
    let evidence = ratio_ci.unwrap_or(Interval { lo: ratio, hi: ratio });
    let passed = evidence.distance(1.0) <= tolerance_of(check).ratio;
    ratio.is_finite().then_some(Control { check, ratio, ratio_ci, passed })
}
