//! `ilp`: what independent instructions within a lane buy.
//!
//! One subgroup on a scheduler of its own runs c independent chains. One chain calibrates the latency, many
//! the issue time, and every number in between is predicted. The issue time comes from many chains of one
//! subgroup and not from a full device, since nobody says over how many schedulers that would divide.

pub(super) mod knee;
pub mod law;
pub mod predict;

use knee::{NEAR, STILL_FALLING, deviating};
use law::{chains_to_hide, step_time};

use super::ceilings::arithmetic::{Arithmetic, MIN_WORKGROUP_SIZE, OPS_A_STEP};
use super::sweep::case_at;
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::kernels::Number;
use crate::kernels::ilp::{Ilp, STEPS};
use crate::model::{self, About, Category};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "ilp",
    category: Category::Independence,
    law: "a step takes max(L/c, t) with c independent chains; the knee is at c = L/t",
    about: "the latency of an instruction, and how many independent chains hide it",
    tolerance: Tolerance {
        ratio: 0.10,
        reason: "a roofline of two lines: a tenth is room for a loop's own instructions, and far less \
                 than an instruction's latency more or less",
    },
    shaders: Vec::new,
    plan,
    predict: Some(&predict::LAW),
};

/// Loop iterations, and subgroups of the one workgroup: a CPU runs those one after another and is given enough
/// of them to outlast its dispatch, a GPU would run them side by side and is given one.
struct Load {
    iterations: u32,
    subgroups: u32,
}

const GPU_LOAD: Load = Load { iterations: 2048, subgroups: 1 };
const CPU_LOAD: Load = Load { iterations: 8192, subgroups: 8 };
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
        let load = if context.is_narrow() { CPU_LOAD } else { GPU_LOAD };
        let width = context.known_width()?;
        let lanes = width * load.subgroups;
        let seed = context.seed as u32;
        let word = number.as_str();
        let own = Sizing::Own { granule: 1, most: 1024 };
        let build = |chains: u32, iterations: u32| {
            let ilp = Ilp {
                number,
                chains,
                vector: 1,
                iterations,
                workgroup_size: lanes,
                workgroups: 1,
                seed,
            };
            move |times| ilp.workload().repeated(times)
        };
        let floor = plan.floor(format!("{word}.floor"), own.clone(), build(ENDS[0], 0));
        let all = [ENDS[0]].into_iter().chain(JUDGED).chain([ENDS[1]]);
        let cases = all
            .map(|chains| {
                let build = build(chains, load.iterations);
                (chains, plan.case(format!("{word}.{chains}"), own.clone(), build))
            })
            .collect();
        let steps = f64::from(load.iterations * STEPS * load.subgroups);
        Ok(Self { cases, floor, steps, width: f64::from(width) })
    }

    /// Seconds per step of one chain; NaN where noise leaves nothing of it.
    fn step(&self, chains: u32) -> Expr {
        let seconds = case_at(&self.cases, chains).per_unit_beyond(self.floor);
        seconds.positive() / (self.steps * f64::from(chains))
    }

    fn latency(&self) -> Expr {
        self.step(ENDS[0])
    }

    fn issue(&self) -> Expr {
        self.step(ENDS[1])
    }

    /// What the law says that a step takes with so many chains.
    fn step_time(&self, chains: u32) -> Expr {
        Expr::call("step_time", [self.latency(), self.issue()], move |[latency_s, issue_s]| {
            step_time(latency_s, issue_s, f64::from(chains))
        })
    }

    /// The chains that hide the latency by the law.
    fn knee_predicted(&self) -> Expr {
        Expr::call("chains_to_hide", [self.latency(), self.issue()], |[latency_s, issue_s]| {
            chains_to_hide(latency_s, issue_s)
        })
    }

    /// The fewest judged chains that come near the issue time; NaN where none does.
    fn knee_measured(&self) -> Expr {
        let steps = JUDGED.map(|chains| self.step(chains));
        let issue_and_steps = std::iter::once(self.issue()).chain(steps);
        Expr::lenient("first_near_issue", issue_and_steps, |times| {
            let (issue, steps) = (times[0], &times[1..]);
            let enough = steps.iter().position(|&step| step <= NEAR * issue);
            enough.map_or(f64::NAN, |place| f64::from(JUDGED[place]))
        })
    }

    /// How many times what one subgroup does at its best the device does: so many schedulers it has, as far as one
    /// subgroup keeps one busy.
    fn schedulers(&self, device: &Arithmetic) -> Expr {
        let steps = self.cases.iter().map(|&(chains, _)| self.step(chains));
        device.ops_per_s() * Expr::min_known(steps) / (OPS_A_STEP * self.width)
    }

    /// How many times as fast as one chain the judged ones go at best.
    fn best_speed_up(&self) -> Expr {
        Expr::max_known(JUDGED.map(|chains| self.latency() / self.step(chains)))
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let mut plan = Plan::default();
    for number in Number::ALL {
        let chains = Chains::add(&mut plan, context, number)?;
        let word = number.as_str();
        let series = plan.series(word, ("chains", ""), "s");
        for c in JUDGED {
            plan.judge(series, f64::from(c), chains.step(c), chains.step_time(c));
        }
        let about = |name: &str, label: &str, unit: &'static str| {
            About::new(format!("{name}.{word}"), format!("{label}, {word}"), unit)
        };
        let latency = about("latency", "instruction latency", "s").lower().headline();
        plan.metric(latency.note(step_of(number)), chains.latency());
        let issue = about("t_issue", "issue time of an independent step", "s");
        plan.metric(issue.lower(), chains.issue());
        let label = "independent chains that hide the latency, predicted";
        plan.metric(about("knee_predicted", label, "chains"), chains.knee_predicted());
        let label = "independent chains that hide the latency";
        let [.., most] = JUDGED;
        let note = format!("absent where more than {most} are needed");
        let knee = about("knee_measured", label, "chains").headline();
        plan.metric(knee.note(note), chains.knee_measured());
        let best = about("best_speed_up", "best speed-up by independent chains", "x");
        plan.metric(best.higher(), chains.best_speed_up());
        if context.require_workgroup_size(MIN_WORKGROUP_SIZE).is_ok() {
            let device = Arithmetic::add(&mut plan, context, number);
            let schedulers = about("schedulers", "concurrent subgroups at peak", "x");
            plan.metric(
                schedulers
                    .higher()
                    .headline()
                    .note("the device over one subgroup, both at their best"),
                chains.schedulers(&device),
            );
        }
    }
    plan.diagnose(diagnose);
    Ok(plan)
}

/// What a step is.
fn step_of(number: Number) -> &'static str {
    match number {
        Number::U32 => "of a step: add, then flip bits",
        Number::F32 => "of a step: multiply and add",
    }
}

fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    for word in Number::ALL.map(Number::as_str) {
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
