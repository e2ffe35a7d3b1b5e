//! What each kind of coordination costs, measured alone.

use std::collections::BTreeMap;

use super::kernel::{Items, Variant, WORKGROUP_SIZE, alone};
use super::law::{Prices, Step, time};
use super::sizes::{most_items, sizes};
use super::steps::subgroup_size;
use crate::bench::{CaseId, Context, Expr, Plan, Sizing};
use crate::experiments::ceilings::memory::{memory_case, search_memory};
use crate::experiments::lanes::law::subgroups;
use crate::experiments::sweep::REPEATS;
use crate::kernels::memory::{Memory, Traffic};
use crate::kernels::{LaunchConfig, Number, empty, random_words};

/// Atomics, sums or trees that a pricing kernel does in each lane, subgroup or workgroup.
const PRICED: u32 = 4;

/// A tree in every workgroup.
struct Tree {
    /// Of as many workgroups as fill the device, with their floor.
    many: [CaseId; 2],
    /// Of one workgroup, which has the hardware to itself.
    one: [CaseId; 2],
}

impl Tree {
    /// Of workgroups of so many lanes.
    fn add(plan: &mut Plan, name: &str, variant: Variant, lanes: u32) -> Self {
        let mut case = |kind: &str, repeats: u32, one: bool| {
            let shared =
                Sizing::Shared { group: format!("tree {name}"), granule: 16, most: 16_384 };
            let sizing = if one { REPEATS } else { shared };
            plan.case(format!("alone.{kind}{name}"), sizing, move |n| {
                if one {
                    alone::repeated_trees(variant, lanes, 1, repeats).repeated(n)
                } else {
                    alone::repeated_trees(variant, lanes, n, repeats)
                }
            })
        };
        Self {
            many: [case("tree_", PRICED, false), case("tree.floor_", 0, false)],
            one: [case("one_tree_", PRICED, true), case("one_tree.floor_", 0, true)],
        }
    }

    /// Seconds of one among many.
    fn many_s(&self) -> Expr {
        let [trees, floor] = self.many;
        trees.per_unit_above(floor) / f64::from(PRICED)
    }

    /// Seconds of one from start to end.
    fn one_s(&self) -> Expr {
        let [trees, floor] = self.one;
        trees.per_unit_beyond(floor) / f64::from(PRICED)
    }
}

/// What each kind of coordination costs, measured alone.
pub(super) struct Alone {
    dispatch: CaseId,
    /// Reading at its fastest.
    fastest_read: CaseId,
    /// By whether lanes share the items, and their count.
    reads: BTreeMap<(bool, u32), CaseId>,
    interleaved: Tree,
    sequential: Tree,
    /// Of the workgroups of the fastest launch configuration.
    shared: Tree,
    /// By item type: in every lane, in one lane of each subgroup; each with its floor.
    atomics: [[[CaseId; 2]; 2]; 2],
    atomics_per_workgroup: [f64; 2],
    subgroup_sums: Option<[CaseId; 2]>,
    subgroups_per_workgroup: f64,
    most_items: u32,
}

impl Alone {
    /// Where lanes share the items, they do in the launch configuration `config`.
    pub(super) fn add(
        plan: &mut Plan,
        context: &Context<'_>,
        items: &Items,
        config: LaunchConfig,
    ) -> Self {
        let width = subgroup_size(context);
        // 2²⁴ / (256 · 4 · 1.5) workgroups bring an f32 total to the end of its exact range.
        let own = Sizing::Own { granule: 16, most: 8_192 };
        let atomics = Number::ALL.map(|item| {
            [("lanes", 1), ("leaders", width)].map(|(who, every)| {
                let name = format!("alone.atomic.{}.{who}", item.as_str());
                let priced = plan.case(name.clone(), own.clone(), move |n| {
                    alone::atomics(item, n, PRICED, every)
                });
                let follow = Sizing::Follow(priced);
                let floor = plan.floor(format!("{name}.floor"), follow, move |n| {
                    alone::atomics(item, n, 0, every)
                });
                [priced, floor]
            })
        });
        let subgroup_sums = context.facts.has_subgroups().then(|| {
            let group =
                Sizing::Shared { group: "subgroup sum".to_owned(), granule: 16, most: 16_384 };
            let name = "alone.subgroup_sum";
            let sums = |repeats| move |n| alone::subgroup_sums(n, repeats);
            let priced = plan.case(name, group.clone(), sums(4 * PRICED));
            [priced, plan.floor(format!("{name}.floor"), group, sums(0))]
        });
        let most_items = most_items(context);
        let fastest_read = Memory {
            traffic: Traffic::Read,
            words: most_items,
            config: search_memory(context, Traffic::Read),
            seed: context.seed as u32,
            idle: false,
        };
        Self {
            dispatch: plan.case("alone.dispatch", REPEATS, |n| empty::workload(1).repeated(n)),
            fastest_read: memory_case(plan, "alone.read_fastest".to_owned(), REPEATS, fastest_read),
            reads: Self::reads(plan, context, items, config),
            interleaved: Tree::add(plan, "interleaved", Variant::TreeInterleaved, WORKGROUP_SIZE),
            sequential: Tree::add(plan, "sequential", Variant::TreeSequential, WORKGROUP_SIZE),
            shared: Tree::add(plan, "shared", Variant::TreeSequential, config.workgroup_size),
            atomics,
            atomics_per_workgroup: [1, width]
                .map(|every| f64::from(WORKGROUP_SIZE.div_ceil(every) * PRICED)),
            subgroup_sums,
            subgroups_per_workgroup: f64::from(subgroups(WORKGROUP_SIZE, width)),
            most_items,
        }
    }

