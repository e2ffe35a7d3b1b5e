//! `allreduce`: what it costs workers within one device to agree on a sum.
//!
//! A worker is a workgroup with a region of memory; a step of all of them is a dispatch. Steps of one word
//! calibrate α, workers that stream on their own calibrate β, and whole all-reduces by three algorithms are
//! predicted. What workers copy is set against the fastest copy of as many bytes.

mod alone;

use std::collections::BTreeMap;
use std::rc::Rc;

use alone::Alone;

use super::is_narrow;
use crate::kernels::allreduce::{Algorithm, AllReduce, LANES};
use crate::measure::{
    CaseId, Context, Experiment, Idea, Plan, PointSpec, Sizing, Spans, Unsupported,
};
use crate::record;

pub(super) const EXPERIMENT: Experiment = Experiment {
    id: "allreduce",
    idea: Idea::Coordination,
    law: "ring: 2(p−1)·α + 2((p−1)/p)·β·m; naive: 2(p−1)·(α + β·m); doubling: ⌈log₂ p⌉·(α + β·m)",
    about: "what it costs workers to agree: latency against bandwidth, and which algorithm when",
    plan,
};

const KIB: u32 = 1 << 10;
const MIB: u32 = 1 << 20;
/// Bytes that a worker holds.
const SIZES: [u32; 5] = [KIB, 16 * KIB, 256 * KIB, 4 * MIB, 64 * MIB];
/// Bytes that a worker streams to calibrate β.
const STREAMED: u32 = 256 * KIB;
/// Memory that all workers together work in, at most.
const MOST_BYTES: u64 = 128 << 20;
/// On few cores all-reduces that move more than so many bytes would take most of a span or more; in full, and for a
/// first look, of which a ring of 16 workers with 256 KiB each is the largest.
const MOST_MOVED_ON_FEW_CORES: [u64; 2] = [16 << 20, 2 * 15 * (256 << 10)];
/// The fewest workers: what `predict` extrapolates from, since they stand least in each other's way.
const FEWEST: u32 = 2;
/// β that grows by more than this from the fewest workers to more shows that they share what moves bytes.
const SHARED: f64 = 1.5;

/// Workers and bytes that do not divide, and fewer words than workers.
const UNEVEN: [(u32, u32); 3] = [(3, 16 * KIB), (7, 256 * KIB), (64, 128)];

