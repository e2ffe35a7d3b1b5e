//! `batching`: the cost of each level of batching, and the batch size that amortizes this cost.
//!
//! The experiment has eight levels. At each level a unit carries a batch of items: a lane carries loop
//! iterations, a subgroup carries lanes, and so on up to a map, which carries chunks. α is the cost of the
//! unit itself and comes from units without content. t is the cost of one item and comes from the largest
//! batch. The law predicts the smaller batches.
//!
//! A floor case is work around the units, such as a submission and a wait. Its time is subtracted from the
//! other cases.

mod costs;
pub mod law;
mod level;
mod loops;
pub mod predict;

use costs::{Calibration, Cost, Costs, Floor};
use level::{
    CHUNK_WORDS, ITEM_STEPS, ITEM_STEPS_OF_A_LANE, LANE_STEPS, Level, WORKGROUP_SIZE,
    WORKGROUP_STEPS,
};
use loops::{add_loops, batched, diagnose_wake_ups};

use super::lanes::full_subgroup;
use super::sweep::powers_of_two;
use crate::bench::{CaseId, Context, Experiment, Plan, Sizing, Tolerance, Unsupported};
use crate::gpu::{Timing, WantedWorkers, Workload};
use crate::kernels::chain::Chain;
use crate::kernels::empty;
use crate::model::{self, About, Category, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "batching",
    category: Category::Amortization,
    law: "T(B) = (N/B)·α + N·t at every level of batching, and the larger of both where units are launched ahead; n½ = α/t",
    about: "What do a dispatch, pass, submit, wait and readback cost, and how large must a batch be?",
    tolerance: Tolerance {
        ratio: 0.15,
        reason: "Two parameters represent a whole level of driver and hardware, and 15 % allow for costs \
                 that grow a little with the batch. The batch sizes that follow are then right to 15 %.",
    },
    shaders: Vec::new,
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: Some(&predict::LAW),
};

/// Fewest units of a stream.
const STREAM: u32 = 4;

/// The sweep of one level.
struct Sweep {
    level: Level,
    calibration: Calibration,
    /// Batch sizes in ascending order.
    batches: Vec<u32>,
    /// Upper bound of the scale of a case.
    most_scale: u32,
    floor: Floor,
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let mut plan = Plan::default();
    // The speed of host-timed work varies from sample to sample. Many short samples give a more precise
    // result than a few long ones.
    plan.shorten_samples(3);
    let dispatch = plan.case("dispatch", Sizing::Own { granule: 1, most: 512 }, |scale| {
        empty::workload(1).repeated(scale)
    });
    let host_floor = plan.floor("host floor", Sizing::Own { granule: 1, most: 1 }, |_| {
        batched(empty::workload(1), 1, 1, 1, 1)
    });
    add_inside_a_dispatch(&mut plan, context, dispatch);
    if context.width.is_none() {
        plan.note(
            "The levels lanes_per_subgroup and subgroups_per_workgroup are left out, because the subgroup \
             width is unknown: the adapter does not report it and `width` has not run. Include `width` in \
             the run.",
        );
    }
    add_around_a_dispatch(&mut plan, context, host_floor);
    add_loops(&mut plan, host_floor);
    plan.diagnose(diagnose);
    Ok(plan)
}

/// Returns the batch sizes of a level: powers of two from 1 to at most `last`.
fn sweep(context: &Context<'_>, last: u32) -> Vec<u32> {
    let step = if context.profile.dense { 1 } else { 2 };
    let top = last.ilog2();
    // A sparse sweep counts down from the largest power of two, so that it contains the largest batch. The
    // batch of one is always included.
    let mut batches: Vec<u32> =
        powers_of_two(last).filter(|batch| (top - batch.ilog2()).is_multiple_of(step)).collect();
    if batches[0] != 1 {
        batches.insert(0, 1);
    }
    batches
}

/// Builds a dispatch of arithmetic in which the first `active` invocations of each workgroup run `iterations`
/// loop iterations.
fn chain(
    seed: u32,
    workgroup_size: u32,
    active: u32,
    iterations: u32,
    workgroups: u32,
) -> Workload {
    Chain { workgroup_size, active, iterations, workgroups, seed }.workload()
}

/// Returns `iterations` if the unit has content, otherwise 0.
fn iterations_if(full: bool, iterations: u32) -> u32 {
    if full { iterations } else { 0 }
}

