//! `amdahl`: what a dependent share of the work leaves of many workers.
//!
//! A job is one workgroup's stage and then a stage of p workgroups that starts from its result. Jobs that
//! are all parallel give the hardware's own P(p), jobs that are all serial the length of the first
//! stage; every mixed job is predicted from these two.

use std::rc::Rc;

use super::{case_at, of_known, powers_of_two};
use crate::kernels::stages::{LANES, Stages};
use crate::laws::amdahl::{ceiling, speed_up};
use crate::measure::{
    CaseId, Context, Experiment, Idea, Plan, PointSpec, Sizing, Spans, Unsupported,
};
use crate::record;
use crate::stats::tolerance;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "amdahl",
    idea: Idea::Independence,
    law: "S(p) = 1 / ((1−f) + f/P(p)), ceiling 1/(1−f); P(p) = p for ideal workers",
    about: "what a dependent share of the work leaves of many workers",
    plan,
};

/// Parallel shares in per cent: of these every job's steps divide evenly.
const SHARES: [u32; 3] = [50, 90, 99];

/// How a job is cut for a class of device.
struct Cut {
    /// One worker is a workgroup: more of them than the device has compute units, a power of two.
    workers: u32,
    /// Steps of a job for each, a multiple of a hundred: enough that a hundredth of the job is long beside
    /// the launch of a stage, few enough that one worker is done with all of it within a span.
    trips_each: u32,
}

