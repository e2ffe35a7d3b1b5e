//! `imbalance`: the cost of lanes with uneven work, and the speed-up by sorting the work.
//!
//! Items of equal length calibrate the time per loop iteration. The law then predicts items of uneven length,
//! in random order (shuffled) and in sorted order.
//!
//! The floor case of a case is the same launch with items of zero iterations, whose time is subtracted.

pub mod kernel;
pub mod law;
pub mod predict;

use std::sync::Arc;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use kernel::Uneven;
use law::iterations_held;

use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::gpu::{WantedWorkers, Workload};
use crate::model::{self, About, Category};
use crate::stats;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "imbalance",
    category: Category::Uniformity,
    law: "T = Σ over subgroups of max(nᵢ)·t; η = mean(nᵢ)/max(nᵢ)",
    about: "What do lanes of uneven length cost, and how much does sorting the work gain?",
    tolerance: Tolerance {
        ratio: 0.05,
        reason: "Every case runs the same loop, and only the number of iterations differs. A loop exit that \
                 the branch predictor does not foresee costs 1 % to 2 % of the shortest item.",
    },
    shaders: || vec![kernel::shader()],
    workers: WantedWorkers::One,
    plan,
    predict: Some(&predict::LAW),
};

/// Lengths of the items of the calibrating cases, relative to the shortest item. All items of a case are equal.
/// Predictions use the median over several lengths, so that they do not depend on a single case.
const UNIFORM: [u32; 3] = [2, 4, 8];
/// Number of items per straggler.
const STRAGGLER_EVERY: u32 = 32;
/// Subgroups that a GPU's compute unit executes at the same time, each on a scheduler of its own. A subgroup's index in
/// its workgroup says which scheduler it gets.
const SCHEDULERS: u32 = 4;

/// How many items there are, how long, and how they are launched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    /// Number of items, a power of two.
    items: u32,
    /// Loop iterations of the shortest item.
    shortest: u32,
    /// Lanes of a subgroup.
    width: u32,
    /// Subgroups in a workgroup.
    subgroups: u32,
}

impl Extent {
    fn of(context: &Context<'_>, width: u32) -> Self {
        if context.is_narrow() {
            return Self::of_a_cpu(width);
        }
        let fits = width * SCHEDULERS <= context.facts.limits.max_workgroup_size;
        Self::of_a_gpu(width, if fits { SCHEDULERS } else { 1 })
    }

    /// A CPU mispredicts the exit of a loop, which is a small part of 256 iterations.
    fn of_a_cpu(width: u32) -> Self {
        Self { items: 1024, shortest: 256, width, subgroups: 1 }
    }

    /// A long subgroup that begins last leaves the rest of a GPU idle, so items are short. With several subgroups in a
    /// workgroup, the largest dispatch takes far longer than such a subgroup.
    fn of_a_gpu(width: u32, subgroups: u32) -> Self {
        // There are so many items that one long subgroup more or less makes little difference to a scheduler. If all
        // stragglers are in subgroups of their own, each scheduler gets as many of them.
        let items = STRAGGLER_EVERY * 4 * SCHEDULERS * width;
        Self { items, shortest: 32, width, subgroups }
    }

    fn workgroup_size(self) -> u32 {
        self.width * self.subgroups
    }

    /// Returns items of equal length.
    fn uniform(self, iterations: u32) -> Vec<u32> {
        vec![iterations; self.items as usize]
    }
}

/// The distribution of the lengths of the items.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spread {
    /// Evenly spaced lengths from the shortest to the longest.
    Ramp,
    /// One item in [`STRAGGLER_EVERY`] is long, and the others are short.
    Straggler,
    /// Half of the items are short, a quarter twice as long, an eighth four times as long, …
    Geometric,
}

impl Spread {
    const ALL: [Self; 3] = [Self::Ramp, Self::Straggler, Self::Geometric];

