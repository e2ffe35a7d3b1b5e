//! The cases that calibrate the law: each kind of coordination, timed alone.
//!
//! A floor case is the same kernel without the coordination. Its time is subtracted.

use std::collections::BTreeMap;

use super::kernel::{Items, Variant, WORKGROUP_SIZE, alone};
use super::law::{Prices, Step, time};
use super::sizes::{most_items, sizes};
use super::steps::subgroup_size;
use crate::bench::{CaseId, Context, Expr, Plan, Sizing};
use crate::experiments::ceilings::launch::Loads;
use crate::experiments::ceilings::memory::{Place, memory_case, search_memory};
use crate::experiments::lanes::law::subgroups;
use crate::experiments::sweep::REPEATS;
use crate::gpu::ShaderFeature;
use crate::kernels::memory::{Memory, Traffic};
use crate::kernels::{LaunchConfig, Number, empty, random_words};

/// Repeats of the coordination in a calibration kernel: atomics per invocation or trees per workgroup. A
/// kernel of subgroup sums has four times as many repeats per subgroup.
const PRICED: u32 = 4;

/// The cases that measure a tree: the sum over the invocations of a workgroup in log₂(workgroup size) steps.
struct Tree {
    /// Trees in enough workgroups to fill the device, and their floor case.
    many: [CaseId; 2],
    /// Trees in a single workgroup, and their floor case.
    one: [CaseId; 2],
}

impl Tree {
    /// Adds the cases for workgroups of `workgroup_size` invocations.
    fn add(plan: &mut Plan, name: &str, variant: Variant, workgroup_size: u32) -> Self {
        let mut case = |kind: &str, repeats: u32, one: bool| {
            let shared =
                Sizing::Shared { group: format!("tree {name}"), granule: 16, most: 16_384 };
            let sizing = if one { REPEATS } else { shared };
            plan.case(format!("alone.{kind}{name}"), sizing, move |n| {
                if one {
                    alone::repeated_trees(variant, workgroup_size, 1, repeats).repeated(n)
                } else {
                    alone::repeated_trees(variant, workgroup_size, n, repeats)
                }
            })
        };
        Self {
            many: [case("tree_", PRICED, false), case("tree.floor_", 0, false)],
            one: [case("one_tree_", PRICED, true), case("one_tree.floor_", 0, true)],
        }
    }

    /// Returns the seconds per tree while trees in other workgroups fill the device.
    fn many_s(&self) -> Expr {
        let [trees, floor] = self.many;
        trees.per_unit_above(floor) / f64::from(PRICED)
    }

    /// Returns the latency of one tree in seconds.
    fn one_s(&self) -> Expr {
        let [trees, floor] = self.one;
        trees.per_unit_beyond(floor) / f64::from(PRICED)
    }
}

/// The calibration cases.
pub(super) struct Alone {
    /// An empty dispatch.
    dispatch: CaseId,
    /// The launch configuration that is fastest for reads.
    pub(super) read_config: LaunchConfig,
    /// Reads of the largest input in that configuration.
    fastest_read: CaseId,
    /// Reads without coordination. The key is whether the variant [shares](Variant::shares) items, and the
    /// number of items.
    reads: BTreeMap<(bool, u32), CaseId>,
    /// Trees with interleaved addressing.
    interleaved: Tree,
    /// Trees with sequential addressing.
    sequential: Tree,
    /// Trees with sequential addressing in workgroups of the autotuned size.
    shared: Tree,
    /// Atomics by item type, then by whether every invocation or one invocation per subgroup performs them.
    /// Each entry is a case and its floor case.
    atomics: [[[CaseId; 2]; 2]; 2],
    /// Atomics per workgroup: if every invocation performs them, and if one invocation per subgroup does.
    atomics_per_workgroup: [f64; 2],
    /// Subgroup sums and their floor case. `None` if the device has no subgroup operations.
    subgroup_sums: Option<[CaseId; 2]>,
    subgroups_per_workgroup: f64,
    /// Items of the largest input.
    pub(super) most_items: u32,
    /// Whether atomics take place while the device does other work.
    atomics_overlap: bool,
}

impl Alone {
    /// Adds the calibration cases. `config` is the launch configuration of the variants that
    /// [share](Variant::shares) items.
    pub(super) fn add(
        plan: &mut Plan,
        context: &Context<'_>,
        items: &Items,
        config: LaunchConfig,
    ) -> Self {
        let width = subgroup_size(context);
        // An f32 total is exact up to 2^24. 2^24 / (256 · 16 · 1.5) = 2,730 workgroups reach this limit.
        let own = Sizing::Own { granule: 16, most: 2_560 };
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
        let subgroup_sums = context.facts.has(ShaderFeature::Subgroups).then(|| {
            let group =
                Sizing::Shared { group: "subgroup sum".to_owned(), granule: 16, most: 16_384 };
            let name = "alone.subgroup_sum";
            let sums = |repeats| move |n| alone::subgroup_sums(n, repeats);
            let priced = plan.case(name, group.clone(), sums(4 * PRICED));
            [priced, plan.floor(format!("{name}.floor"), group, sums(0))]
        });
        let most_items = most_items(context);
        let place = Place::of(context, most_items);
        let read_config = search_memory(context, Traffic::Read, Loads::All, place);
        let fastest_read = Memory {
            traffic: Traffic::Read,
            words: most_items,
            config: read_config,
            seed: context.seed as u32,
            sweeps: 1,
        };
        Self {
            dispatch: plan.case("alone.dispatch", REPEATS, |n| empty::workload(1).repeated(n)),
            read_config,
            fastest_read: memory_case(plan, "alone.read_fastest".to_owned(), REPEATS, fastest_read),
            reads: Self::reads(plan, context, items, config),
            interleaved: Tree::add(plan, "interleaved", Variant::TreeInterleaved, WORKGROUP_SIZE),
            sequential: Tree::add(plan, "sequential", Variant::TreeSequential, WORKGROUP_SIZE),
            shared: Tree::add(plan, "shared", Variant::TreeSequential, config.workgroup_size),
            atomics,
            atomics_per_workgroup: [1, width]
                .map(|every| f64::from(WORKGROUP_SIZE.div_ceil(every) * PRICED * alone::IN_A_ROW)),
            subgroup_sums,
            subgroups_per_workgroup: f64::from(subgroups(WORKGROUP_SIZE, width)),
            most_items,
            atomics_overlap: !context.is_narrow(),
        }
    }

