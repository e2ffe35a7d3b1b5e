//! `ladder`: what each level of batching costs, and how much to batch.
//!
//! Eight levels, each a unit that carries a batch of the level below: a lane of items, a subgroup of
//! lanes, … a map of chunks. α is a unit's own cost, taken from units whose content is empty; t is the
//! content's, taken from the largest batch; every smaller batch is predicted.

use std::rc::Rc;

use super::{is_narrow, powers_of_two};
use crate::gpu::{Timing, Workload};
use crate::kernels::chain::Chain;
use crate::kernels::empty;
use crate::laws::batching::{
    batch_for_efficiency_on_parallel_hardware, batch_time_on_parallel_hardware,
    half_performance_batch, time_per_item,
};
use crate::measure::{
    CaseId, Context, Experiment, Idea, Plan, PointSpec, Sizing, Spans, Unsupported,
};
use crate::record;
use crate::stats::Verdict;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "ladder",
    idea: Idea::Amortization,
    law: "T(B) = (N/B)·α + N·t at every level of batching; n½ = α/t",
    about: "what a dispatch, a pass, a submit, a wait and a readback cost, and how much to batch",
    plan,
};

/// Steps of one item at the levels where an item is a whole lane's or workgroup's work.
const ITEM_TRIPS: u32 = 16;
/// Words in a chunk that a map brings back.
const CHUNK_WORDS: u32 = 1024;
/// Lanes of a workgroup at the levels that do not vary it.
const LANES: u32 = 64;

/// How α is told from t.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Calibration {
    /// α from units with empty content, at the smallest and the largest batch.
    Empty,
    /// There is no empty content to be had: α and t from the batch of one and the largest.
    Ends,
    /// As `Empty`, and the batch of one gives the latency below which no batch falls.
    EmptyWithLatency,
}

type Units = Rc<dyn Fn(u32) -> u32>;
type Build = Rc<dyn Fn(u32, u32, bool) -> Workload>;

struct Level {
    name: &'static str,
    calibration: Calibration,
    batches: Vec<u32>,
    /// Units that one step of scale holds, by batch.
    units: Units,
    /// A workload of `scale` steps, units of `batch` each, with content or without.
    build: Build,
    most_scale: u32,
    floor: Floor,
}

/// What surrounds a level's units without being of it.
#[derive(Clone, Copy)]
enum Floor {
    /// Nothing that counts.
    None,
    /// Once in a span: the submission and the wait that every span has.
    Span(CaseId),
    /// Once in a step of scale: the dispatch that holds its units.
    Dispatch(CaseId),
}

/// A level's measured cases.
struct Rungs {
    calibration: Calibration,
    /// Batch, case with content.
    loaded: Vec<(u32, CaseId)>,
    /// Empty content at the smallest and the largest batch.
    empty: Option<[(u32, CaseId); 2]>,
    floor: Floor,
    units: Units,
}

impl Rungs {
    /// Seconds per item of content.
    fn cost(&self, spans: &Spans<'_>, (batch, case): (u32, CaseId)) -> f64 {
        let seconds = match self.floor {
            Floor::None => spans.unit(case),
            Floor::Span(floor) => spans.unit_above(case, floor),
            Floor::Dispatch(train) => spans.unit(case) - spans.unit(train),
        };
        seconds / (f64::from((self.units)(batch)) * f64::from(batch))
    }

    fn ends(&self) -> [(u32, CaseId); 2] {
        [self.loaded[0], self.loaded[self.loaded.len() - 1]]
    }

    fn alpha(&self, spans: &Spans<'_>) -> f64 {
        let [one, most] = self.empty.unwrap_or_else(|| self.ends());
        let amortized = 1.0 / f64::from(one.0) - 1.0 / f64::from(most.0);
        (self.cost(spans, one) - self.cost(spans, most)) / amortized
    }

    fn item(&self, spans: &Spans<'_>) -> f64 {
        let most = self.ends()[1];
        self.cost(spans, most) - self.alpha(spans) / f64::from(most.0)
    }

