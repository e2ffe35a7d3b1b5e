//! `allreduce`: the time in which the workers of one device compute a common sum.
//!
//! A worker is a workgroup with a region of memory. One dispatch is one step of all workers. Steps of one
//! vector calibrate α. Steps in which each worker streams private regions calibrate β. From α and β the law
//! predicts whole all-reduces by three algorithms. The experiment also compares the copy bandwidth of the
//! workers with that of the whole device.

mod alone;
mod diagnose;
mod extent;
pub mod kernel;
pub mod law;
pub mod predict;

use std::collections::BTreeMap;

use super::crossing::crossing_of;
use alone::{Alone, REPEATS};
use diagnose::diagnose;
use extent::{FEWEST, MAX_BYTES, MIB, SWEPT, most_bytes, most_moved_on_few_cores, uneven};
use kernel::{Algorithm, AllReduce, WORKGROUP_SIZE};

use crate::bench::{CaseId, Context, Experiment, Plan, SeriesId, Tolerance, Unsupported};
use crate::gpu::WantedWorkers;
use crate::model::{About, Category};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "allreduce",
    category: Category::Coordination,
    law: "ring: 2(p−1)·α + 2((p−1)/p)·β·m; naive: 2(p−1)·(α + β·m); doubling: ⌈log₂ p⌉·(α + β·m)",
    about: "What does an all-reduce among workgroups cost, and which algorithm is fastest at which size?",
    tolerance: Tolerance {
        ratio: 0.15,
        reason: "One α and one β represent steps that add and steps that copy, which differ by about 10 %. \
                 A message that leaves a cache, or a step that costs more than an empty one, changes the time \
                 by far more.",
    },
    shaders: || vec![kernel::shader()],
    workers: WantedWorkers::One,
    needs_ranks: false,
    plan,
    predict: Some(&predict::LAW),
};

/// All-reduces by one algorithm among a fixed number of workers: message sizes in bytes and cases.
type Sweep = Vec<(u32, CaseId)>;

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    context.require_workgroup_size(WORKGROUP_SIZE)?;
    let mut plan = Plan::default();
    plan.shorten_samples(2);
    let seed = context.seed as u32;
    let mut alone = Alone::new(context);
    for swept in &SWEPT {
        for &p in swept.workers(context) {
            alone.add(&mut plan, swept.algorithm.at_once(p), seed);
        }
    }
    for (p, _) in uneven(context) {
        alone.add(&mut plan, p, seed);
    }
    alone.add_ceilings(&mut plan, context);
    let mut all = Reductions { plan: &mut plan, alone: &mut alone, series: BTreeMap::new(), seed };
    let mut sweeps: BTreeMap<(&str, u32), Sweep> = BTreeMap::new();
    for swept in &SWEPT {
        let (algorithm, word) = (swept.algorithm, swept.word);
        for &p in swept.workers(context) {
            let sizes = swept.sizes(context, p);
            let sweep = sizes.map(|m| (m, all.add((algorithm, word), [p, m]))).collect();
            sweeps.insert((word, p), sweep);
        }
    }
    for (p, m) in uneven(context) {
        all.add((Algorithm::Ring, "ring"), [p, m]);
    }
    add_notes(&mut plan, context);
    add_prices(&mut plan, &alone);
    add_crossings(&mut plan, &alone, &sweeps);
    plan.diagnose(diagnose);
    Ok(plan)
}

/// Adds whole all-reduces to a plan.
struct Reductions<'a> {
    plan: &'a mut Plan,
    alone: &'a mut Alone,
    /// Series by name of the algorithm and number of workers.
    series: BTreeMap<(&'static str, u32), SeriesId>,
    seed: u32,
}

impl Reductions<'_> {
    /// Adds an all-reduce of `m` bytes among `p` workers, with the point by which the law is judged.
    fn add(&mut self, (algorithm, word): (Algorithm, &'static str), [p, m]: [u32; 2]) -> CaseId {
        let reduce = AllReduce { algorithm, workers: p, words: m / 4, seed: self.seed };
        let case = self.plan.case(format!("{word}.{p}.{m}"), REPEATS, move |times| {
            reduce.workload().repeated(times)
        });
        let series = *self.series.entry((word, p)).or_insert_with(|| {
            self.plan.series(format!("{word}, {p} workers"), ("bytes", ""), "s")
        });
        self.alone.add_reduction(self.plan, reduce);
        let predicted = self.alone.predicted(reduce);
        self.plan.judge(series, f64::from(m), case.per_unit(), predicted);
        case
    }
}

