//! `select`: a branch compared with the execution of both paths and a select.
//!
//! Both paths are loops of the same number of iterations. The branch is timed in a sweep over the share of
//! lanes on path 1, and the select at one or two shares. The prediction is calibrated by each path and each
//! way to choose, timed alone. A second pair of paths with four operations each shows whether the compiler
//! turns a branch into a select.
//!
//! A floor case makes no choices. warplaw subtracts its time from the time of each case.

pub mod kernel;
pub mod law;
mod paths;
pub mod predict;
mod words;

use paths::{Paths, Short};
use words::Words;

use crate::bench::{Context, Experiment, Expr, Plan, Tolerance, Unsupported};
use crate::gpu::WantedWorkers;
use crate::model::{self, About, Category};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "select",
    category: Category::Uniformity,
    law: "branch: T = t_b + Σ P(a subgroup takes path j)·T_j; select: T = t_s + Σ T_j",
    about: "When is it faster to run both paths than to branch, and does the compiler do so by itself?",
    tolerance: Tolerance {
        ratio: 0.08,
        reason: "The calibration times each path alone and always taken. Branch predictors foresee such a \
                 path, and it starts while the previous loop is still in flight. Among random choices it has \
                 neither advantage.",
    },
    shaders: || vec![kernel::shader()],
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: Some(&predict::LAW),
};

/// Upper bound, for code that branches, of the time with all lanes on one path over the time with divergent
/// lanes. Above this share agreement saves nothing, so the compiled code is a select. A branch between two
/// equal paths would save half of the time of the paths.
const SAVES_NOTHING: f64 = 0.93;

/// Compiled form of a branch whose time does not depend on the choices of the lanes.
const BOTH_SIDES: &str = "both sides, as a select";
/// Compiled form of a branch that saves time when all lanes agree.
const A_BRANCH: &str = "a branch";

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let width = context.width_of(&paths::probe(context.known_width()?))?;
    if !width.is_power_of_two() || width < 2 {
        return Err(Unsupported(format!(
            "the experiment needs a subgroup width that is a power of two and at least 2, and this device \
             has {width}"
        )));
    }
    let mut plan = Plan::default();
    let mut words = Words::new(width, context.seed);
    let dense = context.profile.dense;
    let lengths: &[u32] = if dense { &[64, 256] } else { &[64] };
    for &iterations in lengths {
        let paths = Paths::add(&mut plan, &mut words, iterations, dense);
        add_points(&mut plan, &paths, iterations);
        add_metrics(&mut plan, &paths, iterations);
    }
    add_short(&mut plan, &mut words);
    plan.diagnose(diagnose);
    Ok(plan)
}

fn add_points(plan: &mut Plan, paths: &Paths, iterations: u32) {
    let x = ("share of lanes on path 1", "");
    let branch = plan.series(format!("branch, {iterations} iterations per path"), x, "s");
    for (q, cost) in &paths.branches {
        if *q > 0.0 && *q < 1.0 {
            plan.judge(branch, *q, cost, paths.branch_time(*q));
        } else {
            // The ends of the sweep calibrate the paths, so they are no evidence for the law.
            plan.show(branch, *q, cost, paths.branch_time(*q));
        }
    }
    let select = plan.series(format!("select, {iterations} iterations per path"), x, "s");
    for (q, cost) in &paths.selects {
        plan.judge(select, *q, cost, paths.select_time());
    }
}

