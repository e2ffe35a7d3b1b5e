//! `contention`: atomics on one counter and on many.
//!
//! One counter calibrates the time of an atomic that waits for others on its address. One counter per
//! invocation calibrates the time of an atomic without contention. The law predicts every number of counters
//! in between.
//!
//! Invocations use the counters in two layouts. With the round-robin layout, all parts of the hardware use
//! each counter. With the layout by block, neighbouring invocations share a counter. A further case measures
//! the speed-up by one counter per workgroup, in workgroup memory.
//!
//! A floor case is the same launch without atomics, whose time is subtracted from the other cases.

mod diagnose;
pub mod kernel;
pub mod law;
pub mod predict;

use kernel::{Contention, Operation, Target};
use law::{atomic_time, counters_to_spread};

use super::sweep::powers_of_two;
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::gpu::WantedWorkers;
use crate::kernels::MAX_ITERATIONS;
use crate::model::{About, Category, Curve, DeviceType};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "contention",
    category: Category::Coordination,
    law: "T = max(N/c·t_s, N·t_p) for N atomics on c counters; the knee is at c = t_s/t_p",
    about: "What does an atomic cost with and without contention, and how much do separate counters gain?",
    tolerance: Tolerance {
        ratio: 0.10,
        reason: "The law is a roofline of two serial resources, and 10 % allow for the loop around the \
                 atomics. Below the knee, one counter more or less changes the time by far more.",
    },
    shaders: || vec![kernel::shader()],
    workers: WantedWorkers::PerCore,
    plan,
    predict: Some(&predict::LAW),
};

/// Size of a dispatch. All invocations run concurrently: the counters of invocations that wait to be launched
/// would be idle.
#[derive(Clone, Copy)]
struct LaunchSize {
    workgroup_size: u32,
    workgroups: u32,
}

impl LaunchSize {
    fn of(context: &Context<'_>) -> Self {
        match context.facts.device_type {
            // The counters of a core's invocations fit the innermost cache of the core.
            DeviceType::Cpu => Self { workgroup_size: 64, workgroups: 4 },
            DeviceType::Discrete => Self { workgroup_size: 256, workgroups: 128 },
            _ => Self { workgroup_size: 256, workgroups: 32 },
        }
    }

    fn invocations(self) -> u32 {
        self.workgroup_size * self.workgroups
    }
}

/// Atomics per invocation before a workgroup combines its counter with the global counter.
const BEFORE_COMBINING: u32 = 16;

/// An assignment of counters to invocations.
struct Layout {
    /// Part of the case ids.
    case: &'static str,
    /// Part of the series name.
    series: &'static str,
    target: fn(u32) -> Target,
}

const LAYOUTS: [Layout; 2] = [
    Layout { case: "in turn", series: "round-robin", target: Target::InTurn },
    Layout { case: "by block", series: "by block", target: Target::ByBlock },
];
/// Index of the round-robin layout in [`LAYOUTS`].
const ROUND_ROBIN: usize = 0;
/// Index of the layout by block in [`LAYOUTS`].
const BY_BLOCK: usize = 1;

/// The cases of one operation.
struct Atomics {
    size: LaunchSize,
    /// For each layout, pairs of the number of counters and the case. Both layouts have the same case of one
    /// counter.
    spread: [Vec<(u32, CaseId)>; 2],
    floor: CaseId,
    /// All invocations on one counter that the compiler can see to be one.
    one: CaseId,
    /// One counter per workgroup: with atomics and a combined result, with four times as many atomics and a
    /// discarded result, and without atomics.
    private: [CaseId; 3],
}

