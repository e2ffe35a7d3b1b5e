//! Devices that fail: the experiment says how, the others still run, and the record is whole. No GPU.

mod sim;

use std::sync::atomic::{AtomicBool, Ordering};

use sim::{measure, suite};
use warplaw::bench::{Profile, Progress, Session, run};
use warplaw::experiments::{REGISTRY, find};
use warplaw::model::{Experiment, Status, StoppedBy, Verdict};
use warplaw::sim::{DeviceFault, Machine, Noise, Simulator};

fn lawful() -> Simulator {
    Simulator::new(Machine::lawful(16))
}

fn reason(experiment: &Experiment) -> &str {
    experiment.reason.as_deref().expect("it says why")
}

#[test]
fn a_lost_device_fails_its_experiment_and_the_next_one_gets_a_new_device() {
    let dying = lawful().failing(DeviceFault::LostAfter(0.5));
    let record = suite(vec![dying, lawful()], &["width", "divergence", "lanes"]);
    let [width, divergence, lanes] = &record.experiments[..] else {
        panic!("three were asked for")
    };
    assert_eq!((width.status, width.verdict), (Status::Failed, None));
    assert!(reason(width).contains("lost"), "{:?}", width.reason);
    for experiment in [divergence, lanes] {
        assert_eq!(experiment.verdict, Some(Verdict::Holds), "{}", experiment.id);
    }
    assert!(record.cases().all(|case| !case.id.starts_with("width")));
    let text = serde_json::to_string(&record).expect("a record is JSON");
    assert_eq!(serde_json::from_str::<warplaw::model::Record>(&text).expect("it reads"), record);
}

#[test]
fn a_device_that_does_not_come_back_fails_what_is_left_with_the_reason() {
    let dying = lawful().failing(DeviceFault::LostAfter(0.5));
    let record = suite(vec![dying], &["width", "divergence", "lanes"]);
    assert!(record.experiments.iter().all(|e| e.status == Status::Failed && !reason(e).is_empty()));
    assert!(reason(&record.experiments[2]).contains("no device is left"));
}

#[test]
fn a_device_that_hangs_is_not_opened_again() {
    let hanging = lawful().failing(DeviceFault::HangsAfter(0.5));
    let record = suite(vec![hanging, lawful()], &["width", "lanes"]);
    assert!(reason(&record.experiments[0]).contains("did not finish within 30 s"));
    assert!(reason(&record.experiments[1]).contains("not opened again"));
    assert!(record.experiments.iter().all(|e| e.status == Status::Failed));
}

#[test]
fn another_device_in_its_place_is_not_measured_under_its_name() {
    let dying = lawful().failing(DeviceFault::LostAfter(0.5));
    let other = lawful().appearing(|facts| facts.name = "Spare".to_owned());
    let record = suite(vec![dying, other], &["width", "lanes"]);
    assert_eq!(record.experiments[1].status, Status::Failed);
    assert!(reason(&record.experiments[1]).contains("`Spare` is what came back"));
}

#[test]
fn a_wrong_output_stays_one_when_the_run_is_interrupted() {
    let stop = AtomicBool::new(false);
    let wrong = lawful().corrupting(|workload, outputs| {
        if workload.label().starts_with("Chain") {
            outputs[0] ^= 1;
        }
    });
    let experiment = find("lanes").expect("the experiment is registered");
    let mut session = Session::open(Box::new(wrong), Profile::QUICK, 1).expect("it opens");
    let interrupt = &mut |progress: Progress| {
        stop.store(progress.done > 0.15, Ordering::Relaxed);
    };
    let outcome = run(&mut session, experiment, &stop, interrupt).expect("it does not fail");
    assert_eq!(outcome.stopped_by, Some(StoppedBy::Interrupted));
    assert_eq!(outcome.status, Status::Failed, "{:?}", outcome.reason);
    assert!(reason(&outcome).contains("wrong output"));
}

#[test]
fn what_the_device_refuses_fails_its_experiment_alone() {
    for (fault, said, experiment) in [
        (DeviceFault::OutOfMemory(1 << 20), "out of memory", "batching"),
        (
            DeviceFault::Uncompilable("branch_paths"),
            "`branch_paths` does not compile",
            "divergence",
        ),
        (DeviceFault::Invalid("contention"), "validation error", "contention"),
    ] {
        let ids = [experiment, "lanes"];
        let record = suite(vec![lawful().failing(fault)], &ids);
        for outcome in &record.experiments {
            if outcome.id == experiment {
                assert_eq!((outcome.status, outcome.verdict), (Status::Failed, None), "{said}");
                assert!(reason(outcome).contains(said), "{:?}", outcome.reason);
            } else {
                assert_eq!(outcome.verdict, Some(Verdict::Holds), "{}", outcome.id);
            }
        }
    }
}

/// From a thousand times as fast as the lawful machine, which reads 10 TB/s then, to a hundred times as slow,
/// which reads 100 MB/s and issues an instruction in 50 ns.
#[test]
fn no_span_is_planned_over_the_longest_whatever_the_speed_and_no_dispatch_meets_a_watchdog() {
    for slowness in [1e-3, 1e-1, 1e1, 1e2] {
        // Without noise, so that no sample is longer than planned.
        let noise = Noise { spread: 0.0, spikes: 0.0, ..Noise::QUIET };
        let machine = Machine { slowness, noise, ..Machine::lawful(16) };
        for experiment in REGISTRY {
            let outcome = measure(Simulator::new(machine), experiment.id);
            assert_ne!(outcome.status, Status::Failed, "{}: {:?}", outcome.id, outcome.reason);
            for case in &outcome.cases {
                let spans = case.samples_s.iter().flatten();
                let planned = spans.copied().reduce(f64::max).unwrap_or(0.0);
                assert!(planned <= 0.0505, "{slowness}: {} takes {planned} s", case.id);
            }
        }
    }
}
