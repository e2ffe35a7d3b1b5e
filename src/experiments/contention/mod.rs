//! `contention`: atomics on one counter and on many.
//!
//! One counter calibrates the price of an atomic behind another, as many as there are lanes that of one in
//! nobody's way, and every number in between is predicted. Lanes take counters in turn, so that all of the
//! hardware meets at each, or by blocks, so that neighbours do. Beside that, what keeping a counter in each
//! workgroup's own memory buys.

mod diagnose;
pub mod kernel;
pub mod law;
pub mod predict;

use kernel::{Contention, Operation, Target};
use law::{atomic_time, counters_to_spread};

use super::sweep::powers_of_two;
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::kernels::MAX_ITERATIONS;
use crate::model::{About, Category, Curve, DeviceType};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "contention",
    category: Category::Coordination,
    law: "N atomics on c counters take max(N/c·t_s, N·t_p); the knee is at c = t_s/t_p",
    about: "what an atomic costs with and without others on its address, and what keeping counters apart buys",
    tolerance: Tolerance {
        ratio: 0.10,
        reason: "a roofline of two serial resources: a tenth is room for the loop around an atomic, and far \
                 less than one counter more or less where it matters",
    },
    shaders: || vec![kernel::shader()],
    plan,
    predict: Some(&predict::LAW),
};

/// Lanes of a dispatch: no more than run side by side, since counters whose lanes wait to be launched would
/// be idle.
#[derive(Clone, Copy)]
struct Lanes {
    in_workgroup: u32,
    workgroups: u32,
}

impl Lanes {
    fn of(context: &Context<'_>) -> Self {
        match context.facts.device_type {
            // Counters of a core's lanes fit its innermost cache.
            DeviceType::Cpu => Self { in_workgroup: 64, workgroups: 4 },
            DeviceType::Discrete => Self { in_workgroup: 256, workgroups: 128 },
            _ => Self { in_workgroup: 256, workgroups: 32 },
        }
    }

    fn all(self) -> u32 {
        self.in_workgroup * self.workgroups
    }
}

/// Atomics of each lane where a workgroup's counter is added to the others' after them.
const BEFORE_COMBINING: u32 = 16;