/// Adds remarks on the metric ids and on the all-reduces that the experiment leaves out.
fn add_notes(plan: &mut Plan, context: &Context<'_>) {
    plan.note(format!(
        "The metrics `alpha` and `beta` are those of {FEWEST} workers. The metrics `alpha.p` and `beta.p` \
         are those of p workers."
    ));
    let binding = context.facts.limits.binding_bytes;
    plan.note(format!(
        "All workers together use {} MiB at most{}.",
        most_bytes(context) >> 20,
        if binding < MAX_BYTES {
            ", which is the adapter's limit for a storage binding"
        } else {
            ""
        }
    ));
    if context.is_narrow() {
        plan.note(format!(
            "All-reduces that move more than {} MiB in total are left out, because they would take too long \
             on a device with few cores.",
            most_moved_on_few_cores(context) as f64 / f64::from(MIB)
        ));
    }
}

/// Adds the metrics α and β for each number of workers, and the workers' share of the device's copy
/// bandwidth.
fn add_prices(plan: &mut Plan, alone: &Alone) {
    let more = alone.workers().filter(|&p| p != FEWEST);
    for p in std::iter::once(FEWEST).chain(more) {
        let (id, workers) = if p == FEWEST {
            (String::new(), "two".to_owned())
        } else {
            (format!(".{p}"), p.to_string())
        };
        let alpha = format!("all-reduce step latency α, {workers} workgroups");
        let alpha = About::new(format!("alpha{id}"), alpha, "s").lower();
        let alpha = if p == FEWEST { alpha.headline() } else { alpha };
        plan.metric(alpha, alone.alpha(p));
        let beta = format!("all-reduce time per byte β, {workers} workgroups");
        let beta = About::new(format!("beta{id}"), beta, "s/B").lower().note(
            "at least the load latency over the bytes that a workgroup has in flight, however fast memory is",
        );
        plan.metric(beta, alone.beta_mean(p));
    }
    for p in alone.with_ceilings() {
        let label = format!("copy bandwidth of {p} workgroups as a share of the device's");
        // Neither higher nor lower is better: a share falls when the device's own copies become faster.
        let about = About::new(format!("share_of_copy_ceiling.{p}"), label, "%");
        let about = about.note("both copies move the same number of bytes");
        plan.metric(about, alone.share_of_copy(p));
    }
}

/// Adds the message sizes at which half of a ring's time is latency, and above which a ring is faster than
/// recursive doubling.
fn add_crossings(plan: &mut Plan, alone: &Alone, sweeps: &BTreeMap<(&str, u32), Sweep>) {
    for (&(word, p), ring) in sweeps {
        let Some(&(_, smallest)) = ring.first().filter(|_| word == "ring") else {
            continue;
        };
        let mut both = |id: &str, label: &str, headline: bool, [measured, predicted]: [_; 2]| {
            let label_of = |how: &str| format!("{label}{how}, {p} workgroups");
            let about = About::new(format!("{id}_measured.{p}"), label_of(""), "B");
            plan.metric(if headline { about.headline() } else { about }, measured);
            let id = format!("{id}_predicted.{p}");
            plan.metric(About::new(id, label_of(", predicted"), "B"), predicted);
        };
        let latency = |case: CaseId| case.per_unit() - 2.0 * smallest.per_unit();
        let measured = crossing_of(ring.iter().map(|&(m, case)| (m, latency(case))));
        let figures = [measured, alone.half_latency(p)];
        let label = "message size at which half of a ring's time is latency";
        both("half_latency", label, false, figures);
        // Between two workers both algorithms move the same number of bytes, so a crossing would be noise.
        let Some(doubling) = sweeps.get(&("doubling", p)).filter(|_| p > FEWEST) else {
            continue;
        };
        let ring_advantage = ring
            .iter()
            .zip(doubling)
            .map(|(&(m, ring), &(_, doubling))| (m, doubling.per_unit() - ring.per_unit()));
        let figures = [crossing_of(ring_advantage), alone.crossover(p)];
        let label = "message size above which a ring is faster than recursive doubling";
        both("ring_overtakes_doubling", label, true, figures);
    }
}
