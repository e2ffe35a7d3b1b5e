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

/// Number of items.
const ITEMS: u32 = 1024;
/// Loop iterations of the shortest item. The cost of the loop exit is small in comparison.
const SHORTEST: u32 = 256;
/// Loop iterations of the items of the calibrating cases. All items of a case are equal. Predictions use the
/// median over several lengths, so that they do not depend on a single case.
const UNIFORM_ITERATIONS: [u32; 3] = [512, 1024, 2048];
/// Number of items per straggler.
const STRAGGLER_EVERY: u32 = 32;

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
    fn extents(self, dense: bool) -> &'static [u32] {
        match (self, dense) {
            (Self::Ramp, true) => &[2, 4, 8],
            (Self::Ramp, false) => &[8],
            (_, true) => &[2, 4, 16],
            (_, false) => &[16],
        }
    }

    /// Returns the note that describes the lengths.
    fn note(self, extent: u32) -> String {
        match self {
            Self::Ramp => format!("item lengths from 1× to {extent}×, evenly spaced"),
            Self::Straggler => {
                format!("one item in {STRAGGLER_EVERY} is {extent}× as long as the others")
            }
            Self::Geometric => {
                format!("item lengths of 1×, 2×, 4×, … up to {extent}×, halving in number")
            }
        }
    }

    /// Returns the loop iterations of each item, in descending order.
    fn falling(self, extent: u32) -> Vec<u32> {
        let iterations = |rank: u32| match self {
            Self::Ramp => SHORTEST + SHORTEST * (extent - 1) * (ITEMS - 1 - rank) / (ITEMS - 1),
            Self::Straggler if rank < ITEMS / STRAGGLER_EVERY => SHORTEST * extent,
            Self::Straggler => SHORTEST,
            // Items from rank ITEMS/2 on are short, items from rank ITEMS/4 on are twice as long, …
            Self::Geometric => SHORTEST * (ITEMS / (rank + 1).next_power_of_two()).min(extent),
        };
        (0..ITEMS).map(iterations).collect()
    }
}

/// Returns the items with their subgroups reordered, so that all halves, quarters and eighths of the list
/// take the same time. The items of a subgroup stay together.
///
/// A device with few cores gives each core a contiguous part of the workgroups. Without the new order, the
/// device would wait for the core with the most long subgroups, an effect that the law does not cover.
fn balance_subgroups(items: &[u32], width: u32, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let mut subgroups: Vec<&[u32]> = items.chunks(width as usize).collect();
    subgroups.shuffle(rng);
    subgroups.sort_by_key(|items| items.iter().max());
    let (count, flipped) = (subgroups.len(), rng.random_range(0..subgroups.len()));
    assert!(count.is_power_of_two());
    // Bit-reversed indices visit every part of the list once before they return to the first.
    let reversed = |place: usize| match count.ilog2() {
        0 => place,
        bits => place.reverse_bits() >> (usize::BITS - bits),
    };
    let arranged = (0..count).map(|place| subgroups[reversed(place ^ flipped)]);
    arranged.flatten().copied().collect()
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
        width: u32,
        iterations: Vec<u32>,
    ) -> Self {
        let seed = context.seed as u32;
        let workgroup_size = workgroup_size(context, width);
        let workgroups_of_items = ITEMS / workgroup_size;
        let held = iterations_held(&iterations, width) as f64 / f64::from(workgroups_of_items);
        let uneven = |iterations: Arc<[u32]>| {
            move |workgroups: u32| {
                let iterations = Arc::clone(&iterations);
                Uneven { workgroup_size, workgroups, iterations, seed }.workload()
            }
        };
        let own = Sizing::Own { granule: workgroups_of_items, most: 65_535 };
        let case: CaseId = plan.case(name, own, uneven(iterations.into()));
        let none: Arc<[u32]> = vec![0; ITEMS as usize].into();
        let floor = plan.floor(format!("{name}.floor"), Sizing::Follow(case), uneven(none));
        Self { cost: case.per_unit_above(floor), held }
    }
}

