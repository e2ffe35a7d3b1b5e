//! `width`: how many lanes go in lockstep, found from timing alone, twice.

pub(crate) mod parameter;

use std::sync::Arc;

use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::experiments::divergence::law::subgroup_time;
use crate::experiments::lanes::law::subgroups;
use crate::experiments::sweep::powers_of_two;
use crate::gpu::Workload;
use crate::kernels::branch_paths::BranchPaths;
use crate::kernels::chain::Chain;
use crate::model::{self, About, Category, Curve, Over};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "width",
    category: Category::Uniformity,
    law: "arms alternating every g lanes cost two arms for g < W, one for g ≥ W; s lanes cost ⌈s/W⌉",
    about: "how many lanes go in lockstep, by two methods, against what the driver says",
    tolerance: Tolerance {
        ratio: 0.10,
        reason: "the nearest wrong width is a factor of two away, so a tenth tells them apart with room for the \
                 launch cost of small workgroups",
    },
    shaders: Vec::new,
    plan,
    predict: None,
};

/// Iterations of a branch path's loop.
const ITERATIONS: u32 = 128;
/// Iterations of the loop in a workgroup of so many lanes.
const CHAIN_ITERATIONS: u32 = 512;
/// Times that a lane chooses and runs a path. Few enough that a workgroup on one core takes a small part of a sample.
const REPEATS: u32 = 4;
/// Between one subgroup's time and two.
const KNEE: f64 = 1.5;
/// A workgroup must hold two runs of the coarsest granularity.
const MAX_WORKGROUP_SIZE: u32 = 256;

/// Two branch paths that alternate every g lanes.
struct ByGranularity {
    swept: Vec<Granularity>,
    /// Seconds for a workgroup that takes no path.
    reach: Expr,
    /// Seconds for a workgroup whose lanes all take the same path, each of the two.
    alone: [Expr; 2],
}

/// One granularity.
struct Granularity {
    /// Neighbours that take the same path.
    lanes: u32,
    /// Seconds for a workgroup.
    cost: Expr,
}

impl ByGranularity {
    fn add(plan: &mut Plan, context: &Context<'_>, lanes: u32) -> Self {
        let seed = context.seed as u32;
        let sizing = Sizing::Shared { group: "granularity".to_owned(), granule: 16, most: 16_384 };
        let branches = |repeats: u32, iterations: u32, path_of: &dyn Fn(u32) -> u32| {
            let selectors: Arc<[u32]> = (0..lanes).map(path_of).collect();
            move |workgroups: u32| -> Workload {
                let selectors = Arc::clone(&selectors);
                BranchPaths {
                    workgroup_size: lanes,
                    workgroups,
                    repeats,
                    iterations,
                    paths: 2,
                    selectors,
                    seed,
                }
                .workload()
            }
        };
        let mut case = |id: String, build| -> CaseId { plan.case(id, sizing.clone(), build) };
        let swept: Vec<(u32, u32, CaseId)> = powers_of_two(lanes / 2)
            .map(|g| {
                // Equal samples where the reported width is right, which costs nothing where not.
                let diverges = context.reported_width.is_some_and(|width| g < width);
                let repeats = if diverges { REPEATS / 2 } else { REPEATS };
                let build = branches(repeats, ITERATIONS, &|lane| lane / g % 2);
                (g, repeats, case(format!("granularity.{g}"), build))
            })
            .collect();
        let alone = [0, 1]
            .map(|path| case(format!("alone.{path}"), branches(REPEATS, ITERATIONS, &|_| path)));
        let reach = case("reach".to_owned(), branches(REPEATS, 0, &|_| 0));
        let floor = plan.floor("granularity.floor", sizing, branches(0, ITERATIONS, &|_| 0));
        let cost = |case: CaseId, repeats: u32| case.per_unit_above(floor) / f64::from(repeats);
        Self {
            swept: swept
                .into_iter()
                .map(|(lanes, repeats, case)| Granularity { lanes, cost: cost(case, repeats) })
                .collect(),
            reach: cost(reach, REPEATS),
            alone: alone.map(|case| cost(case, REPEATS)),
        }
    }

    /// What a workgroup costs whose subgroups take one path, the mean of both.
    fn one(&self) -> Expr {
        let [first, second] = &self.alone;
        (first + second) / 2.0
    }

    /// What a workgroup costs at granularity `g` if subgroups are `width` wide.
    fn predicted(&self, g: u32, width: &Expr) -> Expr {
        let paths = [&self.reach, &self.alone[0], &self.alone[1]].map(Expr::from);
        let both = Expr::call("subgroup_time", paths, |[t0, a, b]| subgroup_time(t0, [a, b]));
        let g = f64::from(g);
        Expr::call("by_width", [width.clone(), both, self.one()], move |[width, both, one]| {
            if g < width { both } else { one }
        })
    }

