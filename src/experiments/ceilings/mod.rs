//! `ceilings`: the peak throughput of memory, arithmetic, workgroup memory and atomics.
//!
//! Each throughput is measured by the simplest kernel that does nothing else. Memory, arithmetic and
//! workgroup memory use the launch configuration that autotuning finds fastest.
//!
//! The judged law is that a fixed share of reads and writes overlaps. A copy tells the share, and the law predicts the
//! time of a triad from it, from a read alone and from a write alone. All of them touch the same amount of memory, so
//! that they use the same level of the memory hierarchy, and a kernel sweeps over it so often that its launch hardly
//! counts. A floor case is a dispatch that moves no data; its time is subtracted.

pub(crate) mod arithmetic;
pub mod kernel;
pub(crate) mod launch;
pub mod law;
pub(crate) mod memory;

use arithmetic::Arithmetic;
use kernel::WorkgroupMemory;
use launch::workgroup_sizes_alone;
use law::{overlap, time};
use memory::search_memory;

use super::contention::kernel::{Contention, Operation, Target};
use super::sweep::REPEATS;
use crate::bench::{
    Axis, CaseId, Context, Experiment, Expr, Plan, Search, Sizing, Tolerance, Unsupported, Work,
};
use crate::gpu::{ShaderFeature, WantedWorkers};
use crate::kernels::memory::{Memory, Traffic};
use crate::kernels::{LaunchConfig, MAX_ITERATIONS, Step, empty};
use crate::model::{self, About, Category};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "ceilings",
    category: Category::Busy,
    law: "T = R + W − o·min(R, W) for reads of R and writes of W seconds alone; a copy tells the overlap o",
    about: "How fast are memory, arithmetic, workgroup memory and atomics at most?",
    tolerance: Tolerance {
        ratio: 0.15,
        reason: "A triad has more streams than a copy and other shares of reads and writes, and both change the \
                 efficiency of a bus by some per cent. A wrong overlap or an array counted once too often \
                 changes the time by 20 % to 50 %.",
    },
    shaders: || vec![kernel::shader()],
    workers: WantedWorkers::One,
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
    let most = context.facts.limits.binding_bytes / 4;
    sizes.iter().copied().filter(|&words| u64::from(words) <= most).collect()
}

