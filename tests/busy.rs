//! Tests of `occupancy` and `overlap` on the simulated device. No GPU is needed.
//!
//! The experiments find the planted latency, knee and hidden share. A device that breaks a law deviates, and
//! the diagnosis names the cause.

mod sim;

use sim::{measure, number, said};
use warplaw::model::Status;
use warplaw::model::Verdict;
use warplaw::sim::{Machine, Simulator};

#[test]
fn occupancy_finds_the_planted_load_latency_and_knee() {
    let machine = Machine::lawful(16);
    let outcome = measure(Simulator::new(machine.clone()), "occupancy");
    let memory = machine.memory.levels[0];
    // Each of 16 lanes loads a sector of 32 bytes.
    let load_s = 16.0 * 32.0 / memory.bytes_per_s;
    let planted = memory.latency_s / load_s;
    for size in ["16_KiB", "256_KiB", "64_MiB"] {
        let latency = number(&outcome, &format!("latency.{size}"));
        assert!((latency / memory.latency_s - 1.0).abs() < 0.02, "{latency}");
        let knee = number(&outcome, &format!("knee_predicted.{size}"));
        assert!((knee / planted - 1.0).abs() < 0.03, "{size}: {knee}, {planted} planted");
        // The planted knee is 40. The sweep takes every other power of two, and 64 is the first one above 40.
        assert_eq!(number(&outcome, &format!("knee_measured.{size}")), 64.0);
    }
}

#[test]
fn loads_that_queue_around_the_knee_deviate() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        if workload.label().starts_with("chase of 64 ×") { 1.4 * span } else { span }
    });
    let outcome = measure(executor, "occupancy");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "the corner is round"), "{:?}", outcome.diagnosis);
    assert!(!said(&outcome, "far from the knee"), "{:?}", outcome.diagnosis);
}

#[test]
fn subgroups_that_slow_each_other_far_from_the_knee_deviate() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        if workload.label().starts_with("chase of 4 ×") { 1.4 * span } else { span }
    });
    let outcome = measure(executor, "occupancy");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "far from the knee"), "{:?}", outcome.diagnosis);
}

#[test]
fn a_buffer_above_the_binding_limit_is_left_out_and_diagnosed() {
    let executor =
        Simulator::new(Machine::lawful(16)).appearing(|facts| facts.limits.binding_bytes = 1 << 20);
    let outcome = measure(executor, "occupancy");
    assert_eq!((outcome.status, outcome.verdict), (Status::Measured, Some(Verdict::Holds)));
    assert!(said(&outcome, "The 64 MiB working set was left out"), "{:?}", outcome.diagnosis);
}

const PATHS: [&str; 2] = ["write_buffer", "mapped_staging"];

#[test]
fn the_full_upload_hides_on_a_device_whose_copies_cost_nothing() {
    let outcome = measure(Simulator::new(Machine::lawful(16)), "overlap");
    assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.points);
    for path in PATHS {
        let hidden = |depth: u32| number(&outcome, &format!("hidden_share.{path}.{depth}"));
        assert!(hidden(1).abs() < 0.1, "one batch at a time hides nothing: {}", hidden(1));
        assert!(
            (hidden(2) - 1.0).abs() < 0.25,
            "two batches in flight hide the full upload: {}",
            hidden(2)
        );
        // The host writes a byte in 0.2 ns, which is 5 GB/s.
        let rate = number(&outcome, &format!("upload_gb_per_s.{path}"));
        assert!((rate / 5.0 - 1.0).abs() < 0.05, "{rate} GB/s");
    }
    assert!(said(&outcome, "timed by the host's clock"));
}

#[test]
fn a_device_that_alternates_copies_and_computation_holds_and_shows_its_copies() {
    let machine = Machine::lawful(16).with(|machine| {
        machine.queue.write_byte_s = 0.05e-9;
        machine.queue.copy_byte_s = 0.05e-9;
        // Submissions and waits are cheap, so that computing on a batch takes about as long as copying it.
        machine.queue.submit_s = 2e-6;
        machine.queue.wait_s = 5e-6;
    });
    let outcome = measure(Simulator::new(machine), "overlap");
    assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.points);
    for path in PATHS {
        let entry = outcome.diagnosis.iter().find(|entry| {
            entry.starts_with(path) && entry.contains("The device copies and computes in turn")
        });
        assert!(entry.is_some(), "{path}: {:?}", outcome.diagnosis);
    }
}

#[test]
fn missing_overlap_that_copies_do_not_explain_deviates() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        let label = workload.label();
        let uploads_and_computes = label.contains("Whole") && label.contains("on 1 times");
        if uploads_and_computes && label.contains("2 deep") { 1.6 * span } else { span }
    });
    let outcome = measure(executor, "overlap");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "A device that copies and computes in turn would hide more"));
    assert!(!said(&outcome, "The device copies and computes in turn:"), "{:?}", outcome.diagnosis);
}
