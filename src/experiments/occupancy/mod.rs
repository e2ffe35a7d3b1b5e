//! `occupancy`: how many subgroups it takes to hide the latency of memory.
//!
//! Subgroups of lanes that each walk along links, so that nothing but other subgroups can fill the wait. One
//! subgroup calibrates the latency, the most the peak, and every number in between is predicted; in a buffer
//! that the nearest cache holds, in one that it does not, and in one that is too large for most caches.

pub mod kernel;
pub mod predict;

use kernel::{Chase, Cycle};

use super::sweep::{case_at, powers_of_two};
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::experiments::ilp::knee::{NEAR, STILL_FALLING, deviating};
use crate::experiments::ilp::law::{chains_to_hide, step_time};
use crate::kernels::MAX_ITERATIONS;
use crate::model::{self, About, Category, DeviceType};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "occupancy",
    category: Category::Busy,
    law: "Little: n subgroups step at min(n/L, peak); the knee is at L·peak",
    about: "how much work hides the latency of memory, near and far",
    tolerance: Tolerance {
        ratio: 0.10,
        reason: "a roofline of two lines, as `ilp`: a tenth is room for loads that meet by chance in one bank or \
                 row, and far less than one subgroup more or less below the knee",
    },
    shaders: || vec![kernel::shader()],
    plan,
    predict: Some(&predict::LAW),
};

/// Buffers walked through, in bytes: what the cache next to a core holds, what a larger one does, and what is
/// too large for most.
const SIZES: [(u64, &str); 3] =
    [(16 << 10, "16 KiB"), (256 << 10, "256 KiB"), (64 << 20, "64 MiB")];

/// The most subgroups for a class of device: several times what it holds, or runs side by side.
fn most_subgroups(context: &Context<'_>) -> u32 {
    match context.facts.device_type {
        DeviceType::Cpu => 32,
        DeviceType::Discrete => 8192,
        _ => 1024,
    }
}

/// The walks through one buffer.
struct Walks {
    /// By subgroups: seconds for a step of one of them, whose turns all together take; unknown where noise leaves
    /// nothing of it.
    steps: Vec<(u32, Expr)>,
    /// The same for one lane alone.
    lane: Expr,
}

impl Walks {
    /// Of cases by subgroups, of one lane alone, and of what each number of subgroups takes that do not step.
    fn new(cases: &[(u32, CaseId)], lane: CaseId, floors: &[(u32, CaseId)]) -> Self {
        let step = |n: u32, case: CaseId| case.per_unit_above(case_at(floors, n)).positive();
        let steps = cases.iter().map(|&(n, case)| (n, step(n, case) / f64::from(n))).collect();
        Self { steps, lane: step(1, lane) }
    }

    fn latency(&self) -> &Expr {
        &self.steps[0].1
    }

    /// Seconds a step takes with the most subgroups: one over the peak.
    fn least(&self) -> &Expr {
        &self.steps[self.steps.len() - 1].1
    }

    /// What the law says of latency and least step.
    fn of_ends(
        &self,
        name: &'static str,
        law: impl Fn(f64, f64) -> f64 + Send + Sync + 'static,
    ) -> Expr {
        let ends = [self.latency(), self.least()].map(Expr::clone);
        Expr::call(name, ends, move |[latency, least]| law(latency, least))
    }

