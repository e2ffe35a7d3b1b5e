//! `imbalance`: what a subgroup pays for its longest lane, and what sorting the work buys.

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
use crate::model::{self, About, Category};
use crate::stats;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "imbalance",
    category: Category::Uniformity,
    law: "T = Σ over subgroups of max(nᵢ)·t; η = mean(nᵢ)/max(nᵢ)",
    about: "what uneven lanes cost, and what sorting the work buys",
    tolerance: Tolerance {
        ratio: 0.05,
        reason: "the same loop runs in every case and only how long differs: leaving it at an iteration that no \
                 predictor foresees is a hundredth or two of the shortest item",
    },
    shaders: || vec![kernel::shader()],
    plan,
    predict: Some(&predict::LAW),
};

const ITEMS: u32 = 1024;
/// Iterations of the shortest item: enough that leaving its loop is small beside it.
const SHORTEST: u32 = 256;
/// Iterations of items that are all alike. Of several lengths, so that no one sample's luck is in every prediction.
const UNIFORM_ITERATIONS: [u32; 3] = [512, 1024, 2048];
/// Items for each straggler.
const STRAGGLER_EVERY: u32 = 32;

/// How the items' lengths are spread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spread {
    /// Evenly from the shortest to the longest.
    Ramp,
    /// One in [`STRAGGLER_EVERY`] long, the rest short.
    Straggler,
    /// Half of them short, a quarter twice as long, an eighth four times, …
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

    /// Longest over shortest, powers of two; the last is what metrics are about.
    fn extents(self, dense: bool) -> &'static [u32] {
        match (self, dense) {
            (Self::Ramp, true) => &[2, 4, 8],
            (Self::Ramp, false) => &[8],
            (_, true) => &[2, 4, 16],
            (_, false) => &[16],
        }
    }

    /// What the spread is like.
    fn note(self, extent: u32) -> String {
        match self {
            Self::Ramp => format!("work that ramps up to {extent}×"),
            Self::Straggler => format!("one item in {STRAGGLER_EVERY} takes {extent}× as long"),
            Self::Geometric => format!("work of geometric lengths up to {extent}×"),
        }
    }

    /// Iterations of each item, in falling order.
    fn falling(self, extent: u32) -> Vec<u32> {
        let iterations = |rank: u32| match self {
            Self::Ramp => SHORTEST + SHORTEST * (extent - 1) * (ITEMS - 1 - rank) / (ITEMS - 1),
            Self::Straggler if rank < ITEMS / STRAGGLER_EVERY => SHORTEST * extent,
            Self::Straggler => SHORTEST,
            // Ranks from ITEMS/2 on are short, from ITEMS/4 on twice as long, …
            Self::Geometric => SHORTEST * (ITEMS / (rank + 1).next_power_of_two()).min(extent),
        };
        (0..ITEMS).map(iterations).collect()
    }
}

/// The items with their subgroups in an order in which every half, quarter, eighth takes as long as any other:
/// where few cores each take a stretch of the workgroups, one with more of the long subgroups would be waited
/// for, and that is not what the law is about. Which items share a subgroup stays as it is.
fn in_like_stretches(items: &[u32], width: u32, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let mut subgroups: Vec<&[u32]> = items.chunks(width as usize).collect();
    subgroups.shuffle(rng);
    subgroups.sort_by_key(|items| items.iter().max());
    let (count, flipped) = (subgroups.len(), rng.random_range(0..subgroups.len()));
    assert!(count.is_power_of_two());
    // Numbers with their bits reversed go round all stretches before they come back to one.
    let reversed = |place: usize| match count.ilog2() {
        0 => place,
        bits => place.reverse_bits() >> (usize::BITS - bits),
    };
    let arranged = (0..count).map(|place| subgroups[reversed(place ^ flipped)]);
    arranged.flatten().copied().collect()
}

/// Items of uneven length, timed.
struct Timed {
    /// Seconds for an average workgroup.
    cost: Expr,
    /// Iterations that an average workgroup's subgroups are held for, one after the other: what the law counts.
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
        let lanes = lanes(context, width);
        let held = iterations_held(&iterations, width) as f64 / f64::from(ITEMS / lanes);
        let uneven = |iterations: Arc<[u32]>| {
            move |workgroups: u32| {
                Uneven {
                    workgroup_size: lanes,
                    workgroups,
                    iterations: Arc::clone(&iterations),
                    seed,
                }
                .workload()
            }
        };
        let own = Sizing::Own { granule: ITEMS / lanes, most: 65_535 };
        let case: CaseId = plan.case(name, own, uneven(iterations.into()));
        let none: Arc<[u32]> = vec![0; ITEMS as usize].into();
        let floor = plan.floor(format!("{name}.floor"), Sizing::Follow(case), uneven(none));
        Self { cost: case.per_unit_above(floor), held }
    }
}

