//! `ceilings`: how fast the device can go at all: memory, arithmetic, workgroup memory, atomics.
//!
//! Each by the simplest kernel that does nothing else, in the shape that a short search finds the fastest. What is
//! judged is that reads and writes add up: what a copy and a triad take follows from reading and writing alone.

use std::ops::RangeInclusive;
use std::rc::Rc;

use super::arithmetic::Arithmetic;
use super::shapes::{axes, is_within_trips, lanes_alone, shape};
use super::{TRAIN, is_narrow, positive};
use crate::kernels::contention::{Contention, Operation, Target};
use crate::kernels::memory::{Memory, Traffic};
use crate::kernels::workgroup_memory::WorkgroupMemory;
use crate::kernels::{Number, Shape, empty};
use crate::laws::traffic::time;
use crate::measure::{
    Axis, CaseId, Context, Experiment, Idea, Plan, PointSpec, Search, Sizing, Spans, Tuned,
    Unsupported, Work,
};
use crate::record;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "ceilings",
    idea: Idea::Busy,
    law: "T = reads·t_read + writes·t_write: both share one path",
    about: "how fast memory, arithmetic, workgroup memory and atomics go at most",
    plan,
};

/// Words of an array, from what any cache holds to several times what the largest does.
fn sizes(context: &Context<'_>) -> Vec<u32> {
    let sizes: &[u32] = match (is_narrow(context), context.profile.dense) {
        (true, false) => &[1 << 16, 1 << 21],
        (true, true) => &[1 << 16, 1 << 20, 1 << 22, 1 << 23, 1 << 24, 1 << 26],
        (false, false) => &[1 << 18, 1 << 26],
        (false, true) => &[1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 27],
    };
    let most = context.facts.limits.binding_bytes / 4;
    sizes.iter().copied().filter(|&words| u64::from(words) <= most).collect()
}

/// Words that shapes are tried on: more than caches hold, where the device is fast enough for that.
const SEARCHED_WORDS: RangeInclusive<u32> = 1 << 16..=1 << 25;

/// Searches for the shape in which `traffic` is fastest.
pub(super) fn search_memory(plan: &mut Plan, context: &Context<'_>, traffic: Traffic) -> Tuned {
    let seed = context.seed as u32;
    let arrays: u32 = traffic.words().iter().sum();
    let name = format!("memory.{}", traffic.word());
    let most = (context.facts.limits.binding_bytes / 4).ilog2();
    let amounts = *SEARCHED_WORDS.start()..=(1 << most.min(31)).min(*SEARCHED_WORDS.end());
    plan.search(Search::new(name, "B", axes(context), amounts, move |options, words| {
        let shape = shape(options);
        is_within_trips(shape, words).then(|| Work {
            workload: Memory { traffic, words, shape, seed, idle: false }.workload(),
            units: f64::from(words) * 4.0 * f64::from(arrays),
        })
    }))
}

/// A case of so many passes over memory, in the shape that a search finds.
pub(super) fn memory_case(
    plan: &mut Plan,
    name: String,
    sizing: Sizing,
    tuned: &Tuned,
    in_shape: impl Fn(Shape) -> Memory + 'static,
) -> CaseId {
    let tuned = tuned.clone();
    plan.case(name, sizing, move |times| in_shape(shape(&tuned.get())).workload().train(times))
}

/// Memory of one size.
struct Level {
    words: u32,
    /// Reading in the shape in which that is fastest.
    fastest_read: CaseId,
    /// By [`Traffic`], all in the shape in which a copy is fastest.
    cases: [CaseId; 4],
    /// Launching as many lanes in that shape.
    idle: CaseId,
}

impl Level {
    fn all(&self) -> impl Iterator<Item = CaseId> {
        std::iter::once(self.fastest_read).chain(self.cases)
    }
}

struct Ceilings {
    dispatch: CaseId,
    levels: Vec<Level>,
}

impl Ceilings {
    fn add(plan: &mut Plan, context: &Context<'_>) -> Self {
        let seed = context.seed as u32;
        let read = search_memory(plan, context, Traffic::Read);
        let copy = search_memory(plan, context, Traffic::Copy);
        let mut levels: Vec<Level> = Vec::new();
        for words in sizes(context) {
            let mut case = |id: &str, traffic, tuned: &Tuned| {
                let (name, idle) = (format!("memory.{id}.{words}"), id == "idle");
                memory_case(plan, name, TRAIN, tuned, move |shape| Memory {
                    traffic,
                    words,
                    shape,
                    seed,
                    idle,
                })
            };
            let fastest_read = case("read_fastest", Traffic::Read, &read);
            let cases = Traffic::ALL.map(|traffic| case(traffic.word(), traffic, &copy));
            let idle = case("idle", Traffic::Read, &copy);
            let level = Level { words, fastest_read, cases, idle };
            if let Some(smaller) = levels.last() {
                for (case, fewer) in level.all().zip(smaller.all()) {
                    let times = f64::from(words) / f64::from(smaller.words);
                    plan.grows_from(case, fewer, times);
                }
            }
            levels.push(level);
        }
        Self { dispatch: plan.case("dispatch", TRAIN, |n| empty::workload(1).train(n)), levels }
    }

