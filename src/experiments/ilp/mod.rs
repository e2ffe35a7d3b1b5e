//! `ilp`: the speed-up by independent instructions within a lane.
//!
//! One subgroup, alone on a scheduler, runs c independent chains. One chain calibrates the latency, and many
//! chains calibrate the issue time. The law predicts every number of chains in between. The issue time comes
//! from many chains of one subgroup. A full device does not show it, because the number of schedulers is
//! unknown.
//!
//! The floor case is the same launch without loop iterations, whose time is subtracted from the other cases.

pub(super) mod knee;
pub mod law;
pub mod predict;

use knee::{NEAR, STILL_FALLING, deviating};
use law::{chains_to_hide, step_time};

use super::ceilings::arithmetic::{Arithmetic, MIN_WORKGROUP_SIZE};
use super::sweep::case_at;
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::gpu::WantedWorkers;
use crate::kernels::Step;
use crate::kernels::ilp::{Ilp, STEPS};
use crate::model::{self, About, Category};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "ilp",
    category: Category::Independence,
    law: "T = max(L/c, t) per operation with c independent chains; the knee is at c = L/t",
    about: "What is the latency of an instruction, and how many independent chains hide it?",
    tolerance: Tolerance {
        ratio: 0.10,
        reason: "The law is a roofline of two lines, and 10 % allow for the loop instructions. One \
                 instruction latency more or less changes the time by far more.",
    },
    shaders: Vec::new,
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: Some(&predict::LAW),
};

/// Work of the one workgroup. A CPU runs subgroups one after another and gets several, so that they take
/// longer than the dispatch overhead. A GPU would run several subgroups concurrently and gets one.
struct Load {
    /// Loop iterations.
    iterations: u32,
    /// Subgroups of the workgroup.
    subgroups: u32,
}

const GPU_LOAD: Load = Load { iterations: 2048, subgroups: 1 };
const CPU_LOAD: Load = Load { iterations: 8192, subgroups: 8 };
/// The steps by which the law is judged.
const STEPS_OF_LAW: [Step; 2] = [Step::U32, Step::F32];
/// Numbers of chains whose points are judged.
const JUDGED: [u32; 7] = [2, 3, 4, 5, 6, 7, 8];
/// Numbers of chains that calibrate: one chain for the latency, and more chains than any judged number for
/// the issue time.
const ENDS: [u32; 2] = [1, 12];

/// The cases of one number type.
struct Chains {
    /// Pairs of the number of chains and the case.
    cases: Vec<(u32, CaseId)>,
    floor: CaseId,
    /// Operations of one chain, summed over all subgroups.
    steps: f64,
    /// Lanes per subgroup.
    width: f64,
}

