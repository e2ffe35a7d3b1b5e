//! `contention`: atomics on one counter and on many.
//!
//! One counter calibrates the price of an atomic behind another, as many as there are lanes that of one in
//! nobody's way, and every number in between is predicted. Lanes take counters in turn, so that all of the
//! hardware meets at each, or by blocks, so that neighbours do. Beside that, what keeping a counter in each
//! workgroup's own memory buys.

use std::rc::Rc;

use super::knee::STILL_FALLING;
use super::{of_known, positive, powers_of_two};
use crate::kernels::MOST_ITERATIONS;
use crate::kernels::contention::{Contention, Operation, Target};
use crate::laws::contention::{atomic_time, counters_to_spread};
use crate::measure::{
    CaseId, Context, Experiment, Idea, Plan, PointSpec, Sizing, Spans, Unsupported,
};
use crate::record;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "contention",
    idea: Idea::Coordination,
    law: "N atomics on c counters take max(N/c·t_s, N·t_p); the knee is at c = t_s/t_p",
    about: "what an atomic costs with and without others on its address, and what keeping counters apart buys",
    plan,
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
            "cpu" => Self { in_workgroup: 64, workgroups: 4 },
            "discrete" => Self { in_workgroup: 256, workgroups: 128 },
            _ => Self { in_workgroup: 256, workgroups: 32 },
        }
    }

    fn all(self) -> u32 {
        self.in_workgroup * self.workgroups
    }
}

/// Atomics of each lane where a workgroup's counter is added to the others' after them.
const BEFORE_COMBINING: u32 = 16;
/// Faster than this, a compiler that can see that all lanes share an address must have added them up.
const AGGREGATED: f64 = 1.5;

type Layout = (&'static str, fn(u32) -> Target);
const LAYOUTS: [Layout; 2] = [("in turn", Target::InTurn), ("by block", Target::ByBlock)];

/// One operation's cases.
struct Atomics {
    lanes: Lanes,
    /// By layout and counters. The cases of one counter and of the most are each the same for all.
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
            lanes: lanes.in_workgroup,
            workgroups: lanes.workgroups,
        };
        let word = operation.word();
        let mut case = |name: &str, target: Target| {
            let own = Sizing::Own { granule: 1, most: MOST_ITERATIONS };
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
        let floor =
            plan.case(format!("{word}.floor"), Sizing::Own { granule: 1, most: 1 }, move |_| {
                contention(Target::InTurn(1), 0).workload()
            });
        let private = [
            ("private", Target::Private, BEFORE_COMBINING),
            ("dropped", Target::Dropped, 4 * BEFORE_COMBINING),
            ("private.floor", Target::Dropped, 0),
        ];
        let private = private.map(|(name, target, repeats)| {
            let own = Sizing::Own { granule: 16, most: 16_384 };
            plan.case(format!("{word}.{name}"), own, move |workgroups| {
                Contention { workgroups, ..contention(target, repeats) }.workload()
            })
        });
        Self { lanes, spread, floor, one, private }
    }

    /// Seconds per atomic of a case; NaN where noise leaves nothing of it.
    fn each(&self, spans: &Spans<'_>, case: CaseId) -> f64 {
        positive(spans.unit_above(case, self.floor) / f64::from(self.lanes.all()))
    }

    fn serial(&self, spans: &Spans<'_>) -> f64 {
        self.each(spans, self.spread[0][0].1)
    }

    /// With the most counters, lanes taking them in the way of `layout`.
    fn parallel(&self, spans: &Spans<'_>, layout: usize) -> f64 {
        let (_, most) = self.spread[layout].last().expect("there are counters");
        self.each(spans, *most)
    }

    /// Seconds per atomic in workgroup memory.
    fn local(&self, spans: &Spans<'_>) -> f64 {
        let [_, dropped, floor] = self.private;
        let atomics = f64::from(4 * BEFORE_COMBINING * self.lanes.in_workgroup);
        positive(spans.unit_beyond(dropped, floor) / atomics)
    }

    /// Seconds per atomic of workgroups that count for themselves and then add that to the others', launching
    /// them included.
    fn private(&self, spans: &Spans<'_>) -> f64 {
        spans.unit(self.private[0]) / self.before_combining()
    }

    fn private_predicted(&self, spans: &Spans<'_>) -> f64 {
        // Atomics in its memory by all, and one of every so many on the one counter.
        let [.., floor] = self.private;
        let atomics = self.before_combining();
        let each = of_known(self.serial(spans), self.local(spans), |serial, local| {
            atomic_time(serial, local, atomics)
        });
        spans.unit(floor) / atomics + each
    }

    /// Atomics of a workgroup before it adds what it counted to the others'.
    fn before_combining(&self) -> f64 {
        f64::from(BEFORE_COMBINING * self.lanes.in_workgroup)
    }

    /// How many times as long as on one counter an atomic takes on those that are dearest, taken in turn.
    fn dearest_in_turn(&self, spans: &Spans<'_>) -> f64 {
        let each = self.spread[0].iter().skip(1).map(|&(_, case)| self.each(spans, case));
        each.fold(f64::NAN, f64::max) / self.serial(spans)
    }
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    context.require_lanes(Lanes::of(context).in_workgroup)?;
    let mut plan = Plan::default();
    plan.shorten_spans(2);
    for operation in Operation::ALL {
        let atomics = Rc::new(Atomics::add(&mut plan, context, operation));
        add_points(&mut plan, operation.word(), &atomics);
        add_findings(&mut plan, operation.word(), &atomics);
    }
    let width = context.width.unwrap_or(1);
    let most = Lanes::of(context).all();
    plan.diagnose(move |outcome| diagnose(outcome, width, most));
    Ok(plan)
}