    fn reads(
        plan: &mut Plan,
        context: &Context<'_>,
        items: &Items,
        config: LaunchConfig,
    ) -> BTreeMap<(bool, u32), CaseId> {
        let mut reads = BTreeMap::new();
        let one_a_lane = sizes(context, Variant::TreeSequential, Number::U32);
        let words = random_words(context.seed, one_a_lane.last().map_or(0, |&most| most as usize));
        for count in one_a_lane {
            let words = words.clone();
            let case = plan.case(format!("alone.read_one.{count}"), REPEATS, move |n| {
                alone::read_one(&words, count).repeated(n)
            });
            reads.insert((false, count), case);
        }
        for count in sizes(context, Variant::SinglePass, Number::U32) {
            let items = items.clone();
            let case = plan.case(format!("alone.read_shares.{count}"), REPEATS, move |n| {
                alone::read_shares(&items, count, config).repeated(n)
            });
            reads.insert((true, count), case);
        }
        reads
    }

    pub(super) fn dispatch_s(&self) -> Expr {
        self.dispatch.per_unit()
    }

    fn tree(&self, variant: Variant) -> &Tree {
        match variant {
            Variant::TreeInterleaved => &self.interleaved,
            variant if variant.shares() => &self.shared,
            _ => &self.sequential,
        }
    }

    pub(super) fn tree_s(&self, variant: Variant) -> Expr {
        self.tree(variant).many_s()
    }

    pub(super) fn tree_latency_s(&self, variant: Variant) -> Expr {
        self.tree(variant).one_s()
    }

    /// Seconds per atomic where every lane does one, or one lane of each subgroup.
    pub(super) fn atomic_s(&self, item: Number, leaders: bool) -> Expr {
        let who = usize::from(leaders);
        let [priced, floor] = self.atomics[item as usize][who];
        priced.per_unit_above(floor) / self.atomics_per_workgroup[who]
    }

    pub(super) fn subgroup_sum_s(&self) -> Expr {
        self.subgroup_sums.map_or(f64::NAN.into(), |[priced, floor]| {
            priced.per_unit_above(floor) / (self.subgroups_per_workgroup * f64::from(4 * PRICED))
        })
    }

    /// Bytes of the largest input read in a second, at the fastest: what no reduction can pass.
    pub(super) fn ceiling(&self) -> Expr {
        let shared = self.reads.get(&(true, self.most_items)).copied();
        let reads = [Some(self.fastest_read), shared].into_iter().flatten();
        f64::from(self.most_items) * 4.0 / Expr::min_known(reads.map(CaseId::per_unit))
    }

    /// Seconds for reading `count` items alone, the dispatch not counted.
    fn read_s(&self, shares: bool, count: u32) -> Expr {
        self.reads[&(shares, count)].per_unit() - self.dispatch_s()
    }

    /// Seconds that the law predicts for a reduction in such steps. What no step asks for need not be known.
    pub(super) fn predicted(
        &self,
        variant: Variant,
        item: Number,
        count: u32,
        steps: Vec<Step>,
    ) -> Expr {
        let asked = |of: fn(&Step) -> f64, price: Expr| {
            if steps.iter().any(|step| of(step) > 0.0) { price } else { 0.0.into() }
        };
        let needed = [
            self.read_s(variant.shares(), count),
            self.dispatch_s(),
            asked(|step| step.subgroup_sums, self.subgroup_sum_s()),
            asked(|step| step.trees, self.tree_s(variant)),
            asked(|step| step.trees, self.tree_latency_s(variant)),
            asked(|step| step.atomics, self.atomic_s(item, variant != Variant::AtomicPerItem)),
        ];
        Expr::call("time", needed, move |needed| {
            let [read_s, dispatch_s, subgroup_sum_s, tree_s, tree_latency_s, atomic_s] = needed;
            let prices = Prices { dispatch_s, subgroup_sum_s, tree_s, tree_latency_s, atomic_s };
            time(read_s, steps.iter().copied(), prices)
        })
    }
}