impl Atomics {
    fn add(plan: &mut Plan, context: &Context<'_>, operation: Operation) -> Self {
        let size = LaunchSize::of(context);
        let contention = move |target, repeats| Contention {
            operation,
            target,
            repeats,
            workgroup_size: size.workgroup_size,
            workgroups: size.workgroups,
        };
        let word = operation.as_str();
        let mut case = |name: &str, target: Target| {
            let own = Sizing::Own { granule: 1, most: MAX_ITERATIONS };
            plan.case(format!("{word}.{name}"), own, move |repeats| {
                contention(target, repeats).workload()
            })
        };
        let single = case("1", Target::InTurn(1));
        let one = case("one", Target::One);
        let most = size.invocations();
        let step = if context.profile.dense { 1 } else { 2 };
        let spread = LAYOUTS.map(|Layout { case: layout, target, .. }| {
            let between = powers_of_two(most / 2).skip(1).step_by(step);
            let cases = between.chain([most]);
            let cases = cases.map(|c| (c, case(&format!("{layout}.{c}"), target(c))));
            [(1, single)].into_iter().chain(cases).collect()
        });
        let once = Sizing::Own { granule: 1, most: 1 };
        let floor = plan.floor(format!("{word}.floor"), once, move |_| {
            contention(Target::InTurn(1), 0).workload()
        });
        let own = || Sizing::Own { granule: 16, most: 16_384 };
        let private = move |target, repeats| {
            move |workgroups: u32| {
                Contention { workgroups, ..contention(target, repeats) }.workload()
            }
        };
        let combined = private(Target::Private, BEFORE_COMBINING);
        let dropped = private(Target::Dropped, 4 * BEFORE_COMBINING);
        let private = [
            plan.case(format!("{word}.private"), own(), combined),
            plan.case(format!("{word}.dropped"), own(), dropped),
            plan.floor(format!("{word}.private.floor"), own(), private(Target::Dropped, 0)),
        ];
        Self { size, spread, floor, one, private }
    }

    /// Returns the seconds per atomic of a case. The result is NaN if the case takes no longer than the floor
    /// case.
    fn each(&self, case: CaseId) -> Expr {
        (case.per_unit_above(self.floor) / f64::from(self.size.invocations())).positive()
    }

    /// Returns the seconds per atomic on one counter.
    fn serial(&self) -> Expr {
        self.each(self.spread[ROUND_ROBIN][0].1)
    }

    /// Returns the seconds per atomic with one counter per invocation, in `layout`.
    fn parallel(&self, layout: usize) -> Expr {
        let (_, most) = self.spread[layout].last().expect("every layout has cases");
        self.each(*most)
    }

    /// Returns the seconds per atomic in workgroup memory.
    fn local(&self) -> Expr {
        let [_, dropped, floor] = self.private;
        let atomics = f64::from(4 * BEFORE_COMBINING * self.size.workgroup_size);
        (dropped.per_unit_beyond(floor) / atomics).positive()
    }

    /// Returns the seconds per atomic with one counter per workgroup, which the workgroup combines with the
    /// global counter at the end. The time includes launching the workgroups.
    fn private(&self) -> Expr {
        self.private[0].per_unit() / self.before_combining()
    }

    /// Returns the predicted seconds per atomic with one counter per workgroup.
    fn private_predicted(&self) -> Expr {
        // All atomics use workgroup memory, and one in every `atomics` uses the global counter.
        let [.., floor] = self.private;
        let atomics = self.before_combining();
        let each = time_of(self.serial(), self.local(), atomics);
        floor.per_unit() / atomics + each
    }

    /// Returns the atomics of a workgroup before it combines its counter with the global counter.
    fn before_combining(&self) -> f64 {
        f64::from(BEFORE_COMBINING * self.size.workgroup_size)
    }

    /// Returns the longest time per atomic over all numbers of round-robin counters, relative to one counter.
    fn slowest_round_robin(&self) -> Expr {
        let each = self.spread[ROUND_ROBIN].iter().skip(1).map(|&(_, case)| self.each(case));
        Expr::max_known(each) / self.serial()
    }
}

