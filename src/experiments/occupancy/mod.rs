//! `occupancy`: the number of subgroups that hide the latency of memory.
//!
//! Every lane follows a chain of dependent loads, so only other subgroups can fill the wait for a load. The
//! case of one subgroup calibrates the latency, and the case of the most subgroups calibrates the peak. The
//! law predicts every number in between. The sweep covers three working sets: one that fits in the nearest
//! cache, one that does not, and one that is too large for many caches. The latency of a single lane is measured for more
//! working sets, of which some are larger than any cache, so that its steps show the levels of the memory hierarchy.
//!
//! A floor case launches the same number of subgroups without a load. warplaw subtracts its time from the
//! time of each case.

pub mod kernel;
mod levels;
pub mod predict;

use kernel::{Chase, Cycle};
use levels::{OWN, SIZES, about, add_latencies, diagnose_levels, name_of};

use super::sweep::{case_at, powers_of_two};
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::experiments::ilp::knee::{NEAR, STILL_FALLING, deviating};
use crate::experiments::ilp::law::{chains_to_hide, step_time};
use crate::gpu::WantedWorkers;
use crate::model::{self, Category, DeviceType};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "occupancy",
    category: Category::Busy,
    law: "Little's law: n subgroups load at the rate min(n/L, peak); the knee is at n = L·peak",
    about: "How many subgroups hide the latency of memory, for working sets from cache size to 64 MiB?",
    tolerance: Tolerance {
        ratio: 0.10,
        reason: "The law is a roofline of two lines, as in `ilp`. 10 % allows for loads that meet by chance \
                 in one bank or row, and is far less than the effect of one subgroup more or less below the \
                 knee.",
    },
    shaders: || vec![kernel::shader()],
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: Some(&predict::LAW),
};

/// Returns the largest number of subgroups in the sweep, by class of device. The number is several times the
/// number of subgroups that such a device keeps resident or executes concurrently.
fn most_subgroups(context: &Context<'_>) -> u32 {
    match context.facts.device_type {
        DeviceType::Cpu => 32,
        DeviceType::Discrete => 8192,
        _ => 1024,
    }
}

/// Figures of the pointer chases through one buffer.
struct Walks {
    /// Seconds per subgroup load, by number of subgroups in ascending order: the seconds in which each
    /// subgroup loads once, divided by the number of subgroups. NaN if noise leaves no positive difference to
    /// the floor case.
    steps: Vec<(u32, Expr)>,
    /// Seconds per load of a single lane.
    lane: Expr,
}

impl Walks {
    /// Builds the figures from the cases by number of subgroups, the case of a single lane, and the floor
    /// cases by number of subgroups.
    fn new(cases: &[(u32, CaseId)], lane: CaseId, floors: &[(u32, CaseId)]) -> Self {
        let step = |n: u32, case: CaseId| case.per_unit_above(case_at(floors, n)).positive();
        let steps = cases.iter().map(|&(n, case)| (n, step(n, case) / f64::from(n))).collect();
        Self { steps, lane: step(1, lane) }
    }

    /// Returns the seconds per load of one subgroup.
    fn latency(&self) -> &Expr {
        &self.steps[0].1
    }

    /// Returns the seconds per subgroup load with the most subgroups, 1 / peak.
    fn least(&self) -> &Expr {
        &self.steps[self.steps.len() - 1].1
    }

    /// Applies `law` to the latency and to the seconds per subgroup load at peak.
    fn of_ends(
        &self,
        name: &'static str,
        law: impl Fn(f64, f64) -> f64 + Send + Sync + 'static,
    ) -> Expr {
        let ends = [self.latency(), self.least()].map(Expr::clone);
        Expr::call(name, ends, move |[latency, least]| law(latency, least))
    }

