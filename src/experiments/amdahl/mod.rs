//! `amdahl`: what a dependent share of the work leaves of many workers.
//!
//! A job is one workgroup's stage and then a stage of p workgroups that starts from its result. Jobs that
//! are all parallel give the hardware's own P(p), jobs that are all serial the length of the first
//! stage; every mixed job is predicted from these two.

pub mod kernel;
pub mod law;
pub mod predict;

use kernel::{Stages, WORKGROUP_SIZE};
use law::{ceiling, speed_up};

use super::sweep::{case_at, powers_of_two};
use crate::bench::{
    CaseId, Context, Experiment, Expr, Plan, SeriesId, Sizing, Tolerance, Unsupported,
};
use crate::model::{self, About, Category, Curve, DeviceType, Over};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "amdahl",
    category: Category::Independence,
    law: "S(p) = 1 / ((1−f) + f/P(p)), ceiling 1/(1−f); P(p) = p for ideal workers",
    about: "what a dependent share of the work leaves of many workers",
    tolerance: Tolerance {
        ratio: 0.10,
        reason: "stages are timed alone and predicted together: waking all workers after one, and \
                 sending them to sleep, is tens of microseconds beside milliseconds either way",
    },
    shaders: || vec![kernel::shader()],
    plan,
    predict: Some(&predict::LAW),
};

/// Parallel shares in per cent: of these every job's steps divide evenly.
const SHARES: [u32; 3] = [50, 90, 99];
/// A serial stage that takes this share more or less than its steps say is worth a remark.
const FAR: f64 = 0.2;
/// The series of jobs that are all parallel.
const ALL_PARALLEL: &str = "f = 1, ideal workers";

/// How a job is cut for a class of device.
struct Cut {
    /// One worker is a workgroup: more of them than the device has compute units, a power of two.
    workers: u32,
    /// Steps of a job for each, a multiple of a hundred: enough that a hundredth of the job is long beside
    /// the launch of a stage, few enough that one worker is done with all of it within a sample.
    steps_each: u32,
}

fn cut(device_type: DeviceType) -> Cut {
    match device_type {
        // Some compilers for CPUs end a lane's loops after 65,535 iterations.
        DeviceType::Cpu => Cut { workers: 64, steps_each: 1000 },
        DeviceType::Discrete => Cut { workers: 1024, steps_each: 200 },
        DeviceType::Integrated | DeviceType::Virtual | DeviceType::Other => {
            Cut { workers: 256, steps_each: 200 }
        }
    }
}

/// What every prediction rests on.
struct Alone {
    /// Jobs that are all parallel, by workers.
    parallel: Vec<(u32, CaseId)>,
    /// Jobs of no steps, by workers: two dispatches and what they launch.
    floors: Vec<(u32, CaseId)>,
}

impl Alone {
    /// Seconds of `case`, a job for `workers`, beyond launching it.
    fn cost(&self, case: CaseId, workers: u32) -> Expr {
        case.per_unit_beyond(case_at(&self.floors, workers))
    }

    /// Seconds of the job that is all parallel.
    fn time(&self, workers: u32) -> Expr {
        self.cost(case_at(&self.parallel, workers), workers)
    }

