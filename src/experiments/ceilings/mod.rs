//! `ceilings`: the peak throughput of memory, arithmetic, workgroup memory and atomics.
//!
//! Each throughput is measured by the simplest kernel that does nothing else. Memory, arithmetic and
//! workgroup memory use the launch configuration that autotuning finds fastest.
//!
//! The judged law is that a fixed share of reads and writes overlaps. A copy tells the share, and the law predicts the
//! time of a sum of three words from it, from a read alone and from a write alone. All of them touch the same amount of
//! memory, so that they use the same level of the memory hierarchy, and a kernel sweeps over it so often that its launch hardly
//! counts. A floor case is a dispatch that moves no data; its time is subtracted.

pub(crate) mod arithmetic;
pub mod kernel;
pub(crate) mod launch;
pub mod law;
pub(crate) mod memory;
mod workgroup_memory;

use std::collections::BTreeMap;

use arithmetic::add_arithmetic;
use launch::{Loads, NATIVE};
use law::{overlap, time};
use memory::{Place, search_memory};
use workgroup_memory::add_workgroup_memory;

use super::contention::kernel::{Contention, Operation, Target};
use super::sweep::{REPEATS, size_id};
use crate::bench::{CaseId, Context, Experiment, Expr, Plan, Sizing, Tolerance, Unsupported};
use crate::gpu::WantedWorkers;
use crate::kernels::memory::{Memory, Traffic};
use crate::kernels::{LaunchConfig, MAX_ITERATIONS, empty};
use crate::model::{self, About, Category};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "ceilings",
    category: Category::Busy,
    law: "T = R + W − o·min(R, W) for reads of R and writes of W seconds alone; a copy tells the overlap o",
    about: "How fast are memory, arithmetic, workgroup memory and atomics at most?",
    tolerance: Tolerance {
        ratio: 0.15,
        reason: "A sum of three words has more streams than a copy and other shares of reads and writes, and both change the \
                 efficiency of a bus by some per cent. A wrong overlap or an array counted once too often \
                 changes the time by 20 % to 50 %.",
    },
    shaders: kernel::shaders,
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: None,
};

/// Returns the amounts of memory in words, from one that fits in a large cache to several times the largest cache.
fn sizes(context: &Context<'_>) -> Vec<u32> {
    let sizes: &[u32] = match (context.is_narrow(), context.profile.dense) {
        (true, false) => &[1 << 16, 1 << 21],
        (true, true) => &[1 << 16, 1 << 20, 1 << 22, 1 << 23, 1 << 24, 1 << 26],
        // A GPU that has less than 4 MiB in flight is bound by latency.
        (false, false) => &[1 << 20, 1 << 27],
        (false, true) => &[1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 27, 1 << 28],
    };
    let most = 1u32 << (context.facts.limits.binding_bytes / 4).ilog2().min(31);
    let mut allowed: Vec<u32> = sizes.iter().copied().filter(|&words| words <= most).collect();
    // A device that refuses the larger amounts still shows its memory, by the largest amount that it allows.
    if allowed.len() < sizes.len() && allowed.last() < Some(&most) {
        allowed.push(most);
    }
    allowed
}

/// Returns the words per array of `traffic` that touches `words` words: at most that many, and a power of two.
fn array_of(traffic: Traffic, words: u32) -> u32 {
    match traffic {
        Traffic::Read | Traffic::Write => words,
        Traffic::Copy => words / 2,
        // A triad touches less: an array is a power of two, and there are three.
        Traffic::Triad | Traffic::Sum => words / 4,
    }
}

/// Returns the most sweeps of a kernel, so that no invocation has more loop iterations than it may have.
fn most_sweeps(config: LaunchConfig, words: u32) -> u32 {
    // A sweep is an iteration too.
    (MAX_ITERATIONS / (config.iterations(words) + 1)).clamp(1, 4096)
}

/// The cases of one amount of memory.
struct Level {
    /// Words of memory that the traffic touches.
    words: u32,
    /// One case per [`Traffic`], all in the launch configuration that is fastest for copies.
    cases: [CaseId; 5],
    /// Whether those cases use 64-bit integers.
    is_native: bool,
    /// Reads and copies in launch configurations of their own.
    rivals: Vec<Rival>,
    /// Floor case: one launch of the invocations of reads in the launch configuration of `cases`.
    idle: CaseId,
}