/// Returns the time per atomic over `counters` counters by the law.
fn time_of(serial: Expr, parallel: Expr, counters: f64) -> Expr {
    Expr::call("atomic_time", [serial, parallel], move |[serial, parallel]| {
        atomic_time(serial, parallel, counters)
    })
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let size = LaunchSize::of(context);
    context.require_several_workers()?;
    context.require_workgroup_size(size.workgroup_size)?;
    let mut plan = Plan::default();
    for operation in Operation::ALL {
        let atomics = Atomics::add(&mut plan, context, operation);
        add_points(&mut plan, operation, &atomics);
        add_costs(&mut plan, operation.as_str(), &atomics);
        add_findings(&mut plan, operation.as_str(), &atomics);
    }
    let device = diagnose::Device {
        width: context.width.unwrap_or(1),
        invocations: size.invocations(),
        narrow: context.is_narrow(),
    };
    plan.diagnose(move |outcome| diagnose::diagnose(outcome, device));
    Ok(plan)
}

fn add_points(plan: &mut Plan, operation: Operation, atomics: &Atomics) {
    let word = operation.as_str();
    for (layout, Layout { series, .. }) in LAYOUTS.into_iter().enumerate() {
        let series = plan.series(format!("{word}, {series}"), ("counters", ""), "s");
        if operation == Operation::Add && layout == ROUND_ROBIN {
            let curve =
                Curve::new("time of an atomic by number of counters", "time per atomic", "s");
            plan.compare_by(series, curve.logarithmic());
        }
        let ends = 1..atomics.spread[layout].len() - 1;
        for &(c, case) in &atomics.spread[layout][ends] {
            let predicted = time_of(atomics.serial(), atomics.parallel(layout), f64::from(c));
            plan.judge(series, f64::from(c), atomics.each(case), predicted);
        }
    }
    let name = format!("{word}, one counter per workgroup");
    let series = plan.series(name, ("atomics per invocation", ""), "s");
    let x = f64::from(BEFORE_COMBINING);
    plan.judge(series, x, atomics.private(), atomics.private_predicted());
}

/// Adds the time per atomic under each condition.
fn add_costs(plan: &mut Plan, word: &str, atomics: &Atomics) {
    let about = |name: &str, place: &str| {
        About::new(format!("{name}.{word}"), format!("time per atomic {word}, {place}"), "s")
            .lower()
    };
    plan.metric(about("t_serial", "all invocations on one address").headline(), atomics.serial());
    plan.metric(
        about("t_parallel", "one address per invocation").headline(),
        atomics.parallel(ROUND_ROBIN),
    );
    plan.metric(
        about("t_parallel_by_block", "one address per invocation, assigned by block"),
        atomics.parallel(BY_BLOCK),
    );
    plan.metric(
        about("t_local", "one address per workgroup, in workgroup memory"),
        atomics.local(),
    );
}

/// Adds the effects of more counters, of the compiler, and of one counter per workgroup.
fn add_findings(plan: &mut Plan, word: &str, atomics: &Atomics) {
    let about = |name: &str, label: &str, unit| {
        About::new(format!("{name}.{word}"), label.replace('*', word), unit)
    };
    let ends = [atomics.serial(), atomics.parallel(ROUND_ROBIN)];
    plan.metric(
        about(
            "knee_predicted",
            "counters needed to end contention, predicted, atomic *",
            "counters",
        ),
        Expr::call("counters_to_spread", ends, |[serial, parallel]| {
            counters_to_spread(serial, parallel)
        }),
    );
    plan.metric(
        about(
            "one_address_seen_by_compiler",
            "time per atomic *, address known to the compiler over address unknown to it",
            "x",
        ),
        atomics.each(atomics.one) / atomics.serial(),
    );
    plan.metric(
        about(
            "dearest_in_turn",
            "time on the slowest round-robin counters over one counter, atomic *",
            "x",
        )
        .note("above 1, use one counter per block of invocations or per workgroup instead"),
        atomics.slowest_round_robin(),
    );
    plan.metric(
        about("privatising_buys", "speed-up by one counter per workgroup, atomic *", "x")
            .headline(),
        atomics.serial() / atomics.private(),
    );
    plan.metric(
        about(
            "privatising_buys_predicted",
            "speed-up by one counter per workgroup, predicted, atomic *",
            "x",
        ),
        atomics.serial() / atomics.private_predicted(),
    );
}
