//! `reduction`: what it costs to bring many items to one, by every classical way.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::is_narrow;
use crate::kernels::reduction::{BARRIERS_OF_A_TREE, Items, LANES, Share, Variant, alone, reduce};
use crate::kernels::{Number, empty, random_words};
use crate::laws::coordination::{Prices, Step, time};
use crate::laws::simt::subgroups;
use crate::measure::{
    CaseId, Context, Experiment, Idea, Plan, PointSpec, Sizing, Spans, Unsupported,
};
use crate::record::{self, Value};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "reduction",
    idea: Idea::Coordination,
    law: "T = reading + Σ over dispatches of (α + sums·t_s + trees·t_b + atomics·t_a)",
    about: "what an atomic, a barrier, a subgroup sum cost per item, and the best reduction per size",
    plan,
};

/// The largest input: 64 MiB.
const MOST_ITEMS: u32 = 1 << 24;
/// How the variants with a fixed grid divide the items: for many cores, and for few with deep caches.
const SHARES: [Share; 2] = [Share::Strided(1024), Share::Blocked(20)];
/// Atomics, sums or trees that a pricing kernel does in each lane, subgroup or workgroup.
const PRICED: u32 = 4;
/// One compare-and-swap per item is quadratic under contention: more could hang a large GPU.
const MOST_SWAPS: u32 = 1 << 14;
/// Of whole reductions, which are anything from microseconds to most of a second.
const TRAIN: Sizing = Sizing::Own { granule: 1, most: 512 };

/// Where few cores run all workgroups in turn, each barrier is a switch between lanes: with an item a lane,
/// larger inputs take most of a span or more.
const MOST_ITEMS_PER_LANE_ON_FEW_CORES: u32 = 1 << 16;

