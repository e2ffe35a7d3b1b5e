//! `reduction` and `reduction_subgroup`: many items to one, and the price of each kind of coordination.
//!
//! Items are integers of ten bits and a sign, so small that no partial sum, in any order, leaves the 24
//! bits in which f32 addition is exact: both types must give the exact answer.

use std::sync::{Arc, LazyLock};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::module;
use crate::gpu::{Check, Contents, Demand, Dispatch, Shader, Timing, Workload};

/// Lanes in every workgroup of this family.
pub const LANES: u32 = 256;

/// Issued per subgroup around the work itself; only the fake executor counts by it.
const SETUP_ISSUES: f64 = 10.0;

/// What is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Item {
    /// Wrapping 32-bit integers.
    U32,
    /// 32-bit floats, added atomically by compare-and-swap.
    F32,
}

impl Item {
    /// Both types.
    pub const ALL: [Self; 2] = [Self::U32, Self::F32];

    /// The type's name in WGSL.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::U32 => "u32",
            Self::F32 => "f32",
        }
    }

    fn prelude(self) -> &'static str {
        match self {
            Self::U32 => {
                "alias Item = u32;\n\nfn add_to_total(item: Item) {\n    atomicAdd(&total, item);\n}\n\n"
            }
            Self::F32 => {
                "alias Item = f32;\n\nfn add_to_total(item: Item) {\n    var seen = \
                 atomicLoad(&total);\n    loop {\n        let sum = bitcast<u32>(bitcast<f32>(seen) + \
                 item);\n        let swap = atomicCompareExchangeWeak(&total, seen, sum);\n        if \
                 swap.exchanged {\n            break;\n        }\n        seen = swap.old_value;\n    \
                 }\n}\n\n"
            }
        }
    }

    fn bits(self, value: i64) -> u32 {
        match self {
            Self::U32 => value as u32,
            Self::F32 => (value as f32).to_bits(),
        }
    }

    fn value(self, bits: u32) -> i64 {
        match self {
            Self::U32 => i64::from(bits as i32),
            Self::F32 => f32::from_bits(bits) as i64,
        }
    }

    fn shader(self, subgroup: bool) -> Arc<Shader> {
        static SHADERS: LazyLock<[[Arc<Shader>; 2]; 2]> = LazyLock::new(|| {
            let expand = |stem: &str, text: &str, needs_subgroups: bool| {
                Item::ALL.map(|item| {
                    let name = format!("{stem}.{}", item.word());
                    let items = include_str!("../../shaders/reduction_items.wgsl");
                    let source = format!("{}{items}\n{text}", item.prelude());
                    module(&name, source, needs_subgroups)
                })
            };
            [
                expand("reduction", include_str!("../../shaders/reduction.wgsl"), false),
                expand(
                    "reduction_subgroup",
                    include_str!("../../shaders/reduction_subgroup.wgsl"),
                    true,
                ),
            ]
        });
        Arc::clone(&SHADERS[usize::from(subgroup)][self as usize])
    }
}

/// The modules, both types of both files.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    [false, true]
        .into_iter()
        .flat_map(|subgroup| Item::ALL.map(|item| item.shader(subgroup)))
        .collect()
}

/// How the items are brought to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// Each item is added atomically.
    AtomicPerItem,
    /// Each subgroup adds its sum atomically.
    SubgroupThenAtomic,
    /// Each workgroup sums by a tree of neighbours, then adds atomically.
    TreeInterleaved,
    /// Each workgroup sums by a tree of halves, then adds atomically.
    TreeSequential,
    /// A tree of halves per workgroup, level after level, a dispatch each.
    MultiPass,
    /// Four items at a time by a grid of fixed size, then a tree; a second dispatch sums the partials.
    Vec4TwoPass,
    /// The same, but each workgroup adds atomically in the one dispatch.
    SinglePass,
    /// The same, but each subgroup sums and adds atomically, without a tree.
    SubgroupSinglePass,
}

