//! `lanes`: what each further active lane of a subgroup adds.

pub mod law;
pub mod predict;

use law::lane_speed_up;

use super::sweep::powers_of_two;
use crate::bench::{CaseId, Context, Experiment, Plan, Sizing, Tolerance, Unsupported};
use crate::kernels::chain::Chain;
use crate::model::{self, About, Category, Curve, Over, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "lanes",
    category: Category::Amortization,
    law: "T(N, a) = (N / min(a, W))·t: a active lanes are worth min(a, W)",
    about: "what each further lane of a subgroup buys: W-fold amortization of one instruction stream",
    tolerance: Tolerance {
        ratio: 0.05,
        reason: "the same instruction stream runs in every case: only loop masks differ",
    },
    shaders: Vec::new,
    plan,
    predict: Some(&predict::LAW),
};

const ITERATIONS: u32 = 512;

/// So many active lanes.
struct Active {
    lanes: u32,
    /// Its workgroups are as many times fewer as its lanes are more than a subgroup.
    part: f64,
    case: CaseId,
    floor: CaseId,
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let width = context.known_width()?;
    let lanes = 4 * width;
    context.require_workgroup_size(lanes)?;
    let seed = context.seed as u32;
    let mut plan = Plan::default();
    let mut actives: Vec<u32> = powers_of_two(lanes).collect();
    if context.profile.dense {
        actives.extend(powers_of_two(width).map(|a| a + a / 2).filter(|&a| a > 2 && a < width));
        actives.sort_unstable();
    }
    let swept: Vec<Active> = actives
        .into_iter()
        .map(|active| {
            // Subgroups without an active lane would keep schedulers from the others: there are none.
            let subgroups = active.div_ceil(width);
            let lanes = subgroups * width;
            // Beyond W a workgroup takes as many times as long, so there are as many times fewer.
            let part = subgroups.next_power_of_two();
            let sizing = Sizing::Shared { group: "lanes".to_owned(), granule: 64, most: 16_384 };
            let chain = move |iterations: u32| {
                move |scale: u32| {
                    Chain {
                        workgroup_size: lanes,
                        active,
                        iterations,
                        workgroups: scale / part,
                        seed,
                    }
                    .workload()
                }
            };
            Active {
                lanes: active,
                part: f64::from(part),
                case: plan.case(format!("active.{active}"), sizing.clone(), chain(ITERATIONS)),
                floor: plan.floor(format!("active.{active}.floor"), sizing, chain(0)),
            }
        })
        .collect();

    let speed_up = plan.series("speed-up", ("active lanes", ""), "x");
    plan.compare_by(
        speed_up,
        Curve::new("speed-up by active lanes", "speed-up over one lane", "x")
            .over(Over::One)
            .logarithmic()
            .reference("as many as lanes"),
    );
    let one = &swept[0];
    for active in &swept[1..] {
        let measured = f64::from(active.lanes) * one.case.per_unit_above(one.floor)
            / (active.part * active.case.per_unit_above(active.floor));
        let predicted = lane_speed_up(f64::from(active.lanes), f64::from(width));
        plan.judge(speed_up, f64::from(active.lanes), measured, predicted);
        if active.lanes == width {
            let about =
                About::new("speed_up_at_width", "speed-up of a full subgroup over one lane", "x");
            let speed_up = f64::from(active.lanes) * one.case.above(one.floor)
                / active.case.above(active.floor);
            plan.metric(about.higher().headline(), speed_up);
        }
    }
    // Normalised by what the kernel steps, so that devices can be compared.
    plan.metric(
        About::new("t_subgroup_step", "time of a step of a subgroup", "s").lower(),
        one.case.per_unit_above(one.floor) / f64::from(ITERATIONS),
    );
    plan.diagnose(move |outcome| diagnose(outcome, width));
    Ok(plan)
}

fn diagnose(outcome: &model::Experiment, width: u32) -> Vec<String> {
    let mut text = Vec::new();
    let within = |p: &model::Point| p.x.value <= f64::from(width);
    let off = |p: &&model::Point| p.verdict == Verdict::Deviates;
    if outcome.points.iter().filter(off).any(|p| within(p) && p.ratio < 1.0) {
        text.push(format!(
            "lanes below {width} are not free: the subgroup is issued in parts, or narrower than said"
        ));
    }
    if outcome.points.iter().filter(off).any(|p| !within(p) && p.ratio > 1.0) {
        text.push(
            "lanes beyond the subgroup still speed up: one subgroup per workgroup does not fill the \
             hardware, or lockstep is wider than said"
                .to_owned(),
        );
    }
    text
}
