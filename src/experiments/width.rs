//! `width`: how many lanes go in lockstep, found from timing alone, twice.

use std::rc::Rc;
use std::sync::Arc;

use super::powers_of_two;
use crate::kernels::arms::Arms;
use crate::kernels::chain::Chain;
use crate::laws::divergence::subgroup_time;
use crate::laws::simt::subgroups;
use crate::measure::{
    CaseId, Context, Experiment, Idea, Plan, PointSpec, Sizing, Spans, Unsupported,
};
use crate::record::{self, Value};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "width",
    idea: Idea::Uniformity,
    law: "arms alternating every g lanes cost two arms for g < W, one for g ≥ W; s lanes cost ⌈s/W⌉",
    about: "how many lanes go in lockstep, by two methods, against what the driver says",
    plan,
};

const TRIPS: u32 = 128;
const CHAIN_TRIPS: u32 = 512;
/// Between one subgroup's time and two.
const KNEE: f64 = 1.5;
/// A workgroup must hold two runs of the coarsest granularity.
const MOST_LANES: u32 = 256;

/// Two arms that alternate every g lanes.
struct ByGranularity {
    swept: Vec<(u32, CaseId, f64)>,
    alone: [CaseId; 2],
    reach: CaseId,
    floor: CaseId,
    repeats: f64,
}

impl ByGranularity {
    fn add(plan: &mut Plan, context: &Context<'_>, lanes: u32) -> Self {
        // Few enough that a workgroup on one core takes a small part of a span.
        const REPEATS: u32 = 4;
        let seed = context.seed as u32;
        let sizing = Sizing::Shared { group: "granularity".to_owned(), granule: 16, most: 16_384 };
        let mut case = |id: String, repeats: u32, trips: u32, arm: &dyn Fn(u32) -> u32| {
            let selectors: Arc<[u32]> = (0..lanes).map(arm).collect();
            plan.case(id, sizing.clone(), move |workgroups| {
                let selectors = Arc::clone(&selectors);
                Arms { lanes, workgroups, repeats, trips, arms: 2, selectors, seed }.workload()
            })
        };
        Self {
            swept: powers_of_two(lanes / 2)
                .map(|g| {
                    // Equal spans where the reported width is right, which costs nothing where not.
                    let diverges = context.reported_width.is_some_and(|width| g < width);
                    let repeats = if diverges { REPEATS / 2 } else { REPEATS };
                    let id = format!("granularity.{g}");
                    (g, case(id, repeats, TRIPS, &|lane| lane / g % 2), f64::from(repeats))
                })
                .collect(),
            alone: [0, 1].map(|arm| case(format!("alone.{arm}"), REPEATS, TRIPS, &|_| arm)),
            reach: case("reach".to_owned(), REPEATS, 0, &|_| 0),
            floor: case("granularity.floor".to_owned(), 0, TRIPS, &|_| 0),
            repeats: f64::from(REPEATS),
        }
    }

    fn cost(&self, spans: &Spans<'_>, case: CaseId, repeats: f64) -> f64 {
        spans.unit_above(case, self.floor) / repeats
    }

    /// What a workgroup costs at granularity `g` if subgroups are `width` wide.
    fn predicted(&self, spans: &Spans<'_>, g: u32, width: f64) -> f64 {
        let t0 = self.cost(spans, self.reach, self.repeats);
        let arms = self.alone.map(|arm| self.cost(spans, arm, self.repeats));
        let both = subgroup_time(t0, arms);
        let one = (arms[0] + arms[1]) / 2.0;
        if width.is_nan() {
            f64::NAN
        } else if f64::from(g) < width {
            both
        } else {
            one
        }
    }

    /// The smallest granularity at which subgroups no longer take both arms; NaN if none.
    fn width(&self, spans: &Spans<'_>) -> f64 {
        let t0 = self.cost(spans, self.reach, self.repeats);
        let one = self.predicted(spans, 1, 1.0) - t0;
        let arms =
            |&(_, case, repeats): &(u32, CaseId, f64)| (self.cost(spans, case, repeats) - t0) / one;
        // From coarse to fine, so that one odd point cannot make a knee of its own.
        let coarse = self.swept.iter().rev().take_while(|swept| arms(swept) < KNEE);
        coarse.last().map_or(f64::NAN, |&(g, ..)| f64::from(g))
    }
}

/// Workgroups of s lanes.
struct ByLanes {
    swept: Vec<(u32, CaseId, CaseId)>,
}

