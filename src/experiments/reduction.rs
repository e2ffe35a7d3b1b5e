//! `reduction`: what it costs to bring many items to one, by every classical way.
//!
//! Variants with an item a lane come as textbooks have them. Those in which lanes share the items have the shape that
//! a short search finds the fastest, and are predicted from reading alone in that same shape.

mod alone;

use std::rc::Rc;

use alone::Alone;

use super::shapes::{axes, is_within_trips, shape};
use super::{TRAIN, is_narrow};
use crate::gpu::{Executor, GpuError};
use crate::kernels::reduction::{BARRIERS_OF_A_TREE, Items, LANES, Variant, reduce};
use crate::kernels::{Number, Shape};
use crate::laws::coordination::{Step, time};
use crate::laws::simt::subgroups;
use crate::measure::{
    Axis, CaseId, Context, Experiment, Idea, Plan, PointSpec, Profile, Search, Spans, Tuned,
    Unsupported, Work, search,
};
use crate::record::{self, Value};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "reduction",
    idea: Idea::Coordination,
    law: "T = reading + Σ over dispatches of (α + sums·t_s + trees·t_b + atomics·t_a)",
    about: "what an atomic, a barrier, a subgroup sum cost per item, and the best reduction per size",
    plan,
};

/// The largest input, 64 MiB, and the largest of a first look at a few cores, which read slowly.
const MOST_ITEMS: u32 = 1 << 24;
const MOST_ITEMS_AT_A_GLANCE: u32 = 1 << 22;
/// One compare-and-swap per item is quadratic under contention: more could hang a large GPU.
const MOST_SWAPS: u32 = 1 << 14;
/// Where few cores run all workgroups in turn, each barrier is a switch between lanes: with an item a lane,
/// larger inputs take most of a span or more.
const MOST_ITEMS_PER_LANE_ON_FEW_CORES: u32 = 1 << 16;

/// The fewest items that the fastest shape is searched for with.
const LEAST_SEARCHED: u32 = 1 << 16;

fn most_items(context: &Context<'_>) -> u32 {
    if is_narrow(context) && !context.profile.dense { MOST_ITEMS_AT_A_GLANCE } else { MOST_ITEMS }
}

fn sizes(context: &Context<'_>, variant: Variant, item: Number) -> Vec<u32> {
    let all: &[u32] = match (context.profile.dense, item, variant.shares()) {
        (true, Number::U32, _) => {
            &[1, 255, 4_097, 65_536, 262_143, 1 << 20, (1 << 22) + 3, MOST_ITEMS]
        }
        (true, Number::F32, _) => &[1, 4_097, 262_143, MOST_ITEMS],
        (false, Number::U32, true) => &[1, 262_143, MOST_ITEMS_AT_A_GLANCE, MOST_ITEMS],
        (false, Number::U32, false) => &[1, 4_097, 65_535],
        (false, Number::F32, _) if swaps_per_item(variant, item) => &[4_097],
        (false, Number::F32, false) => &[65_535],
        (false, Number::F32, true) => &[262_143],
    };
    let most = if swaps_per_item(variant, item) {
        MOST_SWAPS
    } else if is_narrow(context) && !variant.shares() {
        MOST_ITEMS_PER_LANE_ON_FEW_CORES
    } else {
        most_items(context)
    };
    all.iter().copied().filter(|&count| count <= most).collect()
}

/// Lanes that a subgroup operation joins: what a shader sees, however wide the hardware issues.
fn subgroup_size(context: &Context<'_>) -> u32 {
    context.reported_width.or(context.width).unwrap_or(1)
}

fn swaps_per_item(variant: Variant, item: Number) -> bool {
    item == Number::F32 && variant == Variant::AtomicPerItem
}

/// Finds the fastest reduction of `items`, tried on at most so many of them: the variant and its shape.
///
/// # Errors
/// When the device fails.
pub fn fastest(
    executor: &mut dyn Executor,
    profile: &Profile,
    items: &Items,
    most: u32,
) -> Result<(Variant, Shape, record::Search), GpuError> {
    let facts = executor.facts().clone();
    let context = Context { facts: &facts, width: None, reported_width: None, profile, seed: 1 };
    let (fastest, wanted) = Fastest::new(&context, items, most);
    let searched = search(executor, &wanted, profile.search)?;
    let variant = sharing(&context)[fastest.0.get()[0] as usize];
    Ok((variant, fastest.shape(), searched))
}

/// Variants in which lanes share the items, as far as the device can do them.
fn sharing(context: &Context<'_>) -> Vec<Variant> {
    let has_subgroups = context.facts.has_subgroups();
    let sharing = Variant::ALL.into_iter().filter(|variant| variant.shares());
    sharing.filter(|variant| has_subgroups || !variant.needs_subgroups()).collect()
}

/// The shape of the fastest reduction, once it is searched for.
#[derive(Clone)]
struct Fastest(Tuned);

