//! `ilp`: what independent instructions within a lane buy.
//!
//! One subgroup on a scheduler of its own runs c independent chains. One chain calibrates the latency, many
//! the issue time, and every number in between is predicted. The issue time comes from many chains of one
//! subgroup and not from a full device, since nobody says over how many schedulers that would divide.

use std::rc::Rc;

use super::arithmetic::{Arithmetic, LEAST_LANES, OPS_A_STEP};
use super::knee::{NEAR, STILL_FALLING, deviating};
use super::{case_at, is_narrow, of_known, positive};
use crate::kernels::Number;
use crate::kernels::ilp::{Ilp, STEPS};
use crate::laws::latency::{chains_to_hide, step_time};
use crate::measure::{
    CaseId, Context, Experiment, Idea, Plan, PointSpec, Sizing, Spans, Unsupported,
};
use crate::record;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "ilp",
    idea: Idea::Independence,
    law: "a step takes max(L/c, t) with c independent chains; the knee is at c = L/t",
    about: "the latency of an instruction, and how many independent chains hide it",
    plan,
};

/// Loop trips, and subgroups of the one workgroup: a CPU runs those one after another and is given enough
/// of them to outlast its dispatch, a GPU would run them side by side and is given one.
struct Load {
    trips: u32,
    subgroups: u32,
}

const GPU_LOAD: Load = Load { trips: 2048, subgroups: 1 };
const CPU_LOAD: Load = Load { trips: 8192, subgroups: 8 };
/// Chains whose points are judged.
const JUDGED: [u32; 7] = [2, 3, 4, 5, 6, 7, 8];
/// Chains that calibrate: one for the latency, and more than any judged for the issue time.
const ENDS: [u32; 2] = [1, 12];

/// One number type's chains.
struct Chains {
    cases: Vec<(u32, CaseId)>,
    floor: CaseId,
    /// Steps of one chain, those of all subgroups in turn.
    steps: f64,
    /// Lanes of a subgroup.
    width: f64,
}

impl Chains {
    fn add(plan: &mut Plan, context: &Context<'_>, number: Number) -> Result<Self, Unsupported> {
        let load = if is_narrow(context) { CPU_LOAD } else { GPU_LOAD };
        let width = context.known_width()?;
        let lanes = width * load.subgroups;
        let seed = context.seed as u32;
        let mut case = |name: String, chains: u32, trips: u32| {
            let own = Sizing::Own { granule: 1, most: 1024 };
            plan.case(format!("{}.{name}", number.word()), own, move |times| {
                Ilp { number, chains, vector: 1, trips, lanes, workgroups: 1, seed }
                    .workload()
                    .train(times)
            })
        };
        let all = [ENDS[0]].into_iter().chain(JUDGED).chain([ENDS[1]]);
        Ok(Self {
            floor: case("floor".to_owned(), ENDS[0], 0),
            cases: all
                .map(|chains| (chains, case(chains.to_string(), chains, load.trips)))
                .collect(),
            steps: f64::from(load.trips * STEPS * load.subgroups),
            width: f64::from(width),
        })
    }

    /// Seconds per step of one chain; NaN where noise leaves nothing of it.
    fn step(&self, spans: &Spans<'_>, chains: u32) -> f64 {
        let seconds = spans.unit_beyond(case_at(&self.cases, chains), self.floor);
        positive(seconds) / (self.steps * f64::from(chains))
    }

    fn latency(&self, spans: &Spans<'_>) -> f64 {
        self.step(spans, ENDS[0])
    }

    fn issue(&self, spans: &Spans<'_>) -> f64 {
        self.step(spans, ENDS[1])
    }

    /// What the law says of the latency and the issue time.
    fn of_ends(&self, spans: &Spans<'_>, law: impl Fn(f64, f64) -> f64) -> f64 {
        of_known(self.latency(spans), self.issue(spans), law)
    }

    /// The fewest judged chains that come near the issue time; NaN where none does.
    fn knee(&self, spans: &Spans<'_>) -> f64 {
        let enough = |&&chains: &&u32| self.step(spans, chains) <= NEAR * self.issue(spans);
        JUDGED.iter().find(enough).map_or(f64::NAN, |&chains| f64::from(chains))
    }