/// A case beside those of the law, in another launch configuration.
#[derive(Clone, Copy)]
struct Rival {
    id: &'static str,
    traffic: Traffic,
    case: CaseId,
    /// Whether it uses 64-bit integers.
    is_native: bool,
}

impl Level {
    /// Returns all cases that move data, by their ids.
    fn all(&self) -> impl Iterator<Item = (&'static str, CaseId)> {
        let of_law = Traffic::ALL.map(|traffic| (traffic.as_str(), self.cases[traffic as usize]));
        self.rivals.iter().map(|rival| (rival.id, rival.case)).chain(of_law)
    }

    /// Returns the bytes that a sweep reads and writes.
    fn bytes(&self, traffic: Traffic) -> [f64; 2] {
        let array = f64::from(array_of(traffic, self.words)) * 4.0;
        traffic.words().map(|arrays| array * f64::from(arrays))
    }

    /// Returns the seconds per byte, without the launch of the invocations.
    fn byte_s(&self, traffic: Traffic) -> Expr {
        let bytes: f64 = self.bytes(traffic).iter().sum();
        (self.cases[traffic as usize].per_unit_above(self.idle) / bytes).positive()
    }

    /// Returns the share of the shorter of the reads and writes of a copy that overlaps with the longer.
    fn overlap(&self) -> Expr {
        let bytes = self.bytes(Traffic::Copy);
        let of = [Traffic::Read, Traffic::Write, Traffic::Copy].map(|traffic| self.byte_s(traffic));
        Expr::call("overlap", of, move |[read, write, copy]| {
            let alone = [bytes[0] * read, bytes[1] * write];
            overlap(alone, copy * bytes.iter().sum::<f64>())
        })
    }

    /// Returns the predicted seconds per byte of `traffic`.
    fn predicted(&self, traffic: Traffic) -> Expr {
        let bytes = self.bytes(traffic);
        let of = [self.byte_s(Traffic::Read), self.byte_s(Traffic::Write), self.overlap()];
        Expr::call("time", of, move |[read, write, overlap]| {
            time([bytes[0] * read, bytes[1] * write], overlap) / bytes.iter().sum::<f64>()
        })
    }

    /// Returns the cases of `traffic`, each with whether it uses 64-bit integers.
    fn of(&self, traffic: Traffic) -> impl Iterator<Item = (CaseId, bool)> {
        let rivals = self.rivals.iter().filter(move |rival| rival.traffic == traffic);
        let case = (self.cases[traffic as usize], self.is_native);
        rivals.map(|rival| (rival.case, rival.is_native)).chain([case])
    }

    /// Returns the largest number of bytes read and written per second by `cases` of `traffic`, without the dispatch
    /// overhead.
    fn bytes_per_s(
        &self,
        traffic: Traffic,
        cases: impl Iterator<Item = CaseId>,
        dispatch: CaseId,
    ) -> Expr {
        let bytes: f64 = self.bytes(traffic).iter().sum();
        let sweep_s = |case: CaseId| (case.time() - dispatch.per_unit()) / case.scale();
        let least_s = Expr::min_known(cases.map(sweep_s));
        bytes / least_s.positive()
    }
}

/// The cases of memory bandwidth.
struct Ceilings {
    /// Floor case: an empty dispatch.
    dispatch: CaseId,
    /// The cases by amount of memory, in ascending order.
    levels: Vec<Level>,
}

