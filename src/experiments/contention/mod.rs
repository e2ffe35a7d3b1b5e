//! `contention`: atomics on one counter and on many.
//!
//! A GPU may merge the atomics of a subgroup on one address into one request, and the law is about requests. Whether
//! all lanes of a subgroup use one counter, or the lanes of a subgroup use several, makes a difference then. So each has
//! its own calibration. One counter calibrates the time of a request that waits for others on its address, and one
//! counter per subgroup the time without contention. For lanes on several counters, two round-robin counters and one
//! counter per invocation do the same. Where some neighbouring lanes share a counter and others do not, the points are
//! shown and not judged.
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
use law::{Merging, atomic_time, counters_to_spread};

use super::sweep::powers_of_two;
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::gpu::WantedWorkers;
use crate::kernels::MAX_ITERATIONS;
use crate::model::{About, Category, Curve, DeviceType};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "contention",
    category: Category::Coordination,
    law: "T = max(N/c·t_s, N·t_p) for N requests on c counters; the knee is at c = t_s/t_p",
    about: "What does an atomic cost with and without contention, and how much do separate counters gain?",
    tolerance: Tolerance {
        ratio: 0.10,
        reason: "The law is a roofline of two serial resources, and 10 % allow for the loop around the \
                 atomics. Below the knee, one counter more or less changes the time by far more.",
    },
    shaders: || vec![kernel::shader()],
    workers: WantedWorkers::PerCore,
    needs_ranks: false,
    plan,
    predict: Some(&predict::LAW),
};

/// Size of a dispatch. All invocations run concurrently: the counters of invocations that wait to be launched
/// would be idle.
#[derive(Clone, Copy)]
struct LaunchSize {
    workgroup_size: u32,
    workgroups: u32,
    /// Largest number of words from one counter to the next.
    most_stride: u32,
}

/// Fewest words from one counter to the next, so that no two counters share a cache line.
const LINE: u32 = 32;
/// Words over which counters are spread, so few that a cache holds all of them.
const AREA: u32 = 1 << 20;

impl LaunchSize {
    fn of(context: &Context<'_>) -> Self {
        match context.facts.device_type {
            // The counters of a core's invocations fit the innermost cache of the core.
            DeviceType::Cpu => Self { workgroup_size: 64, workgroups: 4, most_stride: LINE },
            // The units of a GPU that perform atomics share the memory in parts of less than 1 KiB.
            DeviceType::Discrete => Self { workgroup_size: 256, workgroups: 128, most_stride: 256 },
            _ => Self { workgroup_size: 256, workgroups: 32, most_stride: 256 },
        }
    }

    fn invocations(self) -> u32 {
        self.workgroup_size * self.workgroups
    }

    /// Returns the words from one of `counters` counters to the next.
    fn stride(self, counters: u32) -> u32 {
        (AREA / counters).min(self.most_stride).max(LINE)
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
    /// Lanes whose atomics may be merged: those of a subgroup, or 1 if nothing can merge them or their number is unknown.
    width: u32,
    /// For each layout, pairs of the number of counters and the case. Both layouts have the same case of one
    /// counter.
    spread: [Vec<(u32, CaseId)>; 2],
    floor: CaseId,
    /// All invocations on one counter that the compiler can see to be one.
    one: CaseId,
    /// One counter per workgroup: with a combined result, and with 4 and 16 times as many atomics and a discarded result.
    private: [CaseId; 3],
}

/// How the lanes of a subgroup share counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lanes {
    /// All lanes use one counter.
    Together,
    /// The lanes use several counters by turns.
    Apart,
    /// Neighbouring lanes share a counter, and the lanes use several.
    Mixed,
}