    /// Returns the smallest number of subgroups whose seconds per load are at most [`NEAR`] times those at
    /// peak.
    fn knee(&self) -> Expr {
        let (numbers, steps): (Vec<u32>, Vec<Expr>) = self.steps.iter().cloned().unzip();
        Expr::lenient("first_near_peak", steps, move |steps| {
            let least = steps[steps.len() - 1];
            let near = steps.iter().position(|&step| step <= NEAR * least);
            near.map_or(f64::NAN, |at| f64::from(numbers[at]))
        })
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let known = context.known_width()?;
    context.require_workgroup_size(known)?;
    let probe = Chase {
        cycle: Cycle::random(SIZES[0].0, 0),
        steps: 0,
        workgroup_size: known,
        workgroups: 1,
    };
    let width = context.width_of(&probe.workload())?;
    let mut plan = Plan::default();
    plan.shorten_samples(2);
    let step = if context.profile.dense { 1 } else { 2 };
    let most = most_subgroups(context);
    let sweep: Vec<u32> =
        powers_of_two(most).filter(|&n| n == most || n.ilog2() % step == 0 || n == 2).collect();
    let fits = |&(bytes, _): &(u64, &str)| bytes <= context.facts.limits.binding_bytes;
    let mut floors: Vec<(u32, CaseId)> = Vec::new();
    for (index, (bytes, size)) in SIZES.into_iter().filter(|size| fits(size)).enumerate() {
        let cycle = Cycle::random(bytes, context.seed.wrapping_add(index as u64));
        let walk = |workgroup_size: u32, workgroups: u32| {
            let cycle = cycle.clone();
            move |steps: u32| {
                Chase { cycle: cycle.clone(), steps, workgroup_size, workgroups }.warmed()
            }
        };
        if floors.is_empty() {
            // Without a load the buffer makes no difference, so all buffers share these floor cases.
            let floor = |&n: &u32| {
                let walk = walk(width, n);
                let once = Sizing::Own { granule: 1, most: 1 };
                (n, plan.floor(format!("{n}.floor"), once, move |_| walk(0)))
            };
            floors = sweep.iter().map(floor).collect();
        }
        let id = name_of(size);
        let cases: Vec<(u32, CaseId)> = sweep
            .iter()
            .map(|&n| (n, plan.case(format!("{id}.{n}"), OWN, walk(width, n))))
            .collect();
        let lane = plan.case(format!("{id}.lane"), OWN, walk(1, 1));
        add_walks(&mut plan, &Walks::new(&cases, lane, &floors), size);
    }
    for (_, size) in SIZES.iter().filter(|size| !fits(size)) {
        plan.note(format!(
            "The {size} working set was left out: the adapter limits a storage buffer binding to {} KiB.",
            context.facts.limits.binding_bytes >> 10
        ));
    }
    if let (true, Some(&(_, floor))) = (context.profile.dense, floors.first()) {
        add_latencies(&mut plan, context, floor);
    }
    let narrow = context.is_narrow();
    plan.diagnose(move |outcome| diagnose(outcome, most, narrow));
    Ok(plan)
}

/// Returns the name of the series of a buffer.
fn series_of(size: &str) -> String {
    format!("{size} working set")
}

fn add_walks(plan: &mut Plan, walks: &Walks, size: &str) {
    let series = plan.series(series_of(size), ("subgroups", ""), "s");
    for (n, step) in &walks.steps[1..walks.steps.len() - 1] {
        let n = f64::from(*n);
        let predicted =
            walks.of_ends("step_time", move |latency, least| step_time(latency, least, n));
        plan.judge(series, n, step, predicted);
    }
    let about = |name: &str, label: &str, unit| about(name, label, size, unit);
    plan.metric(about("latency", "load latency, full subgroup", "s").lower(), walks.latency());
    plan.metric(about("t_step", "time per subgroup load at peak", "s").lower(), walks.least());
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
        about("knee_measured", hide, "subgroups").headline().note(
            "smallest number in the sweep with a time per load at most 10 % above that at peak",
        ),
        walks.knee(),
    );
}

fn diagnose(outcome: &model::Experiment, most: u32, narrow: bool) -> Vec<String> {
    let mut text = Vec::new();
    if narrow {
        text.push(
            "A CPU core executes one subgroup at a time, so subgroups do not hide each other's latency. The \
             knee is the number of cores; launch at least that many workgroups."
                .to_owned(),
        );
    }
    for (_, size) in SIZES {
        let Some(knee) = outcome.number(&format!("knee_predicted.{}", name_of(size))) else {
            continue;
        };
        if knee > STILL_FALLING * f64::from(most) {
            text.push(format!(
                "{size}: Even the largest launch, {most} subgroups, hardly hides the latency. The peak may \
                 be higher than measured here, and the knee at more subgroups."
            ));
        }
        let off = |near: bool, over: bool| {
            !deviating(outcome, &series_of(size), knee, near, over).is_empty()
        };
        if off(true, true) {
            text.push(format!(
                "{size}: Around the knee at {knee:.1} subgroups, a load takes longer than latency and peak \
                 each allow: the corner is round, because loads queue before the peak is reached. Launch \
                 more subgroups than the predicted knee to reach the peak."
            ));
        }
        if off(false, true) {
            text.push(format!(
                "{size}: Loads far from the knee take longer than predicted. Subgroups share a resource that \
                 a single subgroup has to itself: the cache of a core, its clock or the translation of \
                 addresses. A smaller working set may help."
            ));
        }
        if off(true, false) || off(false, false) {
            text.push(format!(
                "{size}: Loads take less time than predicted. Either the subgroups of the largest launch \
                 hinder each other, and a smaller launch is faster, or several subgroups find data in a \
                 cache that one of them loaded."
            ));
        }
    }
    text.extend(diagnose_levels(outcome));
    text
}
