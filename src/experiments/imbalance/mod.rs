//! `imbalance`: the cost of lanes with uneven work, and the speed-up by sorting the work.
//!
//! Items of equal length calibrate the time per loop iteration and the time that an item takes besides its iterations.
//! The law then predicts items of uneven length, in random order (shuffled) and in sorted order.
//!
//! The floor case is a launch of one workgroup without iterations, whose time is subtracted.

pub mod kernel;
pub mod law;
pub mod predict;

use std::cmp::Reverse;
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
    needs_ranks: false,
    plan,
    predict: Some(&predict::LAW),
};

/// Lengths of the items of the calibrating cases, relative to the shortest item. All items of a case are equal.
/// The lengths are those of the shortest items, of the longest, and one between them.
const UNIFORM: [u32; 3] = [1, 3, LONGEST];
/// Largest ratio of the longest to the shortest item. An even longer item would be a large part of a sample, and what a
/// device does while it waits for the last one would show.
const LONGEST: u32 = 8;
/// Number of items per straggler.
const STRAGGLER_EVERY: u32 = 32;

/// How many items there are, how long, and in which order the device gets them.
///
/// Each workgroup is one subgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    /// Number of items, a power of two.
    items: u32,
    /// Loop iterations of the shortest item.
    shortest: u32,
    /// Lanes of a subgroup.
    width: u32,
    order: Order,
}

/// The order in which a device gets subgroups of uneven length, chosen so that no part of it waits for another at the
/// end, an effect that the law does not cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// All halves, quarters and eighths of the list take the same time, because a CPU gives each core a contiguous part
    /// of the workgroups.
    EvenParts,
    /// Long subgroups come first, because a GPU gives the next workgroup to whatever scheduler is free.
    LongestFirst,
}

impl Extent {
    fn of(context: &Context<'_>, width: u32) -> Self {
        if context.is_narrow() { Self::of_a_cpu(width) } else { Self::of_a_gpu(width) }
    }

    /// A CPU mispredicts the exit of a loop, which is a small part of 256 iterations.
    fn of_a_cpu(width: u32) -> Self {
        Self { items: 1024, shortest: 256, width, order: Order::EvenParts }
    }

    /// A subgroup takes far longer than a GPU needs to launch the next one, so that launching never bounds the time.
    fn of_a_gpu(width: u32) -> Self {
        // Among so many random subgroups, nearly the expected share has a straggler.
        let items = 512 * width;
        Self { items, shortest: 128, width, order: Order::LongestFirst }
    }

    /// Returns the number of workgroups that run all items once.
    fn places(self) -> u32 {
        self.items / self.width
    }

    /// Returns how many workgroups in a row run the same items, of a launch of `workgroups`.
    fn copies(self, workgroups: u32) -> u32 {
        match self.order {
            Order::EvenParts => 1,
            Order::LongestFirst => (workgroups / self.places()).max(1),
        }
    }

    /// Returns items of equal length.
    fn uniform(self, iterations: u32) -> Arc<[u32]> {
        vec![iterations; self.items as usize].into()
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

/// Returns the items with their subgroups in the order that the device needs. The items of a subgroup stay together.
fn arranged(items: &[u32], extent: Extent, rng: &mut ChaCha8Rng) -> Arc<[u32]> {
    let mut subgroups: Vec<&[u32]> = items.chunks(extent.width as usize).collect();
    subgroups.shuffle(rng);
    subgroups.sort_by_key(|items| Reverse(items.iter().max()));
    if extent.order == Order::EvenParts {
        subgroups = in_even_parts(&subgroups, rng);
    }
    subgroups.concat().into()
}

/// Returns sorted subgroups so that all halves, quarters and eighths of the list have nearly the same lengths.
fn in_even_parts<'a>(sorted: &[&'a [u32]], rng: &mut ChaCha8Rng) -> Vec<&'a [u32]> {
    let (count, flipped) = (sorted.len(), rng.random_range(0..sorted.len()));
    assert!(count.is_power_of_two());
    // Bit-reversed indices visit every part of the list once before they return to the first.
    let reversed = |place: usize| match count.ilog2() {
        0 => place,
        bits => place.reverse_bits() >> (usize::BITS - bits),
    };
    (0..count).map(|place| sorted[reversed(place ^ flipped)]).collect()
}