/// Returns the number of invocations per workgroup.
///
/// A device with few cores gets one subgroup per workgroup. Other devices get several, so that the largest
/// dispatch takes longer than the longest items that finish last.
fn workgroup_size(context: &Context<'_>, width: u32) -> u32 {
    let subgroups = if context.is_narrow() { 1 } else { 4 };
    let most = context.facts.limits.max_workgroup_size.min(ITEMS);
    if width * subgroups <= most { width * subgroups } else { width }
}

/// Returns a workload of the kernel without iterations, to see its subgroup size.
fn probe(workgroup_size: u32) -> Workload {
    let iterations = vec![0; ITEMS as usize].into();
    Uneven { workgroup_size, workgroups: 1, iterations, seed: 0 }.workload()
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let known = context.known_width()?;
    let width = if known.is_power_of_two() {
        context.width_of(&probe(workgroup_size(context, known)))?
    } else {
        known
    };
    if !width.is_power_of_two() {
        return Err(Unsupported(format!(
            "subgroups of {width} lanes do not divide {ITEMS} items evenly"
        )));
    }
    let mut plan = Plan::default();
    let uniform = UNIFORM_ITERATIONS.map(|iterations| {
        let even = vec![iterations; ITEMS as usize];
        let Timed { cost, held } =
            Timed::add(&mut plan, context, &format!("uniform.{iterations}"), width, even);
        cost / held
    });
    let iteration =
        Expr::lenient("median", uniform, |each: &[f64]| stats::median(each).unwrap_or(f64::NAN));
    for spread in Spread::ALL {
        add_spread(&mut plan, context, width, spread, &iteration);
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
    width: u32,
    spread: Spread,
    iteration: &Expr,
) {
    let word = spread.as_str();
    let x = ("longest-to-shortest ratio", "");
    let [by_shuffled, by_sorted] =
        ["shuffled", "sorted"].map(|order| plan.series(format!("{word}, {order}"), x, "s"));
    let by_gain = plan.series(format!("{word}, speed-up by sorting"), x, "x");
    let extents = spread.extents(context.profile.dense);
    for &extent in extents {
        let lengths = spread.falling(extent);
        let work: u32 = lengths.iter().sum();
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(extent));
        let sorted = balance_subgroups(&lengths, width, &mut rng);
        let mut shuffled = lengths;
        shuffled.shuffle(&mut rng);
        let shuffled = balance_subgroups(&shuffled, width, &mut rng);
        let mut timed = |order: &str, iterations: Vec<u32>| {
            Timed::add(plan, context, &format!("{word}.{order}.{extent}"), width, iterations)
        };
        let (shuffled, sorted) = (timed("shuffled", shuffled), timed("sorted", sorted));
        let at = f64::from(extent);
        for (series, timed) in [(by_shuffled, &shuffled), (by_sorted, &sorted)] {
            plan.judge(series, at, &timed.cost, timed.held * iteration);
        }
        let gain = &shuffled.cost / &sorted.cost;
        let predicted = shuffled.held / sorted.held;
        plan.judge(by_gain, at, &gain, predicted);
        if extents.last() == Some(&extent) {
            let subgroups = f64::from(workgroup_size(context, width) / width);
            let even = f64::from(work) / f64::from(ITEMS) * subgroups * iteration;
            let about = |id: &str, label: &str, unit: &'static str| {
                About::new(format!("{id}.{word}"), format!("{label}, {word}"), unit)
            };
            let note = spread.note(extent);
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
        for width in [4, 8, 16, 64] {
            for spread in Spread::ALL {
                let mut rng = ChaCha8Rng::seed_from_u64(5);
                let mut items = spread.falling(16);
                items.shuffle(&mut rng);
                let arranged = balance_subgroups(&items, width, &mut rng);
                assert_eq!(iterations_held(&arranged, width), iterations_held(&items, width));
                let (first, second) = arranged.split_at(ITEMS as usize / 2);
                let [first, second] =
                    [first, second].map(|half| iterations_held(half, width) as f64);
                // If the number of long subgroups is odd, the halves differ by at most one longest item.
                let apart = (first - second).abs();
                assert!(apart <= f64::from(16 * SHORTEST), "{width}: {first}, {second}");
                assert_ne!(
                    arranged,
                    balance_subgroups(&items, width, &mut rng),
                    "the order is random"
                );
            }
        }
    }
}