    /// The fewest subgroups that come near the peak.
    fn knee(&self) -> Expr {
        let (numbers, steps): (Vec<u32>, Vec<Expr>) = self.steps.iter().cloned().unzip();
        Expr::lenient("fewest near peak", steps, move |steps| {
            let least = steps[steps.len() - 1];
            let near = steps.iter().position(|&step| step <= NEAR * least);
            near.map_or(f64::NAN, |at| f64::from(numbers[at]))
        })
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let width = context.known_width()?;
    context.require_workgroup_size(width)?;
    let mut plan = Plan::default();
    let step = if context.profile.dense { 1 } else { 2 };
    let most = most_subgroups(context);
    let sweep: Vec<u32> =
        powers_of_two(most).filter(|&n| n == most || n.ilog2() % step == 0 || n == 2).collect();
    let fits = |&(bytes, _): &(u64, &str)| bytes <= context.facts.limits.binding_bytes;
    let mut floors: Vec<(u32, CaseId)> = Vec::new();
    for (index, (bytes, size)) in SIZES.into_iter().filter(|size| fits(size)).enumerate() {
        let cycle = Cycle::random(bytes, context.seed.wrapping_add(index as u64));
        let walk = |lanes: u32, workgroups: u32| {
            let cycle = cycle.clone();
            move |steps: u32| {
                Chase { cycle: cycle.clone(), steps, workgroup_size: lanes, workgroups }.workload()
            }
        };
        if floors.is_empty() {
            // Without a step all buffers are alike.
            let floor = |&n: &u32| {
                let walk = walk(width, n);
                let once = Sizing::Own { granule: 1, most: 1 };
                (n, plan.floor(format!("{n}.floor"), once, move |_| walk(0)))
            };
            floors = sweep.iter().map(floor).collect();
        }
        let id = name_of(size);
        let own = || Sizing::Own { granule: 64, most: MAX_ITERATIONS };
        let cases: Vec<(u32, CaseId)> = sweep
            .iter()
            .map(|&n| (n, plan.case(format!("{id}.{n}"), own(), walk(width, n))))
            .collect();
        let lane = plan.case(format!("{id}.lane"), own(), walk(1, 1));
        add_walks(&mut plan, &Walks::new(&cases, lane, &floors), size);
    }
    for (_, size) in SIZES.iter().filter(|size| !fits(size)) {
        plan.note(format!(
            "no walk through {size}: a storage binding of the adapter holds {} KiB",
            context.facts.limits.binding_bytes >> 10
        ));
    }
    let narrow = context.is_narrow();
    plan.diagnose(move |outcome| diagnose(outcome, most, narrow));
    Ok(plan)
}

/// A buffer's size as a part of names.
fn name_of(size: &str) -> String {
    size.replace(' ', "_")
}

fn add_walks(plan: &mut Plan, walks: &Walks, size: &str) {
    let series = plan.series(size, ("subgroups", ""), "s");
    for (n, step) in &walks.steps[1..walks.steps.len() - 1] {
        let n = f64::from(*n);
        let predicted =
            walks.of_ends("step_time", move |latency, least| step_time(latency, least, n));
        plan.judge(series, n, step, predicted);
    }
    let id = name_of(size);
    let about = |name: &str, what: &str, unit| {
        About::new(format!("{name}.{id}"), format!("{what}, {size} working set"), unit)
    };
    plan.metric(about("latency", "load latency, full subgroup", "s").lower(), walks.latency());
    plan.metric(about("t_step", "time of a subgroup load at peak", "s").lower(), walks.least());
    plan.metric(
        about("latency_of_a_lane", "load latency, one lane", "s").lower().headline(),
        &walks.lane,
    );
    let hide = "resident subgroups that hide load latency";
    plan.metric(
        about("knee_predicted", &format!("{hide}, predicted"), "subgroups"),
        walks.of_ends("chains_to_hide", chains_to_hide),
    );
    plan.metric(
        about("knee_measured", hide, "subgroups")
            .headline()
            .note("the fewest tried that come within a tenth of the peak"),
        walks.knee(),
    );
}

fn diagnose(outcome: &model::Experiment, most: u32, narrow: bool) -> Vec<String> {
    let mut text = Vec::new();
    if narrow {
        text.push(
            "on a CPU a core holds one subgroup at a time, so that subgroups hide nothing of each other's latency and \
             the knee is the number of cores"
                .to_owned(),
        );
    }
    for (_, size) in SIZES {
        let Some(knee) = outcome.number(&format!("knee_predicted.{}", name_of(size))) else {
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