/// The launch configurations of one place, as autotuning finds them.
struct Configs {
    place: Place,
    /// The fastest one for copies.
    copy: LaunchConfig,
    /// Those of [`Level::rivals`]: id and traffic of each.
    rivals: Vec<(&'static str, Traffic, LaunchConfig)>,
}

impl Configs {
    fn search(context: &Context<'_>, place: Place) -> Self {
        let search = |traffic, loads| search_memory(context, traffic, loads, place);
        let read = search(Traffic::Read, Loads::All);
        let copy = search(Traffic::Copy, Loads::All);
        let mut rivals = vec![("read_fastest", Traffic::Read, read)];
        let portable =
            [("read_portable", Traffic::Read, read), ("copy_portable", Traffic::Copy, copy)];
        for (id, traffic, fastest) in portable {
            if context.profile.dense && fastest.load.is_u64() {
                rivals.push((id, traffic, search(traffic, Loads::Portable)));
            }
        }
        Self { place, copy, rivals }
    }
}

impl Level {
    /// Adds the cases for `words` words of memory in these launch configurations.
    fn add(plan: &mut Plan, seed: u32, words: u32, Configs { copy, rivals, .. }: &Configs) -> Self {
        let mut case = |id: &str, traffic, config: LaunchConfig, idle: bool| {
            let (name, words) = (format!("memory.{id}.{words}"), array_of(traffic, words));
            let memory = Memory { traffic, words, config, seed, sweeps: 0 };
            if idle {
                let one = Sizing::Own { granule: 1, most: 1 };
                return plan.floor(name, one, move |_| memory.workload());
            }
            let own = Sizing::Own { granule: 1, most: most_sweeps(config, words) };
            plan.case(name, own, move |sweeps| Memory { sweeps, ..memory }.workload())
        };
        let rivals = rivals.iter().map(|&(id, traffic, config)| Rival {
            id,
            traffic,
            case: case(id, traffic, config, false),
            is_native: config.load.is_u64(),
        });
        let rivals = rivals.collect();
        let cases = Traffic::ALL.map(|traffic| case(traffic.as_str(), traffic, *copy, false));
        let idle = case("idle", Traffic::Read, *copy, true);
        Self { words, cases, is_native: copy.load.is_u64(), rivals, idle }
    }
}

impl Ceilings {
    /// Adds the cases and autotunes their launch configurations.
    fn add(plan: &mut Plan, context: &Context<'_>) -> Self {
        let mut configs = Configs::search(context, Place::OfASample);
        let mut levels: Vec<Level> = Vec::new();
        for words in sizes(context) {
            let place = Place::of(context, words);
            if place != configs.place {
                configs = Configs::search(context, place);
            }
            let level = Level::add(plan, context.seed as u32, words, &configs);
            if let Some(smaller) = levels.last() {
                let fewer: BTreeMap<&str, CaseId> = smaller.all().collect();
                let times = f64::from(words) / f64::from(smaller.words);
                for (id, case) in level.all() {
                    if let Some(&fewer) = fewer.get(id) {
                        plan.grows_from(case, fewer, times);
                    }
                }
            }
            levels.push(level);
        }
        Self {
            dispatch: plan.case("dispatch", REPEATS, |n| empty::workload(1).repeated(n)),
            levels,
        }
    }
}

/// Adds the throughput of atomics on so many counters that few lanes use one address at the same time.
fn add_atomics(plan: &mut Plan) {
    const COUNTERS: u32 = 1 << 12;
    const WORKGROUP_SIZE: u32 = 256;
    const REPEATS: u32 = 16;
    // The kernel requires a power of two of workgroups.
    let workgroups = |scale: u32| scale.next_power_of_two();
    let own = Sizing::Own { granule: 16, most: 16_384 };
    let case = plan.case("atomics", own, move |n| {
        let (target, workgroups) = (Target::InTurn(COUNTERS), workgroups(n));
        Contention {
            operation: Operation::Add,
            target,
            repeats: REPEATS,
            workgroup_size: WORKGROUP_SIZE,
            workgroups,
            stride: 32,
        }
        .workload()
    });
    let workgroups = Expr::call("next_power_of_two", [case.scale()], move |[scale]| {
        f64::from(workgroups(scale as u32))
    });
    let about =
        About::new("atomic_add_gop_per_s", "peak atomic add throughput, 4,096 addresses", "Gop/s");
    plan.metric(
        about.higher().headline(),
        workgroups * f64::from(WORKGROUP_SIZE * REPEATS) / case.time() * 1e-9,
    );
}

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    context.require_workgroup_size(256)?;
    let mut plan = Plan::default();
    let ceilings = Ceilings::add(&mut plan, context);
    add_arithmetic(&mut plan, context);
    add_workgroup_memory(&mut plan, context);
    add_atomics(&mut plan);
    add_memory(&mut plan, &ceilings);
    plan.diagnose(diagnose);
    Ok(plan)
}

