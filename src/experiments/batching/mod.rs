//! `batching`: what each level of batching costs, and how much to batch.
//!
//! Eight levels, each a unit that carries a batch of the level below: a lane of items, a subgroup of
//! lanes, … a map of chunks. α is a unit's own cost, taken from units whose content is empty; t is the
//! content's, taken from the largest batch; every smaller batch is predicted.

mod costs;
pub mod law;
mod level;
pub mod predict;

use costs::{Calibration, Cost, Costs, Floor};
use level::{CHUNK_WORDS, ITEM_STEPS, LANE_STEPS, Level, WORKGROUP_SIZE, WORKGROUP_STEPS};

use super::sweep::powers_of_two;
use crate::bench::{CaseId, Context, Experiment, Plan, Sizing, Tolerance, Unsupported};
use crate::gpu::{Timing, Workload};
use crate::kernels::chain::Chain;
use crate::kernels::empty;
use crate::model::{self, About, Category, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "batching",
    category: Category::Amortization,
    law: "T(B) = (N/B)·α + N·t at every level of batching; n½ = α/t",
    about: "what a dispatch, a pass, a submit, a wait and a readback cost, and how much to batch",
    tolerance: Tolerance {
        ratio: 0.25,
        reason: "two parameters stand for a whole level of driver and hardware; a quarter still names the right batch \
                 within a step of the sweep",
    },
    shaders: Vec::new,
    plan,
    predict: Some(&predict::LAW),
};

/// How a level is measured.
struct Sweep {
    level: Level,
    calibration: Calibration,
    batches: Vec<u32>,
    most_scale: u32,
    floor: Floor,
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let mut plan = Plan::default();
    // Host-timed samples change pace from one to the next: many short ones tell more than few long ones.
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
            "lanes per subgroup and subgroups per workgroup were left out: the adapter does not say how \
             wide a subgroup is, and `width` has not run",
        );
    }
    add_around_a_dispatch(&mut plan, context, host_floor);
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

/// Chains of `workgroups` workgroups in which `active` of `lanes` lanes take `steps` steps.
fn chain(seed: u32, lanes: u32, active: u32, steps: u32, workgroups: u32) -> Workload {
    Chain { workgroup_size: lanes, active, iterations: steps, workgroups, seed }.workload()
}

fn batched(workload: Workload, dispatches: u32, passes: u32, submits: u32, waits: u32) -> Workload {
    workload.timed(Timing::Host { dispatches, passes, submits, waits })
}

/// So many steps, or none.
fn steps_if(full: bool, steps: u32) -> u32 {
    if full { steps } else { 0 }
}

/// Levels inside a dispatch: the GPU's clock brackets a train of dispatches of equal size. The more a
/// unit holds, the fewer units, so that outputs stay small enough for a cache and samples for a watchdog.
fn add_inside_a_dispatch(plan: &mut Plan, context: &Context<'_>, dispatch: CaseId) {
    let seed = context.seed as u32;
    let sweep = |level, calibration, last| Sweep {
        level,
        calibration,
        batches: sweep(context, last),
        most_scale: 256,
        floor: Floor::Dispatch(dispatch),
    };
    let breadth = if context.is_narrow() { 1 } else { 8 };
    let lanes_in = move |batch: u32| (4096 / batch).max(512) * breadth * WORKGROUP_SIZE;
    let items = sweep(Level::ItemsPerLane, Calibration::Empty, 256);
    add(plan, items, lanes_in, move |scale, batch, full| {
        chain(
            seed,
            WORKGROUP_SIZE,
            WORKGROUP_SIZE,
            steps_if(full, batch),
            lanes_in(batch) / WORKGROUP_SIZE,
        )
        .repeated(scale)
    });
    let Some(width) = context.width else {
        return;
    };
    let subgroups_in = move |_: u32| 4096 * breadth;
    let lanes = sweep(Level::LanesPerSubgroup, Calibration::Ends, width);
    add(plan, lanes, subgroups_in, move |scale, batch, _| {
        chain(seed, width, batch, LANE_STEPS, subgroups_in(batch)).repeated(scale)
    });
    let workgroups_in = move |batch: u32| (8192 * breadth / batch).min(65_535);
    let most = (context.facts.limits.max_workgroup_size / width).clamp(1, 16);
    let subgroups = sweep(Level::SubgroupsPerWorkgroup, Calibration::Empty, most);
    add(plan, subgroups, workgroups_in, move |scale, batch, full| {
        let (lanes, steps) = (width * batch, steps_if(full, ITEM_STEPS));
        chain(seed, lanes, lanes, steps, workgroups_in(batch)).repeated(scale)
    });
}