fn add_metrics(plan: &mut Plan, paths: &Paths, iterations: u32) {
    let length = format!("{iterations} iterations per path");
    let id = |name: &str| format!("{name}.{iterations}_trips");
    let mut time = |name: &str, label: &str, cost: &Expr| {
        plan.metric(About::new(id(name), format!("{label}, {length}"), "s").lower(), cost);
    };
    time("t_branch", "time to choose by branch", &paths.branch);
    time("t_select", "time to choose by select", &paths.select);
    time("t_arm_0", "time of path 0 under a branch", &paths.branched[0]);
    time("t_arm_1", "time of path 1 under a branch", &paths.branched[1]);
    time("t_straight_0", "time of path 0 without a branch", &paths.straight[0]);
    time("t_straight_1", "time of path 1 without a branch", &paths.straight[1]);
    let label = format!("time of select over branch, lanes split in half, {length}");
    let about = About::new(id("select_over_branch_at_half"), label, "x");
    let note = format!(
        "select is faster below 1; up to {:.0} % from 1 the times are equal within the tolerance, and the \
         crossover is random",
        100.0 * EXPERIMENT.tolerance.ratio
    );
    plan.metric(about.headline().note(note), paths.at_half());
    let crossover = |how: &str, condition: &str| {
        let label = format!("share of lanes from which select is faster, {condition}{length}");
        let about = About::new(id(&format!("crossover_{how}")), label, "%");
        about.note("share of lanes on the rarer path; absent if select is never faster")
    };
    plan.metric(crossover("predicted", "predicted, "), paths.crossover_predicted());
    plan.metric(crossover("measured", ""), paths.crossover_measured());
}

/// Adds the metrics of the paths of four operations.
fn add_short(plan: &mut Plan, words: &mut Words) {
    let Short { agreed_share, over_select } = Short::add(plan, words);
    let kept = Expr::call("saves_something", [agreed_share.clone()], |[share]| {
        if share.is_infinite() { f64::NAN } else { f64::from(share <= SAVES_NOTHING) }
    });
    let label = "compiled form of a branch, four operations per path";
    let about = About::new("short_branch_runs", label, "");
    plan.text_metric(about.headline(), kept, [BOTH_SIDES, A_BRANCH].map(str::to_owned).to_vec());
    let label =
        "time of a branch with agreeing lanes over divergent lanes, four operations per path";
    plan.metric(About::new("short_branch_agreed_share", label, "%"), agreed_share);
    let label =
        "time of a branch over an explicit select, divergent lanes, four operations per path";
    plan.metric(About::new("short_branch_over_select", label, "x"), over_select);
}

fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    if let Some(form) = outcome.metric("short_branch_runs").and_then(|m| m.text.as_ref()) {
        let times = outcome.number("short_branch_over_select").map_or(String::new(), |times| {
            format!(", in {times:.1} times the time of an explicit select")
        });
        text.push(if form == BOTH_SIDES {
            format!(
                "A branch between paths of four operations takes the same time whether lanes agree or not. \
                 The compiled code runs both sides as a select does{times}. Sorting work by path saves \
                 nothing for such short paths."
            )
        } else {
            "A branch between paths of four operations takes less time if all lanes agree. The compiled code \
             still branches, so work that is sorted by path saves time even for such short paths."
                .to_owned()
        });
    }
    for length in outcome.metrics.iter().filter_map(|m| m.id.strip_prefix("t_branch.")) {
        let never = |how: &str| outcome.metric(&format!("crossover_{how}.{length}")).is_none();
        // A crossover is also absent if it could not be measured.
        let dearer = outcome
            .number(&format!("select_over_branch_at_half.{length}"))
            .is_some_and(|x| x > 1.0);
        if dearer && never("predicted") && never("measured") {
            text.push(format!(
                "With {} iterations per path, the branch is faster than the select at every share of lanes \
                 on path 1. Keep the branch for paths of this length.",
                length.strip_suffix("_trips").unwrap_or(length)
            ));
        }
    }
    let off = |series: &str, over: bool| {
        outcome.points.iter().any(|p| p.judged && p.series.starts_with(series) && p.deviates(over))
    };
    if off("branch", true) {
        text.push(
            "Divergent branches take longer than the paths that subgroups take: diverging itself has a \
             price, or subgroups are wider than assumed. Sort work by path, so that subgroups diverge less \
             often."
                .to_owned(),
        );
    }
    if off("branch", false) {
        text.push(
            "Divergent branches take less time than the paths that subgroups take. Subgroups are narrower \
             than assumed, or the compiler merged the paths. Compare with the effective width that `width` \
             finds by timing."
                .to_owned(),
        );
    }
    if off("select", false) {
        text.push(
            "Both paths take less time together than one after the other, because they overlap. A select \
             then pays earlier than predicted."
                .to_owned(),
        );
    }
    if off("select", true) {
        text.push(
            "Both paths take longer together than one after the other, because they compete for registers or \
             cache. A select then pays later than predicted."
                .to_owned(),
        );
    }
    text
}
