//! The laws and the figures of a run.

use warplaw::model::{Record, Verdict};
use warplaw::stats::median;

use crate::{BRIEF, WIDTHS, alone, experiment, number, run, skipped};

/// Experiments whose laws hold on lavapipe at every point.
const LAWFUL: [&str; 6] = ["width", "divergence", "lanes", "imbalance", "select", "amdahl"];

/// Describes the first of the [`LAWFUL`] experiments that deviates or has a median residual of 5 % or more.
fn breach(record: &Record) -> Option<String> {
    LAWFUL.into_iter().find_map(|id| {
        let outcome = experiment(record, id);
        let residual = median(&outcome.residuals()).expect("the experiment has points");
        let broken = residual >= 0.05 || outcome.verdict == Some(Verdict::Deviates);
        broken.then(|| format!("{id}: median residual {residual:.3}, {:?}", outcome.verdict))
    })
}

/// Other load on the machine may disturb one run, so each width has up to three runs. A broken law fails in
/// all three.
#[test]
fn the_laws_hold_at_every_width() {
    const RUNS: usize = 3;
    if skipped() {
        return;
    }
    let _alone = alone();
    for (width, bits) in WIDTHS {
        let width = f64::from(width);
        let mut breaches = Vec::new();
        while breaches.len() < RUNS {
            let record = run("laws", bits, &["--only", &LAWFUL.join(",")], &[]);
            assert_eq!(record.adapter.subgroup_size.observed.map(f64::from), Some(width));
            for name in ["effective_width", "width_by_granularity", "width_by_lanes"] {
                assert_eq!(number(&record, "width", name), Some(width), "{name} at {bits} bits");
            }
            assert!(record.cases().all(|case| case.verified));
            let Some(breach) = breach(&record) else {
                break;
            };
            println!("at {bits} bits: {breach}");
            breaches.push(breach);
        }
        assert!(breaches.len() < RUNS, "at {bits} bits, all {RUNS} runs fail: {breaches:#?}");
    }
}

/// Describes the first implausible latency, issue time, knee or unexplained verdict of `ilp` with vectors of
/// `bits` bits.
fn implausible_knee(record: &Record, bits: &str) -> Option<String> {
    let outcome = experiment(record, "ilp");
    for number_type in ["u32", "f32"] {
        let seconds =
            |name: &str| outcome.number(&format!("{name}.{number_type}")).unwrap_or(f64::NAN);
        let (latency, issue) = (seconds("latency"), seconds("t_issue"));
        // On any CPU, two dependent instructions take from a few tenths of a nanosecond to a few nanoseconds.
        // The ratio of issue time to latency is 1 if chains wait for one another. A CPU without 512-bit
        // registers always has two halves of each vector in flight and lacks registers for twelve chains. Its
        // ratio is 0.71 to 0.76.
        let max_ratio = if bits == "512" { 0.85 } else { 0.7 };
        if !((1e-10..1e-8).contains(&latency) && issue < max_ratio * latency) {
            return Some(format!("{number_type}: latency {latency} s, issue time {issue} s"));
        }
        let knee = |how: &str| number(record, "ilp", &format!("knee_{how}.{number_type}"));
        let predicted = knee("predicted").expect("latency and issue time were measured");
        // The corner of the roofline is round: more chains than L/t are needed to come close to the peak, and
        // the speed-up stays below the peak. If registers run out, though, the many chains that calibrate the
        // issue time issue more slowly than a few chains.
        let best =
            number(record, "ilp", &format!("best_speed_up.{number_type}")).unwrap_or(f64::NAN);
        if let Some(measured) = knee("measured")
            && !(measured > predicted - 0.5 && (0.75..1.25).contains(&(best / predicted)))
        {
            return Some(format!(
                "{number_type}: measured knee {measured}, predicted knee {predicted}, best speed-up {best}×"
            ));
        }
    }
    let mechanisms = ["the corner is round", "far from the knee", "less than predicted"];
    let explains = |entry: &String| mechanisms.iter().any(|mechanism| entry.contains(mechanism));
    let explained = outcome.diagnosis.iter().any(explains);
    let unexplained = outcome.verdict == Some(Verdict::Deviates) && !explained;
    unexplained.then(|| "ilp deviates and no diagnosis explains why".to_owned())
}