    fn predicted(&self, spans: &Spans<'_>, batch: u32) -> f64 {
        let (alpha, item, b) = (self.alpha(spans), self.item(spans), f64::from(batch));
        match self.calibration {
            Calibration::EmptyWithLatency => {
                batch_time_on_parallel_hardware(alpha, item, self.latency(spans), b) / b
            }
            _ => time_per_item(alpha, item, b),
        }
    }

    /// Seconds that a batch of one takes beyond α, where that is a level's floor; else 0.
    fn latency(&self, spans: &Spans<'_>) -> f64 {
        match self.calibration {
            Calibration::EmptyWithLatency => self.cost(spans, self.loaded[0]) - self.alpha(spans),
            _ => 0.0,
        }
    }

    /// The batch that reaches `efficiency`; NaN for noise about zero, which asks for none, and for
    /// batches far beyond the sweep's end, of which it says little.
    fn batch_for(&self, spans: &Spans<'_>, efficiency: f64) -> f64 {
        let (alpha, item) = (self.alpha(spans), self.item(spans));
        let half = half_performance_batch(alpha, item);
        if half > 0.0 && half < 4.0 * f64::from(self.ends()[1].0) {
            let latency = self.latency(spans);
            batch_for_efficiency_on_parallel_hardware(alpha, item, latency, efficiency)
        } else {
            f64::NAN
        }
    }

