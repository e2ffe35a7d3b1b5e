//! `select`: whether to branch, or to run both sides and select.

pub mod kernel;
pub mod law;
mod paths;
pub mod predict;
mod words;

use paths::{Paths, Short};
use words::Words;

use crate::bench::{Context, Experiment, Expr, Plan, Tolerance, Unsupported};
use crate::model::{self, About, Category};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "select",
    category: Category::Uniformity,
    law: "branch: T = t_b + Σ P(path j is taken in a subgroup)·T_j; select: T = t_s + Σ T_j",
    about: "where running both sides of a branch pays, and what the compiler did by itself",
    tolerance: Tolerance {
        ratio: 0.08,
        reason: "a branch path timed alone, always taken, is foreseen by branch predictors as it is not among \
                 random choices, and starts with its predecessor's loop still in flight",
    },
    shaders: || vec![kernel::shader()],
    plan,
    predict: Some(&predict::LAW),
};

/// A branch that costs this share of its divergent self with all lanes agreed has saved nothing: it is a
/// select. Two paths alike would save half of what they take.
const SAVES_NOTHING: f64 = 0.93;

/// What a branch has become that costs the same however lanes choose.
const BOTH_SIDES: &str = "both sides, as a select";
/// What it is otherwise.
const A_BRANCH: &str = "a branch";

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let width = context.known_width()?;
    if !width.is_power_of_two() || width < 2 {
        return Err(Unsupported(format!("{width} lanes cannot diverge in halves")));
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
    let x = ("share of lanes in arm 1", "");
    let branch = plan.series(format!("branch, arms of {iterations} trips"), x, "s");
    for (q, cost) in &paths.branches {
        if *q > 0.0 && *q < 1.0 {
            plan.judge(branch, *q, cost, paths.branch_time(*q));
        } else {
            // The ends calibrate the paths: shown, and no evidence for the law.
            plan.show(branch, *q, cost, paths.branch_time(*q));
        }
    }
    let select = plan.series(format!("select, arms of {iterations} trips"), x, "s");
    for (q, cost) in &paths.selects {
        plan.judge(select, *q, cost, paths.select_time());
    }
}

fn add_metrics(plan: &mut Plan, paths: &Paths, iterations: u32) {
    let of = format!("paths of {iterations} trips");
    let id = |name: &str| format!("{name}.{iterations}_trips");
    let mut time = |name: &str, what: &str, cost: &Expr| {
        plan.metric(About::new(id(name), format!("{what}, {of}"), "s").lower(), cost);
    };
    time("t_branch", "time to reach a branch path", &paths.branch);
    time("t_select", "time of a select", &paths.select);
    time("t_arm_0", "time of the first path under a branch", &paths.branched[0]);
    time("t_arm_1", "time of the second path under a branch", &paths.branched[1]);
    time("t_straight_0", "time of the first path without a branch", &paths.straight[0]);
    time("t_straight_1", "time of the second path without a branch", &paths.straight[1]);
    let label = format!("time of select over branch, lanes split in half, {of}");
    let about = About::new(id("select_over_branch_at_half"), label, "x");
    let note = format!(
        "selecting pays below 1; within {:.0} % of 1 both cost the same, and where they cross is chance",
        100.0 * EXPERIMENT.tolerance.ratio
    );
    plan.metric(about.headline().note(note), paths.at_half());
    let crossover = |how: &str, which: &str| {
        let label = format!("share of lanes from which select is faster, {which}{of}");
        let about = About::new(id(&format!("crossover_{how}")), label, "%");
        about.note("of lanes in the rarer path; absent where select is never faster")
    };
    plan.metric(crossover("predicted", "predicted, "), paths.crossover_predicted());
    plan.metric(crossover("measured", ""), paths.crossover_measured());
}

/// Paths of a few operations.
fn add_short(plan: &mut Plan, words: &mut Words) {
    let Short { agreed_share, over_select } = Short::add(plan, words);
    let kept = Expr::call("saves_something", [agreed_share.clone()], |[share]| {
        if share.is_infinite() { f64::NAN } else { f64::from(share <= SAVES_NOTHING) }
    });
    let about =
        About::new("short_branch_runs", "compiled form of a branch over four operations", "");
    plan.text_metric(about.headline(), kept, [BOTH_SIDES, A_BRANCH].map(str::to_owned).to_vec());
    let label = "that branch where lanes agree over where they do not";
    plan.metric(About::new("short_branch_agreed_share", label, "%"), agreed_share);
    let label = "that branch over a select written out";
    plan.metric(About::new("short_branch_over_select", label, "x"), over_select);
}

fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    if let Some(word) = outcome.metric("short_branch_runs").and_then(|m| m.text.as_ref()) {
        let times = outcome.number("short_branch_over_select").map_or(String::new(), |times| {
            format!(", in {times:.1} times the time of a select written out")
        });
        text.push(if word == BOTH_SIDES {
            format!(
                "a branch between paths of four operations costs the same whether lanes agree or not: compiled, it \
                 runs both sides as a select does{times}"
            )
        } else {
            "a branch between paths of four operations is cheaper where lanes agree: it is a branch still"
                .to_owned()
        });
    }
    for length in outcome.metrics.iter().filter_map(|m| m.id.strip_prefix("t_branch.")) {
        let never = |how: &str| outcome.metric(&format!("crossover_{how}.{length}")).is_none();
        // A crossover that could not be measured is none, too.
        let dearer = outcome
            .number(&format!("select_over_branch_at_half.{length}"))
            .is_some_and(|x| x > 1.0);
        if dearer && never("predicted") && never("measured") {
            text.push(format!(
                "paths of {}: the branch stays cheaper than the select at every divergence",
                length.replace('_', " ")
            ));
        }
    }
    let off = |series: &str, over: bool| {
        outcome.points.iter().any(|p| p.judged && p.series.starts_with(series) && p.deviates(over))
    };
    if off("branch", true) {
        text.push(
            "divergent branches cost more than the paths that subgroups take: diverging itself has a price, or \
             lockstep is wider than said"
                .to_owned(),
        );
    }
    if off("branch", false) {
        text.push(
            "divergent branches cost less than the paths that subgroups take: lockstep is narrower than said, \
             or paths were merged"
                .to_owned(),
        );
    }
    if off("select", false) {
        text.push(
            "both paths cost less together than one after the other: they overlap".to_owned(),
        );
    }
    if off("select", true) {
        text.push(
            "both paths cost more together than one after the other: they compete for registers or cache"
                .to_owned(),
        );
    }
    text
}