/// Returns the words per array of `traffic` that touches `words` words: at most that many, and a power of two.
fn array_of(traffic: Traffic, words: u32) -> u32 {
    match traffic {
        Traffic::Read | Traffic::Write => words,
        Traffic::Copy => words / 2,
        Traffic::Triad => words / 4,
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
    /// Reads in the launch configuration that is fastest for reads.
    fastest_read: CaseId,
    /// One case per [`Traffic`], all in the launch configuration that is fastest for copies.
    cases: [CaseId; 4],
    /// Floor case: one launch of the invocations of reads in the launch configuration of `cases`.
    idle: CaseId,
}

impl Level {
    /// Returns all cases that move data.
    fn all(&self) -> impl Iterator<Item = CaseId> {
        std::iter::once(self.fastest_read).chain(self.cases)
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

    /// Returns the predicted seconds per byte of a triad.
    fn predicted(&self) -> Expr {
        let bytes = self.bytes(Traffic::Triad);
        let of = [self.byte_s(Traffic::Read), self.byte_s(Traffic::Write), self.overlap()];
        Expr::call("time", of, move |[read, write, overlap]| {
            time([bytes[0] * read, bytes[1] * write], overlap) / bytes.iter().sum::<f64>()
        })
    }

    /// Returns the largest number of bytes read and written per second, without the dispatch overhead.
    fn bytes_per_s(&self, traffic: Traffic, dispatch: CaseId) -> Expr {
        let bytes: f64 = self.bytes(traffic).iter().sum();
        let fastest = (traffic == Traffic::Read).then_some(self.fastest_read);
        let cases = std::iter::once(self.cases[traffic as usize]).chain(fastest);
        let sweep_s = |case: CaseId| (case.time() - dispatch.per_unit()) / case.scale();
        let least_s = Expr::min_known(cases.map(sweep_s));
        bytes / least_s.positive()
    }

    /// Returns the amount of memory in the notation of metric ids, such as `64_MiB`.
    fn size(&self) -> String {
        match self.words >> 8 {
            kib if kib < 1024 => format!("{kib}_KiB"),
            kib => format!("{}_MiB", kib >> 10),
        }
    }
}

/// The cases of memory bandwidth.
struct Ceilings {
    /// Floor case: an empty dispatch.
    dispatch: CaseId,
    /// The cases by amount of memory, in ascending order.
    levels: Vec<Level>,
}

impl Ceilings {
    /// Adds the cases and autotunes their launch configurations.
    fn add(plan: &mut Plan, context: &Context<'_>) -> Self {
        let seed = context.seed as u32;
        let read = search_memory(context, Traffic::Read);
        let copy = search_memory(context, Traffic::Copy);
        let mut levels: Vec<Level> = Vec::new();
        for words in sizes(context) {
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
            let fastest_read = case("read_fastest", Traffic::Read, read, false);
            let cases = Traffic::ALL.map(|traffic| case(traffic.as_str(), traffic, copy, false));
            let idle = case("idle", Traffic::Read, copy, true);
            let level = Level { words, fastest_read, cases, idle };
            if let Some(smaller) = levels.last() {
                for (case, fewer) in level.all().zip(smaller.all()) {
                    let times = f64::from(words) / f64::from(smaller.words);
                    plan.grows_from(case, fewer, times);
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

/// Note of the throughput of scalar products. On Vulkan, wgpu passes them on only where the driver offers them, and tells
/// nobody. On DX12 that depends on the shader model, and for Metal wgpu always writes products of bytes.
const EMULATED: &str =
    "several instructions per scalar product where the driver has none; wgpu does not tell";

/// Adds the peak throughput of each kind of arithmetic. A sparse sweep has only those of 32 bits.
fn add_arithmetic(plan: &mut Plan, context: &Context<'_>) {
    for (step, id, label) in [
        (
            Step::F32,
            "fma_f32_gop_per_s",
            "peak f32 throughput, multiply and add counted as two operations",
        ),
        (Step::U32, "u32_gop_per_s", "peak u32 throughput, add and xor counted as two operations"),
        (
            Step::F16,
            "fma_f16_gop_per_s",
            "peak f16 throughput, multiply and add counted as two operations",
        ),
        (
            Step::I8,
            "dot_i8_gop_per_s",
            "peak i8 throughput, dot product of four bytes counted as eight operations",
        ),
    ] {
        if [Step::F16, Step::I8].contains(&step) && !context.profile.dense {
            continue;
        }
        if step == Step::F16 && !context.facts.has(ShaderFeature::F16) {
            plan.note(format!("f16 throughput is absent: {}.", ShaderFeature::F16.missing()));
            continue;
        }
        let arithmetic = Arithmetic::add(plan, context, step);
        let note = if step == Step::I8 { EMULATED } else { "" };
        let about = About::new(id, label, "Gop/s").higher().headline().note(note);
        plan.metric(about, arithmetic.ops_per_s() * 1e-9);
    }
}

/// Adds the bandwidth of workgroup memory.
fn add_workgroup_memory(plan: &mut Plan, context: &Context<'_>) {
    const MOST: u32 = 32_768;
    let seed = context.seed as u32;
    // A device with few cores runs the invocations of a workgroup one after another and needs less work per
    // sample.
    let (iterations, granule) = if context.is_narrow() { (32, 2) } else { (256, 64) };
    let of = move |workgroup_size, workgroups| WorkgroupMemory {
        iterations,
        workgroup_size,
        workgroups,
        seed,
    };
    let axes = vec![Axis::numbers("invocations", workgroup_sizes_alone(context), 256)];
    let search =
        Search::new("workgroup_memory", "B", axes, granule..=MOST, move |options, workgroups| {
            let memory = of(options[0], workgroups);
            Some(Work { workload: memory.workload(), units: memory.bytes() })
        });
    let workgroup_size = context.tune(&search)[0];
    let own = Sizing::Own { granule, most: MOST };
    let case = plan.case("workgroup_memory", own, move |n| of(workgroup_size, n).workload());
    let about = About::new(
        "workgroup_memory_gb_per_s",
        "workgroup memory read bandwidth, no bank conflict",
        "GB/s",
    );
    plan.metric(about.higher().headline(), of(workgroup_size, 1).bytes() / case.per_unit() * 1e-9);
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
    let series = plan.series(Traffic::Triad.as_str(), ("memory", "B"), "s");
    let levels = ceilings.levels.len();
    for (place, level) in ceilings.levels.iter().enumerate() {
        // The two largest amounts are headlines, because the largest one may take too long to measure.
        let headline = place == 0 || place + 2 >= levels;
        let size = level.size();
        for traffic in Traffic::ALL {
            let rate = level.bytes_per_s(traffic, ceilings.dispatch) * 1e-9;
            let about = bandwidth(traffic, &size);
            plan.metric(About { headline: about.headline && headline, ..about }, rate);
        }
        let label =
            format!("overlap of the reads and writes of a copy, {}", size.replace('_', " "));
        plan.metric(About::new(format!("overlap.{size}"), label, "%"), level.overlap());
        let bytes = f64::from(level.words) * 4.0;
        plan.judge(series, bytes, level.byte_s(Traffic::Triad), level.predicted());
    }
}

/// Returns the metric for the bandwidth of `traffic` that touches `size` of memory.
fn bandwidth(traffic: Traffic, size: &str) -> About {
    let word = traffic.as_str();
    let counted = match traffic {
        Traffic::Read | Traffic::Write => "",
        Traffic::Copy | Traffic::Triad => ", bytes read and written",
    };
    let label = format!("{word} bandwidth, {}{counted}", size.replace('_', " "));
    let about = About::new(format!("{word}_gb_per_s.{size}"), label, "GB/s").higher();
    match traffic {
        Traffic::Read | Traffic::Copy => about.headline(),
        Traffic::Write | Traffic::Triad => about,
    }
}

/// Returns the diagnosis of the experiment's result.
fn diagnose(outcome: &model::Experiment) -> Vec<String> {
    let any = |over: bool| outcome.points.iter().any(|point| point.deviates(over));
    let mut text = Vec::new();
    if any(false) {
        text.push(
            "A triad takes less time than the reads, writes and overlap of a copy predict. Its arrays are smaller, so they \
             may lie in a nearer cache."
                .to_owned(),
        );
    }
    if any(true) {
        text.push(
            "A triad takes longer than the reads, writes and overlap of a copy predict. Its three arrays may evict \
             each other from a cache, or the memory bus loses more time when it switches between them."
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