/// The corner of lavapipe's roofline is rounder than the law allows, so the test does not require `holds`.
#[test]
fn chains_hide_latency_up_to_the_knee_at_every_width() {
    const RUNS: usize = 3;
    if skipped() {
        return;
    }
    let _alone = alone();
    for (_, bits) in WIDTHS {
        let faults = (0..RUNS).map_while(|_| {
            let record = run("ilp", bits, &["--only", "ilp"], &[]);
            assert!(record.cases().all(|case| case.verified));
            implausible_knee(&record, bits)
        });
        let faults: Vec<String> = faults.collect();
        assert!(faults.len() < RUNS, "at {bits} bits, all {RUNS} runs fail: {faults:#?}");
    }
}

/// Returns the largest swept value at which both series of the experiment have a point.
fn largest_common(record: &Record, id: &str, one: &str, other: &str) -> Option<f64> {
    let values = |series: &str| {
        let points = experiment(record, id).points.iter();
        points.filter(|p| p.series == series).map(|p| p.x.value).collect::<Vec<f64>>()
    };
    let others = values(other);
    values(one).into_iter().filter(|value| others.contains(value)).max_by(f64::total_cmp)
}

/// Describes the first implausible figure or unexplained verdict of the experiments in the categories
/// coordination and busy.
fn implausible_coordination(record: &Record) -> Option<String> {
    let within = |what: &str, value: Option<f64>, range: std::ops::Range<f64>| {
        let value = value.unwrap_or(f64::NAN);
        (!range.contains(&value)).then(|| format!("{what} is {value}, which is outside {range:?}"))
    };
    let metric = |id: &str, name: &str| number(record, id, name);
    let median_of = |id: &str| median(&experiment(record, id).residuals());
    let ratio = |id: &str, what: &str, of: &str| {
        let figure = |how: &str| number(record, id, &format!("{what}_{how}.{of}"));
        Some(figure("measured")? / figure("predicted")?)
    };
    let deviates = |id: &str| experiment(record, id).verdict == Some(Verdict::Deviates);
    let unexplained = |id: &str, mechanisms: &[&str]| {
        let diagnosis = &experiment(record, id).diagnosis;
        let explains =
            |entry: &String| mechanisms.iter().any(|mechanism| entry.contains(mechanism));
        (deviates(id) && !diagnosis.iter().any(explains))
            .then(|| format!("{id} deviates and no diagnosis explains why: {diagnosis:?}"))
    };
    // An atomic of one core takes a few nanoseconds. Atomics of cores that contend take longer.
    within("serial atomic time", metric("contention", "t_serial.add"), 1e-9..1e-7)
        .or_else(|| {
            within(
                "speed-up by privatising",
                metric("contention", "privatising_buys.add"),
                0.5..50.0,
            )
        })
        .or_else(|| {
            // By the machine, cores pass lines between their caches, or counters share hardware.
            let causes =
                ["from cache to cache", "with a counter for each block", "share more hardware"];
            unexplained("contention", &causes)
        })
        // lavapipe runs dispatches one after another, whether they are dependent or not.
        .or_else(|| {
            within("dispatches in flight", metric("dependence", "dispatches_in_flight"), 0.8..1.25)
        })
        .or_else(|| within("median residual of dependence", median_of("dependence"), 0.0..0.15))
        .or_else(|| within("all-reduce step overhead", metric("allreduce", "alpha"), 1e-6..1e-3))
        .or_else(|| within("median residual of allreduce", median_of("allreduce"), 0.0..0.25))
        // Where the workers' streams are far slower than the fastest copy, as with gathers on a CPU, a ring whose chunks
        // stay in a cache is faster than they are.
        .or_else(|| {
            let streams = metric("allreduce", "share_of_copy_ceiling.16").is_some_and(|s| s > 0.5);
            let half_latency = ratio("allreduce", "half_latency", "16").filter(|_| streams);
            half_latency.and_then(|ratio| {
                within("measured over predicted half-latency size", Some(ratio), 0.3..3.0)
            })
        })
        .or_else(|| {
            let predicted = metric("allreduce", "ring_overtakes_doubling_predicted.16");
            let measured = metric("allreduce", "ring_overtakes_doubling_measured.16");
            // Without a crossover up to the largest message of both sweeps, the crossover is beyond that message.
            let least =
                || largest_common(record, "allreduce", "ring, 16 workers", "doubling, 16 workers");
            let range = if measured.is_some() { 0.3..3.0 } else { 0.0..3.0 };
            let crossover = measured.or_else(least).zip(predicted);
            let crossover = crossover.map(|(measured, predicted)| measured / predicted);
            within("measured over predicted crossover", crossover, range)
        })
        .or_else(|| unexplained("allreduce", &["Latency-bound", "Bandwidth-bound"]))
        .or_else(|| within("median residual of occupancy", median_of("occupancy"), 0.0..0.05))
        .or_else(|| deviates("occupancy").then(|| "occupancy deviates".to_owned()))
        // Memory is slower than any cache.
        .or_else(|| {
            let latency = |size: &str| metric("occupancy", &format!("latency_of_a_lane.{size}"));
            let times = latency("64_MiB").zip(latency("16_KiB")).map(|(far, near)| far / near);
            within("memory latency over cache latency", times, 3.0..1000.0)
        })
        .or_else(|| {
            within(
                "hidden share of the upload",
                metric("overlap", "hidden_share.write_buffer.2"),
                -1.0..1.25,
            )
        })
        // One batch at a time takes the sum of its upload and its computation. More batches hide a part of
        // the upload, and the diagnosis gives the share.
        .or_else(|| {
            let serial = experiment(record, "overlap").points.iter().filter(|p| p.x.value == 1.0);
            serial.map(|p| p.ratio).find_map(|ratio| {
                within("measured over predicted serial time", Some(ratio), 0.75..1.35)
            })
        })
        .or_else(|| unexplained("overlap", &["of uploading and computing hides"]))
}

