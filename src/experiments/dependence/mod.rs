//! `dependence`: the cost of a dispatch that waits for the previous one.
//!
//! The cases are sequences of short dispatches of one workgroup each. Each dispatch continues from the
//! previous result, or has a separate part of one buffer, or has a separate buffer.
//!
//! Empty dispatches calibrate the overhead of a dispatch, and a long dispatch calibrates the execution time.
//! The longest sequence on separate buffers calibrates the number of dispatches that run concurrently.

pub mod kernel;
pub mod law;
pub mod predict;

use kernel::{Sequence, Sharing};
use law::{dependent_time, independent_time, slots_of};

use super::sweep::powers_of_two;
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::gpu::WantedWorkers;
use crate::model::{self, About, Category};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "dependence",
    category: Category::Coordination,
    law: "dependent: n·(α + t); independent: max(n·α_i + t, ⌈n/slots⌉·t + r·α_i), r = 1 + (n − 1) mod slots",
    about: "What does a dependency between dispatches cost, and how many independent dispatches run \
            concurrently?",
    tolerance: Tolerance {
        ratio: TOLERANCE,
        reason: "Two overheads and one execution time describe a sequence, and on some drivers an overhead \
                 is tens of microseconds and varies by half. One slot more or less changes the time by far \
                 more.",
    },
    shaders: || vec![kernel::shader()],
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: Some(&predict::LAW),
};

/// Tolerance of a sequence relative to its prediction, and of separate parts relative to one result.
const TOLERANCE: f64 = 0.15;

/// Invocations in the one workgroup of a dispatch.
const WORKGROUP_SIZE: u32 = 64;

/// Size of the sequences for a class of device.
struct Cut {
    /// Loop iterations per invocation. A dispatch takes several times as long as its launch.
    iterations: u32,
    /// Dispatches in the longest sequence.
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

/// Upper bound of the sequences per sample if each dispatch has a separate buffer.
const MAX_SEQUENCES_APART: u32 = 16;

/// Loop iterations of the calibrating dispatch, relative to a dispatch of the sweep.
const TIMES: u32 = 4;

/// For each kind of sequence, the name of the series and the first part of the case ids.
const SHARINGS: [(Sharing, &str, &str); 3] = [
    (Sharing::Results, "dependent, one result", "results"),
    (Sharing::Buffer, "independent, parts of one buffer", "parts"),
    (Sharing::Nothing, "independent, separate buffers", "apart"),
];

/// Returns the reason why the dispatches of a pass never run concurrently on this device, or `None` if they
/// may.
fn never_overlaps(context: &Context<'_>) -> Option<&'static str> {
    if context.is_narrow() {
        return Some("On a CPU, software runs one dispatch after another");
    }
    (context.facts.backend == "metal")
        .then_some("wgpu encodes a Metal pass serially, so its dispatches run in order")
}

/// Returns a text on the barriers that wgpu records between two dispatches.
fn barriers(backend: &str) -> &'static str {
    match backend {
        "vulkan" => {
            "Between dispatches that write the same buffer, wgpu records a Vulkan pipeline barrier from \
             compute to compute, even if they write separate parts. Between dispatches on separate buffers, \
             it records no barrier."
        }
        "dx12" => {
            "Between dispatches that write the same buffer, wgpu records a DX12 UAV barrier, even if they \
             write separate parts. Between dispatches on separate buffers, it records no barrier."
        }
        "metal" => {
            "wgpu records no barrier on Metal: the pass's encoder is serial, so each dispatch waits for the \
             previous one, even on separate buffers."
        }
        "gl" => {
            "Between dispatches that write the same buffer, wgpu records a GL memory barrier. The driver \
             decides how far other dispatches overlap."
        }
        _ => "The barriers that wgpu records between dispatches on this backend are unknown.",
    }
}

/// The cases that calibrate all predictions.
struct Alone {
    /// One empty dispatch, repeated.
    empty: CaseId,
    /// The longest sequence of empty dispatches on separate buffers.
    empties_apart: CaseId,
    /// One dispatch with [`TIMES`] times the loop iterations, repeated.
    long: CaseId,
    /// The longest sequences that are not empty: on one result, and on separate buffers.
    longest: [CaseId; 2],
    /// Dispatches in the longest sequence.
    dispatches: f64,
    /// Whether dispatches never run concurrently.
    serial: bool,
}

impl Alone {
    /// Returns the overhead of a dispatch that waits for the previous one, in seconds.
    fn alpha(&self) -> Expr {
        self.empty.per_unit()
    }

    /// Returns the overhead of a dispatch that does not wait, in seconds. The first dispatch of a sequence
    /// waits for the previous sequence, so its overhead is subtracted.
    fn issue(&self) -> Expr {
        (self.empties_apart.per_unit() - self.alpha()) / (self.dispatches - 1.0)
    }

    /// Returns the execution time of a dispatch in seconds.
    fn work(&self) -> Expr {
        (self.long.per_unit() - self.alpha()) / f64::from(TIMES)
    }

    /// Returns the seconds by which a dependent dispatch is slower than an independent dispatch.
    fn wait(&self) -> Expr {
        let [dependent, independent] = self.longest;
        dependent.per_unit_beyond(independent) / self.dispatches
    }

    /// Returns the number of slots in which the longest sequence ran.
    fn in_flight(&self) -> Expr {
        let n = self.dispatches;
        let sequence = self.longest[1].per_unit() - self.alpha() + self.issue();
        let of = [self.issue(), self.work(), sequence];
        Expr::call("slots_of", of, move |[issue, work, sequence]| {
            slots_of(n, issue, work, sequence)
        })
    }