    /// Seconds of one pass over memory of that level, launching its lanes not counted.
    fn pass_s(&self, spans: &Spans<'_>, level: usize, traffic: Traffic) -> f64 {
        let case = self.levels[level].cases[traffic as usize];
        positive(spans.unit_beyond(case, self.levels[level].idle))
    }

    /// Bytes read and written in a second at the fastest, the dispatch alone not counted.
    fn bytes_per_s(&self, spans: &Spans<'_>, level: usize, traffic: Traffic) -> f64 {
        let [reads, writes] = traffic.words();
        let bytes = f64::from(self.levels[level].words) * 4.0 * f64::from(reads + writes);
        let Level { cases, fastest_read, .. } = &self.levels[level];
        let fastest = (traffic == Traffic::Read).then_some(*fastest_read);
        let cases = std::iter::once(cases[traffic as usize]).chain(fastest);
        let least_s = spans.least(cases, |case| spans.unit_beyond(case, self.dispatch));
        bytes / positive(least_s)
    }
}

fn add_workgroup_memory(plan: &mut Plan, context: &Context<'_>) {
    const MOST: u32 = 32_768;
    let seed = context.seed as u32;
    // Few cores run the lanes of a workgroup one after another.
    let (trips, granule) = if is_narrow(context) { (32, 2) } else { (256, 64) };
    let lanes = lanes_alone(context);
    let of = move |options: &[u32], workgroups: u32| WorkgroupMemory {
        trips,
        lanes: options[0],
        workgroups,
        seed,
    };
    let axes = vec![Axis::numbers("lanes", lanes, 256)];
    let tuned = plan.search(Search::new(
        "workgroup_memory",
        "B",
        axes,
        granule..=MOST,
        move |options, n| {
            let memory = of(options, n);
            Some(Work { workload: memory.workload(), units: memory.bytes() })
        },
    ));
    let shape = tuned.clone();
    let own = Sizing::Own { granule, most: MOST };
    let case = plan.case("workgroup_memory", own, move |n| of(&shape.get(), n).workload());
    plan.figure("workgroup_memory_gb_per_s", "GB/s", move |spans| {
        of(&tuned.get(), 1).bytes() / spans.unit(case) * 1e-9
    });
}

/// Atomics where hardly any two lanes turn to one address.
fn add_atomics(plan: &mut Plan) {
    const COUNTERS: u32 = 1 << 12;
    const LANES: u32 = 256;
    const REPEATS: u32 = 16;
    let own = Sizing::Own { granule: 16, most: 16_384 };
    let case = plan.case("atomics", own, |n| {
        // Workgroups in number a power of two, as the kernel asks.
        let workgroups = n.next_power_of_two();
        let target = Target::InTurn(COUNTERS);
        Contention { operation: Operation::Add, target, repeats: REPEATS, lanes: LANES, workgroups }
            .workload()
    });
    plan.figure("atomic_add_gop_per_s", "Gop/s", move |spans| {
        let workgroups = (spans.scale(case) as u32).next_power_of_two();
        f64::from(workgroups) * f64::from(LANES * REPEATS) / spans.of(case) * 1e-9
    });
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    context.require_lanes(256)?;
    let mut plan = Plan::default();
    let ceilings = Rc::new(Ceilings::add(&mut plan, context));
    for (number, name) in [(Number::F32, "fma_f32_gop_per_s"), (Number::U32, "u32_gop_per_s")] {
        let arithmetic = Arithmetic::add(&mut plan, context, number);
        plan.figure(name, "Gop/s", move |spans| arithmetic.ops_per_s(spans) * 1e-9);
    }
    add_workgroup_memory(&mut plan, context);
    add_atomics(&mut plan);
    for (level, words) in ceilings.levels.iter().map(|level| level.words).enumerate() {
        let size = match words >> 8 {
            kib if kib < 1024 => format!("{kib}_KiB"),
            kib => format!("{}_MiB", kib >> 10),
        };
        for traffic in Traffic::ALL {
            let name = format!("{}_gb_per_s.{size}", traffic.word());
            plan.figure_of(&ceilings, name, "GB/s", move |ceilings, spans| {
                ceilings.bytes_per_s(spans, level, traffic) * 1e-9
            });
        }
        for traffic in [Traffic::Copy, Traffic::Triad] {
            let [measured, law] = [Rc::clone(&ceilings), Rc::clone(&ceilings)];
            plan.point(PointSpec {
                series: traffic.word().to_owned(),
                x: ("array", f64::from(words) * 4.0, "B"),
                unit: "s",
                measured: Box::new(move |spans| measured.pass_s(spans, level, traffic)),
                predicted: Box::new(move |spans| {
                    let alone = [Traffic::Read, Traffic::Write];
                    let passes = alone.map(|alone| law.pass_s(spans, level, alone));
                    time(traffic.words().map(f64::from), passes)
                }),
                claimed: true,
            });
        }
    }
    plan.diagnose(diagnose);
    Ok(plan)
}

fn diagnose(outcome: &record::Experiment) -> Vec<String> {
    let any = |over: bool| outcome.points.iter().any(|point| point.deviates(over));
    let mut text = Vec::new();
    if any(false) {
        text.push(
            "reads and writes overlap: together they take less than one after the other".to_owned(),
        );
    }
    if any(true) {
        text.push(
            "reads and writes get in each other's way: a bus that turns round, or arrays that drive each other \
             out of a cache"
                .to_owned(),
        );
    }
    text
}
