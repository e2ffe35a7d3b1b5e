//! `reduction`, `reduction_items` and `reduction_subgroup`: many items to one ([`reduce()`]), and the price
//! of each kind of coordination alone ([`alone`]).
//!
//! Items are random integers of ten bits and a sign. The sum of 2²⁴ of them has a standard deviation of
//! 2.4 million, so that a partial sum, in any order that does not look at the values, leaves the 2²⁴
//! within which f32 addition is exact less than once in 10¹¹ runs: both types must give the exact answer.

pub mod alone;
mod reduce;

use std::sync::{Arc, LazyLock};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Number, module};
use crate::gpu::{Check, Contents, Demand, Dispatch, Shader, Workload};

pub use reduce::reduce;

/// Lanes in every workgroup of this family.
pub const LANES: u32 = 256;

/// Issued per subgroup around the work itself; only the fake executor counts by it.
const SETUP_ISSUES: f64 = 10.0;

/// Of f32, whole numbers are summed, and added atomically by compare-and-swap.
impl Number {
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
                Number::ALL.map(|item| {
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
        .flat_map(|subgroup| Number::ALL.map(|item| item.shader(subgroup)))
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
    pub item: Number,
    /// Their bits, padded to a multiple of four.
    pub words: Arc<[u32]>,
    /// `sums[n]` is the sum of the first n.
    sums: Arc<[i32]>,
}

impl Items {
    /// `count` random items.
    #[must_use]
    pub fn random(item: Number, count: u32, seed: u64) -> Self {
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
    fn none(item: Number) -> Self {
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
/// Barriers that a tree passes which is one of many in a workgroup: one a step, one before its sum is read,
/// and one before the next tree begins.
pub const BARRIERS_OF_A_TREE: u32 = TREE_STEPS + 2;

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
    item: Number,
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
        Workload::new(
            format!("{label} {}", self.item.word()),
            self.dispatches,
            self.buffers,
            Check { buffers: vec![checked], expected: Arc::new(expected) },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_partial_sum_of_the_largest_input_leaves_the_exact_range_of_f32() {
        let items = Items::random(Number::F32, 1 << 24, 1);
        assert!(items.sums.iter().all(|sum| sum.unsigned_abs() < 1 << 24));
    }

    #[test]
    fn a_multi_pass_tree_has_a_level_per_factor_of_256() {
        let items = Items::random(Number::U32, 70_000, 1);
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