impl Variant {
    /// Every variant.
    pub const ALL: [Self; 8] = [
        Self::AtomicPerItem,
        Self::SubgroupThenAtomic,
        Self::TreeInterleaved,
        Self::TreeSequential,
        Self::MultiPass,
        Self::Vec4TwoPass,
        Self::SinglePass,
        Self::SubgroupSinglePass,
    ];

    /// Its name in records, and its entry point where it has one of its own.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AtomicPerItem => "atomic_per_item",
            Self::SubgroupThenAtomic => "subgroup_then_atomic",
            Self::TreeInterleaved => "tree_interleaved",
            Self::TreeSequential => "tree_sequential",
            Self::MultiPass => "multi_pass",
            Self::Vec4TwoPass => "vec4_two_pass",
            Self::SinglePass => "single_pass",
            Self::SubgroupSinglePass => "subgroup_single_pass",
        }
    }

    /// Whether it needs subgroup operations.
    #[must_use]
    pub fn needs_subgroups(self) -> bool {
        matches!(self, Self::SubgroupThenAtomic | Self::SubgroupSinglePass)
    }

    /// Whether its grid is smaller than the items and so divides them by a [`Share`].
    #[must_use]
    pub fn shares(self) -> bool {
        matches!(self, Self::Vec4TwoPass | Self::SinglePass | Self::SubgroupSinglePass)
    }
}

/// Items in memory with their sums by length.
#[derive(Debug, Clone)]
pub struct Items {
    /// Their type.
    pub item: Item,
    /// Their bits, padded to a multiple of four.
    pub words: Arc<[u32]>,
    /// `sums[n]` is the sum of the first n.
    sums: Arc<[i32]>,
}

impl Items {
    /// `count` random items.
    #[must_use]
    pub fn random(item: Item, count: u32, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let values: Vec<i32> = (0..count.next_multiple_of(4))
            .map(|i| if i < count { rng.random_range(-1023..=1023) } else { 0 })
            .collect();
        let mut sum = 0;
        let sums = std::iter::once(0)
            .chain(values.iter().map(|value| {
                sum += value;
                sum
            }))
            .collect();
        let words = values.iter().map(|&value| item.bits(i64::from(value))).collect();
        Self { item, words, sums }
    }

    /// For kernels that read none.
    fn none(item: Item) -> Self {
        Self { item, words: Arc::new([0; 4]), sums: Arc::new([0]) }
    }

    fn sum_bits(&self, count: u32) -> u32 {
        self.item.bits(i64::from(self.sums[count as usize]))
    }
}

/// Workgroups for `count` items, one a lane, and their grid.
fn workgroups_for(count: u32) -> u32 {
    count.div_ceil(LANES).max(1)
}

fn grid(workgroups: u32) -> [u32; 2] {
    const WIDEST: u32 = 32_768;
    if workgroups <= WIDEST { [workgroups, 1] } else { [WIDEST, workgroups.div_ceil(WIDEST)] }
}

/// Tree steps in one workgroup.
pub const TREE_STEPS: u32 = LANES.ilog2();

/// How a grid that is smaller than the items divides them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Share {
    /// At most so many workgroups stride over the whole input together.
    Strided(u32),
    /// Each lane of at most so many workgroups has a block to itself.
    Blocked(u32),
}

impl Share {
    /// Workgroups in the grid for `count` items: no more than have four items a lane to read.
    #[must_use]
    pub fn workgroups(self, count: u32) -> u32 {
        let (Self::Strided(most) | Self::Blocked(most)) = self;
        count.div_ceil(4 * LANES).clamp(1, most)
    }

    /// Its name in records.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self::Strided(workgroups) => format!("strided_{workgroups}"),
            Self::Blocked(workgroups) => format!("blocked_{workgroups}"),
        }
    }
}