    /// Workers that `workers` workgroups are worth: P(p).
    fn worth(&self, workers: u32) -> Expr {
        self.time(1) / self.time(workers)
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let mut plan = Plan::default();
    let seed = context.seed as u32;
    context.require_workgroup_size(WORKGROUP_SIZE)?;
    let Cut { workers, steps_each } = cut(context.facts.device_type);
    let step = if context.profile.dense { 1 } else { 2 };
    let sweep: Vec<u32> = powers_of_two(workers).step_by(step).collect();
    let steps = workers * steps_each;
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
        .map(|&p| (p, plan.case(format!("parallel.{p}"), own.clone(), job(0, steps / p, p))))
        .collect();
    let alone = Alone { parallel, floors };
    let shares = SHARES.map(|share| {
        let parallel = steps / 100 * share;
        let serial = steps - parallel;
        let first = plan.case(format!("serial.{share}"), own.clone(), job(serial, 0, 1));
        let mixed = |&p: &u32| {
            let job = job(serial, parallel / p, p);
            (p, plan.case(format!("mixed.{share}.{p}"), own.clone(), job))
        };
        (share, first, sweep.iter().map(mixed).collect::<Vec<_>>())
    });

    let label = "speed-up of all workgroups over one, parallel work";
    plan.metric(
        About::new("hardware_workers", label, "x")
            .higher()
            .headline()
            .note(format!("workgroups of {WORKGROUP_SIZE} lanes")),
        Expr::max_known(alone.parallel.iter().map(|&(p, _)| alone.worth(p))),
    );
    for (share, serial, mixed) in shares {
        add_share(&mut plan, &alone, share, serial, &mixed);
    }
    let all_parallel = add_series(&mut plan, ALL_PARALLEL);
    plan.compare_by(
        all_parallel,
        Curve::new("speed-up by workgroups", "speed-up over one", "x")
            .over(Over::One)
            .logarithmic(),
    );
    for &(p, _) in &alone.parallel[1..] {
        let workers = f64::from(p);
        plan.show(all_parallel, workers, alone.worth(p), speed_up(1.0, workers));
    }
    let label = "time of the whole job on one workgroup";
    plan.metric(About::new("t_job", label, "s").lower(), alone.time(1));
    plan.diagnose(diagnose);
    Ok(plan)
}

fn add_series(plan: &mut Plan, name: impl Into<String>) -> SeriesId {
    plan.series(name, ("workers", ""), "x")
}

/// The curves of jobs of which `share` per cent is parallel.
fn add_share(plan: &mut Plan, alone: &Alone, share: u32, serial: CaseId, mixed: &[(u32, CaseId)]) {
    let f = f64::from(share) / 100.0;
    // From the serial stage as it was timed alone. A stage of next to nothing reads less than nothing in
    // some rounds, and then is nothing.
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
        // No number of workers is worth less than one but by noise.
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
    let label = format!("best speed-up over its ceiling, {of}");
    let about = About::new(format!("best_share_of_ceiling.{f}"), label, "%");
    plan.metric(about.higher(), best / ceiling);
    let label = format!("serial share as measured, {of}");
    plan.metric(About::new(format!("serial_share.{f}"), label, "%"), 1.0 - parallel_share);
}

fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    if let Some(workers) = outcome.number("hardware_workers") {
        let all_parallel = |p: &&model::Point| p.series == ALL_PARALLEL;
        let curve: Vec<f64> =
            outcome.points.iter().filter(all_parallel).map(|p| p.measured).collect();
        let grows = matches!(curve[..], [.., before, last] if last > 1.1 * before);
        text.push(if grows {
            format!(
                "work that is all parallel speeds up {workers:.1} times, and still more with more workgroups than \
                 were tried"
            )
        } else {
            format!(
                "work that is all parallel speeds up {workers:.1} times at most: the hardware has no more workers, \
                 which is not blamed on the law"
            )
        });
    }
    for share in SHARES {
        let f = f64::from(share) / 100.0;
        if let Some(serial) = outcome.number(&format!("serial_share.{f}"))
            && (serial / (1.0 - f) - 1.0).abs() > FAR
        {
            text.push(format!(
                "f = {f}: the serial stage alone took {:.2} % of the job's time, by its steps it is {} %; the law is \
                 told the former",
                100.0 * serial,
                100 - share
            ));
        }
    }
    let off = |over: bool| outcome.points.iter().any(|p| p.judged && p.deviates(over));
    if off(false) {
        text.push(
            "mixed jobs speed up less than their stages alone allow: workers that idled through the serial \
             stage start slower, or the stages hinder each other"
                .to_owned(),
        );
    }
    if off(true) {
        text.push(
            "mixed jobs speed up more than their stages alone allow: the stages overlap, or few workers run \
             at a higher clock"
                .to_owned(),
        );
    }
    text
}
