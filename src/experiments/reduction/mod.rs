//! `reduction`: the time to combine many items into one, by every classical algorithm.
//!
//! Some variants assign one item to each invocation, as in textbooks. In the other variants a grid that is
//! smaller than the input shares the items, so that each invocation sums several. These variants use the
//! launch configuration that autotuning finds fastest. Their prediction starts from the time to read the
//! items in the same configuration.

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
use search::tuned;
use sizes::{
    MAX_ITEMS, MAX_ITEMS_PER_LANE_ON_FEW_CORES, MAX_SWAPS, growth, may_be_cached, most_items, sizes,
};
use steps::{steps, subgroup_size};

use super::ceilings::launch::{Loads, NATIVE};
use super::sweep::{REPEATS, size_id};
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Tolerance, Unsupported};
use crate::gpu::{ShaderFeature, WantedWorkers};
use crate::kernels::{LaunchConfig, Number};
use crate::model::{About, Category, Curve, figures};

pub use search::fastest;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "reduction",
    category: Category::Coordination,
    law: "T = reading + Σ over dispatches of (α + sums·t_s + trees·t_b + atomics·t_a); on a GPU, atomics overlap the rest",
    about: "What do atomics, barriers and subgroup sums cost, and which reduction is fastest at which size?",
    tolerance: Tolerance {
        ratio: 0.20,
        reason: "The prediction is a sum of up to four costs that are measured separately, each to about 5 %. \
                 Hardware that overlaps reading with coordination hides up to half of the sum, which is a \
                 deviation that a reader must know.",
    },
    shaders: kernel::shaders,
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: None,
};

/// Bytes per item.
const ITEM_BYTES: f64 = 4.0;

/// A variant at one input size.
struct Reduction {
    variant: Variant,
    count: u32,
    /// Launch configuration, if the variant [shares](Variant::shares) items.
    config: LaunchConfig,
    case: CaseId,
    /// Predicted time in seconds; unknown if the reads alone have no case.
    predicted: Expr,
}

impl Reduction {
    /// Returns the size of the input in bytes.
    fn bytes(&self) -> f64 {
        f64::from(self.count) * ITEM_BYTES
    }

    /// Returns whether the reduction loads 64-bit integers.
    fn is_native(&self) -> bool {
        self.variant.shares() && self.config.load.is_u64()
    }

    /// Returns the measured input bandwidth in bytes per second.
    fn bytes_per_s(&self) -> Expr {
        self.bytes() / self.case.per_unit()
    }

