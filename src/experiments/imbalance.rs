//! `imbalance`: what a subgroup pays for its longest lane, and what sorting the work buys.

use std::sync::Arc;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::is_narrow;
use crate::kernels::uneven::Uneven;
use crate::laws::imbalance::trips_held;
use crate::measure::{
    CaseId, Context, Experiment, Idea, Plan, PointSpec, Sizing, Spans, Unsupported,
};
use crate::record;
use crate::stats;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "imbalance",
    idea: Idea::Uniformity,
    law: "T = Σ over subgroups of max(nᵢ)·t; η = mean(nᵢ)/max(nᵢ)",
    about: "what uneven lanes cost, and what sorting the work buys",
    plan,
};

const ITEMS: u32 = 1024;
/// Trips of the shortest item: enough that leaving its loop is small beside it.
const SHORTEST: u32 = 256;
/// Trips of items that are all alike. Of several lengths, so that no one span's luck is in every prediction.
const UNIFORM_TRIPS: [u32; 3] = [512, 1024, 2048];
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

    fn word(self) -> &'static str {
        match self {
            Self::Ramp => "ramp",
            Self::Straggler => "straggler",
            Self::Geometric => "geometric",
        }
    }

    /// Longest over shortest, powers of two; the last is what findings are about.
    fn extents(self, dense: bool) -> &'static [u32] {
        match (self, dense) {
            (Self::Ramp, true) => &[2, 4, 8],
            (Self::Ramp, false) => &[8],
            (_, true) => &[2, 4, 16],
            (_, false) => &[16],
        }
    }

    /// Trips of each item, in falling order.
    fn falling(self, extent: u32) -> Vec<u32> {
        let trips = |rank: u32| match self {
            Self::Ramp => SHORTEST + SHORTEST * (extent - 1) * (ITEMS - 1 - rank) / (ITEMS - 1),
            Self::Straggler if rank < ITEMS / STRAGGLER_EVERY => SHORTEST * extent,
            Self::Straggler => SHORTEST,
            // Ranks from ITEMS/2 on are short, from ITEMS/4 on twice as long, …
            Self::Geometric => SHORTEST * (ITEMS / (rank + 1).next_power_of_two()).min(extent),
        };
        (0..ITEMS).map(trips).collect()
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

/// A case with what surrounds its loops, and what the law counts of it.
#[derive(Clone, Copy)]
struct Timed {
    case: CaseId,
    floor: CaseId,
    /// Trips that an average workgroup's subgroups are held for, one after the other.
    held: f64,
}

impl Timed {
    fn add(
        plan: &mut Plan,
        context: &Context<'_>,
        name: &str,
        width: u32,
        trips: Vec<u32>,
    ) -> Self {
        let seed = context.seed as u32;
        let lanes = lanes(context, width);
        let held = trips_held(&trips, width) as f64 / f64::from(ITEMS / lanes);
        let mut case = |name: String, trips: Arc<[u32]>, sizing: Sizing| {
            plan.case(name, sizing, move |workgroups| {
                Uneven { lanes, workgroups, trips: Arc::clone(&trips), seed }.workload()
            })
        };
        let granule = ITEMS / lanes;
        let own = Sizing::Own { granule, most: 65_535 };
        let timed = case(name.to_owned(), trips.into(), own);
        let none: Arc<[u32]> = vec![0; ITEMS as usize].into();
        let floor = case(format!("{name}.floor"), none, Sizing::Follow(timed));
        Self { case: timed, floor, held }
    }

    /// Seconds for an average workgroup.
    fn cost(self, spans: &Spans<'_>) -> f64 {
        spans.unit_above(self.case, self.floor)
    }
}

/// Lanes of a workgroup. Of one subgroup on few cores; of several elsewhere, so that as many workgroups as
/// fit a dispatch outlast the last of the longest items.
fn lanes(context: &Context<'_>, width: u32) -> u32 {
    let subgroups = if is_narrow(context) { 1 } else { 4 };
    let most = context.facts.limits.workgroup_lanes.min(ITEMS);
    if width * subgroups <= most { width * subgroups } else { width }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let width = context.known_width()?;
    if !width.is_power_of_two() {
        return Err(Unsupported(format!("{width} lanes do not divide the items evenly")));
    }
    let mut plan = Plan::default();
    let uniform = UNIFORM_TRIPS.map(|trips| {
        let even = vec![trips; ITEMS as usize];
        Timed::add(&mut plan, context, &format!("uniform.{trips}"), width, even)
    });
    let trip_s = move |spans: &Spans<'_>| {
        let each = uniform.map(|timed| timed.cost(spans) / timed.held);
        stats::median(&each).unwrap_or(f64::NAN)
    };
    for spread in Spread::ALL {
        let extents = spread.extents(context.profile.dense);
        for &extent in extents {
            let lengths = spread.falling(extent);
            let work: u32 = lengths.iter().sum();
            let mut rng = ChaCha8Rng::seed_from_u64(context.seed ^ u64::from(extent));
            let sorted = in_like_stretches(&lengths, width, &mut rng);
            let mut shuffled = lengths;
            shuffled.shuffle(&mut rng);
            let shuffled = in_like_stretches(&shuffled, width, &mut rng);
            let word = spread.word();
            let mut timed = |order: &str, trips: Vec<u32>| {
                Timed::add(&mut plan, context, &format!("{word}.{order}.{extent}"), width, trips)
            };
            let orders =
                [("shuffled", timed("shuffled", shuffled)), ("sorted", timed("sorted", sorted))];
            for (order, timed) in orders {
                plan.point(PointSpec {
                    series: format!("{word}, {order}"),
                    x: ("longest over shortest", f64::from(extent), ""),
                    unit: "s",
                    measured: Box::new(move |spans| timed.cost(spans)),
                    predicted: Box::new(move |spans| timed.held * trip_s(spans)),
                    claimed: true,
                });
            }
            let [(_, shuffled), (_, sorted)] = orders;
            let gain = move |spans: &Spans<'_>| shuffled.cost(spans) / sorted.cost(spans);
            let predicted = shuffled.held / sorted.held;
            plan.point(PointSpec {
                series: format!("{word}, what sorting buys"),
                x: ("longest over shortest", f64::from(extent), ""),
                unit: "x",
                measured: Box::new(gain),
                predicted: Box::new(move |_| predicted),
                claimed: true,
            });
            if extents.last() == Some(&extent) {
                let lanes = lanes(context, width);
                let even = f64::from(work) / f64::from(ITEMS) * f64::from(lanes / width);
                plan.figure(format!("longest_over_shortest.{word}"), "x", move |_| {
                    f64::from(extent)
                });
                plan.figure(format!("efficiency_shuffled.{word}"), "", move |spans| {
                    even * trip_s(spans) / shuffled.cost(spans)
                });
                plan.figure(format!("sorting_buys.{word}"), "x", gain);
                plan.figure(format!("sorting_buys_predicted.{word}"), "x", move |_| predicted);
            }
        }
    }
    plan.parameter("t_trip", "s", trip_s);
    plan.diagnose(move |outcome| diagnose(outcome, width));
    Ok(plan)
}

fn diagnose(outcome: &record::Experiment, width: u32) -> Vec<String> {
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
             {width} lanes, or leaving a loop at an unforeseen trip costs by itself"
        )),
        _ => (),
    }
    if off("shuffled", true) && off("shuffled", false) {
        text.push(
            "shuffled work is held up longer than predicted here and less there: noise of the device, or a trip \
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
            "sorted work departs from its trips too, where lanes agree: not divergence, but a trip whose time \
             depends on how many there are, or long items that run out last"
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
                assert_eq!(trips_held(&arranged, width), trips_held(&items, width));
                let (first, second) = arranged.split_at(ITEMS as usize / 2);
                let [first, second] = [first, second].map(|half| trips_held(half, width) as f64);
                // An odd one out is as long as the longest.
                let apart = (first - second).abs();
                assert!(apart <= f64::from(16 * SHORTEST), "{width}: {first}, {second}");
                assert_ne!(arranged, in_like_stretches(&items, width, &mut rng), "it is random");
            }
        }
    }
}