impl Fastest {
    /// With the search that finds it.
    fn new(context: &Context<'_>, items: &Items, most: u32) -> (Self, Search) {
        let variants = sharing(context);
        let words = variants.iter().map(|variant| variant.word());
        let axes = [vec![Axis::words(words, 0)], axes(context)].concat();
        let items = items.clone();
        let amounts = LEAST_SEARCHED.min(most)..=most;
        let search = Search::new("reduction", "item", axes, amounts, move |options, count| {
            let (variant, shape) = (variants[options[0] as usize], shape(&options[1..]));
            is_within_trips(shape, count).then(|| Work {
                workload: reduce(variant, &items, count, shape),
                units: f64::from(count),
            })
        });
        (Self(search.tuned()), search)
    }

    fn shape(&self) -> Shape {
        shape(&self.0.get()[1..])
    }
}

/// What a variant asks of each of its dispatches, by the algorithm alone.
fn steps(variant: Variant, count: u32, shape: Shape, width: u32) -> Vec<Step> {
    let grid = shape.workgroups_for(count);
    let groups = count.div_ceil(LANES).max(1);
    let trees = |n: u32| Step { trees: f64::from(n), ..Step::default() };
    // Every subgroup launched sums and adds, those of the last workgroup that hold no item too.
    let subgroup_sums = |n: u32, lanes: u32| {
        let sums = f64::from(n * subgroups(lanes, width));
        Step { subgroup_sums: sums, atomics: sums, ..Step::default() }
    };
    match variant {
        Variant::AtomicPerItem => vec![Step { atomics: f64::from(count), ..Step::default() }],
        Variant::SubgroupThenAtomic => vec![subgroup_sums(groups, LANES)],
        Variant::SubgroupSinglePass => vec![subgroup_sums(grid, shape.lanes)],
        Variant::TreeInterleaved | Variant::TreeSequential => {
            vec![Step { atomics: f64::from(groups), ..trees(groups) }]
        }
        Variant::SinglePass => vec![Step { atomics: f64::from(grid), ..trees(grid) }],
        Variant::TwoPass if grid == 1 => vec![trees(1)],
        Variant::TwoPass => vec![trees(grid), trees(1)],
        Variant::MultiPass => {
            let levels = std::iter::successors(Some(groups), |&groups| {
                (groups > 1).then(|| groups.div_ceil(LANES))
            });
            levels.map(trees).collect()
        }
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    if context.facts.limits.binding_bytes < u64::from(MOST_ITEMS) * 4 {
        return Err(Unsupported(format!(
            "a storage binding of 64 MiB is needed and {} MiB is the most",
            context.facts.limits.binding_bytes >> 20
        )));
    }
    let mut plan = Plan::default();
    plan.shorten_spans(4);
    let most = most_items(context);
    let inputs = Number::ALL.map(|item| Items::random(item, most, context.seed));
    let (fastest, search) = Fastest::new(context, &inputs[0], most);
    plan.search(search);
    let alone = Rc::new(Alone::add(&mut plan, context, &inputs[0], &fastest));
    let mut largest: Vec<(Variant, CaseId)> = Vec::new();
    for (items, item) in inputs.iter().zip(Number::ALL) {
        for variant in Variant::ALL {
            if variant.needs_subgroups() && !context.facts.has_subgroups() {
                plan.note(format!(
                    "{} {} is unsupported: the adapter offers no subgroup operations",
                    variant.word(),
                    item.word()
                ));
                continue;
            }
            let cases = sweep(&mut plan, context, &alone, variant, items, &fastest);
            let of_most = cases.into_iter().filter(|&(count, _)| count == most);
            if item == Number::U32 {
                largest.extend(of_most.map(|(_, case)| (variant, case)));
            }
        }
    }
    if is_narrow(context) {
        plan.note(format!(
            "variants of one item a lane stop at {MOST_ITEMS_PER_LANE_ON_FEW_CORES} items: on few cores \
             larger ones take most of a span"
        ));
    }
    plan.note(format!(
        "atomic_per_item f32 stops at {MOST_SWAPS} items: one compare-and-swap per item is quadratic \
         under contention"
    ));
    add_parameters(&mut plan, &alone);
    add_findings(&mut plan, alone, largest, fastest, most);
    plan.diagnose(diagnose);
    Ok(plan)
}

/// The variant at every size: their counts and cases.
fn sweep(
    plan: &mut Plan,
    context: &Context<'_>,
    alone: &Rc<Alone>,
    variant: Variant,
    items: &Items,
    fastest: &Fastest,
) -> Vec<(u32, CaseId)> {
    let item = items.item;
    let name = format!("{}.{}", variant.word(), item.word());
    let width = subgroup_size(context);
    let mut cases: Vec<(u32, CaseId)> = Vec::new();
    for count in sizes(context, variant, item) {
        let (input, of) = (items.clone(), fastest.clone());
        let case = plan.case(format!("{name}.{count}"), TRAIN, move |n| {
            reduce(variant, &input, count, of.shape()).train(n)
        });
        if let Some(&(fewer, smaller)) = cases.last() {
            let times = f64::from(count) / f64::from(fewer);
            let growth = if swaps_per_item(variant, item) { times * times } else { times };
            plan.grows_from(case, smaller, growth);
        }
        cases.push((count, case));
        let (law, of) = (Rc::clone(alone), fastest.clone());
        plan.point(PointSpec {
            series: format!("{} {}", variant.word(), item.word()),
            x: ("items", f64::from(count), ""),
            unit: "s",
            measured: Box::new(move |spans| spans.unit(case)),
            predicted: Box::new(move |spans| {
                let steps = steps(variant, count, of.shape(), width);
                let read_s = law.read_s(spans, variant.shares(), count);
                time(read_s, steps, law.prices(spans, variant, item))
            }),
            claimed: true,
        });
    }
    cases
}

fn add_parameters(plan: &mut Plan, alone: &Rc<Alone>) {
    let mut parameter = |name: &str, price: fn(&Alone, &Spans<'_>) -> f64| {
        plan.parameter_of(alone, name, "s", price);
    };
    parameter("t_dispatch", Alone::dispatch_s);
    parameter("t_tree_interleaved", |alone, spans| alone.tree_s(spans, Variant::TreeInterleaved));
    parameter("t_tree_sequential", |alone, spans| alone.tree_s(spans, Variant::TreeSequential));
    parameter("t_barrier", |alone, spans| {
        alone.tree_s(spans, Variant::TreeSequential) / f64::from(BARRIERS_OF_A_TREE)
    });
    parameter("tree_latency_sequential", |alone, spans| {
        alone.tree_latency_s(spans, Variant::TreeSequential)
    });
    parameter("t_subgroup_sum", Alone::subgroup_sum_s);
    parameter("t_atomic_u32", |alone, spans| alone.atomic_s(spans, Number::U32, false));
    parameter("t_atomic_f32", |alone, spans| alone.atomic_s(spans, Number::F32, false));
    parameter("t_atomic_u32_leader", |alone, spans| alone.atomic_s(spans, Number::U32, true));
    parameter("t_atomic_f32_leader", |alone, spans| alone.atomic_s(spans, Number::F32, true));
}

fn add_findings(
    plan: &mut Plan,
    alone: Rc<Alone>,
    largest: Vec<(Variant, CaseId)>,
    fastest: Fastest,
    most_items: u32,
) {
    let ceiling = Rc::clone(&alone);
    plan.figure("read_ceiling_gb_per_s", "GB/s", move |spans| ceiling.ceiling(spans) * 1e-9);
    let best = move |spans: &Spans<'_>| {
        let rate = |case| f64::from(most_items) * 4.0 / spans.unit(case);
        let rates = largest.iter().map(|&(variant, case)| (variant, rate(case)));
        rates.filter(|(_, rate)| rate.is_finite()).max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let best_rate = best.clone();
    plan.figure("best_gb_per_s", "GB/s", move |spans| {
        best_rate(spans).map_or(f64::NAN, |(_, rate)| rate * 1e-9)
    });
    let best_share = best.clone();
    plan.figure("best_share_of_ceiling", "", move |spans| {
        best_share(spans).map_or(f64::NAN, |(_, rate)| rate / alone.ceiling(spans))
    });
    plan.finding("best_variant", "", move |spans| {
        let (variant, _) = best(spans)?;
        let shape = if variant.shares() { format!(", {}", fastest.shape()) } else { String::new() };
        Some(Value::Text(format!("{}{shape}", variant.word())))
    });
    plan.finding("largest_input", "items", move |_| Some(Value::Number(f64::from(most_items))));
}

fn diagnose(outcome: &record::Experiment) -> Vec<String> {
    let off = |over: bool, large: bool| {
        let points =
            outcome.points.iter().filter(|p| p.deviates(over) && (p.x.value >= 65_536.0) == large);
        let mut series: Vec<&str> = points.map(|p| p.series.as_str()).collect();
        series.dedup();
        (!series.is_empty()).then(|| series.join(", "))
    };
    let mut text = Vec::new();
    if let Some(series) = off(false, true) {
        text.push(format!(
            "cheaper than the sum of its parts, so the hardware overlaps them: {series}"
        ));
    }
    if let Some(series) = off(true, true) {
        text.push(format!(
            "dearer than the sum of its parts, which compete when together: {series}"
        ));
    }
    if let Some(series) = off(true, false) {
        text.push(format!(
            "at small sizes the latency of one workgroup shows, which prices at full load leave out: {series}"
        ));
    }
    if let Some(series) = off(false, false) {
        text.push(format!("at small sizes cheaper than a train of empty dispatches: {series}"));
    }
    text
}