/// A reduction of the first `count` items; only [`Variant::shares`] need `share`.
#[must_use]
pub fn reduce(variant: Variant, items: &Items, count: u32, share: Share) -> Workload {
    let mut build = Builder::new(items);
    build.subgroups = variant.needs_subgroups();
    let launched = workgroups_for(count);
    let bytes = f64::from(count) * 4.0;
    let checked = match variant {
        Variant::AtomicPerItem | Variant::SubgroupThenAtomic => {
            let total = build.zeroed(1);
            let per_item = variant == Variant::AtomicPerItem;
            build.dispatch(
                variant.word(),
                [0, total],
                Params::items(count),
                launched,
                move |width| {
                    let sums = f64::from(count.div_ceil(width));
                    Demand {
                        atomics: if per_item { f64::from(count) } else { sums },
                        ..launch(launched, width, bytes)
                    }
                },
            );
            total
        }
        Variant::TreeInterleaved | Variant::TreeSequential => {
            let total = build.zeroed(1);
            build.dispatch(
                variant.word(),
                [0, total],
                Params::items(count),
                launched,
                move |width| Demand {
                    atomics: f64::from(launched),
                    ..trees(launched, 1, width, bytes)
                },
            );
            total
        }
        Variant::MultiPass => {
            let (mut source, mut left) = (0, count);
            loop {
                let groups = workgroups_for(left);
                let partials = build.zeroed(groups as usize);
                build.summing("tree_pass", [source, partials], Params::items(left), groups);
                if groups == 1 {
                    break partials;
                }
                (source, left) = (partials, groups);
            }
        }
        Variant::Vec4TwoPass => {
            let groups = share.workgroups(count);
            let partials = build.zeroed(groups.next_multiple_of(4) as usize);
            build.summing("share_pass", [0, partials], Params::shared(count, share), groups);
            let total = build.zeroed(1);
            build.summing("share_pass", [partials, total], Params::items(groups), 1);
            total
        }
        Variant::SubgroupSinglePass => {
            let groups = share.workgroups(count);
            let total = build.zeroed(1);
            let params = Params::shared(count, share);
            build.dispatch(variant.word(), [0, total], params, groups, move |width| Demand {
                atomics: f64::from(groups * LANES.div_ceil(width)),
                ..launch(groups, width, bytes)
            });
            total
        }
        Variant::SinglePass => {
            let groups = share.workgroups(count);
            let total = build.zeroed(1);
            let params = Params::shared(count, share);
            build.dispatch(variant.word(), [0, total], params, groups, move |width| Demand {
                atomics: f64::from(groups),
                ..trees(groups, 1, width, bytes)
            });
            total
        }
    };
    let items = items.clone();
    build.finish(&format!("{} of {count}", variant.word()), checked, move || {
        vec![items.sum_bits(count)]
    })
}

/// Reading the first `count` items by shares, nothing combined.
#[must_use]
pub fn read_shares(items: &Items, count: u32, share: Share) -> Workload {
    let mut build = Builder::new(items);
    let groups = share.workgroups(count);
    let lanes = (groups * LANES) as usize;
    let partials = build.zeroed(lanes);
    let params = Params::shared(count, share);
    build.dispatch("read_only", [0, partials], params, groups, move |width| {
        launch(groups, width, f64::from(count) * 4.0)
    });
    let words = Arc::clone(&items.words);
    let item = items.item;
    build.finish(&format!("read {count}"), partials, move || {
        let mut sums = vec![0i64; lanes];
        let quads = count as usize / 4;
        let block = quads.div_ceil(lanes).max(1);
        for (i, quad) in words.chunks_exact(4).take(quads).enumerate() {
            let lane = match share {
                Share::Strided(_) => i % lanes,
                Share::Blocked(_) => i / block,
            };
            sums[lane] += quad.iter().map(|&bits| item.value(bits)).sum::<i64>();
        }
        for (lane, &bits) in words[quads * 4..count as usize].iter().enumerate() {
            sums[lane] += item.value(bits);
        }
        sums.into_iter().map(|sum| item.bits(sum)).collect()
    })
}