impl Atomics {
    fn add(plan: &mut Plan, context: &Context<'_>, operation: Operation, width: u32) -> Self {
        let size = LaunchSize::of(context);
        let contention = move |target, repeats| Contention {
            operation,
            target,
            repeats,
            workgroup_size: size.workgroup_size,
            workgroups: size.workgroups,
            stride: LINE,
        };
        let spread = move |target: Target, counters: u32, repeats: u32| {
            let stride = size.stride(counters);
            Contention { stride, ..contention(target, repeats) }.workload()
        };
        let word = operation.as_str();
        let mut case = |name: &str, target: Target, counters: u32| {
            let own = Sizing::Own { granule: 1, most: MAX_ITERATIONS };
            plan.case(format!("{word}.{name}"), own, move |repeats| {
                spread(target, counters, repeats)
            })
        };
        let single = case("1", Target::InTurn(1), 1);
        let one = case("one", Target::One, 1);
        let most = size.invocations();
        let step = if context.profile.dense { 1 } else { 2 };
        let spread = LAYOUTS.map(|Layout { case: layout, target, .. }| {
            let between = powers_of_two(most / 2).skip(1).step_by(step);
            let mut counters: Vec<u32> = between.chain([2, most / width, most]).collect();
            counters.sort_unstable();
            counters.dedup();
            let cases = counters.into_iter().filter(|&c| c > 1);
            let cases = cases.map(|c| (c, case(&format!("{layout}.{c}"), target(c), c)));
            [(1, single)].into_iter().chain(cases).collect()
        });
        let once = Sizing::Own { granule: 1, most: 1 };
        let floor = plan.floor(format!("{word}.floor"), once, move |_| {
            contention(Target::InTurn(1), 0).workload()
        });
        let own = || Sizing::Own { granule: 16, most: 65_520 };
        let private = move |target, repeats| {
            move |workgroups: u32| {
                Contention { workgroups, ..contention(target, repeats) }.workload()
            }
        };
        let combined = private(Target::Private, BEFORE_COMBINING);
        let [few, many] = [4, 16].map(|times| private(Target::Dropped, times * BEFORE_COMBINING));
        let private = [
            plan.case(format!("{word}.private"), own(), combined),
            plan.case(format!("{word}.dropped"), own(), few),
            plan.case(format!("{word}.dropped.many"), own(), many),
        ];
        Self { size, width, spread, floor, one, private }
    }

    /// Returns the seconds per atomic of a case. The result is NaN if the case takes no longer than the floor
    /// case.
    fn each(&self, case: CaseId) -> Expr {
        (case.per_unit_above(self.floor) / f64::from(self.size.invocations())).positive()
    }

    /// Returns the seconds per atomic on `counters` counters in `layout`.
    fn on(&self, layout: usize, counters: u32) -> Expr {
        let (_, case) = self.spread[layout]
            .iter()
            .find(|&&(c, _)| c == counters)
            .expect("the numbers of counters that calibrate are measured");
        self.each(*case)
    }

    /// Returns the seconds per atomic on one counter.
    fn serial(&self) -> Expr {
        self.on(BY_BLOCK, 1)
    }

    /// Returns the seconds from one request to the next on one address, by lanes that use several.
    ///
    /// It comes from two counters, of which each gets half of the atomics.
    fn request(&self) -> Expr {
        let (one, two) = (self.serial(), self.on(ROUND_ROBIN, 2));
        let width = f64::from(self.width);
        Expr::call("time_of_request", [one, two], move |[one, two]| {
            two / Merging::of_times(one, two, width).requests(2.0, width)
        })
    }

    /// Returns the seconds per atomic with one counter per subgroup.
    fn parallel_together(&self) -> Expr {
        self.on(BY_BLOCK, self.size.invocations() / self.width)
    }

    /// Returns the seconds per atomic with one counter per invocation, in `layout`.
    fn parallel(&self, layout: usize) -> Expr {
        self.on(layout, self.size.invocations())
    }

    /// Returns the predicted seconds per atomic on `counters` counters in `layout`.
    fn predicted(&self, layout: usize, counters: u32) -> Expr {
        let (c, width) = (f64::from(counters), f64::from(self.width));
        if self.lanes(layout, counters) == Lanes::Together {
            return time_of(self.serial(), self.parallel_together(), c);
        }
        let of = [self.serial(), self.on(ROUND_ROBIN, 2), self.parallel(layout)];
        Expr::call("atomic_time", of, move |[one, two, parallel]| {
            let merging = Merging::of_times(one, two, width);
            let serial = two / merging.requests(2.0, width) * merging.requests(c, width);
            atomic_time(serial, parallel, 1.0)
        })
    }

    /// Returns how the lanes of a subgroup share `counters` counters in `layout`.
    fn lanes(&self, layout: usize, counters: u32) -> Lanes {
        let invocations = self.size.invocations();
        if layout == ROUND_ROBIN && counters > 1 || counters == invocations {
            Lanes::Apart
        } else if counters <= invocations / self.width {
            Lanes::Together
        } else {
            Lanes::Mixed
        }
    }