fn add_points(plan: &mut Plan, word: &str, atomics: &Rc<Atomics>) {
    for (layout, (name, _)) in LAYOUTS.into_iter().enumerate() {
        let ends = 1..atomics.spread[layout].len() - 1;
        for &(c, case) in &atomics.spread[layout][ends] {
            let (own, law) = (Rc::clone(atomics), Rc::clone(atomics));
            plan.point(PointSpec {
                series: format!("{word}, {name}"),
                x: ("counters", f64::from(c), ""),
                unit: "s",
                measured: Box::new(move |spans| own.each(spans, case)),
                predicted: Box::new(move |spans| {
                    let ends = (law.serial(spans), law.parallel(spans, layout));
                    of_known(ends.0, ends.1, |serial, parallel| {
                        atomic_time(serial, parallel, f64::from(c))
                    })
                }),
                claimed: true,
            });
        }
    }
    let (own, law) = (Rc::clone(atomics), Rc::clone(atomics));
    plan.point(PointSpec {
        series: format!("{word}, each workgroup its own"),
        x: ("atomics of a lane", f64::from(BEFORE_COMBINING), ""),
        unit: "s",
        measured: Box::new(move |spans| own.private(spans)),
        predicted: Box::new(move |spans| law.private_predicted(spans)),
        claimed: true,
    });
}

fn add_findings(plan: &mut Plan, word: &str, atomics: &Rc<Atomics>) {
    let mut parameter = |name: &str, price: fn(&Atomics, &Spans<'_>) -> f64| {
        plan.parameter_of(atomics, format!("{name}.{word}"), "s", price);
    };
    parameter("t_serial", Atomics::serial);
    parameter("t_parallel", |atomics, spans| atomics.parallel(spans, 0));
    parameter("t_parallel_by_block", |atomics, spans| atomics.parallel(spans, 1));
    parameter("t_local", Atomics::local);
    let mut figure = |name: &str, unit, find: fn(&Atomics, &Spans<'_>) -> f64| {
        plan.figure_of(atomics, format!("{name}.{word}"), unit, find);
    };
    figure("knee_predicted", "counters", |atomics, spans| {
        counters_to_spread(atomics.serial(spans), atomics.parallel(spans, 0))
    });
    figure("one_address_seen_by_compiler", "x", |atomics, spans| {
        atomics.each(spans, atomics.one) / atomics.serial(spans)
    });
    figure("dearest_in_turn", "x", Atomics::dearest_in_turn);
    figure("privatising_buys", "x", |atomics, spans| {
        atomics.serial(spans) / atomics.private(spans)
    });
    figure("privatising_buys_predicted", "x", |atomics, spans| {
        atomics.serial(spans) / atomics.private_predicted(spans)
    });
}

