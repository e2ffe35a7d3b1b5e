//! What each kind of coordination costs, measured alone.

use std::collections::BTreeMap;

use super::super::TRAIN;
use super::super::ceilings::{memory_case, search_memory};
use super::{Fastest, most_items, sizes, subgroup_size};
use crate::kernels::memory::{Memory, Traffic};
use crate::kernels::reduction::{Items, LANES, Variant, alone};
use crate::kernels::{Number, empty, random_words};
use crate::laws::coordination::Prices;
use crate::laws::simt::subgroups;
use crate::measure::{CaseId, Context, Plan, Sizing, Spans};

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
    /// Of workgroups of as many lanes as `lanes` says once shapes are settled.
    fn add(
        plan: &mut Plan,
        name: &str,
        variant: Variant,
        lanes: impl Fn() -> u32 + Clone + 'static,
    ) -> Self {
        let mut case = |kind: &str, repeats: u32, one: bool| {
            let lanes = lanes.clone();
            let shared =
                Sizing::Shared { group: format!("tree {name}"), granule: 16, most: 16_384 };
            let sizing = if one { TRAIN } else { shared };
            plan.case(format!("alone.{kind}{name}"), sizing, move |n| {
                if one {
                    alone::repeated_trees(variant, lanes(), 1, repeats).train(n)
                } else {
                    alone::repeated_trees(variant, lanes(), n, repeats)
                }
            })
        };
        Self {
            many: [case("tree_", PRICED, false), case("tree.floor_", 0, false)],
            one: [case("one_tree_", PRICED, true), case("one_tree.floor_", 0, true)],
        }
    }

    /// Seconds of one among many.
    fn many_s(&self, spans: &Spans<'_>) -> f64 {
        spans.unit_above(self.many[0], self.many[1]) / f64::from(PRICED)
    }

    /// Seconds of one from start to end.
    fn one_s(&self, spans: &Spans<'_>) -> f64 {
        spans.unit_beyond(self.one[0], self.one[1]) / f64::from(PRICED)
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
    /// Of the fastest shape's workgroups.
    shared: Tree,
    /// By item type: in every lane, in one lane of each subgroup; each with its floor.
    atomics: [[[CaseId; 2]; 2]; 2],
    atomics_per_workgroup: [f64; 2],
    subgroup_sums: Option<[CaseId; 2]>,
    subgroups_per_workgroup: f64,
    most_items: u32,
}