struct Swept {
    algorithm: Algorithm,
    word: &'static str,
    /// In full, and for a first look.
    workers: [&'static [u32]; 2],
}

const SWEPT: [Swept; 3] = [
    Swept { algorithm: Algorithm::Ring, word: "ring", workers: [&[2, 4, 8, 16, 32, 64], &[2, 16]] },
    Swept { algorithm: Algorithm::Naive, word: "naive", workers: [&[4, 16], &[4]] },
    Swept {
        algorithm: Algorithm::Doubling,
        word: "doubling",
        workers: [&[2, 4, 16, 64], &[2, 16]],
    },
];

/// Workers that move bytes in a step.
fn at_once(algorithm: Algorithm, workers: u32) -> u32 {
    if algorithm == Algorithm::Naive { 1 } else { workers }
}

/// Of steps, the shortest of which are a few microseconds.
const TRAIN: Sizing = Sizing::Own { granule: 1, most: 4096 };

/// All-reduces among so many workers, by bytes.
type Sweep = Rc<Vec<(u32, CaseId)>>;

fn plan(context: &Context<'_>) -> Result<Plan, Unsupported> {
    context.require_lanes(LANES)?;
    let mut plan = Plan::default();
    plan.shorten_spans(4);
    let seed = context.seed as u32;
    let profile = usize::from(!context.profile.dense);
    let mut alone = Alone::new(context);
    for swept in &SWEPT {
        for &p in swept.workers[profile] {
            alone.add(&mut plan, at_once(swept.algorithm, p), seed);
        }
    }
    let most_workers = if context.profile.dense { u32::MAX } else { 16 };
    let uneven = || {
        let fits = |&(p, m): &(u32, u32)| p <= most_workers && fits(context, Algorithm::Ring, p, m);
        UNEVEN.into_iter().filter(fits)
    };
    for (p, _) in uneven() {
        alone.add(&mut plan, p, seed);
    }
    alone.add_ceilings(&mut plan, context);
    let alone = Rc::new(alone);
    let mut sweeps: BTreeMap<(&str, u32), Sweep> = BTreeMap::new();
    for Swept { algorithm, word, workers } in SWEPT {
        for &p in workers[profile] {
            let sizes = SIZES.into_iter().filter(|&m| fits(context, algorithm, p, m));
            let case = |m| (m, add_case(&mut plan, &alone, (algorithm, word), [p, m], seed));
            sweeps.insert((word, p), Rc::new(sizes.map(case).collect()));
        }
    }
    for (p, m) in uneven() {
        add_case(&mut plan, &alone, (Algorithm::Ring, "ring"), [p, m], seed);
    }
    add_notes(&mut plan, context);
    add_parameters(&mut plan, &alone);
    add_findings(&mut plan, &alone, &sweeps);
    plan.diagnose(diagnose);
    Ok(plan)
}

/// Whether all-reduces of that size are within the limits of the device and of patience.
fn fits(context: &Context<'_>, algorithm: Algorithm, workers: u32, m: u32) -> bool {
    let reduce = AllReduce { algorithm, workers, words: m / 4, seed: 0 };
    let moved = match algorithm {
        Algorithm::Ring | Algorithm::Naive => 2 * u64::from(workers - 1) * u64::from(m),
        Algorithm::Doubling => u64::from(workers.ilog2() * workers) * u64::from(m),
    };
    // The largest is at least verified, among two.
    let largest = algorithm == Algorithm::Ring && workers == FEWEST && context.profile.dense;
    let quick = !is_narrow(context) || largest || moved <= most_moved_on_few_cores(context);
    quick && reduce.bytes() <= most_bytes(context)
}

fn most_moved_on_few_cores(context: &Context<'_>) -> u64 {
    MOST_MOVED_ON_FEW_CORES[usize::from(!context.profile.dense)]
}

fn most_bytes(context: &Context<'_>) -> u64 {
    MOST_BYTES.min(context.facts.limits.binding_bytes)
}

fn add_notes(plan: &mut Plan, context: &Context<'_>) {
    plan.note(format!(
        "`alpha` and `beta` are those of {FEWEST} workers, `alpha.p` and `beta.p` of p"
    ));
    let binding = context.facts.limits.binding_bytes;
    plan.note(format!(
        "all workers together work in {} MiB at most{}",
        most_bytes(context) >> 20,
        if binding < MOST_BYTES {
            ", which is the adapter's limit for a storage binding"
        } else {
            ""
        }
    ));
    if is_narrow(context) {
        plan.note(format!(
            "on few cores all-reduces that move more than {} MiB in all are left out",
            most_moved_on_few_cores(context) as f64 / f64::from(MIB)
        ));
    }
}

fn add_case(
    plan: &mut Plan,
    alone: &Rc<Alone>,
    (algorithm, word): (Algorithm, &str),
    [p, m]: [u32; 2],
    seed: u32,
) -> CaseId {
    let reduce = AllReduce { algorithm, workers: p, words: m / 4, seed };
    let case =
        plan.case(format!("{word}.{p}.{m}"), TRAIN, move |times| reduce.workload().train(times));
    let law = Rc::clone(alone);
    plan.point(PointSpec {
        series: format!("{word}, {p} workers"),
        x: ("bytes", f64::from(m), ""),
        unit: "s",
        measured: Box::new(move |spans| spans.unit(case)),
        predicted: Box::new(move |spans| law.predicted(spans, algorithm, p, f64::from(m))),
        claimed: true,
    });
    case
}

fn add_parameters(plan: &mut Plan, alone: &Rc<Alone>) {
    let mut parameter = |name: String, unit, price: fn(&Alone, &Spans<'_>, u32) -> f64, p: u32| {
        plan.parameter_of(alone, name, unit, move |alone, spans| price(alone, spans, p));
    };
    parameter("alpha".to_owned(), "s", Alone::alpha, FEWEST);
    parameter("beta".to_owned(), "s/B", Alone::beta_mean, FEWEST);
    for &p in alone.steps.keys().filter(|&&p| p != FEWEST) {
        parameter(format!("alpha.{p}"), "s", Alone::alpha, p);
        parameter(format!("beta.{p}"), "s/B", Alone::beta_mean, p);
    }
}

fn add_findings(plan: &mut Plan, alone: &Rc<Alone>, sweeps: &BTreeMap<(&str, u32), Sweep>) {
    for p in alone.with_ceilings() {
        plan.figure_of(alone, format!("share_of_copy_ceiling.{p}"), "", move |alone, spans| {
            alone.share_of_copy(spans, p)
        });
    }
    for (&(word, p), ring) in sweeps {
        if word != "ring" {
            continue;
        }
        plan.figure_of(alone, format!("half_latency_predicted.{p}"), "B", move |alone, spans| {
            alone.half_latency(spans, p)
        });
        plan.figure_of(ring, format!("half_latency_measured.{p}"), "B", |ring, spans| {
            let latency = spans.unit(ring[0].1);
            crossing(ring.iter().map(|&(m, case)| (m, spans.unit(case) - 2.0 * latency)))
        });
        // Among two both move the same bytes, and do not cross but by chance.
        let Some(doubling) = sweeps.get(&("doubling", p)).filter(|_| p > FEWEST).cloned() else {
            continue;
        };
        let overtakes = |how: &str| format!("ring_overtakes_doubling_{how}.{p}");
        plan.figure_of(alone, overtakes("predicted"), "B", move |alone, spans| {
            alone.crossover(spans, p)
        });
        plan.figure_of(ring, overtakes("measured"), "B", move |ring, spans| {
            let both = ring.iter().zip(doubling.iter());
            crossing(
                both.map(|(&(m, ring), &(_, doubling))| {
                    (m, spans.unit(doubling) - spans.unit(ring))
                }),
            )
        });
    }
}

/// Where a quantity that is known at some sizes turns from negative to positive; NaN where it does not.
fn crossing(known: impl Iterator<Item = (u32, f64)>) -> f64 {
    let known: Vec<(f64, f64)> = known.map(|(m, value)| (f64::from(m), value)).collect();
    let turn = known.windows(2).find(|pair| pair[0].1 < 0.0 && pair[1].1 >= 0.0);
    turn.map_or(f64::NAN, |pair| {
        let [(m0, before), (m1, after)] = [pair[0], pair[1]];
        m0 + (m1 - m0) * -before / (after - before)
    })
}

fn diagnose(outcome: &record::Experiment) -> Vec<String> {
    let mut text = Vec::new();
    let value = |name: &str| outcome.parameter(name).map(|p| p.value);
    let betas = outcome.parameters.iter().filter_map(|p| {
        let workers = p.name.strip_prefix("beta.")?.parse::<u32>().ok()?;
        Some((workers, p.value))
    });
    if let (Some(two), Some((most, of_most))) = (value("beta"), betas.max_by_key(|&(p, _)| p))
        && of_most > SHARED * two
    {
        text.push(format!(
            "a byte costs each of {most} workers {:.1} times what it costs each of {FEWEST}: so many share what moves \
             bytes, which separate devices would not",
            of_most / two
        ));
    }
    let alpha = |p: u32| value(&format!("alpha.{p}")).or(value("alpha"));
    let beta = |p: u32| value(&format!("beta.{p}")).or(value("beta"));
    let off = |over: bool, by_latency: bool| {
        let here = |p: &&record::Point| {
            let workers = p.series.split(' ').nth(1).and_then(|p| p.parse::<u32>().ok());
            let at_once = if p.series.starts_with("naive") { Some(1) } else { workers };
            let (Some(alpha), Some(beta)) = (at_once.and_then(alpha), at_once.and_then(beta))
            else {
                return false;
            };
            let sent = if p.series.starts_with("ring") {
                p.x.value / f64::from(workers.unwrap_or(1))
            } else {
                p.x.value
            };
            p.deviates(over) && (alpha > beta * sent) == by_latency
        };
        let off: Vec<&record::Point> = outcome.points.iter().filter(here).collect();
        let worst = off.iter().max_by(|a, b| a.residual().total_cmp(&b.residual()))?;
        let points =
            if off.len() == 1 { "1 point".to_owned() } else { format!("{} points", off.len()) };
        Some(format!(
            "{points}, worst {:.2} times: {}, {} bytes",
            worst.ratio, worst.series, worst.x.value
        ))
    };
    for (over, by_latency, says) in [
        (
            true,
            true,
            "where latency rules, steps take longer than the one of a word that α is read from: a little work may wake \
             cores that next to none leaves asleep",
        ),
        (
            false,
            true,
            "where latency rules, steps take less than the one of a word that α is read from: launching one may overlap \
             with the end of the one before",
        ),
        (
            true,
            false,
            "where bandwidth rules, bytes cost more than in the stream that β is read from: they come from farther away, \
             another worker's cache or memory",
        ),
        (
            false,
            false,
            "where bandwidth rules, bytes cost less than in the stream that β is read from: a nearer cache may hold them",
        ),
    ] {
        if let Some(points) = off(over, by_latency) {
            text.push(format!("{says} ({points})"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::crossing;

    #[test]
    fn a_crossing_is_found_between_the_sizes_that_enclose_it() {
        assert_eq!(crossing([(10, -1.0), (20, 3.0), (30, 5.0)].into_iter()), 12.5);
        assert!(crossing([(10, 1.0), (20, 3.0)].into_iter()).is_nan());
        assert!(crossing([(10, f64::NAN), (20, 3.0)].into_iter()).is_nan());
    }
}
