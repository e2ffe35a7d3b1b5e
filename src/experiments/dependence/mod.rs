//! `dependence`: what it costs a dispatch to wait for the one before.
//!
//! Trains of short dispatches of one workgroup: each on what the one before wrote, each on a part of one
//! buffer, each on a buffer of its own. Empty trains calibrate what a dispatch costs, a long dispatch
//! calibrates its work, and the longest train of buffers apart how many run side by side.

pub mod kernel;
pub mod law;
pub mod predict;

use kernel::{Sequence, Sharing};
use law::{dependent_time, independent_time};

use super::sweep::powers_of_two;
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::model::{self, About, Category};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "dependence",
    category: Category::Coordination,
    law: "dependent: n·(α + t); independent: n·α_i + t·⌈n/slots⌉",
    about: "what one dependency between dispatches costs, and how many run side by side without",
    tolerance: Tolerance {
        ratio: TOLERANCE,
        reason: "two launches and one piece of work stand for a train: a launch is tens of microseconds on some \
                 drivers and varies by half, and one slot more or less shows as far more",
    },
    shaders: || vec![kernel::shader()],
    plan,
    predict: Some(&predict::LAW),
};

/// How far a train may lie from its prediction, and one on parts from one on a result.
const TOLERANCE: f64 = 0.15;

/// Lanes of the one workgroup of a dispatch.
const WORKGROUP_SIZE: u32 = 64;

/// How the trains are cut for a class of device.
struct Cut {
    /// Iterations of a lane: a dispatch several times as long as launching it.
    iterations: u32,
    /// Dispatches in the longest train.
    longest: u32,
}

impl Cut {
    fn of(context: &Context<'_>) -> Self {
        if context.is_narrow() {
            Self { iterations: 8192, longest: 16 }
        } else {
            Self { iterations: 2048, longest: 64 }
        }
    }
}

/// Trains in a sample where each dispatch has a buffer to itself.
const MAX_SEQUENCES_APART: u32 = 16;

/// Times the work of a dispatch in the one that calibrates it.
const TIMES: u32 = 4;

const SHARINGS: [(Sharing, &str, &str); 3] = [
    (Sharing::Results, "on one result", "results"),
    (Sharing::Buffer, "on parts of one buffer", "parts"),
    (Sharing::Nothing, "on buffers apart", "apart"),
];

/// Whether dispatches of a pass can run side by side at all, and if not, why.
fn never_overlaps(context: &Context<'_>) -> Option<&'static str> {
    if context.is_narrow() {
        return Some("software runs one dispatch after another");
    }
    (context.facts.backend == "metal")
        .then_some("wgpu encodes a Metal pass serially, which orders its dispatches")
}

/// What wgpu puts between two dispatches.
fn barriers(backend: &str) -> &'static str {
    match backend {
        "vulkan" => {
            "between dispatches that write one buffer wgpu records a pipeline barrier on Vulkan, from compute to \
             compute, whichever parts they touch; between dispatches on buffers apart it records none"
        }
        "dx12" => {
            "between dispatches that write one buffer wgpu records a UAV barrier on DX12, whichever parts they touch; \
             between dispatches on buffers apart it records none"
        }
        "metal" => {
            "wgpu records no barrier on Metal: the pass's encoder is serial, so each dispatch waits for the one before, \
             whatever they touch"
        }
        "gl" => {
            "between dispatches that write one buffer wgpu records a memory barrier on GL; how far others overlap is for \
             the driver to say"
        }
        _ => "what this backend puts between dispatches is not known",
    }
}

/// What every prediction rests on.
struct Alone {
    /// Trains of nothing: one dispatch, repeated; and the longest train of buffers apart.
    empty: CaseId,
    empties_apart: CaseId,
    /// One dispatch of several times the work, repeated.
    long: CaseId,
    /// The longest trains that work, on one result and on buffers apart.
    longest: [CaseId; 2],
    dispatches: f64,
    serial: bool,
}