/// Reading the first `count` u32 words, one a lane, keeping the rare ones.
#[must_use]
pub fn read_one(words: &Arc<[u32]>, count: u32) -> Workload {
    const RARE: u32 = 1 << 22;
    let items = Items { item: Item::U32, words: Arc::clone(words), sums: Arc::new([]) };
    let mut build = Builder::new(&items);
    let kept = build.zeroed(count as usize);
    let launched = workgroups_for(count);
    build.dispatch("read_one", [0, kept], Params::items(count), launched, move |width| {
        launch(launched, width, f64::from(count) * 4.0)
    });
    let words = Arc::clone(words);
    build.finish(&format!("read one of {count}"), kept, move || {
        words[..count as usize].iter().map(|&w| if w < RARE { w } else { 0 }).collect()
    })
}

/// `repeats` atomics by one lane in `every` of `workgroups` workgroups. For f32 the total must stay below
/// 2²⁴.
#[must_use]
pub fn atomics_alone(item: Item, workgroups: u32, repeats: u32, every: u32) -> Workload {
    let mut build = Builder::new(&Items::none(item));
    let total = build.zeroed(1);
    let atomics = i64::from(workgroups) * i64::from(LANES.div_ceil(every)) * i64::from(repeats);
    let params = Params { repeats, every, ..Params::items(0) };
    build.dispatch("atomics_alone", [0, total], params, workgroups, move |width| Demand {
        atomics: atomics as f64,
        ..launch(workgroups, width, 0.0)
    });
    build.finish("atomics alone", total, move || vec![item.bits(atomics)])
}

/// `repeats` trees in each of `workgroups` workgroups, on values that never leave it.
///
/// # Panics
/// For a variant that is not a tree.
#[must_use]
pub fn trees_alone(variant: Variant, workgroups: u32, repeats: u32) -> Workload {
    let entry = match variant {
        Variant::TreeInterleaved => "tree_alone_interleaved",
        Variant::TreeSequential => "tree_alone_sequential",
        other => panic!("{} is no tree", other.word()),
    };
    let mut build = Builder::new(&Items::none(Item::U32));
    let values = build.zeroed((workgroups * LANES) as usize);
    let params = Params { repeats, ..Params::items(0) };
    build.dispatch(entry, [0, values], params, workgroups, move |width| {
        trees(workgroups, repeats, width, 0.0)
    });
    build.finish(entry, values, move || {
        let mut values: Vec<u32> = (0..LANES).collect();
        for _ in 0..repeats {
            let sum = values.iter().fold(0u32, |sum, &v| sum.wrapping_add(v));
            for value in &mut values {
                *value = sum.wrapping_sub(*value);
            }
        }
        values
    })
}

/// `repeats` subgroup sums in each subgroup of `workgroups` workgroups.
#[must_use]
pub fn subgroup_sums_alone(workgroups: u32, repeats: u32) -> Workload {
    const SUM_ISSUES: f64 = 10.0;
    let mut build = Builder::new(&Items::none(Item::U32));
    build.subgroups = true;
    let values = build.zeroed((workgroups * LANES) as usize);
    let params = Params { repeats, ..Params::items(0) };
    build.dispatch("subgroup_sum_alone", [0, values], params, workgroups, move |width| {
        let launch = launch(workgroups, width, 0.0);
        let sums = launch.subgroups * f64::from(repeats);
        Demand { issues: launch.issues + SUM_ISSUES * sums, ..launch }
    });
    build.finish("subgroup sums alone", values, || vec![1])
}

fn trees(workgroups: u32, repeats: u32, width: u32, bytes: f64) -> Demand {
    Demand {
        barriers: f64::from(workgroups) * f64::from(repeats * TREE_STEPS),
        ..launch(workgroups, width, bytes)
    }
}