fn sizes(context: &Context<'_>, variant: Variant, item: Number) -> Vec<u32> {
    let all: &[u32] = match (context.profile.dense, item, variant.shares()) {
        (true, Number::U32, _) => {
            &[1, 255, 4_097, 65_536, 262_143, 1 << 20, (1 << 22) + 3, MOST_ITEMS]
        }
        (true, Number::F32, _) => &[1, 4_097, 262_143, MOST_ITEMS],
        (false, Number::U32, true) => &[1, 262_143, MOST_ITEMS],
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
        MOST_ITEMS
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

/// What each kind of coordination costs, measured alone.
struct Alone {
    dispatch: CaseId,
    /// By share (`None`: one item a lane) and count.
    reads: BTreeMap<(Option<usize>, u32), CaseId>,
    /// Interleaved, sequential, and their floor.
    trees: [CaseId; 3],
    /// The same for one workgroup, which has the hardware to itself.
    one_tree: [CaseId; 3],
    /// By item type: in every lane, in one lane of each subgroup; each with its floor.
    atomics: [[[CaseId; 2]; 2]; 2],
    atomics_per_workgroup: [f64; 2],
    subgroup_sums: Option<[CaseId; 2]>,
    subgroups_per_workgroup: f64,
}

impl Alone {
    fn add(plan: &mut Plan, context: &Context<'_>, items: &Items) -> Self {
        let width = subgroup_size(context);
        let shared =
            |group: &str, most: u32| Sizing::Shared { group: group.to_owned(), granule: 16, most };
        let mut tree = |name: &str, variant, repeats| {
            plan.case(name, shared("tree", 16_384), move |n| {
                alone::repeated_trees(variant, n, repeats)
            })
        };
        let trees = [
            tree("alone.tree_interleaved", Variant::TreeInterleaved, PRICED),
            tree("alone.tree_sequential", Variant::TreeSequential, PRICED),
            tree("alone.tree.floor", Variant::TreeSequential, 0),
        ];
        let mut tree = |name: &str, variant, repeats| {
            plan.case(name, TRAIN, move |n| alone::repeated_trees(variant, 1, repeats).train(n))
        };
        let one_tree = [
            tree("alone.one_tree_interleaved", Variant::TreeInterleaved, PRICED),
            tree("alone.one_tree_sequential", Variant::TreeSequential, PRICED),
            tree("alone.one_tree.floor", Variant::TreeSequential, 0),
        ];
        // 2²⁴ / (256 · 4 · 1.5) workgroups bring an f32 total to the end of its exact range.
        let own = Sizing::Own { granule: 16, most: 8_192 };
        let atomics = Number::ALL.map(|item| {
            [("lanes", 1), ("leaders", width)].map(|(who, every)| {
                let name = format!("alone.atomic.{}.{who}", item.word());
                let priced = plan.case(name.clone(), own.clone(), move |n| {
                    alone::atomics(item, n, PRICED, every)
                });
                let follow = Sizing::Follow(priced);
                let floor = plan.case(format!("{name}.floor"), follow, move |n| {
                    alone::atomics(item, n, 0, every)
                });
                [priced, floor]
            })
        });
        let has_subgroups = context.facts.has_subgroups();
        let subgroup_sums = has_subgroups.then(|| {
            [("alone.subgroup_sum", 4 * PRICED), ("alone.subgroup_sum.floor", 0)].map(
                |(name, repeats)| {
                    plan.case(name, shared("subgroup sum", 16_384), move |n| {
                        alone::subgroup_sums(n, repeats)
                    })
                },
            )
        });
        Self {
            dispatch: plan.case("alone.dispatch", TRAIN, |n| empty::workload(1).train(n)),
            reads: Self::reads(plan, context, items),
            trees,
            one_tree,
            atomics,
            atomics_per_workgroup: [1, width]
                .map(|every| f64::from(LANES.div_ceil(every) * PRICED)),
            subgroup_sums,
            subgroups_per_workgroup: f64::from(subgroups(LANES, width)),
        }
    }

    fn reads(
        plan: &mut Plan,
        context: &Context<'_>,
        items: &Items,
    ) -> BTreeMap<(Option<usize>, u32), CaseId> {
        let words = random_words(context.seed, MOST_ITEMS as usize);
        let mut reads = BTreeMap::new();
        for count in sizes(context, Variant::TreeSequential, Number::U32) {
            let words = words.clone();
            let case = plan.case(format!("alone.read_one.{count}"), TRAIN, move |n| {
                alone::read_one(&words, count).train(n)
            });
            reads.insert((None, count), case);
        }
        for (index, share) in SHARES.into_iter().enumerate() {
            for count in sizes(context, Variant::SinglePass, Number::U32) {
                let items = items.clone();
                let name = format!("alone.read.{}.{count}", share.word());
                let case = plan
                    .case(name, TRAIN, move |n| alone::read_shares(&items, count, share).train(n));
                reads.insert((Some(index), count), case);
            }
        }
        reads
    }

    fn dispatch_s(&self, spans: &Spans<'_>) -> f64 {
        spans.unit(self.dispatch)
    }

    fn tree_s(&self, spans: &Spans<'_>, sequential: bool) -> f64 {
        let case = self.trees[usize::from(sequential)];
        spans.unit_above(case, self.trees[2]) / f64::from(PRICED)
    }

    fn tree_latency_s(&self, spans: &Spans<'_>, sequential: bool) -> f64 {
        let case = self.one_tree[usize::from(sequential)];
        (spans.unit(case) - spans.unit(self.one_tree[2])) / f64::from(PRICED)
    }

    /// Seconds per atomic where every lane does one, or one lane of each subgroup.
    fn atomic_s(&self, spans: &Spans<'_>, item: Number, leaders: bool) -> f64 {
        let who = usize::from(leaders);
        let [priced, floor] = self.atomics[item as usize][who];
        spans.unit_above(priced, floor) / self.atomics_per_workgroup[who]
    }

    fn subgroup_sum_s(&self, spans: &Spans<'_>) -> f64 {
        self.subgroup_sums.map_or(f64::NAN, |[case, floor]| {
            spans.unit_above(case, floor) / (self.subgroups_per_workgroup * f64::from(4 * PRICED))
        })
    }

    /// Reads per second, the best of the shares: what no reduction can pass.
    fn ceiling(&self, spans: &Spans<'_>) -> f64 {
        let largest = self.reads.iter().filter(|((_, count), _)| *count == MOST_ITEMS);
        largest.map(|(_, &case)| rate(spans, case)).fold(f64::NAN, f64::max)
    }

    /// Seconds for reading `count` items alone, the dispatch not counted.
    fn read_s(&self, spans: &Spans<'_>, share: Option<usize>, count: u32) -> f64 {
        spans.unit(self.reads[&(share, count)]) - self.dispatch_s(spans)
    }

    fn prices(&self, spans: &Spans<'_>, variant: Variant, item: Number) -> Prices {
        let sequential = variant != Variant::TreeInterleaved;
        let sums = variant.needs_subgroups();
        Prices {
            dispatch_s: self.dispatch_s(spans),
            subgroup_sum_s: if sums { self.subgroup_sum_s(spans) } else { 0.0 },
            tree_s: self.tree_s(spans, sequential),
            tree_latency_s: self.tree_latency_s(spans, sequential),
            atomic_s: self.atomic_s(spans, item, variant != Variant::AtomicPerItem),
        }
    }
}

/// Bytes per second of a case that reads the whole input.
fn rate(spans: &Spans<'_>, case: CaseId) -> f64 {
    f64::from(MOST_ITEMS) * 4.0 / spans.unit(case)
}

/// What a variant asks of each of its dispatches, by the algorithm alone.
fn steps(variant: Variant, count: u32, grid: u32, width: u32) -> Vec<Step> {
    let groups = count.div_ceil(LANES).max(1);
    let trees = |n: u32| Step { trees: f64::from(n), ..Step::default() };
    // Every subgroup launched sums and adds, those of the last workgroup that hold no item too.
    let subgroup_sums = |n: u32| {
        let sums = f64::from(n * subgroups(LANES, width));
        Step { subgroup_sums: sums, atomics: sums, ..Step::default() }
    };
    match variant {
        Variant::AtomicPerItem => vec![Step { atomics: f64::from(count), ..Step::default() }],
        Variant::SubgroupThenAtomic => vec![subgroup_sums(groups)],
        Variant::SubgroupSinglePass => vec![subgroup_sums(grid)],
        Variant::TreeInterleaved | Variant::TreeSequential => {
            vec![Step { atomics: f64::from(groups), ..trees(groups) }]
        }
        Variant::SinglePass => vec![Step { atomics: f64::from(grid), ..trees(grid) }],
        Variant::Vec4TwoPass => vec![trees(grid), trees(1)],
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
    let inputs = Number::ALL.map(|item| Items::random(item, MOST_ITEMS, context.seed));
    let alone = Rc::new(Alone::add(&mut plan, context, &inputs[0]));
    let mut largest: Vec<(String, CaseId)> = Vec::new();
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
            let shares: &[Option<usize>] =
                if variant.shares() { &[Some(0), Some(1)] } else { &[None] };
            for &share in shares {
                sweep(&mut plan, context, &alone, variant, items, share, &mut largest);
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
    add_findings(&mut plan, alone, largest);
    plan.diagnose(diagnose);
    Ok(plan)
}

fn sweep(
    plan: &mut Plan,
    context: &Context<'_>,
    alone: &Rc<Alone>,
    variant: Variant,
    items: &Items,
    share: Option<usize>,
    largest: &mut Vec<(String, CaseId)>,
) {
    let item = items.item;
    let name = share.map_or_else(
        || variant.word().to_owned(),
        |index| format!("{}_{}", variant.word(), SHARES[index].word()),
    );
    let division = SHARES[share.unwrap_or(0)];
    let width = subgroup_size(context);
    let mut smaller: Option<(u32, CaseId)> = None;
    for count in sizes(context, variant, item) {
        let input = items.clone();
        let case = plan.case(format!("{name}.{}.{count}", item.word()), TRAIN, move |n| {
            reduce(variant, &input, count, division).train(n)
        });
        if let Some((fewer, smaller)) = smaller.replace((count, case)) {
            // Half of what it would be without the dispatch's cost, which the smaller has too.
            let times = f64::from(count) / f64::from(fewer);
            let growth = if swaps_per_item(variant, item) { times * times } else { times };
            plan.grows_from(case, smaller, growth / 2.0);
        }
        if item == Number::U32 && count == MOST_ITEMS {
            largest.push((name.clone(), case));
        }
        let law = Rc::clone(alone);
        plan.point(PointSpec {
            series: format!("{name} {}", item.word()),
            x: ("items", f64::from(count), ""),
            unit: "s",
            measured: Box::new(move |spans| spans.unit(case)),
            predicted: Box::new(move |spans| {
                let steps = steps(variant, count, division.workgroups(count), width);
                time(law.read_s(spans, share, count), steps, law.prices(spans, variant, item))
            }),
            claimed: true,
        });
    }
}

fn add_parameters(plan: &mut Plan, alone: &Rc<Alone>) {
    let mut parameter = |name: &str, price: fn(&Alone, &Spans<'_>) -> f64| {
        plan.parameter_of(alone, name, "s", price);
    };
    parameter("t_dispatch", Alone::dispatch_s);
    parameter("t_tree_interleaved", |alone, spans| alone.tree_s(spans, false));
    parameter("t_tree_sequential", |alone, spans| alone.tree_s(spans, true));
    parameter("t_barrier", |alone, spans| {
        alone.tree_s(spans, true) / f64::from(BARRIERS_OF_A_TREE)
    });
    parameter("tree_latency_sequential", |alone, spans| alone.tree_latency_s(spans, true));
    parameter("t_subgroup_sum", Alone::subgroup_sum_s);
    parameter("t_atomic_u32", |alone, spans| alone.atomic_s(spans, Number::U32, false));
    parameter("t_atomic_f32", |alone, spans| alone.atomic_s(spans, Number::F32, false));
    parameter("t_atomic_u32_leader", |alone, spans| alone.atomic_s(spans, Number::U32, true));
    parameter("t_atomic_f32_leader", |alone, spans| alone.atomic_s(spans, Number::F32, true));
}

fn add_findings(plan: &mut Plan, alone: Rc<Alone>, largest: Vec<(String, CaseId)>) {
    let ceiling = Rc::clone(&alone);
    plan.figure("read_ceiling_gb_per_s", "GB/s", move |spans| ceiling.ceiling(spans) * 1e-9);
    let best = move |spans: &Spans<'_>| {
        largest
            .iter()
            .map(|(name, case)| (name.clone(), rate(spans, *case)))
            .filter(|(_, rate)| rate.is_finite())
            .max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let best_rate = best.clone();
    plan.figure("best_gb_per_s", "GB/s", move |spans| {
        best_rate(spans).map_or(f64::NAN, |(_, rate)| rate * 1e-9)
    });
    let best_share = best.clone();
    plan.figure("best_share_of_ceiling", "", move |spans| {
        best_share(spans).map_or(f64::NAN, |(_, rate)| rate / alone.ceiling(spans))
    });
    plan.finding("best_variant", "", move |spans| best(spans).map(|(name, _)| Value::Text(name)));
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