    /// Returns the number of slots for the law: the dispatches in flight, rounded to a whole number, or 1 on
    /// a serial device.
    fn slots(&self) -> Expr {
        if self.serial {
            return 1.0.into();
        }
        Expr::call("slots", [self.in_flight()], |[in_flight]| in_flight.round().max(1.0))
    }

    /// Returns the predicted seconds for a sequence of `n` dispatches.
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
                // A sample has many sequences, and each one after the first waits for the previous one.
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
    let mut add_case = |name: String, sharing: Sharing, dispatches: u32, iterations: u32| {
        let sequence =
            Sequence { sharing, dispatches, iterations, workgroup_size: WORKGROUP_SIZE, seed };
        // With separate buffers, every sequence of a sample needs new buffers, so a sample has fewer
        // sequences.
        let most = if sharing == Sharing::Nothing { MAX_SEQUENCES_APART } else { 1024 };
        let own = Sizing::Own { granule: 1, most };
        plan.case(name, own, move |times| sequence.workload(times))
    };
    let never = never_overlaps(context);
    let step = if context.profile.dense { 1 } else { 2 };
    // The longest sequence on separate buffers calibrates the slots, so it is not judged. On a serial device,
    // the law assumes one slot, so all sequences are judged.
    let judged = |sharing| {
        if never.is_some() || sharing != Sharing::Nothing { longest } else { longest / 2 }
    };
    let swept = SHARINGS.map(|(sharing, series, id)| {
        let cases = powers_of_two(longest).skip(1).filter(|n| n.ilog2() % step == 0);
        let cases = cases.map(|n| (n, add_case(format!("{id}.{n}"), sharing, n, iterations)));
        (sharing, series, cases.collect::<Vec<_>>())
    });
    let last = |at: usize| {
        let (_, _, cases) = &swept[at];
        cases[cases.len() - 1].1
    };
    let alone = Alone {
        empty: add_case("empty".to_owned(), Sharing::Results, 1, 0),
        empties_apart: add_case("empty.apart".to_owned(), Sharing::Nothing, longest, 0),
        long: add_case("long".to_owned(), Sharing::Results, 1, TIMES * iterations),
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
            "{why}. The law for independent dispatches is therefore the serial one here, with one slot."
        ));
    }
    let serial = never.is_some();
    plan.diagnose(move |outcome| diagnose(outcome, serial));
    Ok(plan)
}

fn add_metrics(plan: &mut Plan, alone: &Alone) {
    plan.metric(
        About::new("alpha", "dispatch overhead, dependent dispatches", "s").lower(),
        alone.alpha(),
    );
    plan.metric(
        About::new("alpha_issue", "dispatch overhead, independent dispatches", "s").lower(),
        alone.issue(),
    );
    plan.metric(
        About::new("t_dispatch", "execution time of a dispatch, overhead excluded", "s").lower(),
        alone.work(),
    );
    let price = About::new("price_of_dependency", "cost of a dependency between dispatches", "s");
    plan.metric(
        price
            .lower()
            .headline()
            .note("per dependent dispatch, compared with independent dispatches"),
        alone.wait(),
    );
    let in_flight =
        About::new("dispatches_in_flight", "small independent dispatches in flight", "");
    plan.metric(in_flight.higher().headline().note("on separate buffers"), alone.in_flight());
    plan.metric(
        About::new("slots", "dispatches in flight, as assumed by the law", ""),
        alone.slots(),
    );
}

/// Returns one text for each effect that the metrics and the points show.
fn diagnose(outcome: &model::Experiment, serial: bool) -> Vec<String> {
    let mut text = Vec::new();
    let price = |name: &str| outcome.metric(name).and_then(|p| p.ci);
    if let (Some(waits), Some(does_not)) = (price("alpha"), price("alpha_issue"))
        && does_not.lo > waits.hi
    {
        text.push(
            "A dispatch on a separate buffer has more overhead than a dispatch that waits. On this device, \
             binding another buffer costs more than the barrier."
                .to_owned(),
        );
    }
    let off = |series: &str, over: bool| {
        outcome.points.iter().any(|p| p.series == series && p.deviates(over))
    };
    let [(_, results, _), (_, parts, _), (_, apart, _)] = SHARINGS;
    if off(results, true) {
        text.push(
            "Dependent dispatches take longer than their overhead and execution time predict. Either the \
             result must travel between units, or units that were idle in between start more slowly. Merge \
             dependent dispatches where the algorithm allows it."
                .to_owned(),
        );
    }
    if off(results, false) {
        text.push(
            "Dependent dispatches take less time than their overhead and execution time predict. The launch \
             of a dispatch probably overlaps with the end of the previous one."
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
            "Dispatches on separate parts of one buffer take less time than dispatches on one result. They \
             run side by side in spite of the barrier between them."
                .to_owned(),
        );
    }
    if ratios.iter().any(|&ratio| ratio > 1.0 + TOLERANCE) {
        text.push(
            "Dispatches on separate parts of one buffer take longer than dispatches on one result."
                .to_owned(),
        );
    }
    if off(apart, false) {
        text.push(if serial {
            "Dispatches on separate buffers overlap after all, although this device was expected to run them \
             one after another."
                .to_owned()
        } else {
            "Short sequences on separate buffers overlap better than the longest sequence, which calibrates \
             the number of slots."
                .to_owned()
        });
    }
    if off(apart, true) {
        text.push(
            "Dispatches on separate buffers take longer than predicted. Either concurrent dispatches compete \
             for hardware, or they are issued too slowly to run concurrently."
                .to_owned(),
        );
    }
    text
}