    /// The smallest granularity at which subgroups no longer take both paths; NaN if none.
    fn width(&self) -> Expr {
        let one = self.one() - &self.reach;
        let paths = self.swept.iter().map(|swept| (&swept.cost - &self.reach) / &one);
        let granularities: Vec<u32> = self.swept.iter().map(|swept| swept.lanes).collect();
        Expr::lenient("finest_undivided", paths, move |paths: &[f64]| {
            // From coarse to fine, so that one odd point cannot make a knee of its own.
            let both = granularities.iter().zip(paths).rev();
            let coarse = both.take_while(|&(_, &paths)| paths < KNEE);
            coarse.last().map_or(f64::NAN, |(&g, _)| f64::from(g))
        })
    }
}

/// Workgroups of s lanes.
struct ByLanes {
    swept: Vec<Lanes>,
}

/// One size of workgroups.
struct Lanes {
    lanes: u32,
    /// Seconds for a workgroup.
    cost: Expr,
}

impl ByLanes {
    fn add(plan: &mut Plan, context: &Context<'_>, lanes: u32) -> Self {
        let seed = context.seed as u32;
        let mut swept = |lanes: u32| {
            let chain = move |iterations: u32| {
                move |workgroups: u32| {
                    Chain { workgroup_size: lanes, active: lanes, iterations, workgroups, seed }
                        .workload()
                }
            };
            let own = Sizing::Own { granule: 16, most: 16_384 };
            let full = plan.case(format!("lanes.{lanes}"), own, chain(CHAIN_ITERATIONS));
            let floor = plan.floor(format!("lanes.{lanes}.floor"), Sizing::Follow(full), chain(0));
            Lanes { lanes, cost: full.per_unit_above(floor) }
        };
        let between = powers_of_two(lanes).map(|s| s + s / 2).filter(|&s| s > 2 && s < lanes);
        let mut sizes: Vec<u32> = powers_of_two(lanes).collect();
        if context.profile.dense {
            sizes.extend(between);
            sizes.sort_unstable();
        }
        Self { swept: sizes.into_iter().map(&mut swept).collect() }
    }

    /// What a workgroup of `lanes` lanes costs if subgroups are `width` wide.
    fn predicted(&self, lanes: u32, width: &Expr) -> Expr {
        let issued = Expr::call("subgroups", [width.clone()], move |[width]| {
            f64::from(subgroups(lanes, width as u32))
        });
        &self.swept[0].cost * issued
    }

    /// The most lanes that cost no more than one; NaN if that is the most there are.
    fn width(&self) -> Expr {
        let costs = self.swept.iter().map(|swept| swept.cost.clone());
        let sizes: Vec<u32> = self.swept.iter().map(|swept| swept.lanes).collect();
        Expr::lenient("most_at_the_cost_of_one", costs, move |costs: &[f64]| {
            let cheap = costs.iter().take_while(|&&cost| cost < KNEE * costs[0]).count();
            let knee = cheap.checked_sub(1).filter(|_| cheap < sizes.len());
            knee.map_or(f64::NAN, |last| f64::from(sizes[last]))
        })
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let lanes = MAX_WORKGROUP_SIZE.min(context.facts.limits.max_workgroup_size);
    let mut plan = Plan::default();
    let by_granularity = ByGranularity::add(&mut plan, context, lanes);
    let by_lanes = ByLanes::add(&mut plan, context, lanes);
    let width_by_granularity = by_granularity.width();
    let width_by_lanes = by_lanes.width();

    // Each method predicts the other's points, so that none is judged by itself.
    let series = plan.series("granularity", ("lanes per arm", ""), "s");
    plan.compare_by(
        series,
        Curve::new("cost of two branch paths by granularity", "time over one path's", "x")
            .over(Over::Last),
    );
    for Granularity { lanes, cost } in &by_granularity.swept {
        let predicted = by_granularity.predicted(*lanes, &width_by_lanes);
        plan.judge(series, f64::from(*lanes), cost, predicted);
    }
    let series = plan.series("lanes", ("lanes per workgroup", ""), "s");
    for Lanes { lanes, cost } in &by_lanes.swept[1..] {
        let predicted = by_lanes.predicted(*lanes, &width_by_granularity);
        plan.judge(series, f64::from(*lanes), cost, predicted);
    }

    let both = [width_by_granularity.clone(), width_by_lanes.clone()];
    let agreed = Expr::call("agreed", both, |[a, b]| if a == b { a } else { f64::NAN });
    plan.establishes_width(&agreed);
    plan.sure_metric(
        About::new("effective_width", "lanes in lockstep, W", "lanes")
            .headline()
            .note("found from timing alone, where branch granularity and workgroup size agree"),
        agreed,
    );
    plan.metric(
        About::new("width_by_granularity", "W by branch granularity", "lanes"),
        width_by_granularity,
    );
    plan.metric(About::new("width_by_lanes", "W by workgroup size", "lanes"), width_by_lanes);
    if let Some(reported) = context.reported_width {
        let about = About::new("reported_width", "subgroup size, reported", "lanes");
        plan.known_metric(about, f64::from(reported));
    }
    plan.diagnose(diagnose);
    Ok(plan)
}

fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let (by_granularity, by_lanes) =
        (outcome.number("width_by_granularity"), outcome.number("width_by_lanes"));
    match (outcome.number("effective_width"), outcome.number("reported_width")) {
        (None, _) if by_granularity.is_some() && by_granularity == by_lanes => vec![
            "both methods find one width, but a sample's interval leaves another possible: later experiments \
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
