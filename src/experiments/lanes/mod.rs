//! `lanes`: the speed-up that each additional active lane of a subgroup gives.
//!
//! Every case runs the same arithmetic loop with a different number of active lanes. The floor case of a case
//! is the same launch with no loop iterations on a CPU, and with an eighth of them on a GPU. warplaw subtracts its
//! time, so that only loop iterations count.

pub mod law;
pub mod predict;

use law::lane_speed_up;

use super::sweep::powers_of_two;
use crate::bench::{CaseId, Context, Experiment, Plan, Sizing, Tolerance, Unsupported};
use crate::gpu::{WantedWorkers, Workload};
use crate::kernels::chain::{Chain, Loops};
use crate::model::{self, About, Category, Curve, Over, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "lanes",
    category: Category::Amortization,
    law: "T(N, a) = (N / min(a, W))·t: the speed-up over one active lane is min(a, W)",
    about: "How much speed-up does each additional active lane give, when W lanes share one instruction \
            stream?",
    tolerance: Tolerance {
        ratio: 0.05,
        reason: "The tolerance is narrow because every case runs the same instruction stream and only the \
                 execution mask of the loop differs.",
    },
    shaders: Vec::new,
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: Some(&predict::LAW),
};

/// Cases of one number of active lanes.
struct Active {
    /// Active lanes per workgroup.
    lanes: u32,
    /// Divisor of the number of workgroups: the subgroups per workgroup, rounded up to a power of two.
    part: f64,
    case: CaseId,
    floor: CaseId,
}

/// Returns a workload of the kernel without iterations, with one full subgroup of `width` lanes.
pub(super) fn full_subgroup(width: u32) -> Workload {
    Chain { workgroup_size: width, active: width, iterations: 0, workgroups: 1, seed: 0 }.workload()
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let width = context.width_of(&full_subgroup(context.known_width()?))?;
    let most_active = 4 * width;
    context.require_workgroup_size(most_active)?;
    let (seed, loops) = (context.seed as u32, Loops::on(context.is_narrow()));
    let mut plan = Plan::default();
    let mut actives: Vec<u32> = powers_of_two(most_active).collect();
    if context.profile.dense {
        actives.extend(powers_of_two(width).map(|a| a + a / 2).filter(|&a| a > 2 && a < width));
        actives.sort_unstable();
    }
    let swept: Vec<Active> = actives
        .into_iter()
        .map(|active| {
            // Every subgroup has an active lane. A subgroup without one would occupy a scheduler that other
            // subgroups need.
            let subgroups = active.div_ceil(width);
            let workgroup_size = subgroups * width;
            // A workgroup of n subgroups takes n times as long as one of a single subgroup. Dividing the
            // number of workgroups keeps sample times equal.
            let part = subgroups.next_power_of_two();
            let sizing = Sizing::Shared { group: "lanes".to_owned(), granule: 64, most: 16_384 };
            let chain = move |iterations: u32| {
                move |scale: u32| {
                    Chain { workgroup_size, active, iterations, workgroups: scale / part, seed }
                        .workload()
                }
            };
            Active {
                lanes: active,
                part: f64::from(part),
                case: plan.case(format!("active.{active}"), sizing.clone(), chain(loops.whole)),
                floor: plan.floor(format!("active.{active}.floor"), sizing, chain(loops.floor)),
            }
        })
        .collect();

    let speed_up = plan.series("speed-up", ("active lanes", ""), "x");
    plan.compare_by(
        speed_up,
        Curve::new("speed-up by active lanes", "speed-up over one lane", "x")
            .over(Over::One)
            .logarithmic()
            .reference("ideal: number of active lanes"),
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
    // Divided by the iterations of the kernel's loop, so that devices can be compared.
    let label = "time per loop iteration of a subgroup, amortized over all workgroups";
    plan.metric(
        About::new("t_subgroup_step", label, "s").lower(),
        one.case.per_unit_above(one.floor) / f64::from(loops.whole - loops.floor),
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
            "Active lanes below {width} are not free: the speed-up is less than the number of active \
             lanes. The hardware issues the subgroup in parts, or the subgroup has fewer than {width} \
             lanes. Compare with the effective width that `width` finds by timing."
        ));
    }
    if outcome.points.iter().filter(off).any(|p| !within(p) && p.ratio > 1.0) {
        text.push(format!(
            "Active lanes beyond {width} still add speed-up. One subgroup per workgroup does not fill the \
             hardware, or the subgroup has more than {width} lanes. Use workgroups of several subgroups, \
             and compare with the effective width that `width` finds by timing."
        ));
    }
    text
}