fn diagnose(outcome: &record::Experiment, width: u32, most: u32) -> Vec<String> {
    let mut text = Vec::new();
    for word in Operation::ALL.map(Operation::word) {
        if let Some(seen) = outcome.number(&format!("one_address_seen_by_compiler.{word}")) {
            text.push(if seen * AGGREGATED < 1.0 {
                format!(
                    "{word}: where the compiler can see that all lanes use one address an atomic takes {seen:.2} times as \
                     long as where it cannot: the driver combines a subgroup's by itself"
                )
            } else {
                format!(
                    "{word}: where the compiler can see that all lanes use one address an atomic takes {seen:.2} times as \
                     long as where it cannot: the driver does not combine a subgroup's by itself"
                )
            });
        }
        let knee = outcome.number(&format!("knee_predicted.{word}"));
        if knee.is_some_and(|knee| knee > STILL_FALLING * f64::from(most)) {
            text.push(format!(
                "{word}: {most} counters hardly keep lanes apart, so that an atomic of its own may be cheaper than they \
                 show and the knee later"
            ));
        }
        let serial = outcome.parameter(&format!("t_serial.{word}")).map_or(f64::NAN, |p| p.value);
        let off = |layout: &str, over: bool| -> Vec<&record::Point> {
            let series = format!("{word}, {layout}");
            let here = |p: &&record::Point| p.series == series && p.deviates(over);
            outcome.points.iter().filter(here).collect()
        };
        let over = off("in turn", true);
        let dearest = over.iter().max_by(|a, b| a.measured.total_cmp(&b.measured));
        if let Some(dearest) = dearest {
            text.push(if dearest.measured > AGGREGATED * serial {
                format!(
                    "{word}: on {} counters taken in turn an atomic takes {:.1} times as long as on one: as cores take \
                     turns at each counter it moves from cache to cache, while the only one stays with a core for a while",
                    dearest.x.value,
                    dearest.measured / serial
                )
            } else if over.iter().all(|p| p.x.value <= f64::from(2 * width)) {
                format!(
                    "{word}: up to about a subgroup's {width} lanes, counters taken in turn save less than they should: \
                     lanes of a subgroup on one address are merged, so that one counter is cheap"
                )
            } else {
                format!(
                    "{word}: counters taken in turn save less than they should: they share more than an address, \
                     or their atomics queue at few units"
                )
            });
        }
        let counters = |points: Vec<&record::Point>| {
            let counters: Vec<String> = points.iter().map(|p| p.x.value.to_string()).collect();
            (!counters.is_empty()).then(|| counters.join(", "))
        };
        if let Some(counters) = counters(off("by block", false)) {
            text.push(format!(
                "{word}: with a counter for each block of lanes, {counters} of them, an atomic takes less than its share \
                 of the price on one: part of that price is what cores pay for meeting at a counter, and fewer meet at each"
            ));
        }
        if let Some(counters) = counters(off("by block", true)) {
            text.push(format!(
                "{word}: with a counter for each block of lanes, {counters} of them, an atomic takes longer than \
                 predicted: neighbours on one counter follow one another, however many counters others have"
            ));
        }
        if let Some(counters) = counters(off("in turn", false)) {
            text.push(format!(
                "{word}: {counters} counters taken in turn are cheaper than predicted: the most do not fit the cache \
                 nearest to the atomics"
            ));
        }
        for (over, how) in [(true, "dearer"), (false, "cheaper")] {
            if !off("each workgroup its own", over).is_empty() {
                text.push(format!(
                    "{word}: a counter in each workgroup's memory is {how} than its atomics and barriers alone"
                ));
            }
        }
    }
    text
}