/// The cases of a plan, and what they have in common.
struct Cases<'a> {
    plan: &'a mut Plan,
    extent: Extent,
    seed: u32,
    floor: CaseId,
}

/// A case, possibly with items of uneven length.
struct Timed {
    /// Mean seconds per subgroup.
    cost: Expr,
    /// Mean iterations for which a subgroup is held. The law counts these.
    held: f64,
}

impl<'a> Cases<'a> {
    fn new(plan: &'a mut Plan, extent: Extent, seed: u32) -> Self {
        let one = Sizing::Own { granule: 1, most: 1 };
        let none = extent.uniform(0);
        let floor = plan.floor("floor", one, move |workgroups| {
            launch(extent, workgroups, Arc::clone(&none), seed)
        });
        Self { plan, extent, seed, floor }
    }

    fn add(&mut self, name: &str, iterations: Arc<[u32]>) -> Timed {
        let (extent, seed) = (self.extent, self.seed);
        let held = iterations_held(&iterations, extent.width) as f64 / f64::from(extent.places());
        let own = Sizing::Own { granule: extent.places(), most: 65_535 };
        let case = self.plan.case(name, own, move |workgroups| {
            launch(extent, workgroups, Arc::clone(&iterations), seed)
        });
        Timed { cost: case.per_unit_above(self.floor), held }
    }
}

/// Returns a launch of `workgroups` over items of these lengths.
fn launch(extent: Extent, workgroups: u32, iterations: Arc<[u32]>, seed: u32) -> Workload {
    let (workgroup_size, copies) = (extent.width, extent.copies(workgroups));
    Uneven { workgroup_size, workgroups, copies, iterations, seed }.workload()
}

/// The time of a subgroup of equal items, as a line over their length.
struct Line {
    /// Seconds besides the iterations.
    start: Expr,
    /// Seconds per iteration.
    iteration: Expr,
}

impl Line {
    /// Returns the line through cases of equal items. It does not depend on a single case: it has the median of the
    /// slopes between two of them.
    fn through(cases: &[Timed]) -> Self {
        let pairs =
            cases.iter().enumerate().flat_map(|(n, a)| cases[..n].iter().map(move |b| (a, b)));
        let slopes = pairs.map(|(a, b)| (&a.cost - &b.cost) / (a.held - b.held));
        let iteration = median_of(slopes).positive();
        let start = median_of(cases.iter().map(|case| &case.cost - case.held * &iteration));
        Self { start, iteration }
    }

    /// Returns the seconds of a subgroup that is held for this many iterations.
    fn at(&self, held: f64) -> Expr {
        &self.start + held * &self.iteration
    }
}

fn median_of(of: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::lenient("median", of, |each: &[f64]| stats::median(each).unwrap_or(f64::NAN))
}

/// Returns a workload of the kernel without iterations, to see its subgroup size.
fn probe(extent: Extent) -> Workload {
    launch(extent, 1, extent.uniform(0), 0)
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
    let mut plan = Plan::default();
    let mut cases = Cases::new(&mut plan, Extent::of(context, width), context.seed as u32);
    let extent = cases.extent;
    let uniform = UNIFORM.map(|length| {
        let iterations = length * extent.shortest;
        cases.add(&format!("uniform.{iterations}"), extent.uniform(iterations))
    });
    let line = Line::through(&uniform);
    for spread in Spread::ALL {
        add_spread(&mut cases, spread, &line, context.profile.dense);
    }
    let about = About::new("t_trip", "time per loop iteration of a subgroup", "s");
    plan.metric(about.lower(), line.iteration);
    plan.diagnose(move |outcome| diagnose(outcome, width));
    Ok(plan)
}