impl Alone {
    pub(super) fn add(
        plan: &mut Plan,
        context: &Context<'_>,
        items: &Items,
        fastest: &Fastest,
    ) -> Self {
        let width = subgroup_size(context);
        let whole = || LANES;
        let shared = fastest.clone();
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
            let group =
                Sizing::Shared { group: "subgroup sum".to_owned(), granule: 16, most: 16_384 };
            [("alone.subgroup_sum", 4 * PRICED), ("alone.subgroup_sum.floor", 0)].map(
                |(name, repeats)| {
                    plan.case(name, group.clone(), move |n| alone::subgroup_sums(n, repeats))
                },
            )
        });
        let most_items = most_items(context);
        let (seed, read) = (context.seed as u32, search_memory(plan, context, Traffic::Read));
        Self {
            dispatch: plan.case("alone.dispatch", TRAIN, |n| empty::workload(1).train(n)),
            fastest_read: memory_case(
                plan,
                "alone.read_fastest".to_owned(),
                TRAIN,
                &read,
                move |shape| Memory {
                    traffic: Traffic::Read,
                    words: most_items,
                    shape,
                    seed,
                    idle: false,
                },
            ),
            reads: Self::reads(plan, context, items, fastest),
            interleaved: Tree::add(plan, "interleaved", Variant::TreeInterleaved, whole),
            sequential: Tree::add(plan, "sequential", Variant::TreeSequential, whole),
            shared: Tree::add(plan, "shared", Variant::TreeSequential, move || {
                shared.shape().lanes
            }),
            atomics,
            atomics_per_workgroup: [1, width]
                .map(|every| f64::from(LANES.div_ceil(every) * PRICED)),
            subgroup_sums,
            subgroups_per_workgroup: f64::from(subgroups(LANES, width)),
            most_items,
        }
    }

    fn reads(
        plan: &mut Plan,
        context: &Context<'_>,
        items: &Items,
        fastest: &Fastest,
    ) -> BTreeMap<(bool, u32), CaseId> {
        let mut reads = BTreeMap::new();
        let one_a_lane = sizes(context, Variant::TreeSequential, Number::U32);
        let words = random_words(context.seed, one_a_lane.last().map_or(0, |&most| most as usize));
        for count in one_a_lane {
            let words = words.clone();
            let case = plan.case(format!("alone.read_one.{count}"), TRAIN, move |n| {
                alone::read_one(&words, count).train(n)
            });
            reads.insert((false, count), case);
        }
        for count in sizes(context, Variant::SinglePass, Number::U32) {
            let (items, fastest) = (items.clone(), fastest.clone());
            let case = plan.case(format!("alone.read_shares.{count}"), TRAIN, move |n| {
                alone::read_shares(&items, count, fastest.shape()).train(n)
            });
            reads.insert((true, count), case);
        }
        reads
    }

    pub(super) fn dispatch_s(&self, spans: &Spans<'_>) -> f64 {
        spans.unit(self.dispatch)
    }

    fn tree(&self, variant: Variant) -> &Tree {
        match variant {
            Variant::TreeInterleaved => &self.interleaved,
            variant if variant.shares() => &self.shared,
            _ => &self.sequential,
        }
    }

    pub(super) fn tree_s(&self, spans: &Spans<'_>, variant: Variant) -> f64 {
        self.tree(variant).many_s(spans)
    }

    pub(super) fn tree_latency_s(&self, spans: &Spans<'_>, variant: Variant) -> f64 {
        self.tree(variant).one_s(spans)
    }

    /// Seconds per atomic where every lane does one, or one lane of each subgroup.
    pub(super) fn atomic_s(&self, spans: &Spans<'_>, item: Number, leaders: bool) -> f64 {
        let who = usize::from(leaders);
        let [priced, floor] = self.atomics[item as usize][who];
        spans.unit_above(priced, floor) / self.atomics_per_workgroup[who]
    }

    pub(super) fn subgroup_sum_s(&self, spans: &Spans<'_>) -> f64 {
        self.subgroup_sums.map_or(f64::NAN, |[case, floor]| {
            spans.unit_above(case, floor) / (self.subgroups_per_workgroup * f64::from(4 * PRICED))
        })
    }

    /// Bytes of the largest input read in a second, at the fastest: what no reduction can pass.
    pub(super) fn ceiling(&self, spans: &Spans<'_>) -> f64 {
        let shared = self.reads.get(&(true, self.most_items)).copied();
        let reads = [Some(self.fastest_read), shared].into_iter().flatten();
        f64::from(self.most_items) * 4.0 / spans.least(reads, |read| spans.unit(read))
    }

    /// Seconds for reading `count` items alone, the dispatch not counted.
    pub(super) fn read_s(&self, spans: &Spans<'_>, shares: bool, count: u32) -> f64 {
        spans.unit(self.reads[&(shares, count)]) - self.dispatch_s(spans)
    }

    pub(super) fn prices(&self, spans: &Spans<'_>, variant: Variant, item: Number) -> Prices {
        let sums = variant.needs_subgroups();
        Prices {
            dispatch_s: self.dispatch_s(spans),
            subgroup_sum_s: if sums { self.subgroup_sum_s(spans) } else { 0.0 },
            tree_s: self.tree_s(spans, variant),
            tree_latency_s: self.tree_latency_s(spans, variant),
            atomic_s: self.atomic_s(spans, item, variant != Variant::AtomicPerItem),
        }
    }
}
