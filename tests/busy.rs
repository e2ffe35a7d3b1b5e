//! `occupancy` and `overlap` on the simulated device: latency, knee and hidden share that were planted are found,
//! and breaches are named. No GPU.

mod sim;

use sim::{measure, number, said};
use warplaw::model::Status;
use warplaw::model::Verdict;
use warplaw::sim::{Costs, Machine, Simulator};

#[test]
fn the_latency_of_memory_and_the_knee_are_those_that_were_planted() {
    let machine = Machine::lawful(16);
    let outcome = measure(Simulator::new(machine), "occupancy");
    let planted = machine.costs.load_latency_s / machine.costs.load_s;
    for size in ["16_KiB", "256_KiB", "64_MiB"] {
        let latency = number(&outcome, &format!("latency.{size}"));
        assert!((latency / machine.costs.load_latency_s - 1.0).abs() < 0.02, "{latency}");
        let knee = number(&outcome, &format!("knee_predicted.{size}"));
        assert!((knee / planted - 1.0).abs() < 0.03, "{size}: {knee}, {planted} planted");
        // The sweep takes every other power of two: 64 is the first beyond 40.
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
fn subgroups_that_share_what_one_has_to_itself_deviate() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        if workload.label().starts_with("chase of 4 ×") { 1.4 * span } else { span }
    });
    let outcome = measure(executor, "occupancy");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "far from the knee"), "{:?}", outcome.diagnosis);
}

#[test]
fn a_buffer_beyond_the_limit_is_left_out_and_the_record_says_so() {
    let executor =
        Simulator::new(Machine::lawful(16)).appearing(|facts| facts.limits.binding_bytes = 1 << 20);
    let outcome = measure(executor, "occupancy");
    assert_eq!((outcome.status, outcome.verdict), (Status::Measured, Some(Verdict::Holds)));
    assert!(said(&outcome, "no walk through 64 MiB"), "{:?}", outcome.diagnosis);
}

const PATHS: [&str; 2] = ["write_buffer", "mapped_staging"];

#[test]
fn all_of_an_upload_hides_on_a_device_that_copies_for_nothing() {
    let outcome = measure(Simulator::new(Machine::lawful(16)), "overlap");
    assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.points);
    for path in PATHS {
        let hidden = |depth: u32| number(&outcome, &format!("hidden_share.{path}.{depth}"));
        assert!(hidden(1).abs() < 0.1, "one at a time hides nothing: {}", hidden(1));
        assert!((hidden(2) - 1.0).abs() < 0.25, "two under way hide it: {}", hidden(2));
        // 0.2 ns a byte.
        let rate = number(&outcome, &format!("upload_gb_per_s.{path}"));
        assert!((rate / 5.0 - 1.0).abs() < 0.05, "{rate} GB/s");
    }
    assert!(said(&outcome, "timed by the host's clock"));
}

#[test]
fn a_device_that_copies_and_computes_in_turn_deviates_and_is_named() {
    let lawful = Machine::lawful(16);
    let costs = Costs {
        write_byte_s: 0.05e-9,
        copy_byte_s: 0.05e-9,
        // Cheap, so that batches are about as long computed on as copied.
        submit_s: 2e-6,
        wait_s: 5e-6,
        ..lawful.costs
    };
    let outcome = measure(Simulator::new(Machine { costs, ..lawful }), "overlap");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates), "{:#?}", outcome.points);
    for path in PATHS {
        let remark = outcome.diagnosis.iter().find(|remark| {
            remark.starts_with(path) && remark.contains("it copies and computes in turn")
        });
        assert!(remark.is_some(), "{path}: {:?}", outcome.diagnosis);
    }
}

#[test]
fn a_device_on_which_nothing_overlaps_deviates_and_is_not_excused_by_copies() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        let label = workload.label();
        let both = label.contains("Whole") && label.contains("on 1 times");
        if both && label.contains("2 deep") { 1.6 * span } else { span }
    });
    let outcome = measure(executor, "overlap");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "less than if the device copied and computed in turn"));
    assert!(!said(&outcome, "it copies and computes in turn"), "{:?}", outcome.diagnosis);
}