/// Adds the cases of one distribution, for each ratio of the longest to the shortest item. `line` is the time of a
/// subgroup of equal items.
fn add_spread(cases: &mut Cases<'_>, spread: Spread, line: &Line, dense: bool) {
    let extent = cases.extent;
    let word = spread.as_str();
    let x = ("longest-to-shortest ratio", "");
    let [by_shuffled, by_sorted] =
        ["shuffled", "sorted"].map(|order| cases.plan.series(format!("{word}, {order}"), x, "s"));
    let by_gain = cases.plan.series(format!("{word}, speed-up by sorting"), x, "x");
    let ratios: &[u32] = if dense { &[2, 4, LONGEST] } else { &[LONGEST] };
    for &ratio in ratios {
        let lengths = spread.falling(ratio, extent);
        let work: u32 = lengths.iter().sum();
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(ratio));
        let sorted = arranged(&lengths, extent, &mut rng);
        let mut shuffled = lengths;
        shuffled.shuffle(&mut rng);
        let shuffled = arranged(&shuffled, extent, &mut rng);
        let mut timed = |order: &str, iterations: Arc<[u32]>| {
            cases.add(&format!("{word}.{order}.{ratio}"), iterations)
        };
        let (shuffled, sorted) = (timed("shuffled", shuffled), timed("sorted", sorted));
        let plan = &mut *cases.plan;
        let at = f64::from(ratio);
        for (series, timed) in [(by_shuffled, &shuffled), (by_sorted, &sorted)] {
            plan.judge(series, at, &timed.cost, line.at(timed.held));
        }
        let gain = &shuffled.cost / &sorted.cost;
        let predicted = line.at(shuffled.held) / line.at(sorted.held);
        plan.judge(by_gain, at, &gain, &predicted);
        if ratio == LONGEST {
            let even = f64::from(work) / f64::from(extent.items) * &line.iteration;
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
                even / (&shuffled.cost - &line.start),
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

    /// Returns the items of a spread with the longest of all items, in random order and then as `arranged` does.
    fn example(spread: Spread, extent: Extent, seed: u64) -> (Vec<u32>, Arc<[u32]>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut items = spread.falling(LONGEST, extent);
        items.shuffle(&mut rng);
        let arranged = arranged(&items, extent, &mut rng);
        (items, arranged)
    }

    #[test]
    fn both_halves_take_the_same_time_on_a_cpu_and_subgroups_stay_together() {
        for extent in [4, 8, 16].map(Extent::of_a_cpu) {
            for spread in Spread::ALL {
                let (items, arranged) = example(spread, extent, 5);
                let held = |items: &[u32]| iterations_held(items, extent.width);
                assert_eq!(held(&arranged), held(&items));
                let (first, second) = arranged.split_at(arranged.len() / 2);
                // If the number of long subgroups is odd, the halves differ by at most one longest item.
                let apart = held(first).abs_diff(held(second));
                assert!(apart <= u64::from(LONGEST * extent.shortest), "{extent:?}: {apart}");
                assert_ne!(arranged, example(spread, extent, 6).1, "the order is random");
            }
        }
    }

    #[test]
    fn a_gpu_gets_long_subgroups_first() {
        for extent in [8, 32, 64].map(Extent::of_a_gpu) {
            for spread in Spread::ALL {
                let (items, arranged) = example(spread, extent, 7);
                let longest = |items: &[u32]| -> Vec<u32> {
                    let subgroups = items.chunks(extent.width as usize);
                    subgroups.filter_map(|items| items.iter().copied().max()).collect()
                };
                assert!(longest(&arranged).is_sorted_by(|a, b| a >= b), "{}", spread.as_str());
                let [mut before, mut after] = [longest(&items), longest(&arranged)];
                before.sort_unstable();
                after.sort_unstable();
                assert_eq!(before, after, "the items of a subgroup stay together");
            }
        }
    }

    #[test]
    fn copies_of_the_items_fill_a_launch_on_a_gpu() {
        let extent = Extent::of_a_gpu(32);
        assert_eq!(
            [1, 512, 1024, 65_024].map(|workgroups| extent.copies(workgroups)),
            [1, 1, 2, 127]
        );
        assert_eq!(Extent::of_a_cpu(8).copies(4096), 1);
    }
}
