//! `occupancy`: how many subgroups it takes to hide the latency of memory.
//!
//! Subgroups of lanes that each walk along links, so that nothing but other subgroups can fill the wait. One
//! subgroup calibrates the latency, the most the peak, and every number in between is predicted; in a buffer
//! that the nearest cache holds, in one that it does not, and in one that is too large for most caches.

use std::rc::Rc;

use super::knee::{NEAR, STILL_FALLING, deviating};
use super::{case_at, is_narrow, of_known, positive, powers_of_two};
use crate::kernels::MOST_ITERATIONS;
use crate::kernels::chase::{Chase, Cycle};
use crate::laws::latency::{chains_to_hide, step_time};
use crate::measure::{
    CaseId, Context, Experiment, Idea, Plan, PointSpec, Sizing, Spans, Unsupported,
};
use crate::record;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "occupancy",
    idea: Idea::Busy,
    law: "Little: n subgroups step at min(n/L, peak); the knee is at L·peak",
    about: "how much work hides the latency of memory, near and far",
    plan,
};

/// Buffers walked through, in bytes: what the cache next to a core holds, what a larger one does, and what is
/// too large for most.
const SIZES: [(u64, &str); 3] =
    [(16 << 10, "16 KiB"), (256 << 10, "256 KiB"), (64 << 20, "64 MiB")];

/// The most subgroups for a class of device: several times what it holds, or runs side by side.
fn most_subgroups(context: &Context<'_>) -> u32 {
    match context.facts.device_type {
        "cpu" => 32,
        "discrete" => 8192,
        _ => 1024,
    }
}

/// The walks through one buffer.
struct Walks {
    /// By subgroups.
    cases: Vec<(u32, CaseId)>,
    floors: Rc<Vec<(u32, CaseId)>>,
    /// One lane alone.
    lane: CaseId,
}

impl Walks {
    /// Seconds for a step of one of `subgroups`, whose turns all together take; NaN where noise leaves
    /// nothing of it.
    fn step(&self, spans: &Spans<'_>, subgroups: u32) -> f64 {
        self.per_step(spans, case_at(&self.cases, subgroups), subgroups) / f64::from(subgroups)
    }

    fn per_step(&self, spans: &Spans<'_>, case: CaseId, subgroups: u32) -> f64 {
        positive(spans.unit_above(case, case_at(&self.floors, subgroups)))
    }

    fn latency(&self, spans: &Spans<'_>) -> f64 {
        self.step(spans, 1)
    }

    /// Seconds a step takes with the most subgroups: one over the peak.
    fn least(&self, spans: &Spans<'_>) -> f64 {
        self.step(spans, self.cases[self.cases.len() - 1].0)
    }

    /// What the law says of latency and least step.
    fn of_ends(&self, spans: &Spans<'_>, law: impl Fn(f64, f64) -> f64) -> f64 {
        of_known(self.latency(spans), self.least(spans), law)
    }

