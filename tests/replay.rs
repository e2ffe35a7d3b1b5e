//! Tests that the present laws reproduce stored records.
//!
//! The laws are applied to the stored samples. Every metric, point, interval, control and verdict must equal
//! the stored one. The relative tolerance is 1e-9, and 1e-6 for the traces of points.

use std::path::Path;

use warplaw::bench::{Context, Profile, Recorded, replay, seed_of};
use warplaw::experiments::find;
use warplaw::gpu::{AdapterFacts, DeviceLimits, LimitSet};
use warplaw::model::{ClockKind, DeviceType, Experiment, Interval, Metric, Point, Record, read};

/// Relative tolerance of a comparison.
const TOLERANCE: f64 = 1e-9;

/// Records that older versions wrote, when figures were closures and not yet expressions.
const RECORDS: [&str; 4] = [
    "results/llvmpipe-llvm-15-0-6-128-bits/2026-11-25-vulkan-41502bf52.json",
    "results/llvmpipe-llvm-15-0-6-256-bits/2026-11-25-vulkan-41502bf52.json",
    "results/llvmpipe-llvm-15-0-6-512-bits/2026-11-25-vulkan-41502bf52.json",
    "tests/data/record-1.2.0.json",
];

/// Builds the facts that a plan depends on. Records of these versions lack the limits of the device, so the
/// limits are fixed here.
fn facts(record: &Record) -> AdapterFacts {
    let adapter = &record.adapter;
    let known = ["timestamp-query", "subgroup", "shader-int64"];
    let is_cpu = adapter.device_type == DeviceType::Cpu;
    AdapterFacts {
        name: adapter.name.clone(),
        vendor_id: adapter.vendor_id,
        device_id: adapter.device_id,
        device_type: adapter.device_type,
        backend: "vulkan",
        driver: adapter.driver.clone(),
        driver_info: adapter.driver_info.clone(),
        subgroup_min: adapter.subgroup_size.min,
        subgroup_max: adapter.subgroup_size.max,
        features: known.into_iter().filter(|f| adapter.features.iter().any(|a| a == f)).collect(),
        shader_checks: adapter.shader_checks,
        clock: ClockKind::TimestampQuery,
        period_ns: record.clock.period_ns,
        clock_fault: None,
        workers: None,
        limits: DeviceLimits {
            max_workgroup_size: 1024,
            workgroups: 65_535,
            binding_bytes: if is_cpu { 1 << 27 } else { 1 << 31 },
        },
        limit_set: LimitSet::Adapter,
    }
}

/// Evaluates the stored samples of an experiment with the present laws.
fn replayed(record: &Record, recorded: &Experiment) -> Experiment {
    let experiment = find(&recorded.id).expect("the registry has every recorded experiment");
    let facts = facts(record);
    let searches: Vec<_> = record.experiments.iter().flat_map(|e| e.searches.clone()).collect();
    let tuner = Recorded(&searches);
    let profile = if record.tool.profile == "full" { Profile::FULL } else { Profile::QUICK };
    let seed = seed_of(record.seed, experiment.id);
    let reported_width = record.adapter.subgroup_size.observed;
    let context = Context::new(&facts, &profile, seed, &tuner);
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

/// Series of the points that the reader of 1.x records derives for comparisons of devices. They have no
/// interval and no verdict.
const DERIVED: &str = "best u32";

fn same_figures(then: &Point, now: Option<&Point>) -> bool {
    now.is_some_and(|now| near(then.measured, now.measured) && near(then.predicted, now.predicted))
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
        let equal = if point.series == DERIVED { same_figures } else { same_point };
        if !equal(point, new) {
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

#[test]
fn stored_samples_give_the_stored_figures_and_verdicts() {
    let mut found = Vec::new();
    let mut compared = 0;
    for path in RECORDS {
        let record = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
            .expect("the stored record is readable");
        for recorded in &record.experiments {
            let now = replayed(&record, recorded);
            compared += recorded.metrics.len() + recorded.points.len();
            let differences = differences(recorded, &now);
            found.extend(differences.into_iter().map(|d| format!("{path} {}: {d}", recorded.id)));
        }
    }
    assert!(
        found.is_empty(),
        "{} of {compared} figures differ:\n{}",
        found.len(),
        found.join("\n")
    );
    assert!(compared > 2500, "only {compared} figures were compared");
}
