//! Workloads that perform one kind of coordination alone. They calibrate the cost of this coordination.

use std::sync::Arc;

use super::build::{Builder, Grid, Params, WORKGROUP_SIZE, launch, trees, workgroups_for};
use super::items::Items;
use super::variant::Variant;
use crate::gpu::{CostModel, DeviceShape, Workload};
use crate::kernels::{LaunchConfig, Number};

/// Launch configuration of kernels in which invocations do not share the items.
const PLAIN: LaunchConfig = LaunchConfig::strided(1);

/// Builds a workload that reads the first `count` items, shared among the invocations of the launch
/// configuration. Each invocation writes the sum of its items, and no coordination follows.
#[must_use]
pub fn read_shares(items: &Items, count: u32, config: LaunchConfig) -> Workload {
    let mut build = Builder::new(items, count, config);
    let at = Grid::shared(config, count);
    let invocations = (at.workgroups * at.workgroup_size) as usize;
    let partials = build.zeroed(invocations);
    let params = Params::shared(count, config);
    build.dispatch("read_only", [0, partials], params, at, move |shape| {
        launch(at, shape, f64::from(count) * 4.0)
    });
    let words = Arc::clone(&items.words);
    let item = items.item;
    build.finish(&format!("read {count}"), partials, move || {
        let mut sums = vec![0i64; invocations];
        let wide = config.load.words() as usize;
        let loads = count as usize / wide;
        let block = loads.div_ceil(invocations).max(1);
        for (i, load) in words.chunks_exact(wide).cycle().take(loads).enumerate() {
            let reader = if config.blocked { i / block } else { i % invocations };
            sums[reader] += load.iter().map(|&bits| item.value(bits)).sum::<i64>();
        }
        let rest = words.iter().cycle().skip(loads * wide % words.len());
        for (reader, &bits) in rest.take(count as usize - loads * wide).enumerate() {
            sums[reader % invocations] += item.value(bits);
        }
        sums.into_iter().map(|sum| item.bits(sum)).collect()
    })
}

/// Builds a workload that reads the first `count` u32 words, one per invocation.
///
/// Each invocation writes its word only if the word is smaller than 2^22, which is one word in 1024. The
/// compiler cannot remove the reads, and the writes cost very little.
#[must_use]
pub fn read_one(words: &Arc<[u32]>, count: u32) -> Workload {
    const RARE: u32 = 1 << 22;
    let items = Items { item: Number::U32, words: Arc::clone(words), sums: Arc::new([]) };
    let mut build = Builder::new(&items, count, PLAIN);
    let kept = build.zeroed(count as usize);
    let launched = Grid::whole(workgroups_for(count));
    build.dispatch("read_one", [0, kept], Params::items(count), launched, move |shape| {
        launch(launched, shape, f64::from(count) * 4.0)
    });
    let words = Arc::clone(words);
    build.finish(&format!("read one of {count}"), kept, move || {
        words[..count as usize].iter().map(|&w| if w < RARE { w } else { 0 }).collect()
    })
}

/// Atomic additions per repeat of [`atomics`], without a loop between them.
pub const IN_A_ROW: u32 = 4;

/// Returns the requests of a workgroup of which `adders` invocations, evenly spread, add to one total at a time.
fn requests(shape: DeviceShape, adders: u32) -> u32 {
    let subgroups = WORKGROUP_SIZE.div_ceil(shape.width).min(adders);
    subgroups * shape.requests(adders / subgroups, 1)
}

/// Builds a workload of `workgroups` workgroups that perform atomic additions to one total.
///
/// In each workgroup, one of every `every` invocations performs `repeats` times [`IN_A_ROW`] additions. These
/// invocations alternately add 1 and 2. For f32 the total must stay below 2^24.
#[must_use]
pub fn atomics(item: Number, workgroups: u32, repeats: u32, every: u32) -> Workload {
    let mut build = Builder::new(&Items::none(item), 0, PLAIN);
    let total = build.zeroed(1);
    let adders = WORKGROUP_SIZE.div_ceil(every);
    let times = i64::from(workgroups) * i64::from(repeats * IN_A_ROW);
    let params = Params { repeats, every, ..Params::items(0) };
    let at = Grid::whole(workgroups);
    build.dispatch("atomics_alone", [0, total], params, at, move |shape| CostModel {
        atomics: times as f64 * f64::from(requests(shape, adders)),
        ..launch(at, shape, 0.0)
    });
    build.finish("atomics alone", total, move || {
        vec![item.bits(times * i64::from(adders + adders / 2))]
    })
}

/// Builds a workload of `workgroups` workgroups of `workgroup_size` invocations that each sum `repeats`
/// trees.
///
/// The trees take their values from workgroup memory, not from the items. With zero repeats the workload is a
/// floor case.
///
/// # Panics
/// Panics if `variant` is not a tree.
#[must_use]
pub fn repeated_trees(
    variant: Variant,
    workgroup_size: u32,
    workgroups: u32,
    repeats: u32,
) -> Workload {
    let entry = match variant {
        Variant::TreeInterleaved => "tree_alone_interleaved",
        Variant::TreeSequential => "tree_alone_sequential",
        other => panic!("the variant {} is not a tree", other.as_str()),
    };
    let mut build = Builder::new(&Items::none(Number::U32), 0, PLAIN);
    let values = build.zeroed((workgroups * workgroup_size) as usize);
    let params = Params { repeats, ..Params::items(0) };
    let at = Grid { workgroups, workgroup_size };
    build.dispatch(entry, [0, values], params, at, move |shape| trees(at, repeats, shape, 0.0));
    build.finish(entry, values, move || {
        let mut values: Vec<u32> = (0..workgroup_size).collect();
        for _ in 0..repeats {
            let sum = values.iter().fold(0u32, |sum, &v| sum.wrapping_add(v));
            for value in &mut values {
                *value = sum.wrapping_sub(*value);
            }
        }
        values
    })
}

/// Builds a workload of `workgroups` workgroups in which each subgroup performs `repeats` subgroup sums.
#[must_use]
pub fn subgroup_sums(workgroups: u32, repeats: u32) -> Workload {
    /// Instructions per subgroup sum in the cost model.
    const SUM_ISSUES: f64 = 10.0;
    let mut build = Builder::new(&Items::none(Number::U32), 0, PLAIN);
    build.subgroups = true;
    let values = build.zeroed((workgroups * WORKGROUP_SIZE) as usize);
    let params = Params { repeats, ..Params::items(0) };
    let at = Grid::whole(workgroups);
    build.dispatch("subgroup_sum_alone", [0, values], params, at, move |shape| {
        let launch = launch(at, shape, 0.0);
        let sums = launch.subgroups * f64::from(repeats);
        CostModel { issues: launch.issues + SUM_ISSUES * sums, ..launch }
    });
    build.finish("subgroup sums alone", values, || vec![1])
}