/// Levels from the dispatch outwards: a step of scale is a unit.
fn add_around_a_dispatch(plan: &mut Plan, context: &Context<'_>, host_floor: CaseId) {
    let seed = context.seed as u32;
    // More than run at once, which on a large GPU are thousands.
    let most_workgroups = if context.is_narrow() { 4096 } else { 32_768 };
    let small = move |full: bool| {
        chain(seed, WORKGROUP_SIZE, WORKGROUP_SIZE, steps_if(full, ITEM_STEPS), 1)
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
        chain(seed, WORKGROUP_SIZE, WORKGROUP_SIZE, steps_if(full, WORKGROUP_STEPS), batch)
            .repeated(scale)
    });
    let passes = sweep(Level::DispatchesPerPass, 64, 1024, Floor::Sample(host_floor));
    add(plan, passes, one, move |scale, batch, full| batched(small(full), batch, scale, 1, 1));
    let submits = sweep(Level::PassesPerSubmit, 64, 512, Floor::Sample(host_floor));
    add(plan, submits, one, move |scale, batch, full| batched(small(full), 1, batch, scale, 1));
    let waits = sweep(Level::SubmitsPerWait, 32, 256, Floor::None);
    add(plan, waits, one, move |scale, batch, full| batched(small(full), 1, 1, batch, scale));
    let maps = sweep(Level::ChunksPerMap, 1024, 256, Floor::None);
    add(plan, maps, one, move |scale, batch, full| {
        let words = batch * CHUNK_WORDS;
        let content = chain(seed, WORKGROUP_SIZE, WORKGROUP_SIZE, 1, words / WORKGROUP_SIZE);
        let words = if full { words } else { 1 };
        content.timed(Timing::Readback { maps: scale, words })
    });
}

/// Adds a level. `units` says how many of them a step of scale holds, by batch; `build` makes a workload of so many
/// steps, units of so large a batch each, with content or without.
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
            "{name} was left out: there is no batch between the smallest and the largest"
        ));
        return;
    }
    let mut cost = |batch: u32, full: bool| -> Cost {
        let id = format!("{name}.{}{batch}", if full { "" } else { "empty." });
        let sizing = Sizing::Own { granule: 1, most: most_scale };
        let case = plan.case(id, sizing, move |scale| build(scale, batch, full));
        (batch, floor.beyond(case) / (f64::from(units(batch)) * f64::from(batch)))
    };
    let loaded: Vec<Cost> = batches.iter().map(|&batch| cost(batch, true)).collect();
    let last = batches[batches.len() - 1];
    let empty = (calibration != Calibration::Ends).then(|| [cost(1, false), cost(last, false)]);
    let costs = Costs::new(calibration, loaded, empty);

    let series = plan.series(name, ("per batch", ""), "s");
    for (batch, measured) in costs.judged() {
        plan.judge(series, f64::from(*batch), measured, costs.predicted(*batch));
    }
    add_metrics(plan, level, &costs);
}

fn add_metrics(plan: &mut Plan, level: Level, costs: &Costs) {
    let (name, spelt) = (level.id(), level.id().replace('_', " "));
    let alpha = format!("{name}.alpha");
    let alpha = match level.unit() {
        Some(unit) => About::new(alpha, format!("{unit} overhead"), "s")
            .headline()
            .note(format!("a batch is made of {}", level.content())),
        None => About::new(alpha, format!("overhead α, {spelt}"), "s"),
    };
    plan.metric(alpha.lower(), &costs.alpha);
    let item = About::new(format!("{name}.t"), format!("time of an item, {spelt}"), "s");
    plan.metric(item.lower(), &costs.item);
    let half =
        About::new(format!("{name}.half_batch"), format!("batch for half of peak n½, {spelt}"), "");
    plan.metric(half.lower(), costs.batch_for(0.5));
    let most = About::new(
        format!("{name}.batch_for_90_percent"),
        format!("batch for 90 % of peak, predicted, {spelt}"),
        "",
    );
    plan.metric(most, costs.batch_for(0.9));
    let found = About::new(
        format!("{name}.batch_found_for_90_percent"),
        format!("batch for 90 % of peak, {spelt}"),
        "",
    );
    plan.metric(found, costs.batch_found_for(0.9));
}

fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    for alpha in &outcome.metrics {
        let Some(level) = alpha.id.strip_suffix(".alpha") else { continue };
        if !alpha.is_firm() {
            text.push(format!(
                "{level}: its α is known to no better than a fifth, since it is small beside the noise of what a \
                 unit carries: how much to batch is not told, and the points are judged all the same"
            ));
        }
        let off: Vec<&model::Point> = outcome
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
