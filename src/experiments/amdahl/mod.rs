//! `amdahl`: the speed-up of partly parallel work by many workgroups.
//!
//! A job has two stages: a serial stage of one workgroup, and a parallel stage of p workgroups that starts
//! from the result of the serial stage. Two kinds of job calibrate the law:
//!
//! - Fully parallel jobs measure P(p), the speed-up of p workgroups over one on this device.
//! - Jobs that have only the serial stage measure the time of that stage.
//!
//! The law predicts every mixed job from these two measurements. A floor case is a job of zero iterations;
//! its time is subtracted from the other cases.

pub mod kernel;
pub mod law;
pub mod predict;

use kernel::{Stages, WORKGROUP_SIZE};
use law::{ceiling, speed_up};

use super::sweep::{case_at, powers_of_two};
use crate::bench::{
    CaseId, Context, Experiment, Expr, Plan, SeriesId, Sizing, Tolerance, Unsupported,
};
use crate::gpu::WantedWorkers;
use crate::model::{self, About, Category, Curve, DeviceType, Over};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "amdahl",
    category: Category::Independence,
    law: "S(p) = 1 / ((1−f) + f/P(p)), ceiling 1/(1−f); P(p) = p for ideal workers",
    about: "How much faster is partly parallel work on many workgroups than on one?",
    tolerance: Tolerance {
        ratio: 0.10,
        reason: "The stages are timed separately and predicted together. Waking all workers after the serial \
                 stage, and idling them again, changes a job of milliseconds by tens of microseconds in \
                 either direction.",
    },
    shaders: || vec![kernel::shader()],
    workers: WantedWorkers::PerCore,
    needs_ranks: false,
    plan,
    predict: Some(&predict::LAW),
};

/// Parallel shares in per cent. The iterations of a job are a multiple of 100, so that every share of them is
/// a whole number.
const SHARES: [u32; 3] = [50, 90, 99];
/// Smallest relative difference, between the serial stage's share of the job's time and its share of the
/// iterations, that the diagnosis reports.
const FAR: f64 = 0.2;
/// Series of the fully parallel jobs.
const ALL_PARALLEL: &str = "f = 1, ideal workers";

/// The size of a job for a type of device.
struct Size {
    /// Largest number of workers: a power of two that exceeds the number of compute units of the device. A
    /// worker is a workgroup.
    workers: u32,
    /// Loop iterations of a job, divided by `workers`. The job is long enough that 1 % of it is long compared
    /// with the launch of a stage, and short enough that one worker completes the job within a sample.
    iterations_each: u32,
}

/// Returns the size of a job for a type of device.
fn size(device_type: DeviceType) -> Size {
    match device_type {
        // Some CPU compilers end the loops of an invocation after 65,535 iterations.
        DeviceType::Cpu => Size { workers: 64, iterations_each: 1000 },
        DeviceType::Discrete => Size { workers: 1024, iterations_each: 200 },
        DeviceType::Integrated | DeviceType::Virtual | DeviceType::Other => {
            Size { workers: 256, iterations_each: 200 }
        }
    }
}

/// The cases that calibrate the predictions, by number of workers.
struct Alone {
    /// Fully parallel jobs.
    parallel: Vec<(u32, CaseId)>,
    /// Floor cases: jobs of zero iterations, which consist of two dispatches and the launch of their
    /// workgroups.
    floors: Vec<(u32, CaseId)>,
}

impl Alone {
    /// Returns the seconds of `case`, a job for `workers` workers, without its launch.
    fn cost(&self, case: CaseId, workers: u32) -> Expr {
        case.per_unit_beyond(case_at(&self.floors, workers))
    }

    /// Returns the seconds of the fully parallel job on `workers` workers.
    fn time(&self, workers: u32) -> Expr {
        self.cost(case_at(&self.parallel, workers), workers)
    }