    fn as_str(self) -> &'static str {
        match self {
            Self::Ramp => "ramp",
            Self::Straggler => "straggler",
            Self::Geometric => "geometric",
        }
    }

    /// Returns the ratios of the longest to the shortest item, which are powers of two. The metrics use the
    /// last one.
    fn ratios(self, dense: bool) -> &'static [u32] {
        match (self, dense) {
            (Self::Ramp, true) => &[2, 4, 8],
            (Self::Ramp, false) => &[8],
            (_, true) => &[2, 4, 16],
            (_, false) => &[16],
        }
    }

    /// Returns the note that describes the lengths.
    fn note(self, ratio: u32) -> String {
        match self {
            Self::Ramp => format!("item lengths from 1× to {ratio}×, evenly spaced"),
            Self::Straggler => {
                format!("one item in {STRAGGLER_EVERY} is {ratio}× as long as the others")
            }
            Self::Geometric => {
                format!("item lengths of 1×, 2×, 4×, … up to {ratio}×, halving in number")
            }
        }
    }

    /// Returns the loop iterations of each item, in descending order. The longest is `ratio` times as long as the
    /// shortest.
    fn falling(self, ratio: u32, Extent { items, shortest, .. }: Extent) -> Vec<u32> {
        let iterations = |rank: u32| match self {
            Self::Ramp => shortest + shortest * (ratio - 1) * (items - 1 - rank) / (items - 1),
            Self::Straggler if rank < items / STRAGGLER_EVERY => shortest * ratio,
            Self::Straggler => shortest,
            // Items from rank items/2 on are short, items from rank items/4 on are twice as long, …
            Self::Geometric => shortest * (items / (rank + 1).next_power_of_two()).min(ratio),
        };
        (0..items).map(iterations).collect()
    }
}

/// Returns the items with their subgroups reordered, so that all halves, quarters and eighths of the list
/// take the same time. The items of a subgroup stay together.
///
/// A device with few cores gives each core a contiguous part of the workgroups. A GPU gives each scheduler the subgroups
/// of one index in their workgroups. Without the new order, the device would wait for the core or the scheduler with the
/// most long subgroups, an effect that the law does not cover.
fn balance_subgroups(items: &[u32], extent: Extent, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let mut subgroups: Vec<&[u32]> = items.chunks(extent.width as usize).collect();
    subgroups.shuffle(rng);
    subgroups.sort_by_key(|items| items.iter().max());
    let (count, flipped) = (subgroups.len(), rng.random_range(0..subgroups.len()));
    assert!(count.is_power_of_two());
    // Bit-reversed indices visit every part of the list once before they return to the first.
    let reversed = |place: usize| match count.ilog2() {
        0 => place,
        bits => place.reverse_bits() >> (usize::BITS - bits),
    };
    let mut arranged: Vec<&[u32]> =
        (0..count).map(|place| subgroups[reversed(place ^ flipped)]).collect();
    let each = extent.subgroups as usize;
    for (index, workgroup) in arranged.chunks_mut(each).enumerate() {
        workgroup.rotate_left(sum_of_digits(index, SCHEDULERS as usize) % each);
    }
    arranged.concat()
}

/// Returns the sum of the digits of `number` to the base `base`. Numbers that differ in one digit have different sums.
fn sum_of_digits(number: usize, base: usize) -> usize {
    std::iter::successors(Some(number), |rest| Some(rest / base))
        .take_while(|&rest| rest > 0)
        .map(|rest| rest % base)
        .sum()
}

/// A case, possibly with items of uneven length.
struct Timed {
    /// Mean seconds per workgroup.
    cost: Expr,
    /// Mean iterations per workgroup for which its subgroups are held, summed over the subgroups. The law
    /// counts these.
    held: f64,
}

impl Timed {
    fn add(
        plan: &mut Plan,
        context: &Context<'_>,
        name: &str,
        extent: Extent,
        iterations: Vec<u32>,
    ) -> Self {
        let seed = context.seed as u32;
        let workgroup_size = extent.workgroup_size();
        let workgroups_of_items = extent.items / workgroup_size;
        let held =
            iterations_held(&iterations, extent.width) as f64 / f64::from(workgroups_of_items);
        let uneven = |iterations: Arc<[u32]>| {
            move |workgroups: u32| {
                let iterations = Arc::clone(&iterations);
                Uneven { workgroup_size, workgroups, iterations, seed }.workload()
            }
        };
        let own = Sizing::Own { granule: workgroups_of_items, most: 65_535 };
        let case: CaseId = plan.case(name, own, uneven(iterations.into()));
        let none: Arc<[u32]> = extent.uniform(0).into();
        let floor = plan.floor(format!("{name}.floor"), Sizing::Follow(case), uneven(none));
        Self { cost: case.per_unit_above(floor), held }
    }
}

