//! `width`: the subgroup width W, found from timing alone by two methods.
//!
//! - Branch granularity: two paths alternate every g lanes. A subgroup takes both paths for g < W, and one
//!   path for g ≥ W.
//! - Workgroup size: a workgroup of s invocations issues ⌈s / W⌉ subgroups, where W is the number of lanes that are issued
//!   together.
//!
//! The floor case of branch granularity runs no branch. On a CPU the floor case of each workgroup size runs no loop
//! iteration. A GPU hides launches, so there it runs an eighth of them. warplaw subtracts the time of the floor case from
//! the time of each case.

pub(crate) mod parameter;

use std::sync::Arc;

use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::experiments::divergence::law::subgroup_time;
use crate::experiments::lanes::law::subgroups;
use crate::experiments::sweep::powers_of_two;
use crate::gpu::{WantedWorkers, Workload};
use crate::kernels::branch_paths::BranchPaths;
use crate::kernels::chain::{Chain, Loops};
use crate::model::{self, About, Category, Curve, Over};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "width",
    category: Category::Uniformity,
    law: "two paths that alternate every g lanes cost both paths for g < W and one for g ≥ W; s invocations \
          cost ⌈s/W⌉ subgroups",
    about: "How many lanes does a subgroup have, by two timing methods and as the driver reports?",
    tolerance: Tolerance {
        ratio: 0.10,
        reason: "The nearest wrong width differs by a factor of two. 10 % separates the two widths and \
                 allows for the launch cost of small workgroups.",
    },
    shaders: Vec::new,
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: None,
};

/// Loop iterations of a branch path.
const ITERATIONS: u32 = 128;
/// Number of times that a lane chooses and runs a path. The number is small, so that a workgroup on one core
/// takes a small part of a sample.
const REPEATS: u32 = 4;
/// Threshold between the time of one subgroup and the time of two subgroups, relative to one. For branches,
/// the same threshold separates one path from two.
const KNEE: f64 = 1.5;
/// Upper bound of the invocations per workgroup. A workgroup must contain two runs of the coarsest
/// granularity.
const MAX_WORKGROUP_SIZE: u32 = 256;

/// Method of branch granularity: two paths that alternate every g lanes. All costs are seconds of a workgroup
/// per repeat.
struct ByGranularity {
    /// Granularities in ascending order.
    swept: Vec<Granularity>,
    /// Cost to choose a path, with paths of zero iterations.
    choice: Expr,
    /// Costs of a workgroup whose lanes all take path 0, and of one whose lanes all take path 1.
    alone: [Expr; 2],
}

/// One granularity.
struct Granularity {
    /// Consecutive lanes that take the same path, g.
    lanes: u32,
    /// Seconds of a workgroup per repeat.
    cost: Expr,
}