#[test]
fn coordination_and_busy_figures_are_plausible_at_every_width() {
    const RUNS: usize = 5;
    const IDS: &str = "contention,dependence,allreduce,occupancy,overlap";
    if skipped() {
        return;
    }
    let _alone = alone();
    for (_, bits) in WIDTHS {
        let faults = (0..RUNS).map_while(|_| {
            let record = run("coordination", bits, &[&BRIEF[..], &["--only", IDS]].concat(), &[]);
            assert!(record.cases().all(|case| case.verified), "at {bits} bits");
            implausible_coordination(&record)
        });
        let faults: Vec<String> =
            faults.inspect(|fault| println!("at {bits} bits: {fault}")).collect();
        assert!(faults.len() < RUNS, "at {bits} bits, all {RUNS} runs fail: {faults:#?}");
    }
}

#[test]
fn every_kernel_is_correct_and_the_best_reduction_is_near_the_ceiling_at_every_width() {
    const RUNS: usize = 3;
    const MIN_SHARE: f64 = 0.9;
    if skipped() {
        return;
    }
    let _alone = alone();
    // Another process may take half of a core during some samples only, so a low share is measured again.
    let best_of = |share: f64, bits: &str| {
        let measure_again = || {
            let record = run("kernels", bits, &["--only", "reduction"], &[]);
            number(&record, "reduction", "best_share_of_ceiling").unwrap_or(0.0)
        };
        (1..RUNS)
            .fold(share, |best, _| if best > MIN_SHARE { best } else { best.max(measure_again()) })
    };
    for (_, bits) in WIDTHS {
        let record = run(
            "kernels",
            bits,
            &[&BRIEF[..], &["--only", "batching,ceilings,reduction"]].concat(),
            &[],
        );
        for id in ["batching", "ceilings", "reduction"] {
            let reason = &experiment(&record, id).reason;
            assert!(reason.is_none(), "{id} at {bits} bits: {reason:?}");
        }
        assert!(record.cases().all(|case| case.verified), "at {bits} bits");
        let share =
            number(&record, "reduction", "best_share_of_ceiling").expect("the share is measured");
        let share = best_of(share, bits);
        assert!(
            share > MIN_SHARE,
            "at {bits} bits, the best reduction reads at {share} of the ceiling"
        );
    }
}