fn launch(workgroups: u32, width: u32, bytes: f64) -> Demand {
    let subgroups = f64::from(workgroups) * f64::from(LANES.div_ceil(width));
    Demand {
        workgroups: f64::from(workgroups),
        subgroups,
        issues: subgroups * SETUP_ISSUES,
        bytes,
        ..Demand::default()
    }
}

/// The uniform block, as in the shader.
#[derive(Clone, Copy)]
struct Params {
    items: u32,
    blocked: bool,
    repeats: u32,
    every: u32,
}

impl Params {
    fn items(items: u32) -> Self {
        Self { items, blocked: false, repeats: 0, every: 1 }
    }

    fn shared(items: u32, share: Share) -> Self {
        Self { blocked: matches!(share, Share::Blocked(_)), ..Self::items(items) }
    }
}

/// Collects the buffers and dispatches of a workload; buffer 0 holds the items.
struct Builder {
    item: Item,
    subgroups: bool,
    buffers: Vec<Contents>,
    dispatches: Vec<Dispatch>,
}

impl Builder {
    fn new(items: &Items) -> Self {
        Self {
            item: items.item,
            subgroups: false,
            buffers: vec![Contents::Data(Arc::clone(&items.words))],
            dispatches: Vec::new(),
        }
    }

    fn zeroed(&mut self, words: usize) -> usize {
        self.buffers.push(Contents::Zeroed(words));
        self.buffers.len() - 1
    }

    /// A dispatch from buffer `source` to buffer `target`.
    fn dispatch(
        &mut self,
        entry: &'static str,
        [source, target]: [usize; 2],
        params: Params,
        workgroups: u32,
        demand: impl Fn(u32) -> Demand + Send + Sync + 'static,
    ) {
        let Params { items, blocked, repeats, every } = params;
        self.buffers.push(Contents::Uniform(vec![items, u32::from(blocked), repeats, every]));
        self.dispatches.push(Dispatch {
            shader: self.item.shader(self.subgroups),
            entry,
            constants: vec![],
            bindings: vec![
                ("params", self.buffers.len() - 1),
                ("items", source),
                ("items4", source),
                ("total", target),
                ("partials", target),
            ],
            workgroups: grid(workgroups),
            demand: Arc::new(demand),
        });
    }

    /// A dispatch in which each workgroup sums by a tree.
    fn summing(
        &mut self,
        entry: &'static str,
        buffers: [usize; 2],
        params: Params,
        workgroups: u32,
    ) {
        let bytes = f64::from(params.items) * 4.0;
        self.dispatch(entry, buffers, params, workgroups, move |width| {
            trees(workgroups, 1, width, bytes)
        });
    }

    fn finish(
        self,
        label: &str,
        checked: usize,
        expected: impl Fn() -> Vec<u32> + Send + Sync + 'static,
    ) -> Workload {
        Workload {
            label: format!("{label} {}", self.item.word()),
            dispatches: self.dispatches,
            buffers: self.buffers,
            timing: Timing::Pass { repeats: 1 },
            check: Check { buffer: checked, expected: Arc::new(expected) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_partial_sum_of_the_largest_input_leaves_the_exact_range_of_f32() {
        let items = Items::random(Item::F32, 1 << 24, 1);
        assert!(items.sums.iter().all(|sum| sum.unsigned_abs() < 1 << 24));
    }

    #[test]
    fn a_multi_pass_tree_has_a_level_per_factor_of_256() {
        let items = Items::random(Item::U32, 70_000, 1);
        let levels =
            |count| reduce(Variant::MultiPass, &items, count, Share::Strided(1)).dispatches.len();
        assert_eq!([1, 256, 257, 65_536, 65_537].map(levels), [1, 1, 2, 2, 3]);
    }

    #[test]
    fn grids_beyond_one_dimension_cover_their_workgroups() {
        for workgroups in [1, 32_768, 32_769, 65_536, 262_144] {
            let [x, y] = grid(workgroups);
            assert!(x * y >= workgroups && x <= 65_535 && y <= 65_535);
        }
    }
}