/// Adds the memory bandwidths, and the points by which the law is judged.
fn add_memory(plan: &mut Plan, ceilings: &Ceilings) {
    let [sums, triads] = [Traffic::Sum, Traffic::Triad]
        .map(|traffic| plan.series(traffic.as_str(), ("memory", "B"), "s"));
    let levels = ceilings.levels.len();
    for (place, level) in ceilings.levels.iter().enumerate() {
        // The two largest amounts are headlines, because the largest one may take too long to measure.
        let headline = place == 0 || place + 2 >= levels;
        let size = size_id(level.words);
        for traffic in Traffic::ALL {
            let rate_of = |cases: Vec<CaseId>| {
                level.bytes_per_s(traffic, cases.into_iter(), ceilings.dispatch) * 1e-9
            };
            let about = bandwidth(traffic, &size);
            let about = About { headline: about.headline && headline, ..about };
            let all = level.of(traffic).map(|(case, _)| case).collect();
            if !level.of(traffic).any(|(_, is_native)| is_native) {
                plan.metric(about, rate_of(all));
                continue;
            }
            let about = about.note(NATIVE);
            let portable = level.of(traffic).filter(|(_, is_native)| !is_native);
            let portable: Vec<CaseId> = portable.map(|(case, _)| case).collect();
            let of_portable = About::new(
                about.id.replacen("_gb_per_s", "_portable_gb_per_s", 1),
                format!("{}, without 64-bit integers", about.label),
                "GB/s",
            );
            plan.metric(about, rate_of(all));
            if !portable.is_empty() {
                plan.metric(of_portable.higher(), rate_of(portable));
            }
        }
        let label =
            format!("overlap of the reads and writes of a copy, {}", size.replace('_', " "));
        plan.metric(About::new(format!("overlap.{size}"), label, "%"), level.overlap());
        let bytes = f64::from(level.words) * 4.0;
        plan.judge(sums, bytes, level.byte_s(Traffic::Sum), level.predicted(Traffic::Sum));
        // A triad touches three quarters of the memory, which may fit a cache that the rest does not.
        plan.show(triads, bytes, level.byte_s(Traffic::Triad), level.predicted(Traffic::Triad));
    }
}

/// Returns the metric for the bandwidth of `traffic` that touches `size` of memory.
fn bandwidth(traffic: Traffic, size: &str) -> About {
    let word = traffic.as_str();
    let counted = match traffic {
        Traffic::Read | Traffic::Write => "",
        Traffic::Copy | Traffic::Triad | Traffic::Sum => ", bytes read and written",
    };
    let label = format!("{word} bandwidth, {}{counted}", size.replace('_', " "));
    let about = About::new(format!("{word}_gb_per_s.{size}"), label, "GB/s").higher();
    match traffic {
        Traffic::Read | Traffic::Copy => about.headline(),
        Traffic::Triad => about
            .note("touches three quarters of it: an array is a power of two, and there are three"),
        Traffic::Write | Traffic::Sum => about,
    }
}

/// Returns the diagnosis of the experiment's result.
fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let any = |over: bool| outcome.points.iter().any(|point| point.deviates(over));
    let mut text = Vec::new();
    if any(false) {
        text.push(
            "A sum of three words takes less time than its reads, its write and the overlap of a copy predict. The memory bus may \
             be faster with more reads than writes."
                .to_owned(),
        );
    }
    if any(true) {
        text.push(
            "A sum of three words takes longer than its reads, its write and the overlap of a copy predict. Its four streams \
             may evict each other from a cache, or the memory bus loses more time when it switches between them."
                .to_owned(),
        );
    }
    text.extend(no_knee(outcome));
    text
}

/// Returns a text if the largest array is read as fast as the smallest, so that no end of a cache was seen.
fn no_knee(outcome: &model::Experiment) -> Option<String> {
    // Bandwidths of two levels of the memory hierarchy differ by more.
    const ALIKE: f64 = 0.8;
    let reads: Vec<f64> = outcome
        .metrics
        .iter()
        .filter(|metric| metric.id.starts_with("read_gb_per_s."))
        .filter_map(|metric| metric.value)
        .collect();
    let fastest = reads.iter().copied().fold(f64::NAN, f64::max);
    (reads.len() > 1 && reads[reads.len() - 1] > ALIKE * fastest).then(|| {
        "The largest amount of memory is read nearly as fast as any. Either a cache holds even that, or no amount is small \
         enough for a faster cache."
            .to_owned()
    })
}
