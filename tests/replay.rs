//! Tests that a record contains all that its figures follow from.
//!
//! The laws are applied to the stored samples. Every metric, point, interval, control and verdict must equal
//! the stored one. The relative tolerance is 1e-9, and 1e-6 for the traces of points.

mod sim;

use warplaw::bench::{Context, Profile, Recorded, replay, seed_of};
use warplaw::experiments::{REGISTRY, find};
use warplaw::gpu::Executor;
use warplaw::model::{Experiment, Interval, Metric, Point, Record};
use warplaw::sim::{Machine, Noise, Simulator};

/// Relative tolerance of a comparison.
const TOLERANCE: f64 = 1e-9;

/// Seed of the runs.
const SEED: u64 = 11;

/// Evaluates the stored samples of an experiment with the laws.
fn replayed(record: &Record, recorded: &Experiment, device: &Simulator) -> Experiment {
    let experiment = find(&recorded.id).expect("the registry has every recorded experiment");
    let searches: Vec<_> = record.experiments.iter().flat_map(|e| e.searches.clone()).collect();
    let tuner = Recorded { searches: &searches, width: recorded.width };
    let seed = seed_of(record.seed, experiment.id);
    let reported_width = record.adapter.subgroup_size.observed;
    let context = Context::new(device.facts(), &Profile::QUICK, seed, &tuner);
    let context = Context { width: reported_width, reported_width, ..context };
    replay(experiment, recorded, &record.clock, &context)
        .expect("the recorded device supports the experiment")
}

/// Returns whether the numbers are equal within [`TOLERANCE`].
fn near(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

/// Returns whether the intervals are both absent, or equal within [`TOLERANCE`].
fn near_intervals(a: Option<Interval>, b: Option<Interval>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            // The rounding error of an end near zero scales with the width of the interval.
            let scale = TOLERANCE * (a.hi - a.lo);
            let end = |x: f64, y: f64| near(x, y) || (x - y).abs() <= scale;
            end(a.lo, b.lo) && end(a.hi, b.hi)
        }
        _ => false,
    }
}

fn same_metric(then: &Metric, now: Option<&Metric>) -> bool {
    let value = |metric: &Metric| metric.value.unwrap_or(0.0);
    now.is_some_and(|now| {
        let near = near(value(then), value(now)) || {
            // The rounding error of a difference near zero scales with the width of its interval.
            let width = then.ci.map_or(0.0, |ci| ci.hi - ci.lo);
            (value(then) - value(now)).abs() <= TOLERANCE * width
        };
        near && then.text == now.text
            && near_intervals(then.ci, now.ci)
            && near_intervals(then.spread, now.spread)
    })
}

fn same_point(then: &Point, now: Option<&Point>) -> bool {
    now.is_some_and(|now| {
        near(then.measured, now.measured)
            && near(then.predicted, now.predicted)
            && near_intervals(then.ratio_ci, now.ratio_ci)
            && near_intervals(then.ratio_spread, now.ratio_spread)
            && (then.verdict, then.judged) == (now.verdict, now.judged)
    })
}

/// Describes each difference between the recorded and the replayed experiment.
fn differences(then: &Experiment, now: &Experiment) -> Vec<String> {
    let mut found = Vec::new();
    if then.verdict != now.verdict {
        found.push(format!("verdict {:?}, now {:?}", then.verdict, now.verdict));
    }
    for metric in &then.metrics {
        let new = now.metric(&metric.id);
        if !same_metric(metric, new) {
            found.push(format!("metric {}: {metric:?}, now {new:?}", metric.id));
        }
    }
    for point in &then.points {
        let is_same = |p: &&Point| (&p.series, p.x.value) == (&point.series, point.x.value);
        let new = now.points.iter().find(is_same);
        if !same_point(point, new) {
            found.push(format!("point {} {}: {point:?}, now {new:?}", point.series, point.x.value));
        }
        if let (Some(then), Some(new)) = (&point.trace, new) {
            let at = |trace: &warplaw::model::Trace| [1e-3, 2e-3].map(|s| trace.at(s));
            let same = new.trace.as_ref().is_some_and(|now| {
                now.case == then.case
                    && at(now).into_iter().zip(at(then)).all(|(a, b)| (a / b - 1.0).abs() < 1e-6)
            });
            if !same {
                found.push(format!(
                    "trace of {} {}: {then:?}, now {:?}",
                    point.series, point.x.value, new.trace
                ));
            }
        }
    }
    for control in &then.controls {
        let new = now.controls.iter().find(|new| new.check == control.check);
        let same = new.is_some_and(|new| {
            near(control.ratio, new.ratio)
                && near_intervals(control.ratio_ci, new.ratio_ci)
                && control.passed == new.passed
        });
        if !same {
            found.push(format!("control {control:?}, now {new:?}"));
        }
    }
    found
}

/// Runs all experiments on a device with this noise, and reads the record as it is written.
fn record_of(noise: Noise) -> (Record, Simulator) {
    let device = || Simulator::new(Machine { noise, ..Machine::lawful(8) });
    let ids: Vec<&str> = REGISTRY.iter().map(|experiment| experiment.id).collect();
    let record = sim::suite_seeded(vec![device()], &ids, SEED);
    let folder = tempfile::tempdir().expect("a scratch folder can be made");
    let path = folder.path().join("record.json");
    warplaw::model::write(&record, &path).expect("the record can be written");
    (warplaw::model::read(&path).expect("the record can be read"), device())
}

#[test]
fn stored_samples_give_the_stored_figures_and_verdicts() {
    // Noise that leaves some points undecided at first, so that there are extra rounds and later looks.
    let noisy = Noise { spread: 0.08, spikes: 0.05, ..Noise::default() };
    let mut found = Vec::new();
    let (mut compared, mut extra) = (0, 0);
    for noise in [Noise::QUIET, noisy] {
        let (record, device) = record_of(noise);
        for recorded in &record.experiments {
            let now = replayed(&record, recorded, &device);
            compared += recorded.metrics.len() + recorded.points.len();
            extra += usize::from(recorded.points.iter().any(|point| point.confidence > 0.98));
            let differences = differences(recorded, &now);
            found.extend(differences.into_iter().map(|d| format!("{}: {d}", recorded.id)));
        }
    }
    assert!(
        found.is_empty(),
        "{} of {compared} figures differ:\n{}",
        found.len(),
        found.join("\n")
    );
    assert!(compared > 800, "only {compared} figures were compared");
    assert!(extra > 0, "no experiment had a second look");
}