type Layout = (&'static str, fn(u32) -> Target);
const LAYOUTS: [Layout; 2] = [("in turn", Target::InTurn), ("by block", Target::ByBlock)];
const IN_TURN: usize = 0;
const BY_BLOCK: usize = 1;

/// One operation's cases.
struct Atomics {
    lanes: Lanes,
    /// By layout and counters. The case of one counter is the same for both.
    spread: [Vec<(u32, CaseId)>; 2],
    floor: CaseId,
    one: CaseId,
    /// In workgroup memory and combined, four times as many and dropped, and none.
    private: [CaseId; 3],
}

impl Atomics {
    fn add(plan: &mut Plan, context: &Context<'_>, operation: Operation) -> Self {
        let lanes = Lanes::of(context);
        let contention = move |target, repeats| Contention {
            operation,
            target,
            repeats,
            workgroup_size: lanes.in_workgroup,
            workgroups: lanes.workgroups,
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
        let most = lanes.all();
        let step = if context.profile.dense { 1 } else { 2 };
        let spread = LAYOUTS.map(|(layout, target)| {
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
        Self { lanes, spread, floor, one, private }
    }

    /// Seconds per atomic of a case; unknown where noise leaves nothing of it.
    fn each(&self, case: CaseId) -> Expr {
        (case.per_unit_above(self.floor) / f64::from(self.lanes.all())).positive()
    }

    fn serial(&self) -> Expr {
        self.each(self.spread[IN_TURN][0].1)
    }

    /// With the most counters, lanes taking them in the way of `layout`.
    fn parallel(&self, layout: usize) -> Expr {
        let (_, most) = self.spread[layout].last().expect("there are counters");
        self.each(*most)
    }

    /// Seconds per atomic in workgroup memory.
    fn local(&self) -> Expr {
        let [_, dropped, floor] = self.private;
        let atomics = f64::from(4 * BEFORE_COMBINING * self.lanes.in_workgroup);
        (dropped.per_unit_beyond(floor) / atomics).positive()
    }

    /// Seconds per atomic of workgroups that count for themselves and then add that to the others', launching
    /// them included.
    fn private(&self) -> Expr {
        self.private[0].per_unit() / self.before_combining()
    }

    fn private_predicted(&self) -> Expr {
        // Atomics in its memory by all, and one of every so many on the one counter.
        let [.., floor] = self.private;
        let atomics = self.before_combining();
        let each = time_of(self.serial(), self.local(), atomics);
        floor.per_unit() / atomics + each
    }

    /// Atomics of a workgroup before it adds what it counted to the others'.
    fn before_combining(&self) -> f64 {
        f64::from(BEFORE_COMBINING * self.lanes.in_workgroup)
    }

    /// How many times as long as on one counter an atomic takes on those that are dearest, taken in turn.
    fn dearest_in_turn(&self) -> Expr {
        let each = self.spread[IN_TURN].iter().skip(1).map(|&(_, case)| self.each(case));
        Expr::max_known(each) / self.serial()
    }
}

/// What the law says of the time of an atomic over so many counters.
fn time_of(serial: Expr, parallel: Expr, counters: f64) -> Expr {
    Expr::call("atomic_time", [serial, parallel], move |[serial, parallel]| {
        atomic_time(serial, parallel, counters)
    })
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    let lanes = Lanes::of(context);
    context.require_workgroup_size(lanes.in_workgroup)?;
    let mut plan = Plan::default();
    plan.shorten_samples(2);
    for operation in Operation::ALL {
        let atomics = Atomics::add(&mut plan, context, operation);
        add_points(&mut plan, operation, &atomics);
        add_costs(&mut plan, operation.as_str(), &atomics);
        add_findings(&mut plan, operation.as_str(), &atomics);
    }
    let device = diagnose::Device {
        width: context.width.unwrap_or(1),
        lanes: lanes.all(),
        narrow: context.is_narrow(),
    };
    plan.diagnose(move |outcome| diagnose::diagnose(outcome, device));
    Ok(plan)
}

fn add_points(plan: &mut Plan, operation: Operation, atomics: &Atomics) {
    let word = operation.as_str();
    for (layout, (name, _)) in LAYOUTS.into_iter().enumerate() {
        let series = plan.series(format!("{word}, {name}"), ("counters", ""), "s");
        if operation == Operation::Add && layout == IN_TURN {
            let curve = Curve::new("atomics by number of counters", "time", "s");
            plan.compare_by(series, curve.logarithmic());
        }
        let ends = 1..atomics.spread[layout].len() - 1;
        for &(c, case) in &atomics.spread[layout][ends] {
            let predicted = time_of(atomics.serial(), atomics.parallel(layout), f64::from(c));
            plan.judge(series, f64::from(c), atomics.each(case), predicted);
        }
    }
    let name = format!("{word}, each workgroup its own");
    let series = plan.series(name, ("atomics of a lane", ""), "s");
    let x = f64::from(BEFORE_COMBINING);
    plan.judge(series, x, atomics.private(), atomics.private_predicted());
}

/// What an atomic takes where.
fn add_costs(plan: &mut Plan, word: &str, atomics: &Atomics) {
    let about = |name: &str, place: &str| {
        About::new(format!("{name}.{word}"), format!("atomic {word} {place}"), "s").lower()
    };
    plan.metric(about("t_serial", "on one address").headline(), atomics.serial());
    plan.metric(
        about("t_parallel", "on an address of its own").headline(),
        atomics.parallel(IN_TURN),
    );
    plan.metric(
        about("t_parallel_by_block", "on an address of its own, assigned by block"),
        atomics.parallel(BY_BLOCK),
    );
    plan.metric(about("t_local", "in workgroup memory"), atomics.local());
}

/// What spreading or keeping counters apart buys.
fn add_findings(plan: &mut Plan, word: &str, atomics: &Atomics) {
    let about = |name: &str, label: &str, unit| {
        About::new(format!("{name}.{word}"), label.replace('*', word), unit)
    };
    let ends = [atomics.serial(), atomics.parallel(IN_TURN)];
    plan.metric(
        about("knee_predicted", "counters that end contention, predicted, atomic *", "counters"),
        Expr::call("counters_to_spread", ends, |[serial, parallel]| {
            counters_to_spread(serial, parallel)
        }),
    );
    plan.metric(
        about(
            "one_address_seen_by_compiler",
            "atomic * on an address known to the compiler over one that is not",
            "x",
        ),
        atomics.each(atomics.one) / atomics.serial(),
    );
    plan.metric(
        about("dearest_in_turn", "slowest interleaved counters over one counter, atomic *", "x")
            .note("above 1, give each block of lanes or each workgroup its own counter instead"),
        atomics.dearest_in_turn(),
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