    /// The smallest batch of the sweep that reaches `efficiency` of the largest one's rate; NaN where only the largest
    /// itself does.
    fn batch_found_for(&self, spans: &Spans<'_>, efficiency: f64) -> f64 {
        let (most, smaller) = self.loaded.split_last().expect("a sweep has batches");
        let enough = |rung: &&(u32, CaseId)| {
            self.cost(spans, *most) >= efficiency * self.cost(spans, **rung)
        };
        smaller.iter().find(enough).map_or(f64::NAN, |&(batch, _)| f64::from(batch))
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let mut plan = Plan::default();
    // Host-timed spans change pace from one to the next: many short ones tell more than few long ones.
    plan.shorten_spans(3);
    let dispatch = plan.case("dispatch", Sizing::Own { granule: 1, most: 512 }, |scale| {
        empty::workload(1).train(scale)
    });
    let host_floor = plan.case("host floor", Sizing::Own { granule: 1, most: 1 }, |_| {
        batched(empty::workload(1), 1, 1, 1, 1)
    });
    for level in inside_a_dispatch(context, dispatch) {
        add(&mut plan, &level);
    }
    if context.width.is_none() {
        plan.note(
            "lanes per subgroup and subgroups per workgroup were left out: the adapter does not say how \
             wide a subgroup is, and `width` has not run",
        );
    }
    for level in around_a_dispatch(context, host_floor) {
        add(&mut plan, &level);
    }
    plan.diagnose(diagnose);
    Ok(plan)
}

fn sweep(context: &Context<'_>, last: u32) -> Vec<u32> {
    let step = if context.profile.dense { 1 } else { 2 };
    let top = last.ilog2();
    // Counted from the top, so that the largest batch is always among them; one is too.
    let mut batches: Vec<u32> =
        powers_of_two(last).filter(|batch| (top - batch.ilog2()).is_multiple_of(step)).collect();
    if batches[0] != 1 {
        batches.insert(0, 1);
    }
    batches
}

/// Chains of `workgroups` workgroups in which `active` of `lanes` lanes work.
fn chain(seed: u32, lanes: u32, active: u32, trips: u32, workgroups: u32) -> Workload {
    Chain { lanes, active, trips, workgroups, seed }.workload()
}

fn batched(workload: Workload, dispatches: u32, passes: u32, submits: u32, waits: u32) -> Workload {
    workload.timed(Timing::Host { dispatches, passes, submits, waits })
}

/// Levels inside a dispatch: the GPU's clock brackets a train of dispatches of equal size. The more a
/// unit holds, the fewer units, so that outputs stay small enough for a cache and spans for a watchdog.
fn inside_a_dispatch(context: &Context<'_>, dispatch: CaseId) -> Vec<Level> {
    let seed = context.seed as u32;
    let level = |name, calibration, batches, units: Units, build| Level {
        name,
        calibration,
        batches,
        units,
        build,
        most_scale: 256,
        floor: Floor::Dispatch(dispatch),
    };
    let breadth = if is_narrow(context) { 1 } else { 8 };
    let lanes_in = move |batch: u32| (4096 / batch).max(512) * breadth * LANES;
    let mut levels = vec![level(
        "items_per_lane",
        Calibration::Empty,
        sweep(context, 256),
        Rc::new(lanes_in),
        Rc::new(move |scale, batch, full| {
            let trips = if full { batch } else { 0 };
            chain(seed, LANES, LANES, trips, lanes_in(batch) / LANES).train(scale)
        }),
    )];
    let Some(width) = context.width else {
        return levels;
    };
    let subgroups_in = move |_: u32| 4096 * breadth;
    levels.push(level(
        "lanes_per_subgroup",
        Calibration::Ends,
        sweep(context, width),
        Rc::new(subgroups_in),
        Rc::new(move |scale, batch, _| {
            chain(seed, width, batch, 128, subgroups_in(batch)).train(scale)
        }),
    ));
    let workgroups_in = move |batch: u32| (8192 * breadth / batch).min(65_535);
    let most = (context.facts.limits.workgroup_lanes / width).clamp(1, 16);
    levels.push(level(
        "subgroups_per_workgroup",
        Calibration::Empty,
        sweep(context, most),
        Rc::new(workgroups_in),
        Rc::new(move |scale, batch, full| {
            let (lanes, trips) = (width * batch, if full { ITEM_TRIPS } else { 0 });
            chain(seed, lanes, lanes, trips, workgroups_in(batch)).train(scale)
        }),
    ));
    levels
}

/// Levels from the dispatch outwards: a step of scale is a unit.
fn around_a_dispatch(context: &Context<'_>, host_floor: CaseId) -> Vec<Level> {
    let seed = context.seed as u32;
    // More than run at once, which on a large GPU are thousands.
    let most_workgroups = if is_narrow(context) { 4096 } else { 32_768 };
    let trips = |full: bool, trips: u32| if full { trips } else { 0 };
    let small = move |full: bool| chain(seed, LANES, LANES, trips(full, ITEM_TRIPS), 1);
    let level = |name, last, most_scale, floor, build| Level {
        name,
        calibration: Calibration::Empty,
        batches: sweep(context, last),
        units: Rc::new(|_| 1),
        build,
        most_scale,
        floor,
    };
    let dispatches: Build = Rc::new(move |scale, batch, full| {
        chain(seed, LANES, LANES, trips(full, 2 * ITEM_TRIPS), batch).train(scale)
    });
    let passes: Build = Rc::new(move |scale, batch, full| batched(small(full), batch, scale, 1, 1));
    let submits: Build =
        Rc::new(move |scale, batch, full| batched(small(full), 1, batch, scale, 1));
    let waits: Build = Rc::new(move |scale, batch, full| batched(small(full), 1, 1, batch, scale));
    let maps: Build = Rc::new(move |scale, batch, full| {
        let words = batch * CHUNK_WORDS;
        let content = chain(seed, LANES, LANES, 1, words / LANES);
        let words = if full { words } else { 1 };
        content.timed(Timing::Readback { maps: scale, words })
    });
    vec![
        Level {
            calibration: Calibration::EmptyWithLatency,
            ..level("workgroups_per_dispatch", most_workgroups, 2048, Floor::None, dispatches)
        },
        level("dispatches_per_pass", 64, 1024, Floor::Span(host_floor), passes),
        level("passes_per_submit", 64, 512, Floor::Span(host_floor), submits),
        level("submits_per_wait", 32, 256, Floor::None, waits),
        level("chunks_per_map", 1024, 256, Floor::None, maps),
    ]
}

fn add(plan: &mut Plan, level: &Level) {
    let name = level.name;
    if level.batches.len() < 3 {
        plan.note(format!(
            "{name} was left out: there is no batch between the smallest and the largest"
        ));
        return;
    }
    let mut case = |batch: u32, full: bool| {
        let build = Rc::clone(&level.build);
        let id = format!("{name}.{}{batch}", if full { "" } else { "empty." });
        let sizing = Sizing::Own { granule: 1, most: level.most_scale };
        (batch, plan.case(id, sizing, move |scale| build(scale, batch, full)))
    };
    let loaded: Vec<(u32, CaseId)> = level.batches.iter().map(|&batch| case(batch, true)).collect();
    let last = level.batches[level.batches.len() - 1];
    let empty =
        (level.calibration != Calibration::Ends).then(|| [case(1, false), case(last, false)]);
    let rungs = Rc::new(Rungs {
        calibration: level.calibration,
        loaded,
        empty,
        floor: level.floor,
        units: Rc::clone(&level.units),
    });

    // A batch that calibrates is not judged: the largest always, one where nothing else gives α.
    let first_judged = usize::from(level.calibration != Calibration::Empty);
    for &(batch, case) in &rungs.loaded[first_judged..rungs.loaded.len() - 1] {
        let (own, law) = (Rc::clone(&rungs), Rc::clone(&rungs));
        plan.point(PointSpec {
            series: name.to_owned(),
            x: ("per batch", f64::from(batch), ""),
            unit: "s",
            measured: Box::new(move |spans| own.cost(spans, (batch, case))),
            predicted: Box::new(move |spans| law.predicted(spans, batch)),
            claimed: true,
        });
    }
    plan.parameter_of(&rungs, format!("{name}.alpha"), "s", Rungs::alpha);
    plan.parameter_of(&rungs, format!("{name}.t"), "s", Rungs::item);
    let half = |rungs: &Rungs, spans: &Spans<'_>| rungs.batch_for(spans, 0.5);
    plan.figure_of(&rungs, format!("{name}.half_batch"), "", half);
    let most = |rungs: &Rungs, spans: &Spans<'_>| rungs.batch_for(spans, 0.9);
    plan.figure_of(&rungs, format!("{name}.batch_for_90_percent"), "", most);
    let found = |rungs: &Rungs, spans: &Spans<'_>| rungs.batch_found_for(spans, 0.9);
    plan.figure_of(&rungs, format!("{name}.batch_found_for_90_percent"), "", found);
}

fn diagnose(outcome: &record::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    for parameter in outcome.parameters.iter().filter(|p| p.name.ends_with(".alpha")) {
        let level = parameter.name.trim_end_matches(".alpha");
        if !parameter.is_firm() {
            text.push(format!(
                "{level}: its α is known to no better than a fifth, since it is small beside the noise of what a \
                 unit carries: how much to batch is not told, and the points are judged all the same"
            ));
        }
        let off: Vec<&record::Point> = outcome
            .points
            .iter()
            .filter(|p| p.series == level && p.verdict == Verdict::Deviates)
            .collect();
        let batches = |over: bool| {
            let off = off.iter().filter(|p| p.deviates(over));
            let batches: Vec<String> = off.map(|p| p.x.value.to_string()).collect();
            (!batches.is_empty()).then(|| batches.join(", "))
        };
        if let Some(batches) = batches(true) {
            text.push(format!(
                "{level}: batches of {batches} cost more than α + B·t: α grows with what it carries, or the \
                 content's own start-up is not in the empty unit"
            ));
        }
        if let Some(batches) = batches(false) {
            text.push(format!(
                "{level}: batches of {batches} cost less than α + B·t: units overlap, or large ones are slowed by \
                 memory"
            ));
        }
    }
    text
}