impl Chains {
    fn add(plan: &mut Plan, context: &Context<'_>, step: Step) -> Result<Self, Unsupported> {
        let load = if context.is_narrow() { CPU_LOAD } else { GPU_LOAD };
        let seed = context.seed as u32;
        let word = step.as_str();
        let own = Sizing::Own { granule: 1, most: 1024 };
        let ilp = |width: u32, chains: u32, iterations: u32| Ilp {
            step,
            chains,
            vector: 1,
            iterations,
            workgroup_size: width * load.subgroups,
            workgroups: 1,
            seed,
        };
        let width = context.width_of(&ilp(context.known_width()?, ENDS[0], 0).workload())?;
        let build = |chains: u32, iterations: u32| {
            let ilp = ilp(width, chains, iterations);
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

    /// Returns the seconds per operation with `chains` chains. The result is NaN if the case takes no longer
    /// than the floor case.
    fn step(&self, chains: u32) -> Expr {
        let seconds = case_at(&self.cases, chains).per_unit_beyond(self.floor);
        seconds.positive() / (self.steps * f64::from(chains))
    }

    /// Returns the latency of an operation in seconds.
    fn latency(&self) -> Expr {
        self.step(ENDS[0])
    }

    /// Returns the issue time of an operation in seconds.
    fn issue(&self) -> Expr {
        self.step(ENDS[1])
    }

    /// Returns the seconds per operation with `chains` chains by the law.
    fn step_time(&self, chains: u32) -> Expr {
        Expr::call("step_time", [self.latency(), self.issue()], move |[latency_s, issue_s]| {
            step_time(latency_s, issue_s, f64::from(chains))
        })
    }

    /// Returns the number of chains that hides the latency by the law.
    fn knee_predicted(&self) -> Expr {
        Expr::call("chains_to_hide", [self.latency(), self.issue()], |[latency_s, issue_s]| {
            chains_to_hide(latency_s, issue_s)
        })
    }

    /// Returns the smallest judged number of chains whose time per operation is near the issue time; NaN if
    /// there is no such number.
    fn knee_measured(&self) -> Expr {
        let steps = JUDGED.map(|chains| self.step(chains));
        let issue_and_steps = std::iter::once(self.issue()).chain(steps);
        Expr::lenient("first_near_issue", issue_and_steps, |times| {
            let (issue, steps) = (times[0], &times[1..]);
            let enough = steps.iter().position(|&step| step <= NEAR * issue);
            enough.map_or(f64::NAN, |place| f64::from(JUDGED[place]))
        })
    }

    /// Returns the peak throughput of the device relative to the peak throughput of one subgroup. This ratio
    /// is the number of schedulers if one subgroup keeps a scheduler busy.
    fn schedulers(&self, device: &Arithmetic, step: Step) -> Expr {
        let steps = self.cases.iter().map(|&(chains, _)| self.step(chains));
        device.ops_per_s() * Expr::min_known(steps) / (step.operations() * self.width)
    }

    /// Returns the largest speed-up over one chain among the judged numbers of chains.
    fn best_speed_up(&self) -> Expr {
        Expr::max_known(JUDGED.map(|chains| self.latency() / self.step(chains)))
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let mut plan = Plan::default();
    plan.shorten_samples(2);
    for step in STEPS_OF_LAW {
        let chains = Chains::add(&mut plan, context, step)?;
        let word = step.as_str();
        let series = plan.series(word, ("chains", ""), "s");
        for c in JUDGED {
            plan.judge(series, f64::from(c), chains.step(c), chains.step_time(c));
        }
        let about = |name: &str, label: &str, unit: &'static str| {
            About::new(format!("{name}.{word}"), format!("{label}, {word}"), unit)
        };
        let latency = about("latency", "latency of a dependent operation", "s").lower().headline();
        plan.metric(latency.note(step_of(step)), chains.latency());
        let issue = about("t_issue", "issue time of an independent operation", "s");
        plan.metric(issue.lower(), chains.issue());
        let label = "independent chains that hide the latency, predicted";
        plan.metric(about("knee_predicted", label, "chains"), chains.knee_predicted());
        let label = "independent chains that hide the latency";
        let [.., most] = JUDGED;
        let note = format!("absent if more than {most} chains are needed");
        let knee = about("knee_measured", label, "chains").headline();
        plan.metric(knee.note(note), chains.knee_measured());
        let best = about("best_speed_up", "best speed-up by independent chains", "x");
        plan.metric(best.higher(), chains.best_speed_up());
        if context.require_workgroup_size(MIN_WORKGROUP_SIZE).is_ok() {
            let device = Arithmetic::add(&mut plan, context, step);
            let schedulers = about("schedulers", "concurrent subgroups at peak", "x");
            plan.metric(
                schedulers
                    .higher()
                    .headline()
                    .note("peak throughput of the device over peak throughput of one subgroup"),
                chains.schedulers(&device, step),
            );
        }
    }
    plan.diagnose(diagnose);
    Ok(plan)
}

/// Returns the note that describes one operation of a chain.
fn step_of(step: Step) -> &'static str {
    match step {
        Step::U32 => "per chain operation: an add and a dependent xor",
        Step::MadU32 | Step::F32 | Step::F16 => "per chain operation: a multiply and add",
        Step::I8 => "per chain operation: a scalar product of four bytes, and an add",
    }
}

/// Returns one text for each effect that the metrics and the points show.
fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    for word in STEPS_OF_LAW.map(Step::as_str) {
        let number = |name: &str| outcome.number(&format!("{name}.{word}"));
        let Some(knee) = number("knee_predicted") else { continue };
        if number("knee_measured").is_none() {
            text.push(format!(
                "{word}: no judged number of chains hides the latency. The law predicts the knee at \
                 {knee:.1} chains."
            ));
        }
        if knee > STILL_FALLING * f64::from(ENDS[1]) {
            text.push(format!(
                "{word}: even {} chains hardly hide the latency. The issue time may be shorter than \
                 measured, and the knee may be at more chains.",
                ENDS[1]
            ));
        }
        let off = |near: bool, over: bool| deviating(outcome, word, knee, near, over);
        if let [first, ..] = &off(true, true)[..] {
            text.push(format!(
                "{word}: around the knee at {knee:.1} chains, from {first} chains on, an operation takes \
                 longer than predicted: the corner is round. If the chains are just enough, their operations \
                 may collide at issue. Use more chains than the knee."
            ));
        }
        if !off(false, true).is_empty() {
            text.push(format!(
                "{word}: far from the knee, an operation takes longer than predicted. Either the issue time \
                 still falls with more chains, or the chains do not all fit the registers."
            ));
        }
        if !off(true, false).is_empty() || !off(false, false).is_empty() {
            text.push(format!(
                "{word}: times per operation are less than predicted. Either many chains issue more slowly \
                 than few chains because registers spill, so that the issue time is overstated, or the \
                 compiler merged chains."
            ));
        }
    }
    text
}
