//! `allreduce`: what it costs workers within one device to agree on a sum.
//!
//! A worker is a workgroup with a region of memory; a step of all of them is a dispatch. Steps of one word
//! calibrate α, workers that stream on their own calibrate β, and whole all-reduces by three algorithms are
//! predicted. What workers copy is set against the fastest copy of as many bytes.

mod alone;
mod crossing;
mod diagnose;
mod extent;
pub mod kernel;
pub mod law;
pub mod predict;

use std::collections::BTreeMap;

use alone::{Alone, REPEATS};
use crossing::crossing_of;
use diagnose::diagnose;
use extent::{
    FEWEST, MAX_BYTES, MIB, SIZES, SWEPT, fits, most_bytes, most_moved_on_few_cores, uneven,
};
use kernel::{Algorithm, AllReduce, WORKGROUP_SIZE};

use crate::bench::{CaseId, Context, Experiment, Plan, SeriesId, Tolerance, Unsupported};
use crate::model::{About, Category};

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "allreduce",
    category: Category::Coordination,
    law: "ring: 2(p−1)·α + 2((p−1)/p)·β·m; naive: 2(p−1)·(α + β·m); doubling: ⌈log₂ p⌉·(α + β·m)",
    about: "what it costs workers to agree: latency against bandwidth, and which algorithm when",
    tolerance: Tolerance {
        ratio: 0.25,
        reason: "one α and one β stand for steps that add and steps that copy, from caches or from memory; a \
                 quarter still tells the algorithms apart away from where they cross",
    },
    shaders: || vec![kernel::shader()],
    plan,
    predict: Some(&predict::LAW),
};

/// All-reduces among so many workers, by bytes.
type Sweep = Vec<(u32, CaseId)>;

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    context.require_workgroup_size(WORKGROUP_SIZE)?;
    let mut plan = Plan::default();
    plan.shorten_samples(4);
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
    let mut all = Reductions { plan: &mut plan, alone: &alone, series: BTreeMap::new(), seed };
    let mut sweeps: BTreeMap<(&str, u32), Sweep> = BTreeMap::new();
    for swept in &SWEPT {
        let (algorithm, word) = (swept.algorithm, swept.word);
        for &p in swept.workers(context) {
            let sizes = SIZES.into_iter().filter(|&m| fits(context, algorithm, p, m));
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

/// Whole all-reduces, as they are added.
struct Reductions<'a> {
    plan: &'a mut Plan,
    alone: &'a Alone,
    /// By algorithm and workers.
    series: BTreeMap<(&'static str, u32), SeriesId>,
    seed: u32,
}

impl Reductions<'_> {
    fn add(&mut self, (algorithm, word): (Algorithm, &'static str), [p, m]: [u32; 2]) -> CaseId {
        let reduce = AllReduce { algorithm, workers: p, words: m / 4, seed: self.seed };
        let case = self.plan.case(format!("{word}.{p}.{m}"), REPEATS, move |times| {
            reduce.workload().repeated(times)
        });
        let series = *self.series.entry((word, p)).or_insert_with(|| {
            self.plan.series(format!("{word}, {p} workers"), ("bytes", ""), "s")
        });
        let m = f64::from(m);
        self.plan.judge(series, m, case.per_unit(), self.alone.predicted(algorithm, p, m));
        case
    }
}

fn add_notes(plan: &mut Plan, context: &Context<'_>) {
    plan.note(format!(
        "`alpha` and `beta` are those of {FEWEST} workers, `alpha.p` and `beta.p` of p"
    ));
    let binding = context.facts.limits.binding_bytes;
    plan.note(format!(
        "all workers together work in {} MiB at most{}",
        most_bytes(context) >> 20,
        if binding < MAX_BYTES {
            ", which is the adapter's limit for a storage binding"
        } else {
            ""
        }
    ));
    if context.is_narrow() {
        plan.note(format!(
            "on few cores all-reduces that move more than {} MiB in all are left out",
            most_moved_on_few_cores(context) as f64 / f64::from(MIB)
        ));
    }
}

/// α and β by workers, and what those workers copy.
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
        let beta = format!("all-reduce byte time β, {workers} workgroups");
        let beta = About::new(format!("beta{id}"), beta, "s/B").lower();
        plan.metric(beta, alone.beta_mean(p));
    }
    for p in alone.with_ceilings() {
        let label = format!("copy bandwidth of {p} workgroups over the device's");
        let about = About::new(format!("share_of_copy_ceiling.{p}"), label, "%").higher();
        let about = about.note("of the bytes that the whole device copies in as long");
        plan.metric(about, alone.share_of_copy(p));
    }
}

/// From which size on bandwidth rules, and from which on the ring is the best.
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
        both("half_latency", "message size of half latency", false, figures);
        // Among two both move the same bytes, and do not cross but by chance.
        let Some(doubling) = sweeps.get(&("doubling", p)).filter(|_| p > FEWEST) else {
            continue;
        };
        let loads_in_flight = ring
            .iter()
            .zip(doubling)
            .map(|(&(m, ring), &(_, doubling))| (m, doubling.per_unit() - ring.per_unit()));
        let figures = [crossing_of(loads_in_flight), alone.crossover(p)];
        let label = "message size from which a ring beats recursive doubling";
        both("ring_overtakes_doubling", label, true, figures);
    }
}