/// Returns a workload of the kernel without iterations, to see its subgroup size.
fn probe(extent: Extent) -> Workload {
    let (workgroup_size, iterations) = (extent.workgroup_size(), extent.uniform(0).into());
    Uneven { workgroup_size, workgroups: 1, iterations, seed: 0 }.workload()
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let known = context.known_width()?;
    let width = if known.is_power_of_two() {
        context.width_of(&probe(Extent::of(context, known)))?
    } else {
        known
    };
    if !width.is_power_of_two() {
        return Err(Unsupported(format!(
            "subgroups of {width} lanes do not divide the items evenly"
        )));
    }
    let extent = Extent::of(context, width);
    let mut plan = Plan::default();
    let uniform = UNIFORM.map(|length| {
        let iterations = length * extent.shortest;
        let (name, even) = (format!("uniform.{iterations}"), extent.uniform(iterations));
        let Timed { cost, held } = Timed::add(&mut plan, context, &name, extent, even);
        cost / held
    });
    let iteration =
        Expr::lenient("median", uniform, |each: &[f64]| stats::median(each).unwrap_or(f64::NAN));
    for spread in Spread::ALL {
        add_spread(&mut plan, context, extent, spread, &iteration);
    }
    let about = About::new("t_trip", "time per loop iteration of a subgroup", "s");
    plan.metric(about.lower(), iteration);
    plan.diagnose(move |outcome| diagnose(outcome, width));
    Ok(plan)
}

/// Adds the cases of one distribution, for each ratio of the longest to the shortest item. `iteration` is the
/// time per loop iteration of a subgroup.
fn add_spread(
    plan: &mut Plan,
    context: &Context<'_>,
    extent: Extent,
    spread: Spread,
    iteration: &Expr,
) {
    let word = spread.as_str();
    let x = ("longest-to-shortest ratio", "");
    let [by_shuffled, by_sorted] =
        ["shuffled", "sorted"].map(|order| plan.series(format!("{word}, {order}"), x, "s"));
    let by_gain = plan.series(format!("{word}, speed-up by sorting"), x, "x");
    let ratios = spread.ratios(context.profile.dense);
    for &ratio in ratios {
        let lengths = spread.falling(ratio, extent);
        let work: u32 = lengths.iter().sum();
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(ratio));
        let sorted = balance_subgroups(&lengths, extent, &mut rng);
        let mut shuffled = lengths;
        shuffled.shuffle(&mut rng);
        let shuffled = balance_subgroups(&shuffled, extent, &mut rng);
        let mut timed = |order: &str, iterations: Vec<u32>| {
            Timed::add(plan, context, &format!("{word}.{order}.{ratio}"), extent, iterations)
        };
        let (shuffled, sorted) = (timed("shuffled", shuffled), timed("sorted", sorted));
        let at = f64::from(ratio);
        for (series, timed) in [(by_shuffled, &shuffled), (by_sorted, &sorted)] {
            plan.judge(series, at, &timed.cost, timed.held * iteration);
        }
        let gain = &shuffled.cost / &sorted.cost;
        let predicted = shuffled.held / sorted.held;
        plan.judge(by_gain, at, &gain, predicted);
        if ratios.last() == Some(&ratio) {
            let subgroups = f64::from(extent.subgroups);
            let even = f64::from(work) / f64::from(extent.items) * subgroups * iteration;
            let about = |id: &str, label: &str, unit: &'static str| {
                About::new(format!("{id}.{word}"), format!("{label}, {word}"), unit)
            };
            let note = spread.note(ratio);
            plan.metric(about("longest_over_shortest", "longest item over shortest item", "x"), at);
            plan.metric(
                about("efficiency_shuffled", "SIMT efficiency η, uneven work in random order", "%")
                    .higher()
                    .headline()
                    .note(&note),
                even / &shuffled.cost,
            );
            plan.metric(
                about("sorting_buys", "speed-up by sorting uneven work", "x").headline().note(note),
                gain,
            );
            plan.metric(
                about("sorting_buys_predicted", "speed-up by sorting uneven work, predicted", "x"),
                predicted,
            );
        }
    }
}