impl Alone {
    /// Seconds a dispatch costs that waits for the one before.
    fn alpha(&self) -> Expr {
        self.empty.per_unit()
    }

    /// Seconds one costs that does not: the longest train, less the wait of one train for another.
    fn issue(&self) -> Expr {
        (self.empties_apart.per_unit() - self.alpha()) / (self.dispatches - 1.0)
    }

    /// Seconds a dispatch works.
    fn work(&self) -> Expr {
        (self.long.per_unit() - self.alpha()) / f64::from(TIMES)
    }

    /// Seconds by which a dispatch that waits is slower than one that need not.
    fn wait(&self) -> Expr {
        let [dependent, independent] = self.longest;
        dependent.per_unit_beyond(independent) / self.dispatches
    }

    /// Dispatches that ran side by side in the longest train.
    fn in_flight(&self) -> Expr {
        let working = self.longest[1].per_unit_beyond(self.empties_apart);
        self.dispatches * self.work() / working
    }

    /// The same as the law is told it, a whole number.
    fn slots(&self) -> Expr {
        if self.serial {
            return 1.0.into();
        }
        Expr::call("slots", [self.in_flight()], |[in_flight]| in_flight.round().max(1.0))
    }

    fn predicted(&self, sharing: Sharing, n: u32) -> Expr {
        let n = f64::from(n);
        let work = self.work().positive();
        match sharing {
            Sharing::Results | Sharing::Buffer => {
                Expr::call("dependent_time", [self.alpha(), work], move |[alpha, work]| {
                    dependent_time(n, alpha, work)
                })
            }
            Sharing::Nothing => {
                let of = [self.issue(), work, self.slots()];
                let time = Expr::call("independent_time", of, move |[issue, work, slots]| {
                    independent_time(n, issue, work, slots)
                });
                // A sample is many trains, and each but the first waits for the one before.
                time + self.alpha() - self.issue()
            }
        }
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let Cut { iterations, longest } = Cut::of(context);
    context.require_workgroup_size(WORKGROUP_SIZE)?;
    let mut plan = Plan::default();
    let seed = context.seed as u32;
    let mut repeated = |name: String, sharing: Sharing, dispatches: u32, iterations: u32| {
        let repeated =
            Sequence { sharing, dispatches, iterations, workgroup_size: WORKGROUP_SIZE, seed };
        // Buffers apart are each used once.
        let most = if sharing == Sharing::Nothing { MAX_SEQUENCES_APART } else { 1024 };
        let own = Sizing::Own { granule: 1, most };
        plan.case(name, own, move |times| repeated.workload(times))
    };
    let never = never_overlaps(context);
    let step = if context.profile.dense { 1 } else { 2 };
    // With slots counted and not assumed, the longest train apart is what they are counted from.
    let judged = |sharing| {
        if never.is_some() || sharing != Sharing::Nothing { longest } else { longest / 2 }
    };
    let swept = SHARINGS.map(|(sharing, series, id)| {
        let cases = powers_of_two(longest).skip(1).filter(|n| n.ilog2() % step == 0);
        let cases = cases.map(|n| (n, repeated(format!("{id}.{n}"), sharing, n, iterations)));
        (sharing, series, cases.collect::<Vec<_>>())
    });
    let last = |at: usize| {
        let (_, _, cases) = &swept[at];
        cases[cases.len() - 1].1
    };
    let alone = Alone {
        empty: repeated("empty".to_owned(), Sharing::Results, 1, 0),
        empties_apart: repeated("empty.apart".to_owned(), Sharing::Nothing, longest, 0),
        long: repeated("long".to_owned(), Sharing::Results, 1, TIMES * iterations),
        longest: [last(0), last(2)],
        dispatches: f64::from(longest),
        serial: never.is_some(),
    };
    for (sharing, series, cases) in swept {
        let series = plan.series(series, ("dispatches", ""), "s");
        for (n, case) in cases {
            let (x, time) = (f64::from(n), case.per_unit());
            let predicted = alone.predicted(sharing, n);
            if n <= judged(sharing) {
                plan.judge(series, x, time, predicted);
            } else {
                plan.show(series, x, time, predicted);
            }
        }
    }
    add_metrics(&mut plan, &alone);
    plan.note(barriers(context.facts.backend));
    if let Some(why) = never {
        plan.note(format!(
            "{why}: the law for independent dispatches is the serial one here, with one slot"
        ));
    }
    let serial = never.is_some();
    plan.diagnose(move |outcome| diagnose(outcome, serial));
    Ok(plan)
}

fn add_metrics(plan: &mut Plan, alone: &Alone) {
    plan.metric(About::new("alpha", "dispatch overhead, dependent", "s").lower(), alone.alpha());
    plan.metric(
        About::new("alpha_issue", "dispatch overhead, independent", "s").lower(),
        alone.issue(),
    );
    plan.metric(
        About::new("t_dispatch", "execution time of a dispatch", "s").lower(),
        alone.work(),
    );
    let price = About::new("price_of_dependency", "cost of a dependency between dispatches", "s");
    plan.metric(price.lower().headline().note("on every dispatch that waits"), alone.wait());
    let in_flight =
        About::new("dispatches_in_flight", "small independent dispatches in flight", "");
    plan.metric(in_flight.higher().headline().note("on buffers apart"), alone.in_flight());
    plan.metric(
        About::new("slots", "dispatches in flight that the law assumes", ""),
        alone.slots(),
    );
}

fn diagnose(outcome: &model::Experiment, serial: bool) -> Vec<String> {
    let mut text = Vec::new();
    let price = |name: &str| outcome.metric(name).and_then(|p| p.ci);
    if let (Some(waits), Some(does_not)) = (price("alpha"), price("alpha_issue"))
        && does_not.lo > waits.hi
    {
        text.push(
            "launching a dispatch on a buffer of its own costs more than one that waits: binding another buffer is \
             dearer here than the barrier"
                .to_owned(),
        );
    }
    let off = |series: &str, over: bool| {
        outcome.points.iter().any(|p| p.series == series && p.deviates(over))
    };
    let [(_, results, _), (_, parts, _), (_, apart, _)] = SHARINGS;
    if off(results, true) {
        text.push(
            "dispatches that wait for a result take longer than one and its launch: the result must travel, or \
             units that idled in between start slower"
                .to_owned(),
        );
    }
    if off(results, false) {
        text.push(
            "dispatches that wait for a result take less than one and its launch: launching the next overlaps with \
             the end of the one before"
                .to_owned(),
        );
    }
    let measured = |series: &str, n: f64| {
        let at = |p: &&model::Point| p.series == series && p.x.value == n;
        outcome.points.iter().find(at).map(|p| p.measured)
    };
    let against_results = |p: &model::Point| Some(p.measured / measured(results, p.x.value)?);
    let of_parts = outcome.points.iter().filter(|p| p.series == parts);
    let ratios: Vec<f64> = of_parts.filter_map(against_results).collect();
    if ratios.iter().any(|&ratio| ratio < 1.0 - TOLERANCE) {
        text.push(
            "dispatches on parts of one buffer take less than on one result: they run side by side in spite of the \
             barrier between them"
                .to_owned(),
        );
    }
    if ratios.iter().any(|&ratio| ratio > 1.0 + TOLERANCE) {
        text.push("dispatches on parts of one buffer take longer than on one result".to_owned());
    }
    if off(apart, false) {
        text.push(if serial {
            "dispatches on buffers apart overlap after all".to_owned()
        } else {
            "short trains on buffers apart overlap better than the longest".to_owned()
        });
    }
    if off(apart, true) {
        text.push(
            "dispatches on buffers apart take longer than their turns: those side by side compete, or they are \
             issued too slowly to meet"
                .to_owned(),
        );
    }
    text
}