/// Lanes of a workgroup. Of one subgroup on few cores; of several elsewhere, so that as many workgroups as
/// fit a dispatch outlast the last of the longest items.
fn lanes(context: &Context<'_>, width: u32) -> u32 {
    let subgroups = if context.is_narrow() { 1 } else { 4 };
    let most = context.facts.limits.max_workgroup_size.min(ITEMS);
    if width * subgroups <= most { width * subgroups } else { width }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let width = context.known_width()?;
    if !width.is_power_of_two() {
        return Err(Unsupported(format!("{width} lanes do not divide the items evenly")));
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
    let about = About::new("t_trip", "time of a loop iteration of a subgroup", "s");
    plan.metric(about.lower(), iteration);
    plan.diagnose(move |outcome| diagnose(outcome, width));
    Ok(plan)
}

/// Adds items spread like this, of one extent after the other; `iteration` is what one takes a subgroup.
fn add_spread(
    plan: &mut Plan,
    context: &Context<'_>,
    width: u32,
    spread: Spread,
    iteration: &Expr,
) {
    let word = spread.as_str();
    let x = ("longest over shortest", "");
    let [by_shuffled, by_sorted] =
        ["shuffled", "sorted"].map(|order| plan.series(format!("{word}, {order}"), x, "s"));
    let by_gain = plan.series(format!("{word}, what sorting buys"), x, "x");
    let extents = spread.extents(context.profile.dense);
    for &extent in extents {
        let lengths = spread.falling(extent);
        let work: u32 = lengths.iter().sum();
        let mut rng = ChaCha8Rng::seed_from_u64(context.seed ^ u64::from(extent));
        let sorted = in_like_stretches(&lengths, width, &mut rng);
        let mut shuffled = lengths;
        shuffled.shuffle(&mut rng);
        let shuffled = in_like_stretches(&shuffled, width, &mut rng);
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
            let subgroups = f64::from(lanes(context, width) / width);
            let even = f64::from(work) / f64::from(ITEMS) * subgroups * iteration;
            let about = |id: &str, label: &str, unit: &'static str| {
                About::new(format!("{id}.{word}"), format!("{label}, {word}"), unit)
            };
            let note = spread.note(extent);
            plan.metric(about("longest_over_shortest", "longest over shortest item", "x"), at);
            plan.metric(
                about(
                    "efficiency_shuffled",
                    "SIMT efficiency η of uneven work in random order",
                    "%",
                )
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

fn diagnose(outcome: &model::Experiment, width: u32) -> Vec<String> {
    let off = |order: &str, over: bool| {
        outcome.points.iter().any(|p| p.series.ends_with(order) && p.deviates(over))
    };
    let mut text = Vec::new();
    let any = |order: &str| off(order, false) || off(order, true);
    match (off("shuffled", false), off("shuffled", true)) {
        (true, false) => text.push(format!(
            "shuffled work is held up less than by the longest of {width} lanes: lockstep is narrower than \
             {width} lanes, lanes that are done make room, or launching hides behind long items"
        )),
        (false, true) => text.push(format!(
            "shuffled work is held up longer than by the longest of {width} lanes: lockstep is wider than \
             {width} lanes, or leaving a loop at an unforeseen iteration costs by itself"
        )),
        _ => (),
    }
    if off("shuffled", true) && off("shuffled", false) {
        text.push(
            "shuffled work is held up longer than predicted here and less there: noise of the device, or an iteration \
             whose time depends on how many there are"
                .to_owned(),
        );
    }
    if any("sorting buys") && !any("shuffled") && !any("sorted") {
        text.push(
            "sorting buys other than predicted although each order is near its prediction: both are a little \
             off, in opposite ways"
                .to_owned(),
        );
    }
    if any("sorted") {
        text.push(
            "sorted work departs from its iterations too, where lanes agree: not divergence, but an iteration whose \
             time depends on how many there are, or long items that run out last"
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
    fn every_half_takes_as_long_as_the_other_and_no_subgroup_is_broken_up() {
        for width in [4, 8, 16, 64] {
            for spread in Spread::ALL {
                let mut rng = ChaCha8Rng::seed_from_u64(5);
                let mut items = spread.falling(16);
                items.shuffle(&mut rng);
                let arranged = in_like_stretches(&items, width, &mut rng);
                assert_eq!(iterations_held(&arranged, width), iterations_held(&items, width));
                let (first, second) = arranged.split_at(ITEMS as usize / 2);
                let [first, second] =
                    [first, second].map(|half| iterations_held(half, width) as f64);
                // An odd one out is as long as the longest.
                let apart = (first - second).abs();
                assert!(apart <= f64::from(16 * SHORTEST), "{width}: {first}, {second}");
                assert_ne!(arranged, in_like_stretches(&items, width, &mut rng), "it is random");
            }
        }
    }
}