/// Returns one text for each effect that the points show.
fn diagnose(outcome: &model::Experiment, width: u32) -> Vec<String> {
    let off = |order: &str, over: bool| {
        outcome.points.iter().any(|p| p.series.ends_with(order) && p.deviates(over))
    };
    let mut text = Vec::new();
    let any = |order: &str| off(order, false) || off(order, true);
    match (off("shuffled", false), off("shuffled", true)) {
        (true, false) => text.push(format!(
            "Shuffled work takes less time than the longest of {width} lanes predicts. Either \
             subgroups are narrower than {width} lanes, or finished lanes are reused for other work, or the \
             launch of workgroups hides behind long items."
        )),
        (false, true) => text.push(format!(
            "Shuffled work takes longer than the longest of {width} lanes predicts. Either subgroups are \
             wider than {width} lanes, or the exit of a loop at an unpredicted iteration costs extra time."
        )),
        _ => (),
    }
    if off("shuffled", true) && off("shuffled", false) {
        text.push(
            "Shuffled work takes longer than predicted at some points and less time at others. Either the \
             device is noisy, or the time per iteration depends on the number of iterations."
                .to_owned(),
        );
    }
    if any("speed-up by sorting") && !any("shuffled") && !any("sorted") {
        text.push(
            "The speed-up by sorting differs from its prediction, although each order is near its \
             prediction. Both orders are slightly off, in opposite directions."
                .to_owned(),
        );
    }
    if any("sorted") {
        text.push(
            "Sorted work also departs from its prediction, although the lanes of a subgroup have similar \
             work. The cause is not divergence: either the time per iteration depends on the number of \
             iterations, or long items finish last and leave the device partly idle."
                .to_owned(),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn both_halves_take_the_same_time_and_subgroups_stay_together() {
        let cpus = [4, 8, 16].map(Extent::of_a_cpu);
        let gpus = [16, 32, 64].map(|width| Extent::of_a_gpu(width, SCHEDULERS));
        for extent in cpus.into_iter().chain(gpus) {
            for spread in Spread::ALL {
                let mut rng = ChaCha8Rng::seed_from_u64(5);
                let mut items = spread.falling(16, extent);
                items.shuffle(&mut rng);
                let held = |items: &[u32]| iterations_held(items, extent.width);
                let arranged = balance_subgroups(&items, extent, &mut rng);
                assert_eq!(held(&arranged), held(&items));
                let (first, second) = arranged.split_at(arranged.len() / 2);
                // If the number of long subgroups is odd, the halves differ by at most one longest item.
                let apart = held(first).abs_diff(held(second));
                assert!(apart <= u64::from(16 * extent.shortest), "{extent:?}: {apart}");
                assert_ne!(
                    arranged,
                    balance_subgroups(&items, extent, &mut rng),
                    "the order is random"
                );
            }
        }
    }

    #[test]
    fn every_scheduler_of_a_gpu_gets_the_same_work() {
        for width in [16, 32, 64] {
            let extent = Extent::of_a_gpu(width, SCHEDULERS);
            for (spread, is_sorted) in Spread::ALL.into_iter().flat_map(|s| [(s, true), (s, false)])
            {
                let mut rng = ChaCha8Rng::seed_from_u64(7);
                let mut items = spread.falling(16, extent);
                if !is_sorted {
                    items.shuffle(&mut rng);
                }
                let arranged = balance_subgroups(&items, extent, &mut rng);
                let subgroups: Vec<&[u32]> = arranged.chunks(width as usize).collect();
                let of = |slot: usize| {
                    let slots = subgroups.iter().skip(slot).step_by(SCHEDULERS as usize);
                    slots.map(|items| iterations_held(items, width)).sum::<u64>() as f64
                };
                let held: Vec<f64> = (0..SCHEDULERS as usize).map(of).collect();
                let mean = held.iter().sum::<f64>() / held.len() as f64;
                let worst = held.iter().fold(0.0, |worst: f64, of| worst.max(of / mean));
                assert!(worst < 1.02, "{} at {width} lanes: {held:?}", spread.as_str());
            }
        }
    }
}