/// Adds the levels inside a dispatch. GPU timestamps bracket repeats of one dispatch.
///
/// A dispatch contains fewer units if the units carry more items. Its outputs then fit in a cache, and its
/// samples stay far below the timeout of a watchdog.
fn add_inside_a_dispatch(plan: &mut Plan, context: &Context<'_>, dispatch: CaseId) {
    let seed = context.seed as u32;
    let sweep = |level, calibration, last| Sweep {
        level,
        calibration,
        batches: sweep(context, last),
        most_scale: 256,
        floor: Floor::Dispatch(dispatch),
    };
    let (breadth, launched) = match context.is_narrow() {
        true => (1, Calibration::Empty),
        // A GPU launches workgroups while it executes others.
        false => (8, Calibration::EmptyOverlapped),
    };
    let lanes_in = move |_: u32| 512 * breadth * WORKGROUP_SIZE;
    let items = sweep(Level::ItemsPerLane, launched, 32);
    add(plan, items, lanes_in, move |scale, batch, full| {
        chain(
            seed,
            WORKGROUP_SIZE,
            WORKGROUP_SIZE,
            iterations_if(full, batch * ITEM_STEPS_OF_A_LANE),
            lanes_in(batch) / WORKGROUP_SIZE,
        )
        .repeated(scale)
    });
    let Some(width) = context.width.and_then(|w| context.width_of(&full_subgroup(w)).ok()) else {
        return;
    };
    let subgroups_in = move |_: u32| 4096 * breadth;
    let lanes = sweep(Level::LanesPerSubgroup, Calibration::Ends, width);
    add(plan, lanes, subgroups_in, move |scale, batch, _| {
        chain(seed, width, batch, LANE_STEPS, subgroups_in(batch)).repeated(scale)
    });
    let workgroups_in = move |batch: u32| (8192 * breadth / batch).min(65_535);
    let most = (context.facts.limits.max_workgroup_size / width).clamp(1, 16);
    let subgroups = sweep(Level::SubgroupsPerWorkgroup, launched, most);
    add(plan, subgroups, workgroups_in, move |scale, batch, full| {
        let (invocations, iterations) = (width * batch, iterations_if(full, ITEM_STEPS));
        chain(seed, invocations, invocations, iterations, workgroups_in(batch)).repeated(scale)
    });
}

/// Adds the levels from the dispatch outwards. The scale of a case is its number of units.
fn add_around_a_dispatch(plan: &mut Plan, context: &Context<'_>, host_floor: CaseId) {
    let seed = context.seed as u32;
    // The largest batch exceeds the number of workgroups that run at the same time, which is thousands on a
    // large GPU.
    let most_workgroups = if context.is_narrow() { 4096 } else { 32_768 };
    let small = move |full: bool| {
        chain(seed, WORKGROUP_SIZE, WORKGROUP_SIZE, iterations_if(full, ITEM_STEPS), 1)
    };
    let sweep = |level, last, most_scale, floor| Sweep {
        level,
        calibration: Calibration::Empty,
        batches: sweep(context, last),
        most_scale,
        floor,
    };
    let one = |_: u32| 1;
    let dispatches = Sweep {
        calibration: Calibration::EmptyWithLatency,
        ..sweep(Level::WorkgroupsPerDispatch, most_workgroups, 2048, Floor::None)
    };
    add(plan, dispatches, one, move |scale, batch, full| {
        let iterations = iterations_if(full, WORKGROUP_STEPS);
        chain(seed, WORKGROUP_SIZE, WORKGROUP_SIZE, iterations, batch).repeated(scale)
    });
    let passes = sweep(Level::DispatchesPerPass, 64, 1024, Floor::Sample(host_floor));
    add(plan, passes, one, move |scale, batch, full| batched(small(full), batch, scale, 1, 1));
    let submits = sweep(Level::PassesPerSubmit, 16, 512, Floor::First);
    add(plan, submits, one, move |scale, batch, full| batched(small(full), 1, batch, scale, 1));
    let waits = sweep(Level::SubmitsPerWait, 32, 256, Floor::None);
    add(plan, waits, one, move |scale, batch, full| batched(small(full), 1, 1, batch, scale));
    // The host reads much more than 1 MiB from memory, and less from a cache: one time per chunk does not describe both.
    let maps = sweep(Level::ChunksPerMap, 256, 256, Floor::None);
    add(plan, maps, one, move |scale, batch, full| {
        let words = batch * CHUNK_WORDS;
        let content = chain(seed, WORKGROUP_SIZE, WORKGROUP_SIZE, 1, words / WORKGROUP_SIZE);
        let words = if full { words } else { 1 };
        content.timed(Timing::Readback { maps: scale, words })
    });
}