impl ByLanes {
    fn add(plan: &mut Plan, context: &Context<'_>, lanes: u32) -> Self {
        let seed = context.seed as u32;
        let mut case = |s: u32| {
            let chain = move |workgroups, trips| {
                Chain { lanes: s, active: s, trips, workgroups, seed }.workload()
            };
            let own = Sizing::Own { granule: 16, most: 16_384 };
            let full = plan.case(format!("lanes.{s}"), own, move |n| chain(n, CHAIN_TRIPS));
            let follow = Sizing::Follow(full);
            (s, full, plan.case(format!("lanes.{s}.floor"), follow, move |n| chain(n, 0)))
        };
        let between = powers_of_two(lanes).map(|s| s + s / 2).filter(|&s| s > 2 && s < lanes);
        let mut sizes: Vec<u32> = powers_of_two(lanes).collect();
        if context.profile.dense {
            sizes.extend(between);
            sizes.sort_unstable();
        }
        Self { swept: sizes.into_iter().map(&mut case).collect() }
    }

    fn cost(&self, spans: &Spans<'_>, index: usize) -> f64 {
        let (_, case, floor) = self.swept[index];
        spans.unit_above(case, floor)
    }

    /// The most lanes that cost no more than one; NaN if that is the most there are.
    fn width(&self, spans: &Spans<'_>) -> f64 {
        let one = self.cost(spans, 0);
        let cheap = (0..self.swept.len()).take_while(|&i| self.cost(spans, i) < KNEE * one);
        cheap
            .last()
            .filter(|&last| last + 1 < self.swept.len())
            .map_or(f64::NAN, |last| f64::from(self.swept[last].0))
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let lanes = MOST_LANES.min(context.facts.limits.workgroup_lanes);
    let mut plan = Plan::default();
    let by_granularity = Rc::new(ByGranularity::add(&mut plan, context, lanes));
    let by_lanes = Rc::new(ByLanes::add(&mut plan, context, lanes));

    // Each method predicts the other's points, so that none is judged by itself.
    for &(g, case, repeats) in &by_granularity.swept {
        let (own, other) = (Rc::clone(&by_granularity), Rc::clone(&by_lanes));
        let law = Rc::clone(&by_granularity);
        plan.point(PointSpec {
            series: "granularity".to_owned(),
            x: ("lanes per arm", f64::from(g), ""),
            unit: "s",
            measured: Box::new(move |spans| own.cost(spans, case, repeats)),
            predicted: Box::new(move |spans| law.predicted(spans, g, other.width(spans))),
            claimed: true,
        });
    }
    for index in 1..by_lanes.swept.len() {
        let s = by_lanes.swept[index].0;
        let (own, law, other) =
            (Rc::clone(&by_lanes), Rc::clone(&by_lanes), Rc::clone(&by_granularity));
        plan.point(PointSpec {
            series: "lanes".to_owned(),
            x: ("lanes per workgroup", f64::from(s), ""),
            unit: "s",
            measured: Box::new(move |spans| own.cost(spans, index)),
            predicted: Box::new(move |spans| {
                let width = other.width(spans);
                if width.is_nan() {
                    return f64::NAN;
                }
                law.cost(spans, 0) * f64::from(subgroups(s, width as u32))
            }),
            claimed: true,
        });
    }

    let (g, l) = (Rc::clone(&by_granularity), Rc::clone(&by_lanes));
    plan.sure_figure("effective_width", "lanes", move |spans| {
        let (a, b) = (g.width(spans), l.width(spans));
        if a == b { a } else { f64::NAN }
    });
    plan.figure("width_by_granularity", "lanes", move |spans| by_granularity.width(spans));
    plan.figure("width_by_lanes", "lanes", move |spans| by_lanes.width(spans));
    let reported = context.reported_width;
    plan.finding("reported_width", "lanes", move |_| {
        reported.map(|width| Value::Number(f64::from(width)))
    });
    plan.diagnose(diagnose);
    Ok(plan)
}

fn diagnose(outcome: &record::Experiment) -> Vec<String> {
    let (by_granularity, by_lanes) =
        (outcome.number("width_by_granularity"), outcome.number("width_by_lanes"));
    match (outcome.number("effective_width"), outcome.number("reported_width")) {
        (None, _) if by_granularity.is_some() && by_granularity == by_lanes => vec![
            "both methods find one width, but a span's interval leaves another possible: later experiments \
             build on the reported one"
                .to_owned(),
        ],
        (None, _) => {
            let word = |width: Option<f64>| {
                width.map_or_else(|| "no width".to_owned(), |width| format!("{width} lanes"))
            };
            vec![format!(
                "the methods disagree: granularity finds {}, workgroup size finds {}",
                word(by_granularity),
                word(by_lanes)
            )]
        }
        (Some(found), Some(reported)) if found < reported => vec![format!(
            "{found} lanes go in lockstep where {reported} are reported: a subgroup issued in parts \
             (wave64 as 2×32), or code compiled for another width from a stale driver cache"
        )],
        (Some(found), Some(reported)) if found > reported => vec![format!(
            "{found} lanes go in lockstep where {reported} are reported: paired subgroups, or code \
             compiled for another width from a stale driver cache"
        )],
        _ => Vec::new(),
    }
}
