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

use super::{Load, Number, Shape};
use crate::gpu::{Check, Contents, Demand, Dispatch, Shader, Workload};

pub use reduce::reduce;

/// Lanes in every workgroup whose lanes have an item each.
pub const LANES: u32 = 256;

/// Issued per subgroup around the work itself.
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
}

/// The module of one file, for items of one type and a shape.
fn source(subgroup: bool, item: Number, shape: Shape) -> Arc<Shader> {
    let (stem, text) = if subgroup {
        ("reduction_subgroup", include_str!("../../shaders/reduction_subgroup.wgsl"))
    } else {
        ("reduction", include_str!("../../shaders/reduction.wgsl"))
    };
    let items = include_str!("../../shaders/reduction_items.wgsl");
    let loads = loads(shape);
    let text = format!("{}{items}\n{loads}\n{text}", item.prelude());
    let name = format!("{stem}.{}.{}", item.word(), shape.module());
    Arc::new(Shader {
        name,
        source: text,
        needs_subgroups: subgroup,
        needs_pairs: shape.load.is_of_pairs(),
    })
}

/// How the shape loads: `Load`, `Wide` for the items that it adds up side by side, and `sum_of` all loads `first`,
/// `first + step` … before `end`.
fn loads(shape: Shape) -> String {
    let Shape { load, ahead, .. } = shape;
    let (wide, bits) = (load.vector_of("Item"), load.vector_of("u32"));
    let (of, items) = if load.is_of_pairs() {
        let low = format!("{bits}(load)");
        let high = format!("{bits}(load >> {bits}(32u))");
        (load.vector_of("u64"), format!("bitcast<Wide>({low}) + bitcast<Wide>({high})"))
    } else {
        (wide.clone(), "load".to_owned())
    };
    let parts = ["sum.x", "sum.y", "sum.z", "sum.w"];
    let folded = match bits.as_str() {
        "u32" => "sum".to_owned(),
        _ => parts[..load.parts() as usize].join(" + "),
    };
    let (sums, all) = shape.sums();
    let lines = shape.each(|k| format!("let load{k} = loads[i + {k}u * step];"));
    let adds = shape.each(|k| format!("sum{k} += items_of(load{k});"));
    format!(
        "const VECTOR: u32 = {}u;\n\nalias Load = {of};\nalias Wide = {wide};\n\nfn items_of(load: Load) -> Wide \
         {{\n    return {items};\n}}\n\nfn sum_of(first: u32, step: u32, end: u32) -> Item {{\n{sums}    var i = \
         first;\n    for (; i + {}u * step < end; i += {ahead}u * step) {{\n{lines}{adds}    }}\n    for (; i < end; \
         i += step) {{\n        sum0 += items_of(loads[i]);\n    }}\n    let sum = {all};\n    return \
         {folded};\n}}\n",
        load.words(),
        ahead - 1,
    )
}

/// The modules: both files, both types, every shape.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    static SHADERS: LazyLock<Vec<Arc<Shader>>> = LazyLock::new(|| {
        let mut all = Vec::new();
        for subgroup in [false, true] {
            for item in Number::ALL {
                all.extend(Shape::modules().map(|shape| source(subgroup, item, shape)));
            }
        }
        all
    });
    SHADERS.clone()
}

fn shader(subgroup: bool, item: Number, shape: Shape) -> Arc<Shader> {
    let of_each = Shape::modules().count();
    let family = usize::from(subgroup) * Number::ALL.len() + item as usize;
    Arc::clone(&shaders()[family * of_each + shape.index()])
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
    /// By a grid of fixed size, then a tree in each workgroup; a second dispatch sums the partials.
    TwoPass,
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
        Self::TwoPass,
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
            Self::TwoPass => "two_pass",
            Self::SinglePass => "single_pass",
            Self::SubgroupSinglePass => "subgroup_single_pass",
        }
    }

    /// Whether it needs subgroup operations.
    #[must_use]
    pub fn needs_subgroups(self) -> bool {
        matches!(self, Self::SubgroupThenAtomic | Self::SubgroupSinglePass)
    }

    /// Whether its grid is smaller than the items and so divides them by a [`Shape`].
    #[must_use]
    pub fn shares(self) -> bool {
        matches!(self, Self::TwoPass | Self::SinglePass | Self::SubgroupSinglePass)
    }
}

/// Items in memory with their sums by length.
#[derive(Debug, Clone)]
pub struct Items {
    /// Their type.
    pub item: Number,
    /// Their bits, padded to a multiple of the largest load.
    pub words: Arc<[u32]>,
    /// `sums[n]` is the sum of the first n.
    sums: Arc<[i32]>,
}

impl Items {
    /// `count` random items.
    #[must_use]
    pub fn random(item: Number, count: u32, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let values: Vec<i32> = (0..count.next_multiple_of(Load::MOST_WORDS))
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

/// Barriers that a tree of [`LANES`] passes which is one of many in a workgroup: one a step, one before its sum is
/// read, and one before the next tree begins.
pub const BARRIERS_OF_A_TREE: u32 = LANES.ilog2() + 2;

/// Workgroups of so many lanes.
#[derive(Clone, Copy)]
struct Grid {
    workgroups: u32,
    lanes: u32,
}

impl Grid {
    /// Of workgroups whose lanes have an item each.
    fn whole(workgroups: u32) -> Self {
        Self { workgroups, lanes: LANES }
    }

    fn shared(shape: Shape, count: u32) -> Self {
        Self { workgroups: shape.workgroups_for(count), lanes: shape.lanes }
    }
}

fn trees(grid: Grid, repeats: u32, width: u32, bytes: f64) -> Demand {
    Demand {
        barriers: f64::from(grid.workgroups) * f64::from(repeats * grid.lanes.ilog2()),
        ..launch(grid, width, bytes)
    }
}

fn launch(Grid { workgroups, lanes }: Grid, width: u32, bytes: f64) -> Demand {
    let subgroups = f64::from(workgroups) * f64::from(lanes.div_ceil(width));
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

    fn shared(items: u32, shape: Shape) -> Self {
        Self { blocked: shape.blocked, ..Self::items(items) }
    }
}

/// Collects the buffers and dispatches of a workload; buffer 0 holds the items.
struct Builder {
    item: Number,
    shape: Shape,
    subgroups: bool,
    buffers: Vec<Contents>,
    dispatches: Vec<Dispatch>,
}

impl Builder {
    fn new(items: &Items, shape: Shape) -> Self {
        Self {
            item: items.item,
            shape,
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
        at: Grid,
        demand: impl Fn(u32) -> Demand + Send + Sync + 'static,
    ) {
        let Params { items, blocked, repeats, every } = params;
        self.buffers.push(Contents::Uniform(vec![items, u32::from(blocked), repeats, every]));
        self.dispatches.push(Dispatch {
            shader: shader(self.subgroups, self.item, self.shape),
            entry,
            constants: vec![("LANES", at.lanes)],
            bindings: vec![
                ("params", self.buffers.len() - 1),
                ("items", source),
                ("loads", source),
                ("total", target),
                ("partials", target),
            ],
            workgroups: grid(at.workgroups),
            demand: Arc::new(demand),
        });
    }

    /// A dispatch in which each workgroup sums by a tree.
    fn summing(&mut self, entry: &'static str, buffers: [usize; 2], params: Params, at: Grid) {
        let bytes = f64::from(params.items) * 4.0;
        self.dispatch(entry, buffers, params, at, move |width| trees(at, 1, width, bytes));
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
            |count| reduce(Variant::MultiPass, &items, count, Shape::strided(1)).dispatches.len();
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