impl ByGranularity {
    /// Adds the cases for workgroups of `workgroup_size` invocations.
    fn add(plan: &mut Plan, context: &Context<'_>, workgroup_size: u32) -> Self {
        let seed = context.seed as u32;
        let sizing = Sizing::Shared { group: "granularity".to_owned(), granule: 16, most: 16_384 };
        let branches = |repeats: u32, iterations: u32, path_of: &dyn Fn(u32) -> u32| {
            let selectors: Arc<[u32]> = (0..workgroup_size).map(path_of).collect();
            move |workgroups: u32| -> Workload {
                let selectors = Arc::clone(&selectors);
                BranchPaths {
                    workgroup_size,
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
        let swept: Vec<(u32, u32, CaseId)> = powers_of_two(workgroup_size / 2)
            .map(|g| {
                // Divergent cases run half the repeats, so that sample times are equal if the reported width
                // is right. A wrong reported width does no harm, because costs are per repeat.
                let diverges = context.reported_width.is_some_and(|width| g < width);
                let repeats = if diverges { REPEATS / 2 } else { REPEATS };
                let build = branches(repeats, ITERATIONS, &|lane| lane / g % 2);
                (g, repeats, case(format!("granularity.{g}"), build))
            })
            .collect();
        let alone = [0, 1]
            .map(|path| case(format!("alone.{path}"), branches(REPEATS, ITERATIONS, &|_| path)));
        let choice = case("reach".to_owned(), branches(REPEATS, 0, &|_| 0));
        let floor = plan.floor("granularity.floor", sizing, branches(0, ITERATIONS, &|_| 0));
        let cost = |case: CaseId, repeats: u32| case.per_unit_above(floor) / f64::from(repeats);
        Self {
            swept: swept
                .into_iter()
                .map(|(lanes, repeats, case)| Granularity { lanes, cost: cost(case, repeats) })
                .collect(),
            choice: cost(choice, REPEATS),
            alone: alone.map(|case| cost(case, REPEATS)),
        }
    }

    /// Returns the cost of a workgroup whose subgroups take one path each, the mean of both paths.
    fn one(&self) -> Expr {
        let [first, second] = &self.alone;
        (first + second) / 2.0
    }

    /// Returns the predicted cost of a workgroup at granularity `g`, for subgroups of `width` lanes.
    fn predicted(&self, g: u32, width: &Expr) -> Expr {
        let paths = [&self.choice, &self.alone[0], &self.alone[1]].map(Expr::from);
        let both = Expr::call("subgroup_time", paths, |[t0, a, b]| subgroup_time(t0, [a, b]));
        let g = f64::from(g);
        Expr::call("by_width", [width.clone(), both, self.one()], move |[width, both, one]| {
            if g < width { both } else { one }
        })
    }

    /// Returns the smallest granularity at which subgroups take one path, or NaN if there is none.
    fn width(&self) -> Expr {
        let one = self.one() - &self.choice;
        let paths = self.swept.iter().map(|swept| (&swept.cost - &self.choice) / &one);
        let granularities: Vec<u32> = self.swept.iter().map(|swept| swept.lanes).collect();
        Expr::lenient("finest_with_one_path", paths, move |paths: &[f64]| {
            // The scan runs from coarse to fine and stops at the knee, so that an outlier among the finer
            // granularities does not count.
            let both = granularities.iter().zip(paths).rev();
            let coarse = both.take_while(|&(_, &paths)| paths < KNEE);
            coarse.last().map_or(f64::NAN, |(&g, _)| f64::from(g))
        })
    }
}

/// Method of workgroup size: workgroups of s invocations.
struct ByWorkgroupSize {
    /// Workgroup sizes in ascending order, from 1.
    swept: Vec<Size>,
}

/// One workgroup size.
struct Size {
    /// Invocations per workgroup, s.
    invocations: u32,
    /// Seconds of a workgroup.
    cost: Expr,
}

impl ByWorkgroupSize {
    /// Adds the cases for workgroups of up to `most` invocations.
    fn add(plan: &mut Plan, context: &Context<'_>, most: u32) -> Self {
        let seed = context.seed as u32;
        let loops = Loops::on(context.is_narrow());
        let mut swept = |size: u32| {
            let chain = move |iterations: u32| {
                move |workgroups: u32| {
                    Chain { workgroup_size: size, active: size, iterations, workgroups, seed }
                        .workload()
                }
            };
            let own = Sizing::Own { granule: 16, most: 16_384 };
            let full = plan.case(format!("lanes.{size}"), own, chain(loops.whole));
            let floor =
                plan.floor(format!("lanes.{size}.floor"), Sizing::Follow(full), chain(loops.floor));
            Size { invocations: size, cost: full.per_unit_above(floor) }
        };
        let between = powers_of_two(most).map(|s| s + s / 2).filter(|&s| s > 2 && s < most);
        let mut sizes: Vec<u32> = powers_of_two(most).collect();
        if context.profile.dense {
            sizes.extend(between);
            sizes.sort_unstable();
        }
        Self { swept: sizes.into_iter().map(&mut swept).collect() }
    }

    /// Returns the predicted cost of a workgroup of `invocations`, for subgroups of `width` lanes.
    fn predicted(&self, invocations: u32, width: &Expr) -> Expr {
        let issued = Expr::call("subgroups", [width.clone()], move |[width]| {
            f64::from(subgroups(invocations, width as u32))
        });
        &self.swept[0].cost * issued
    }

    /// Returns the largest workgroup size at which one subgroup is issued: its cost is below [`KNEE`] times
    /// the cost of one invocation. Returns NaN if every size of the sweep is below, because the sweep then
    /// shows no knee.
    fn width(&self) -> Expr {
        let costs = self.swept.iter().map(|swept| swept.cost.clone());
        let sizes: Vec<u32> = self.swept.iter().map(|swept| swept.invocations).collect();
        Expr::lenient("largest_with_one_subgroup", costs, move |costs: &[f64]| {
            let cheap = costs.iter().take_while(|&&cost| cost < KNEE * costs[0]).count();
            let knee = cheap.checked_sub(1).filter(|_| cheap < sizes.len());
            knee.map_or(f64::NAN, |last| f64::from(sizes[last]))
        })
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let workgroup_size = MAX_WORKGROUP_SIZE.min(context.facts.limits.max_workgroup_size);
    let mut plan = Plan::default();
    let by_granularity = ByGranularity::add(&mut plan, context, workgroup_size);
    let by_workgroup_size = ByWorkgroupSize::add(&mut plan, context, workgroup_size);
    let width_by_granularity = by_granularity.width();
    let width_by_workgroup_size = by_workgroup_size.width();

    // The width that one method finds predicts the points of the other, so that no method judges itself. A device that
    // issues a subgroup in parts has two widths. Then the size that shaders observe predicts branch granularity. No other
    // source knows the number of lanes that are issued together: that one whole number comes from the same cases whose
    // times it predicts.
    let both = || [width_by_granularity.clone(), width_by_workgroup_size.clone()];
    let reported = context.reported_width.map_or(f64::NAN, f64::from);
    let divergence_width =
        Expr::call(
            "divergence_width",
            both(),
            move |[d, i]| if in_parts(d, i) { reported } else { i },
        );
    let issue_width =
        Expr::call("issue_width", both(), |[d, i]| if in_parts(d, i) { i } else { d });
    let series = plan.series("branch granularity", ("consecutive lanes per path", ""), "s");
    plan.compare_by(
        series,
        Curve::new("cost of two branch paths by granularity", "time relative to one path", "x")
            .over(Over::Last),
    );
    for Granularity { lanes, cost } in &by_granularity.swept {
        let predicted = by_granularity.predicted(*lanes, &divergence_width);
        plan.judge(series, f64::from(*lanes), cost, predicted);
    }
    let series = plan.series("workgroup size", ("invocations per workgroup", ""), "s");
    for Size { invocations, cost } in &by_workgroup_size.swept[1..] {
        let predicted = by_workgroup_size.predicted(*invocations, &issue_width);
        plan.judge(series, f64::from(*invocations), cost, predicted);
    }

    let found =
        Expr::call("width", both(), |[d, i]| if d == i || in_parts(d, i) { d } else { f64::NAN });
    plan.establishes_width(&found);
    plan.sure_metric(
        About::new("effective_width", "subgroup width W, found by timing", "lanes").headline().note(
            "lanes that share a flow of control; present if workgroup size gives the same width or a part of it",
        ),
        found,
    );
    plan.metric(
        About::new(
            "width_by_granularity",
            "lanes that share a flow of control, by branch granularity",
            "lanes",
        ),
        width_by_granularity,
    );
    plan.metric(
        About::new("width_by_lanes", "lanes that are issued together, by workgroup size", "lanes"),
        width_by_workgroup_size,
    );
    if let Some(reported) = context.reported_width {
        let about = About::new("reported_width", "subgroup size, reported", "lanes");
        plan.known_metric(about, f64::from(reported));
    }
    plan.diagnose(diagnose);
    Ok(plan)
}

/// Returns whether a device whose subgroups diverge by `divergence` lanes issues them in two or four parts of `issue`
/// lanes.
fn in_parts(divergence: f64, issue: f64) -> bool {
    [2.0, 4.0].contains(&(divergence / issue))
}

fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let (by_granularity, by_workgroup_size) =
        (outcome.number("width_by_granularity"), outcome.number("width_by_lanes"));
    match (outcome.number("effective_width"), outcome.number("reported_width")) {
        (None, _) if by_granularity.is_some() && by_granularity == by_workgroup_size => vec![
            "Both methods find the same width, but the 95 % interval of a case allows another width. Later \
             experiments use the reported width, if the adapter reports one. A run with `--full` narrows the \
             intervals."
                .to_owned(),
        ],
        (None, _) => {
            let found = |width: Option<f64>| {
                width.map_or_else(|| "no width".to_owned(), |width| format!("{width} lanes"))
            };
            vec![format!(
                "The methods do not agree on a width: branch granularity finds {}, and workgroup size finds \
                 {}. Later experiments use the reported width, if the adapter reports one.",
                found(by_granularity),
                found(by_workgroup_size)
            )]
        }
        (Some(found), Some(reported)) if found < reported => vec![format!(
            "Timing finds subgroups of {found} lanes, but the adapter reports {reported}. The hardware \
             issues a subgroup in parts (wave64 as 2×32), or a stale driver cache supplied code compiled for \
             another width. Clear the shader cache of the driver and run again. If the result stays, size \
             branches and workgroups for {found} lanes."
        )],
        (Some(found), Some(reported)) if found > reported => vec![format!(
            "Timing finds subgroups of {found} lanes, but the adapter reports {reported}. The hardware pairs \
             subgroups, or a stale driver cache supplied code compiled for another width. Clear the shader \
             cache of the driver and run again. If the result stays, size branches and workgroups for \
             {found} lanes."
        )],
        (Some(found), _) if by_workgroup_size.is_some_and(|issued| in_parts(found, issued)) => {
            let issued = by_workgroup_size.unwrap_or(found);
            vec![format!(
                "The hardware issues a subgroup of {found} lanes in parts of {issued}: branches cost by \
                 {found} lanes, and a workgroup of {issued} invocations leaves no lane idle."
            )]
        }
        _ => Vec::new(),
    }
}
