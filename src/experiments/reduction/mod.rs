//! `reduction`: what it costs to bring many items to one, by every classical way.
//!
//! Variants with an item a lane come as textbooks have them. Those in which lanes share the items have the launch
//! configuration that a short search finds the fastest, and are predicted from reading alone in that same
//! configuration.

mod alone;
mod diagnose;
pub mod kernel;
pub mod law;
mod search;
mod sizes;
mod steps;

use std::collections::BTreeMap;

use alone::Alone;
use diagnose::diagnose;
use kernel::{BARRIERS_OF_A_TREE, Items, Variant, WORKGROUP_SIZE, reduce};
use search::fastest_config;
use sizes::{MAX_ITEMS, MAX_ITEMS_PER_LANE_ON_FEW_CORES, MAX_SWAPS, growth, most_items, sizes};
use steps::{steps, subgroup_size};

use super::sweep::REPEATS;
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Tolerance, Unsupported};
use crate::kernels::{LaunchConfig, Number};
use crate::model::{About, Category, Curve, figures};

pub use search::fastest;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "reduction",
    category: Category::Coordination,
    law: "T = reading + Σ over dispatches of (α + sums·t_s + trees·t_b + atomics·t_a)",
    about: "what an atomic, a barrier, a subgroup sum cost per item, and the best reduction per size",
    tolerance: Tolerance {
        ratio: 0.50,
        reason: "costs measured apart are laid end to end, and hardware that overlaps reading with \
                 coordinating may hide the cheaper of the two, up to half of the sum",
    },
    shaders: kernel::shaders,
    plan,
    predict: None,
};

const ITEM_BYTES: f64 = 4.0;

/// A variant at one size.
struct Reduction {
    variant: Variant,
    count: u32,
    case: CaseId,
    predicted: Expr,
}

impl Reduction {
    fn bytes(&self) -> f64 {
        f64::from(self.count) * ITEM_BYTES
    }

    /// Bytes that it reads in a second.
    fn bytes_per_s(&self) -> Expr {
        self.bytes() / self.case.per_unit()
    }