    /// Returns the predicted input bandwidth in bytes per second.
    fn predicted_bytes_per_s(&self) -> Expr {
        self.bytes() / &self.predicted
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    context.require_workgroup_size(WORKGROUP_SIZE)?;
    if context.facts.limits.binding_bytes < u64::from(MAX_ITEMS) * 4 {
        return Err(Unsupported(format!(
            "the experiment needs a storage binding of 64 MiB, and the device allows at most {} MiB",
            context.facts.limits.binding_bytes >> 20
        )));
    }
    let mut plan = Plan::default();
    plan.shorten_samples(4);
    let most = most_items(context);
    let inputs = Number::ALL.map(|item| Items::random(item, most.min(MAX_ITEMS), context.seed));
    let (fastest, config) = tuned(context, &inputs[0], most, Loads::All);
    let alone = Alone::add(&mut plan, context, &inputs[0], config);
    let mut of_u32: Vec<Reduction> = Vec::new();
    for (items, item) in inputs.iter().zip(Number::ALL) {
        for variant in Variant::ALL {
            if variant.needs_subgroups() && !context.facts.has(ShaderFeature::Subgroups) {
                plan.note(format!(
                    "{} {} is unsupported, because the adapter has no subgroup operations.",
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
            "Variants with one item per invocation stop at {MAX_ITEMS_PER_LANE_ON_FEW_CORES} items, because \
             larger inputs take most of a sample on a device with few cores."
        ));
    }
    plan.note(
        "Reductions of f32 with atomics are shown and not judged: an atomic f32 addition is a loop of compare-and-swaps, \
         whose time depends on how many wait.",
    );
    plan.note(format!(
        "atomic_per_item f32 stops at {MAX_SWAPS} items, because the time of one compare-and-swap per item \
         is quadratic under contention."
    ));
    let of_u32_items = &inputs[0];
    // Autotuning times each configuration several times in succession, so a cache may hold the input. A rival in the
    // configuration that is fastest for reads makes up for a choice that is slow with the input in memory.
    if alone.read_config != config {
        let rival = (fastest, alone.read_config);
        of_u32.push(add_rival(&mut plan, "fastest_in_read_config", most, of_u32_items, rival));
    }
    if config.load.is_u64() {
        let portable = tuned(context, of_u32_items, most, Loads::Portable);
        of_u32.push(add_rival(&mut plan, "fastest_portable", most, of_u32_items, portable));
    }
    let largest = of_u32.iter().filter(|reduction| reduction.count == most);
    add_best(&mut plan, &alone, &largest.collect::<Vec<_>>(), most);
    add_prices(&mut plan, &alone);
    add_best_by_size(&mut plan, &of_u32);
    plan.diagnose(diagnose);
    Ok(plan)
}

/// Adds a variant at all input sizes, with the points by which the law is judged.
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
        // A swap repeats while others succeed, so the law does not cover it.
        if item == Number::F32 && variant.needs_atomics() {
            plan.show(series, f64::from(count), case.per_unit(), &predicted);
        } else {
            plan.judge(series, f64::from(count), case.per_unit(), &predicted);
        }
        swept.push(Reduction { variant, count, config, case, predicted });
    }
    swept
}

/// Adds the cost of each kind of coordination as metrics.
fn add_prices(plan: &mut Plan, alone: &Alone) {
    let mut price = |id, label, price: Expr| {
        plan.metric(About::new(id, label, "s").lower(), price);
    };
    price("t_dispatch", "dispatch overhead, empty dispatches in sequence", alone.dispatch_s());
    price(
        "t_tree_interleaved",
        "time per tree of 256 invocations, interleaved addressing, full device",
        alone.tree_s(Variant::TreeInterleaved),
    );
    let tree_s = alone.tree_s(Variant::TreeSequential);
    price(
        "t_tree_sequential",
        "time per tree of 256 invocations, sequential addressing, full device",
        tree_s.clone(),
    );
    price(
        "tree_latency_sequential",
        "tree latency, 256 invocations, sequential addressing, one workgroup",
        alone.tree_latency_s(Variant::TreeSequential),
    );
    price(
        "t_atomic_u32",
        "time per atomic add, all lanes on one address, u32",
        alone.atomic_s(Number::U32, false),
    );
    price(
        "t_atomic_f32",
        "time per atomic add, all lanes on one address, f32 by compare-and-swap",
        alone.atomic_s(Number::F32, false),
    );
    price(
        "t_atomic_u32_leader",
        "time per atomic add, one lane per subgroup on one address, u32",
        alone.atomic_s(Number::U32, true),
    );
    price(
        "t_atomic_f32_leader",
        "time per atomic add, one lane per subgroup on one address, f32 by compare-and-swap",
        alone.atomic_s(Number::F32, true),
    );
    let label = "time per barrier of 256 invocations, amortized over a full device";
    let barrier = About::new("t_barrier", label, "s")
        .lower()
        .headline()
        .note("from a tree, including the additions between barriers");
    plan.metric(barrier, tree_s / f64::from(BARRIERS_OF_A_TREE));
    let sum =
        About::new("t_subgroup_sum", "time per subgroup sum, amortized over a full device", "s");
    plan.metric(sum.lower().headline(), alone.subgroup_sum_s());
}

/// Adds a variant in a launch configuration of its own, on `count` u32 items. It is not judged.
fn add_rival(
    plan: &mut Plan,
    name: &str,
    count: u32,
    items: &Items,
    (variant, config): (Variant, LaunchConfig),
) -> Reduction {
    let input = items.clone();
    let case =
        plan.case(name, REPEATS, move |n| reduce(variant, &input, count, config).repeated(n));
    Reduction { variant, count, config, case, predicted: f64::NAN.into() }
}

/// Adds the metrics of the fastest of the reductions `largest`, which have the largest u32 input of `most` items.
fn add_best(plan: &mut Plan, alone: &Alone, largest: &[&Reduction], most: u32) {
    let rate_of = |any: fn(&Reduction) -> bool| {
        let wanted = largest.iter().filter(|reduction| any(reduction));
        Expr::max_known(wanted.map(|reduction| reduction.bytes_per_s()))
    };
    let best = rate_of(|_| true);
    let about = |id: &str, label: &str, unit| About::new(id, label, unit);
    let size = size_id(most);
    let spelt = size.replace('_', " ");
    plan.metric(
        about(
            &format!("read_ceiling_gb_per_s.{size}"),
            &format!("read bandwidth, {spelt}"),
            "GB/s",
        )
        .higher()
        .note(if alone.read_config.load.is_u64() { NATIVE } else { "" }),
        alone.ceiling() * 1e-9,
    );
    let mut notes = vec![format!("{} items", figures::count(f64::from(most)))];
    if may_be_cached(most) {
        notes.push("a large last-level cache may hold them".to_owned());
    }
    let has_native = largest.iter().any(|reduction| reduction.is_native());
    if has_native {
        notes.push(NATIVE.to_owned());
    }
    let label = format!("input bandwidth of the fastest u32 reduction, {spelt}");
    plan.metric(
        about(&format!("best_gb_per_s.{size}"), &label, "GB/s")
            .higher()
            .headline()
            .note(notes.join("; ")),
        &best * 1e-9,
    );
    if has_native {
        plan.metric(
            about(
                &format!("best_portable_gb_per_s.{size}"),
                &format!("{label}, without 64-bit integers"),
                "GB/s",
            )
            .higher(),
            rate_of(|reduction| !reduction.is_native()) * 1e-9,
        );
    }
    plan.metric(
        about("best_share_of_ceiling", "fastest u32 reduction as a share of read bandwidth", "%")
            .higher(),
        best / alone.ceiling(),
    );
    let words = largest.iter().map(|Reduction { variant, config, .. }| {
        let name = variant.as_str();
        if variant.shares() { format!("{name}, {config}") } else { name.to_owned() }
    });
    let rates = largest.iter().map(|reduction| reduction.bytes_per_s());
    let place = Expr::lenient("index of the largest", rates, |rates| {
        let known = (0u32..).zip(rates).filter(|(_, rate)| rate.is_finite());
        let best = known.max_by(|a, b| a.1.total_cmp(b.1));
        best.map_or(f64::NAN, |(place, _)| f64::from(place))
    });
    plan.text_metric(
        about("best_variant", "fastest u32 reduction with its launch configuration", "").headline(),
        place,
        words.collect(),
    );
    plan.known_metric(
        about("largest_input", "input size of the fastest u32 reduction", "items"),
        f64::from(most),
    );
}

/// Adds the series of the largest input bandwidth of any u32 variant at each input size.
fn add_best_by_size(plan: &mut Plan, of_u32: &[Reduction]) {
    let series = plan.series("best u32", ("items", ""), "B/s");
    plan.compare_by(
        series,
        Curve::new("fastest reduction by input size", "input bandwidth", "B/s").logarithmic(),
    );
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