    /// Returns whether predictions in `layout` come from this number of counters.
    fn calibrates(&self, layout: usize, counters: u32) -> bool {
        let most = self.size.invocations();
        let inner = if layout == ROUND_ROBIN { 2 } else { most / self.width };
        [1, inner, most].contains(&counters)
    }

    /// Returns the seconds per atomic in workgroup memory.
    fn local(&self) -> Expr {
        let [_, few, many] = self.private;
        ((many.per_unit() - few.per_unit()) / (12.0 * self.before_combining())).positive()
    }

    /// Returns the seconds per atomic with one counter per workgroup, which the workgroup combines with the
    /// global counter at the end. The time includes launching the workgroups.
    fn private(&self) -> Expr {
        self.private[0].per_unit() / self.before_combining()
    }

    /// Returns the predicted seconds per atomic with one counter per workgroup.
    fn private_predicted(&self) -> Expr {
        // What a workgroup costs besides its atomics: launches overlap with the atomics of other workgroups, in part.
        let atomics = self.before_combining();
        let start = self.private[1].per_unit() - 4.0 * atomics * self.local();
        // All atomics use workgroup memory, and one in every `atomics` uses the global counter.
        start / atomics + time_of(self.serial(), self.local(), atomics)
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

/// Returns the lanes whose atomics may be merged: those of a subgroup of this kernel.
fn lanes_of_a_request(context: &Context<'_>, size: LaunchSize) -> u32 {
    // A CPU performs the atomics of a subgroup lane by lane.
    if context.is_narrow() {
        return 1;
    }
    let contention = Contention {
        operation: Operation::Add,
        target: Target::One,
        repeats: 0,
        workgroup_size: size.workgroup_size,
        workgroups: 1,
        stride: LINE,
    };
    let lanes = context.subgroup_size_of(&contention.workload()).unwrap_or(1);
    lanes.next_power_of_two().min(size.invocations())
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let size = LaunchSize::of(context);
    context.require_several_workers()?;
    context.require_workgroup_size(size.workgroup_size)?;
    let mut plan = Plan::default();
    let width = lanes_of_a_request(context, size);
    for operation in Operation::ALL {
        let atomics = Atomics::add(&mut plan, context, operation, width);
        add_points(&mut plan, operation, &atomics);
        add_costs(&mut plan, operation.as_str(), &atomics);
        add_findings(&mut plan, operation.as_str(), &atomics);
    }
    let device =
        diagnose::Device { width, invocations: size.invocations(), narrow: context.is_narrow() };
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
        let judged = |&&(c, _): &&(u32, CaseId)| !atomics.calibrates(layout, c);
        for &(c, case) in atomics.spread[layout].iter().filter(judged) {
            let (measured, predicted) = (atomics.each(case), atomics.predicted(layout, c));
            if atomics.lanes(layout, c) == Lanes::Mixed {
                plan.show(series, f64::from(c), measured, predicted);
            } else {
                plan.judge(series, f64::from(c), measured, predicted);
            }
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
    if atomics.width > 1 {
        plan.metric(
            about("t_request", "one address, lanes of a subgroup on several"),
            atomics.request(),
        );
        plan.metric(
            about("t_parallel_together", "one address per subgroup"),
            atomics.parallel_together(),
        );
    }
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
    if atomics.width > 1 {
        let of = [atomics.serial(), atomics.on(ROUND_ROBIN, 2)];
        let width = f64::from(atomics.width);
        let merging = Expr::call("merging", of, move |[one, two]| {
            let found = Merging::of_times(one, two, width);
            let place = Merging::ALL.iter().position(|each| *each == found);
            place.map_or(f64::NAN, |place| place as f64)
        });
        let words = Merging::ALL.map(|merging| merging.as_str().to_owned()).to_vec();
        plan.text_metric(
            about("merging", "merged atomics of a subgroup on one address, atomic *", ""),
            merging,
            words,
        );
    }
    let ends = [atomics.request(), atomics.parallel(ROUND_ROBIN)];
    plan.metric(
        about(
            "knee_predicted",
            "counters needed to end contention, lanes of a subgroup on several, predicted, atomic *",
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