    /// Adds the cases that read the items without coordination.
    fn reads(
        plan: &mut Plan,
        context: &Context<'_>,
        items: &Items,
        config: LaunchConfig,
    ) -> BTreeMap<(bool, u32), CaseId> {
        let mut reads = BTreeMap::new();
        let one_each = sizes(context, Variant::TreeSequential, Number::U32);
        let words = random_words(context.seed, one_each.last().map_or(0, |&most| most as usize));
        for count in one_each {
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

    /// Returns the seconds of an empty dispatch.
    pub(super) fn dispatch_s(&self) -> Expr {
        self.dispatch.per_unit()
    }

    /// Returns the cases of the kind of tree that `variant` uses.
    fn tree(&self, variant: Variant) -> &Tree {
        match variant {
            Variant::TreeInterleaved => &self.interleaved,
            variant if variant.shares() => &self.shared,
            _ => &self.sequential,
        }
    }

    /// Returns the seconds per tree of `variant` while other trees fill the device.
    pub(super) fn tree_s(&self, variant: Variant) -> Expr {
        self.tree(variant).many_s()
    }

    /// Returns the latency of one tree of `variant` in seconds.
    pub(super) fn tree_latency_s(&self, variant: Variant) -> Expr {
        self.tree(variant).one_s()
    }

    /// Returns the seconds per atomic. If `leaders` is true, one invocation per subgroup performs atomics;
    /// otherwise every invocation does.
    pub(super) fn atomic_s(&self, item: Number, leaders: bool) -> Expr {
        let who = usize::from(leaders);
        let [priced, floor] = self.atomics[item as usize][who];
        priced.per_unit_above(floor) / self.atomics_per_workgroup[who]
    }

    /// Returns the seconds per subgroup sum. Unknown if the device has no subgroup operations.
    pub(super) fn subgroup_sum_s(&self) -> Expr {
        self.subgroup_sums.map_or(f64::NAN.into(), |[priced, floor]| {
            priced.per_unit_above(floor) / (self.subgroups_per_workgroup * f64::from(4 * PRICED))
        })
    }

    /// Returns the peak read bandwidth on the largest input, in bytes per second. No reduction is faster.
    pub(super) fn ceiling(&self) -> Expr {
        let shared = self.reads.get(&(true, self.most_items)).copied();
        let reads = [Some(self.fastest_read), shared].into_iter().flatten();
        f64::from(self.most_items) * 4.0 / Expr::min_known(reads.map(CaseId::per_unit))
    }

    /// Returns the seconds of reading `count` items, without the dispatch overhead.
    fn read_s(&self, shares: bool, count: u32) -> Expr {
        self.reads[&(shares, count)].per_unit() - self.dispatch_s()
    }

    /// Returns the predicted seconds of a reduction that consists of `steps`.
    ///
    /// A cost that no step needs counts as zero, so the prediction is known even if this cost is unknown.
    pub(super) fn predicted(
        &self,
        variant: Variant,
        item: Number,
        count: u32,
        steps: Vec<Step>,
    ) -> Expr {
        let if_needed = |of: fn(&Step) -> f64, price: Expr| {
            if steps.iter().any(|step| of(step) > 0.0) { price } else { 0.0.into() }
        };
        let leaders = variant != Variant::AtomicPerItem;
        let costs = [
            self.read_s(variant.shares(), count),
            self.dispatch_s(),
            if_needed(|step| step.subgroup_sums, self.subgroup_sum_s()),
            if_needed(|step| step.trees, self.tree_s(variant)),
            if_needed(|step| step.trees, self.tree_latency_s(variant)),
            if_needed(|step| step.atomics, self.atomic_s(item, leaders)),
        ];
        let atomics_overlap = self.atomics_overlap;
        Expr::call("time", costs, move |costs| {
            let [read_s, dispatch_s, subgroup_sum_s, tree_s, tree_latency_s, atomic_s] = costs;
            let prices = Prices {
                dispatch_s,
                subgroup_sum_s,
                tree_s,
                tree_latency_s,
                atomic_s,
                atomics_overlap,
            };
            time(read_s, steps.iter().copied(), prices)
        })
    }
}