/// Adds one level.
///
/// `units` returns the number of units per unit of scale for a batch size. `build` returns the workload for a
/// scale and a batch size. Its last argument is false for units without content.
fn add(
    plan: &mut Plan,
    sweep: Sweep,
    units: impl Fn(u32) -> u32,
    build: impl Fn(u32, u32, bool) -> Workload + Copy + 'static,
) {
    let Sweep { level, calibration, batches, most_scale, floor } = sweep;
    let name = level.id();
    if batches.len() < 3 {
        plan.note(format!(
            "The level {name} is left out, because its sweep has no batch size between the smallest and \
             the largest."
        ));
        return;
    }
    let mut cost = |batch: u32, full: bool| -> Cost {
        let id = format!("{name}.{}{batch}", if full { "" } else { "empty." });
        let granule = if floor == Floor::First { STREAM } else { 1 };
        let sizing = Sizing::Own { granule, most: most_scale };
        let case = plan.case(id.clone(), sizing, move |scale| build(scale, batch, full));
        let first = (floor == Floor::First).then(|| {
            let one = Sizing::Own { granule: 1, most: 1 };
            plan.floor(format!("{id}.first"), one, move |_| build(1, batch, full))
        });
        (batch, floor.beyond(case, first) / (f64::from(units(batch)) * f64::from(batch)))
    };
    let loaded: Vec<Cost> = batches.iter().map(|&batch| cost(batch, true)).collect();
    let last = batches[batches.len() - 1];
    let empty = (calibration != Calibration::Ends).then(|| [cost(1, false), cost(last, false)]);
    let costs = Costs::new(calibration, loaded, empty);

    let series = plan.series(name, ("items per batch", ""), "s");
    for (batch, measured) in costs.judged() {
        plan.judge(series, f64::from(*batch), measured, costs.predicted(*batch));
    }
    add_metrics(plan, level, &costs);
    if calibration.overlap() > 0.0 {
        let label = format!("share of α hidden behind items, assumed, {}", name.replace('_', " "));
        plan.known_metric(About::new(format!("{name}.overlap"), label, "%"), calibration.overlap());
    }
}

/// Adds the metrics of one level.
fn add_metrics(plan: &mut Plan, level: Level, costs: &Costs) {
    let (name, spelt) = (level.id(), level.id().replace('_', " "));
    let alpha = format!("{name}.alpha");
    let alpha = match level.unit() {
        Some(unit) => About::new(alpha, format!("{unit} overhead"), "s")
            .headline()
            .note(format!("batches of {}", level.content())),
        None => About::new(alpha, format!("overhead α, {spelt}"), "s"),
    };
    plan.metric(alpha.lower(), &costs.alpha);
    let item = About::new(format!("{name}.t"), format!("time per item t, {spelt}"), "s");
    // Lanes of a subgroup cost nothing by the law, so that their t is a remainder of noise and none is better.
    let is_remainder = level == Level::LanesPerSubgroup;
    plan.metric(if is_remainder { item } else { item.lower() }, &costs.item);
    let half = About::new(
        format!("{name}.half_batch"),
        format!("batch size n½ for 50 % of peak, {spelt}"),
        "",
    );
    plan.metric(half.lower(), costs.batch_for(0.5));
    let most = About::new(
        format!("{name}.batch_for_90_percent"),
        format!("batch size for 90 % of peak, predicted, {spelt}"),
        "",
    );
    plan.metric(most, costs.batch_for(0.9));
    let found = About::new(
        format!("{name}.batch_found_for_90_percent"),
        format!("batch size for 90 % of peak, {spelt}"),
        "",
    );
    plan.metric(found, costs.batch_found_for(0.9));
}

/// Returns the diagnosis of the experiment's result.
fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    for alpha in &outcome.metrics {
        let Some(level) = alpha.id.strip_suffix(".alpha") else { continue };
        if !alpha.is_firm() {
            text.push(format!(
                "{level}: the 95 % interval of α is wider than ±20 %, because α is small compared with the \
                 noise of a unit's content. The batch sizes that follow from α are unreliable. The points \
                 are judged regardless."
            ));
        }
        let deviating: Vec<&model::Point> = outcome
            .points
            .iter()
            .filter(|p| p.series == level && p.verdict == Verdict::Deviates)
            .collect();
        let batches = |over: bool| {
            let found = deviating.iter().filter(|p| p.deviates(over));
            let batches: Vec<String> = found.map(|p| p.x.value.to_string()).collect();
            (!batches.is_empty()).then(|| batches.join(", "))
        };
        if let Some(batches) = batches(true) {
            text.push(format!(
                "{level}: batches of {batches} take longer than α and B·t predict. α may grow with the batch size, the content \
                 may have a start-up cost that a unit without content does not have, or launching and executing \
                 overlap only in part where they take equally long.{}",
                if level == Level::WorkgroupsPerDispatch.id() {
                    " Or the workgroups do not divide evenly among the units, so that the last ones leave part of the device \
                     idle."
                } else {
                    ""
                }
            ));
        }
        if let Some(batches) = batches(false) {
            text.push(format!(
                "{level}: batches of {batches} take less time than α and B·t predict. The units may overlap, or memory \
                 may slow down the largest batch, from which t comes."
            ));
        }
    }
    text.extend(diagnose_wake_ups(outcome));
    text
}