    /// The fewest subgroups that come near the peak.
    fn knee(&self, spans: &Spans<'_>) -> f64 {
        let least = self.least(spans);
        let near = |&&(n, _): &&(u32, CaseId)| self.step(spans, n) <= NEAR * least;
        self.cases.iter().find(near).map_or(f64::NAN, |&(n, _)| f64::from(n))
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let width = context.known_width()?;
    context.require_lanes(width)?;
    let mut plan = Plan::default();
    let step = if context.profile.dense { 1 } else { 2 };
    let most = most_subgroups(context);
    let sweep: Vec<u32> =
        powers_of_two(most).filter(|&n| n == most || n.ilog2() % step == 0 || n == 2).collect();
    let fits = |&(bytes, _): &(u64, &str)| bytes <= context.facts.limits.binding_bytes;
    let mut floors = None;
    for (index, (bytes, size)) in SIZES.into_iter().filter(|size| fits(size)).enumerate() {
        let cycle = Cycle::random(bytes, context.seed.wrapping_add(index as u64));
        let walk = |lanes: u32, workgroups: u32| {
            let cycle = cycle.clone();
            move |steps: u32| Chase { cycle: cycle.clone(), steps, lanes, workgroups }.workload()
        };
        let own = || Sizing::Own { granule: 64, most: MOST_ITERATIONS };
        let floors = floors.get_or_insert_with(|| {
            let floor = |&n: &u32| {
                let walk = walk(width, n);
                let once = Sizing::Own { granule: 1, most: 1 };
                (n, plan.case(format!("{n}.floor"), once, move |_| walk(0)))
            };
            Rc::new(sweep.iter().map(floor).collect::<Vec<_>>())
        });
        let id = size.replace(' ', "_");
        let walks = Rc::new(Walks {
            cases: sweep
                .iter()
                .map(|&n| (n, plan.case(format!("{id}.{n}"), own(), walk(width, n))))
                .collect(),
            floors: Rc::clone(floors),
            lane: plan.case(format!("{id}.lane"), own(), walk(1, 1)),
        });
        add_walks(&mut plan, &walks, size);
    }
    for (_, size) in SIZES.iter().filter(|size| !fits(size)) {
        plan.note(format!(
            "no walk through {size}: a storage binding of the adapter holds {} KiB",
            context.facts.limits.binding_bytes >> 10
        ));
    }
    let narrow = is_narrow(context);
    plan.diagnose(move |outcome| diagnose(outcome, most, narrow));
    Ok(plan)
}

fn add_walks(plan: &mut Plan, walks: &Rc<Walks>, size: &str) {
    let id = size.replace(' ', "_");
    for &(n, _) in &walks.cases[1..walks.cases.len() - 1] {
        let (own, law) = (Rc::clone(walks), Rc::clone(walks));
        plan.point(PointSpec {
            series: size.to_owned(),
            x: ("subgroups", f64::from(n), ""),
            unit: "s",
            measured: Box::new(move |spans| own.step(spans, n)),
            predicted: Box::new(move |spans| {
                law.of_ends(spans, |latency, least| step_time(latency, least, f64::from(n)))
            }),
            claimed: true,
        });
    }
    plan.parameter_of(walks, format!("latency.{id}"), "s", Walks::latency);
    plan.parameter_of(walks, format!("t_step.{id}"), "s", Walks::least);
    plan.parameter_of(walks, format!("latency_of_a_lane.{id}"), "s", |walks, spans| {
        walks.per_step(spans, walks.lane, 1)
    });
    let knee = |walks: &Walks, spans: &Spans<'_>| walks.of_ends(spans, chains_to_hide);
    plan.figure_of(walks, format!("knee_predicted.{id}"), "subgroups", knee);
    plan.figure_of(walks, format!("knee_measured.{id}"), "subgroups", Walks::knee);
}

fn diagnose(outcome: &record::Experiment, most: u32, narrow: bool) -> Vec<String> {
    let mut text = Vec::new();
    if narrow {
        text.push(
            "on a CPU a core holds one subgroup at a time, so that subgroups hide nothing of each other's latency and \
             the knee is the number of cores"
                .to_owned(),
        );
    }
    for (_, size) in SIZES {
        let Some(knee) = outcome.number(&format!("knee_predicted.{}", size.replace(' ', "_")))
        else {
            continue;
        };
        if knee > STILL_FALLING * f64::from(most) {
            text.push(format!(
                "{size}: {most} subgroups hardly hide the latency, so that the peak may be higher and the knee later"
            ));
        }
        let off = |near: bool, over: bool| !deviating(outcome, size, knee, near, over).is_empty();
        if off(true, true) {
            text.push(format!(
                "{size}: around the knee at {knee:.1} subgroups a step takes longer than latency and peak each allow: \
                 the corner is round, as loads queue before the peak is reached"
            ));
        }
        if off(false, true) {
            text.push(format!(
                "{size}: far from the knee steps take longer than predicted: subgroups share what a lone one has to \
                 itself, a core's cache, its clock or a translation of addresses"
            ));
        }
        if off(true, false) || off(false, false) {
            text.push(format!(
                "{size}: steps take less than predicted: the most subgroups hinder each other, or several find in a \
                 cache what one of them brought there"
            ));
        }
    }
    text
}