    /// Bytes that it should read in a second.
    fn predicted_bytes_per_s(&self) -> Expr {
        self.bytes() / &self.predicted
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    context.require_workgroup_size(WORKGROUP_SIZE)?;
    if context.facts.limits.binding_bytes < u64::from(MAX_ITEMS) * 4 {
        return Err(Unsupported(format!(
            "a storage binding of 64 MiB is needed and {} MiB is the most",
            context.facts.limits.binding_bytes >> 20
        )));
    }
    let mut plan = Plan::default();
    plan.shorten_samples(4);
    let most = most_items(context);
    let inputs = Number::ALL.map(|item| Items::random(item, most, context.seed));
    let config = fastest_config(context, &inputs[0], most);
    let alone = Alone::add(&mut plan, context, &inputs[0], config);
    let mut of_u32: Vec<Reduction> = Vec::new();
    for (items, item) in inputs.iter().zip(Number::ALL) {
        for variant in Variant::ALL {
            if variant.needs_subgroups() && !context.facts.has_subgroups() {
                plan.note(format!(
                    "{} {} is unsupported: the adapter offers no subgroup operations",
                    variant.as_str(),
                    item.as_str()
                ));
                continue;
            }
            let swept = sweep(&mut plan, context, &alone, variant, items, config);
            if item == Number::U32 {
                of_u32.extend(swept);
            }
        }
    }
    if context.is_narrow() {
        plan.note(format!(
            "variants of one item a lane stop at {MAX_ITEMS_PER_LANE_ON_FEW_CORES} items: on few cores \
             larger ones take most of a sample"
        ));
    }
    plan.note(format!(
        "atomic_per_item f32 stops at {MAX_SWAPS} items: one compare-and-swap per item is quadratic \
         under contention"
    ));
    add_best(&mut plan, &alone, &of_u32, config, most);
    add_prices(&mut plan, &alone);
    add_best_by_size(&mut plan, &of_u32);
    plan.diagnose(diagnose);
    Ok(plan)
}

/// The variant at every size.
fn sweep(
    plan: &mut Plan,
    context: &Context<'_>,
    alone: &Alone,
    variant: Variant,
    items: &Items,
    config: LaunchConfig,
) -> Vec<Reduction> {
    let item = items.item;
    let width = subgroup_size(context);
    let series = plan.series(format!("{} {}", variant.as_str(), item.as_str()), ("items", ""), "s");
    let mut swept: Vec<Reduction> = Vec::new();
    for count in sizes(context, variant, item) {
        let (input, name) =
            (items.clone(), format!("{}.{}.{count}", variant.as_str(), item.as_str()));
        let case =
            plan.case(name, REPEATS, move |n| reduce(variant, &input, count, config).repeated(n));
        if let Some(fewer) = swept.last() {
            plan.grows_from(case, fewer.case, growth(variant, item, fewer.count, count));
        }
        let predicted = alone.predicted(variant, item, count, steps(variant, count, config, width));
        plan.judge(series, f64::from(count), case.per_unit(), &predicted);
        swept.push(Reduction { variant, count, case, predicted });
    }
    swept
}

/// What each kind of coordination costs.
fn add_prices(plan: &mut Plan, alone: &Alone) {
    let mut price = |id, label, price: Expr| {
        plan.metric(About::new(id, label, "s").lower(), price);
    };
    price("t_dispatch", "dispatch overhead, chain of dispatches", alone.dispatch_s());
    price(
        "t_tree_interleaved",
        "tree of 256 invocations, interleaved addressing, full device",
        alone.tree_s(Variant::TreeInterleaved),
    );
    let tree_s = alone.tree_s(Variant::TreeSequential);
    price(
        "t_tree_sequential",
        "tree of 256 invocations, sequential addressing, full device",
        tree_s.clone(),
    );
    price(
        "tree_latency_sequential",
        "tree of 256 invocations, one workgroup",
        alone.tree_latency_s(Variant::TreeSequential),
    );
    price(
        "t_atomic_u32",
        "atomic of every lane on one address, u32",
        alone.atomic_s(Number::U32, false),
    );
    price(
        "t_atomic_f32",
        "atomic of every lane on one address, f32 by compare and swap",
        alone.atomic_s(Number::F32, false),
    );
    price(
        "t_atomic_u32_leader",
        "atomic of one lane per subgroup on one address, u32",
        alone.atomic_s(Number::U32, true),
    );
    price(
        "t_atomic_f32_leader",
        "atomic of one lane per subgroup on one address, f32",
        alone.atomic_s(Number::F32, true),
    );
    let barrier =
        About::new("t_barrier", "barrier of 256 invocations, amortized over a full device", "s")
            .lower()
            .headline()
            .note("in a tree, with the additions between two of them");
    plan.metric(barrier, tree_s / f64::from(BARRIERS_OF_A_TREE));
    let sum = About::new("t_subgroup_sum", "subgroup sum, amortized over a full device", "s");
    plan.metric(sum.lower().headline(), alone.subgroup_sum_s());
}

/// The fastest variant of all on the largest input, in the launch configuration `config` where its lanes share the
/// items.
fn add_best(plan: &mut Plan, alone: &Alone, of_u32: &[Reduction], config: LaunchConfig, most: u32) {
    let largest: Vec<&Reduction> =
        of_u32.iter().filter(|reduction| reduction.count == most).collect();
    let rates: Vec<Expr> = largest.iter().map(|reduction| reduction.bytes_per_s()).collect();
    let best = Expr::max_known(rates.iter().cloned());
    let about = |id, label, unit| About::new(id, label, unit);
    plan.metric(
        about("read_ceiling_gb_per_s", "read bandwidth, same input", "GB/s").higher(),
        alone.ceiling() * 1e-9,
    );
    plan.metric(
        about("best_gb_per_s", "best u32 reduction, bytes read", "GB/s")
            .higher()
            .headline()
            .note(format!("of {} items", figures::count(f64::from(most)))),
        &best * 1e-9,
    );
    plan.metric(
        about("best_share_of_ceiling", "best u32 reduction over reading alone", "%").higher(),
        best / alone.ceiling(),
    );
    let words = largest.iter().map(|Reduction { variant, .. }| {
        let word = variant.as_str();
        if variant.shares() { format!("{word}, {config}") } else { word.to_owned() }
    });
    let place = Expr::lenient("place of the most", rates, |rates| {
        let known = (0u32..).zip(rates).filter(|(_, rate)| rate.is_finite());
        let best = known.max_by(|a, b| a.1.total_cmp(b.1));
        best.map_or(f64::NAN, |(place, _)| f64::from(place))
    });
    plan.text_metric(
        about("best_variant", "launch configuration of the best reduction", "").headline(),
        place,
        words.collect(),
    );
    plan.known_metric(
        about("largest_input", "input of the best reduction", "items"),
        f64::from(most),
    );
}

/// The most that any variant reads in a second at each size.
fn add_best_by_size(plan: &mut Plan, of_u32: &[Reduction]) {
    let series = plan.series("best u32", ("items", ""), "B/s");
    plan.compare_by(series, Curve::new("best reduction by size", "read", "B/s").logarithmic());
    let mut by_size: BTreeMap<u32, Vec<&Reduction>> = BTreeMap::new();
    for reduction in of_u32 {
        by_size.entry(reduction.count).or_default().push(reduction);
    }
    for (count, all) in by_size {
        let most = |rate: fn(&Reduction) -> Expr| Expr::max_known(all.iter().map(|&one| rate(one)));
        let [measured, predicted] =
            [Reduction::bytes_per_s, Reduction::predicted_bytes_per_s].map(most);
        plan.show(series, f64::from(count), measured, predicted);
    }
}
