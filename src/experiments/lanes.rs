//! `lanes`: what each further active lane of a subgroup buys.

use super::powers_of_two;
use crate::kernels::chain::Chain;
use crate::laws::simt::lane_speed_up;
use crate::measure::{Context, Experiment, Idea, Plan, PointSpec, Sizing, Unsupported};
use crate::record;
use crate::stats::Verdict;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "lanes",
    idea: Idea::Amortization,
    law: "T(N, a) = (N / min(a, W))·t: a active lanes are worth min(a, W)",
    about: "what each further lane of a subgroup buys: W-fold amortization of one instruction stream",
    plan,
};

const TRIPS: u32 = 512;

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let width = context.known_width()?;
    let lanes = 4 * width;
    context.require_lanes(lanes)?;
    let seed = context.seed as u32;
    let mut plan = Plan::default();
    let mut actives: Vec<u32> = powers_of_two(lanes).collect();
    if context.profile.dense {
        actives.extend(powers_of_two(width).map(|a| a + a / 2).filter(|&a| a > 2 && a < width));
        actives.sort_unstable();
    }
    let swept: Vec<_> = actives
        .into_iter()
        .map(|active| {
            // Subgroups without an active lane would keep schedulers from the others: there are none.
            let subgroups = active.div_ceil(width);
            let lanes = subgroups * width;
            // Beyond W a workgroup takes as many times as long, so there are as many times fewer.
            let part = subgroups.next_power_of_two();
            let mut case = |name: &str, trips: u32| {
                let sizing =
                    Sizing::Shared { group: "lanes".to_owned(), granule: 64, most: 16_384 };
                plan.case(format!("active.{active}{name}"), sizing, move |scale| {
                    Chain { lanes, active, trips, workgroups: scale / part, seed }.workload()
                })
            };
            (active, f64::from(part), case("", TRIPS), case(".floor", 0))
        })
        .collect();

    let (_, _, one, one_floor) = swept[0];
    for &(active, part, case, floor) in &swept[1..] {
        plan.point(PointSpec {
            series: "speed-up".to_owned(),
            x: ("active lanes", f64::from(active), ""),
            unit: "x",
            measured: Box::new(move |spans| {
                f64::from(active) * spans.unit_above(one, one_floor)
                    / (part * spans.unit_above(case, floor))
            }),
            predicted: Box::new(move |_| lane_speed_up(f64::from(active), f64::from(width))),
            claimed: true,
        });
        if active == width {
            plan.figure("speed_up_at_width", "x", move |spans| {
                f64::from(active) * spans.above(one, one_floor) / spans.above(case, floor)
            });
        }
    }
    // Normalised by what the kernel steps, so that devices can be compared.
    plan.parameter("t_subgroup_step", "s", move |spans| {
        spans.unit_above(one, one_floor) / f64::from(TRIPS)
    });
    plan.diagnose(move |outcome| diagnose(outcome, width));
    Ok(plan)
}

fn diagnose(outcome: &record::Experiment, width: u32) -> Vec<String> {
    let mut text = Vec::new();
    let within = |p: &record::Point| p.x.value <= f64::from(width);
    let off = |p: &&record::Point| p.verdict == Verdict::Deviates;
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