    /// Returns P(p): the speed-up of `workers` workers over one worker on fully parallel work.
    fn worth(&self, workers: u32) -> Expr {
        self.time(1) / self.time(workers)
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let mut plan = Plan::default();
    let seed = context.seed as u32;
    context.require_several_workers()?;
    context.require_workgroup_size(WORKGROUP_SIZE)?;
    let Size { workers, iterations_each } = size(context.facts.device_type);
    let step = if context.profile.dense { 1 } else { 2 };
    let sweep: Vec<u32> = powers_of_two(workers).step_by(step).collect();
    let iterations = workers * iterations_each;
    let own = Sizing::Own { granule: 1, most: 1024 };
    let job = |serial_iterations: u32, parallel_iterations: u32, workers: u32| {
        let job = Stages { serial_iterations, parallel_iterations, workers, seed };
        move |times| job.workload().repeated(times)
    };
    let floors = sweep
        .iter()
        .map(|&p| (p, plan.floor(format!("{p}.floor"), own.clone(), job(0, 0, p))))
        .collect();
    let parallel = sweep
        .iter()
        .map(|&p| (p, plan.case(format!("parallel.{p}"), own.clone(), job(0, iterations / p, p))))
        .collect();
    let alone = Alone { parallel, floors };
    let shares = SHARES.map(|share| {
        let parallel = iterations / 100 * share;
        let serial = iterations - parallel;
        let first = plan.case(format!("serial.{share}"), own.clone(), job(serial, 0, 1));
        let mixed = |&p: &u32| {
            let job = job(serial, parallel / p, p);
            (p, plan.case(format!("mixed.{share}.{p}"), own.clone(), job))
        };
        (share, first, sweep.iter().map(mixed).collect::<Vec<_>>())
    });

    let label = "peak speed-up over one workgroup, fully parallel work";
    plan.metric(
        About::new("hardware_workers", label, "x")
            .higher()
            .headline()
            .note(format!("workgroups of {WORKGROUP_SIZE} invocations")),
        Expr::max_known(alone.parallel.iter().map(|&(p, _)| alone.worth(p))),
    );
    for (share, serial, mixed) in shares {
        add_share(&mut plan, &alone, share, serial, &mixed);
    }
    let all_parallel = add_series(&mut plan, ALL_PARALLEL);
    plan.compare_by(
        all_parallel,
        Curve::new("speed-up by number of workgroups", "speed-up over one workgroup", "x")
            .over(Over::One)
            .logarithmic(),
    );
    for &(p, _) in &alone.parallel[1..] {
        let workers = f64::from(p);
        plan.show(all_parallel, workers, alone.worth(p), speed_up(1.0, workers));
    }
    let label = "time of the fully parallel job, one workgroup";
    plan.metric(About::new("t_job", label, "s").lower(), alone.time(1));
    plan.diagnose(diagnose);
    Ok(plan)
}

/// Adds a series of speed-ups by number of workers.
fn add_series(plan: &mut Plan, name: impl Into<String>) -> SeriesId {
    plan.series(name, ("workers", ""), "x")
}

/// Adds the series and the metrics of the jobs of which `share` per cent is parallel.
fn add_share(plan: &mut Plan, alone: &Alone, share: u32, serial: CaseId, mixed: &[(u32, CaseId)]) {
    let f = f64::from(share) / 100.0;
    // The parallel share follows from the serial stage timed alone. Noise can make the time of a very short
    // stage negative; such a stage counts as zero.
    let stages = [alone.time(1), alone.cost(serial, 1)];
    let parallel_share = Expr::call("parallel_share", stages, |[whole_s, serial_s]| {
        if serial_s <= whole_s { 1.0 - serial_s.max(0.0) / whole_s } else { f64::NAN }
    });
    let ideal = add_series(plan, format!("f = {f}, ideal workers"));
    let hardware = add_series(plan, format!("f = {f}, this hardware"));
    let one_s = alone.cost(mixed[0].1, 1);
    for &(p, case) in &mixed[1..] {
        let workers = f64::from(p);
        let measured = &one_s / alone.cost(case, p);
        plan.show(ideal, workers, &measured, speed_up(f, workers));
        // P(p) is at least 1. A smaller measured value is noise.
        let predicted =
            Expr::call("speed_up", [parallel_share.clone(), alone.worth(p)], |[f, worth]| {
                speed_up(f, worth.max(1.0))
            });
        plan.judge(hardware, workers, measured, predicted);
    }
    let ceiling = ceiling(f);
    let of = format!("parallel share {f}");
    let label = format!("speed-up ceiling 1/(1−f), {of}");
    plan.metric(About::new(format!("ceiling.{f}"), label, "x"), ceiling);
    let best = Expr::max_known(mixed.iter().map(|&(p, case)| &one_s / alone.cost(case, p)));
    let about = About::new(format!("best_speed_up.{f}"), format!("best speed-up, {of}"), "x");
    plan.metric(about.higher().headline(), &best);
    let label = format!("best speed-up as a share of its ceiling, {of}");
    let about = About::new(format!("best_share_of_ceiling.{f}"), label, "%");
    plan.metric(about.higher(), best / ceiling);
    let label = format!("serial share of the job's time, {of}");
    plan.metric(About::new(format!("serial_share.{f}"), label, "%"), 1.0 - parallel_share);
}

/// Returns the diagnosis of the experiment's result.
fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    if let Some(workers) = outcome.number("hardware_workers") {
        let all_parallel = |p: &&model::Point| p.series == ALL_PARALLEL;
        let curve: Vec<f64> =
            outcome.points.iter().filter(all_parallel).map(|p| p.measured).collect();
        let grows = matches!(curve[..], [.., before, last] if last > 1.1 * before);
        text.push(if grows {
            format!(
                "Fully parallel work speeds up {workers:.1} times. The speed-up still increases at the \
                 largest number of workgroups tried, so more workgroups would increase it further."
            )
        } else {
            format!(
                "Fully parallel work speeds up {workers:.1} times at most, because the hardware has no more \
                 workers. The comparison with ideal workers is therefore shown but not judged."
            )
        });
    }
    for share in SHARES {
        let f = f64::from(share) / 100.0;
        if let Some(serial) = outcome.number(&format!("serial_share.{f}"))
            && (serial / (1.0 - f) - 1.0).abs() > FAR
        {
            text.push(format!(
                "f = {f}: the serial stage takes {:.2} % of the job's time but {} % of its iterations. The \
                 prediction uses the share of the time.",
                100.0 * serial,
                100 - share
            ));
        }
    }
    let deviates = |over: bool| outcome.points.iter().any(|p| p.judged && p.deviates(over));
    if deviates(false) {
        text.push(
            "Mixed jobs speed up less than their stages alone allow. Workers that idle during the serial \
             stage may start the parallel stage more slowly, or the stages may slow each other down. \
             Independent work during the serial stage keeps the workers busy."
                .to_owned(),
        );
    }
    if deviates(true) {
        text.push(
            "Mixed jobs speed up more than their stages alone allow. The stages may overlap, or a few \
             workers may run at a higher clock frequency than many workers."
                .to_owned(),
        );
    }
    text
}