fn cut(device_type: &str) -> Cut {
    match device_type {
        // Some compilers for CPUs end a lane's loops after 65,535 iterations.
        "cpu" => Cut { workers: 64, trips_each: 1000 },
        "discrete" => Cut { workers: 1024, trips_each: 200 },
        _ => Cut { workers: 256, trips_each: 200 },
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
    fn cost(&self, spans: &Spans<'_>, case: CaseId, workers: u32) -> f64 {
        spans.unit_beyond(case, case_at(&self.floors, workers))
    }

    /// Workers that `workers` workgroups are worth: P(p).
    fn worth(&self, spans: &Spans<'_>, workers: u32) -> f64 {
        let time_s = |p: u32| self.cost(spans, case_at(&self.parallel, p), p);
        time_s(1) / time_s(workers)
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let mut plan = Plan::default();
    let seed = context.seed as u32;
    context.require_lanes(LANES)?;
    let Cut { workers, trips_each } = cut(context.facts.device_type);
    let step = if context.profile.dense { 1 } else { 2 };
    let sweep: Vec<u32> = powers_of_two(workers).step_by(step).collect();
    let trips = workers * trips_each;
    let mut job = |name: String, serial_trips: u32, parallel_trips: u32, workers: u32| {
        let job = Stages { serial_trips, parallel_trips, workers, seed };
        let own = Sizing::Own { granule: 1, most: 1024 };
        plan.case(name, own, move |times| job.workload().train(times))
    };
    let alone = Rc::new(Alone {
        floors: sweep.iter().map(|&p| (p, job(format!("{p}.floor"), 0, 0, p))).collect(),
        parallel: sweep
            .iter()
            .map(|&p| (p, job(format!("parallel.{p}"), 0, trips / p, p)))
            .collect(),
    });
    let shares = SHARES.map(|share| {
        let parallel_trips = trips / 100 * share;
        let serial_trips = trips - parallel_trips;
        let serial = job(format!("serial.{share}"), serial_trips, 0, 1);
        let mixed =
            |&p: &u32| (p, job(format!("mixed.{share}.{p}"), serial_trips, parallel_trips / p, p));
        (share, serial, sweep.iter().map(mixed).collect::<Vec<_>>())
    });

    for (share, serial, mixed) in shares {
        add_share(&mut plan, &alone, share, serial, &mixed);
    }
    for &(p, _) in &alone.parallel[1..] {
        let own = Rc::clone(&alone);
        plan.point(PointSpec {
            series: "f = 1, ideal workers".to_owned(),
            x: ("workers", f64::from(p), ""),
            unit: "x",
            measured: Box::new(move |spans| own.worth(spans, p)),
            predicted: Box::new(move |_| speed_up(1.0, f64::from(p))),
            claimed: false,
        });
    }
    let own = Rc::clone(&alone);
    plan.figure("hardware_workers", "x", move |spans| {
        own.parallel.iter().map(|&(p, _)| own.worth(spans, p)).fold(f64::NAN, f64::max)
    });
    plan.parameter("t_job", "s", move |spans| alone.cost(spans, case_at(&alone.parallel, 1), 1));
    plan.diagnose(diagnose);
    Ok(plan)
}

/// The curves of jobs of which `share` per cent is parallel.
fn add_share(
    plan: &mut Plan,
    alone: &Rc<Alone>,
    share: u32,
    serial: CaseId,
    mixed: &[(u32, CaseId)],
) {
    let f = f64::from(share) / 100.0;
    // From the serial stage as it was timed alone. A stage of next to nothing reads less than nothing in
    // some rounds, and then is nothing.
    let law = Rc::clone(alone);
    let parallel_share = move |spans: &Spans<'_>| {
        let whole_s = law.cost(spans, case_at(&law.parallel, 1), 1);
        let serial_s = law.cost(spans, serial, 1);
        if serial_s <= whole_s { 1.0 - serial_s.max(0.0) / whole_s } else { f64::NAN }
    };
    let (_, one) = mixed[0];
    for &(p, case) in &mixed[1..] {
        let own = Rc::clone(alone);
        let measured = move |spans: &Spans<'_>| own.cost(spans, one, 1) / own.cost(spans, case, p);
        plan.point(PointSpec {
            series: format!("f = {f}, ideal workers"),
            x: ("workers", f64::from(p), ""),
            unit: "x",
            measured: Box::new(measured.clone()),
            predicted: Box::new(move |_| speed_up(f, f64::from(p))),
            claimed: false,
        });
        let (law, parallel_share) = (Rc::clone(alone), parallel_share.clone());
        plan.point(PointSpec {
            series: format!("f = {f}, this hardware"),
            x: ("workers", f64::from(p), ""),
            unit: "x",
            measured: Box::new(measured),
            predicted: Box::new(move |spans| {
                // No number of workers is worth less than one but by noise.
                of_known(parallel_share(spans), law.worth(spans, p), |f, worth| {
                    speed_up(f, worth.max(1.0))
                })
            }),
            claimed: true,
        });
    }
    let ceiling = ceiling(f);
    plan.figure(format!("ceiling.{f}"), "x", move |_| ceiling);
    let (own, cases) = (Rc::clone(alone), mixed.to_vec());
    let best = move |spans: &Spans<'_>| {
        let one_s = own.cost(spans, one, 1);
        cases.iter().map(|&(p, case)| one_s / own.cost(spans, case, p)).fold(f64::NAN, f64::max)
    };
    let best_share = best.clone();
    plan.figure(format!("best_speed_up.{f}"), "x", best);
    plan.figure(format!("best_share_of_ceiling.{f}"), "", move |spans| best_share(spans) / ceiling);
    plan.parameter(format!("serial_share.{f}"), "", move |spans| 1.0 - parallel_share(spans));
}

fn diagnose(outcome: &record::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    if let Some(workers) = outcome.number("hardware_workers") {
        let all_parallel = |p: &&record::Point| p.series == "f = 1, ideal workers";
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
        if let Some(serial) = outcome.parameter(&format!("serial_share.{f}"))
            && (serial.value / (1.0 - f) - 1.0).abs() > tolerance::FIRM
        {
            text.push(format!(
                "f = {f}: the serial stage alone took {:.2} % of the job's time, by its steps it is {} %; the law is \
                 told the former",
                100.0 * serial.value,
                100 - share
            ));
        }
    }
    let off = |over: bool| outcome.points.iter().any(|p| p.claimed && p.deviates(over));
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