    /// How many times what one subgroup does at its best the device does: so many schedulers it has, as far as one
    /// subgroup keeps one busy.
    fn schedulers(&self, spans: &Spans<'_>, device: &Arithmetic) -> f64 {
        let steps = self.cases.iter().map(|&(chains, _)| self.step(spans, chains));
        let shortest = steps.fold(f64::NAN, f64::min);
        device.ops_per_s(spans) * shortest / (OPS_A_STEP * self.width)
    }

    /// How many times as fast as one chain the judged ones go at best.
    fn best_speed_up(&self, spans: &Spans<'_>) -> f64 {
        let speed_up = |&chains: &u32| self.latency(spans) / self.step(spans, chains);
        JUDGED.iter().map(speed_up).fold(f64::NAN, f64::max)
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let mut plan = Plan::default();
    for number in Number::ALL {
        let chains = Rc::new(Chains::add(&mut plan, context, number)?);
        let word = number.word();
        for c in JUDGED {
            let (own, law) = (Rc::clone(&chains), Rc::clone(&chains));
            plan.point(PointSpec {
                series: word.to_owned(),
                x: ("chains", f64::from(c), ""),
                unit: "s",
                measured: Box::new(move |spans| own.step(spans, c)),
                predicted: Box::new(move |spans| {
                    law.of_ends(spans, |latency, issue| step_time(latency, issue, f64::from(c)))
                }),
                claimed: true,
            });
        }
        plan.parameter_of(&chains, format!("latency.{word}"), "s", Chains::latency);
        plan.parameter_of(&chains, format!("t_issue.{word}"), "s", Chains::issue);
        let knee = |chains: &Chains, spans: &Spans<'_>| chains.of_ends(spans, chains_to_hide);
        plan.figure_of(&chains, format!("knee_predicted.{word}"), "chains", knee);
        plan.figure_of(&chains, format!("knee_measured.{word}"), "chains", Chains::knee);
        plan.figure_of(&chains, format!("best_speed_up.{word}"), "x", Chains::best_speed_up);
        if context.require_lanes(LEAST_LANES).is_ok() {
            let device = Arithmetic::add(&mut plan, context, number);
            let schedulers =
                move |chains: &Chains, spans: &Spans<'_>| chains.schedulers(spans, &device);
            plan.figure_of(&chains, format!("schedulers.{word}"), "x", schedulers);
        }
    }
    plan.diagnose(diagnose);
    Ok(plan)
}

fn diagnose(outcome: &record::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    for word in Number::ALL.map(Number::word) {
        let number = |name: &str| outcome.number(&format!("{name}.{word}"));
        let Some(knee) = number("knee_predicted") else { continue };
        if number("knee_measured").is_none() {
            text.push(format!(
                "{word}: no chains that were judged hide the latency; the knee is predicted at {knee:.1}"
            ));
        }
        if knee > STILL_FALLING * f64::from(ENDS[1]) {
            text.push(format!(
                "{word}: {} chains hardly hide the latency, so that the issue time may be shorter than they show \
                 and the knee later",
                ENDS[1]
            ));
        }
        let off = |near: bool, over: bool| deviating(outcome, word, knee, near, over);
        if let [first, ..] = &off(true, true)[..] {
            text.push(format!(
                "{word}: around the knee at {knee:.1} chains, from {first} on, a step takes longer than latency \
                 and issue each allow: the corner is round, and chains that are just enough may collide at issue"
            ));
        }
        if !off(false, true).is_empty() {
            text.push(format!(
                "{word}: far from the knee steps take longer than predicted: issue time still falls with more \
                 chains, or registers do not hold them all"
            ));
        }
        if !off(true, false).is_empty() || !off(false, false).is_empty() {
            text.push(format!(
                "{word}: steps take less than predicted: many chains cost more to issue than few, so that the \
                 issue time is overstated (registers spilled), or chains were merged"
            ));
        }
    }
    text
}
