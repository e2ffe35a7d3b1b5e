//! Tests of `ring` on the simulated device, whose links between ranks have planted costs. No MPI is needed.

mod sim;

use sim::{measure, number, said};
use warplaw::gpu::{Ranks, Workload};
use warplaw::model::{Experiment, Status, Verdict};
use warplaw::sim::{Links, Machine, Simulator};

/// Returns a machine that obeys the law, with this number of ranks.
fn machine(ranks: u32) -> (Machine, Links) {
    let links = Machine::lawful(32).links.expect("the machine has links");
    let links = Links { ranks, ..links };
    (Machine::lawful(32).with(|machine| machine.links = Some(links)), links)
}

fn near(outcome: &Experiment, metric: &str, planted: f64) {
    let found = number(outcome, metric);
    assert!((found / planted - 1.0).abs() < 0.03, "{metric}: {found}, planted {planted}");
}

/// Runs `ring` on four ranks where `factor(label)` multiplies the time of a workload.
fn scaled(factor: impl Fn(&str) -> f64 + 'static) -> Experiment {
    let (machine, _) = machine(4);
    let scale = move |workload: &Workload, span: f64| factor(workload.label()) * span;
    measure(Simulator::new(machine).distorting(scale), "ring")
}

#[test]
fn ring_finds_the_planted_costs_of_messages_and_additions() {
    for ranks in [2, 3, 4, 7] {
        let (machine, links) = machine(ranks);
        let outcome = measure(Simulator::new(machine), "ring");
        assert_eq!(outcome.verdict, Some(Verdict::Holds), "{ranks} ranks: {:?}", outcome.diagnosis);
        near(&outcome, "alpha", links.message_s);
        near(&outcome, "alpha.ping_pong", links.message_s);
        near(&outcome, "beta.ping_pong", links.byte_s);
        near(&outcome, "beta.shift", links.bidirectional_factor * links.byte_s);
        near(&outcome, "shift_over_ping_pong", links.bidirectional_factor);
        near(&outcome, "gamma", links.add_byte_s);
        near(&outcome, "beta", links.bidirectional_factor * links.byte_s + links.add_byte_s / 2.0);
        // The simulated links take as long for each byte of a message, whatever its length.
        for bytes in [1u32 << 18, 1 << 22] {
            let part = (bytes / 4).div_ceil(ranks) * 4;
            near(&outcome, &format!("beta.part.{part}"), number(&outcome, "beta"));
        }
        near(&outcome, "half_latency_measured", number(&outcome, "half_latency_predicted"));
        // The library of the simulated ranks uses the same ring for long messages.
        near(&outcome, "library_over_ring.4194304", 1.0);
        near(&outcome, "library_ring_over_ring.1024", 1.0);
    }
}

#[test]
fn the_diagnosis_names_the_calibration_that_the_law_needs() {
    let (machine, links) = machine(4);
    let outcome = measure(Simulator::new(machine), "ring");
    assert!(said(&outcome, "the law needs α and β of a ring shift"), "{:?}", outcome.diagnosis);
    let same = Machine::lawful(32)
        .with(|machine| machine.links = Some(Links { bidirectional_factor: 1.0, ..links }));
    let outcome = measure(Simulator::new(same), "ring");
    assert!(said(&outcome, "both calibrations predict about equally"), "{:?}", outcome.diagnosis);
}

#[test]
fn calibrations_that_both_fail_are_no_finding() {
    let outcome = scaled(|label| if label.contains("algorithm: Ring") { 3.0 } else { 1.0 });
    assert!(said(&outcome, "Neither predicts within the tolerance"), "{:?}", outcome.diagnosis);
}

#[test]
fn a_ring_that_is_slower_than_its_messages_deviates() {
    let outcome = scaled(|label| if label.contains("algorithm: Ring") { 1.4 } else { 1.0 });
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "slower than predicted; worst: ring"), "{:?}", outcome.diagnosis);
    let outcome = scaled(|label| if label.contains("algorithm: Naive") { 0.5 } else { 1.0 });
    assert!(said(&outcome, "faster than predicted; worst: naive"), "{:?}", outcome.diagnosis);
}

#[test]
fn noise_among_messages_fails_a_control() {
    let outcome = scaled(|label| if label.contains("Shift") { f64::NAN } else { 1.0 });
    assert_eq!(outcome.verdict, Some(Verdict::Inconclusive));
    assert!(said(&outcome, "control `same` could not be read"), "{:?}", outcome.diagnosis);
}

#[test]
fn oversubscribed_ranks_leave_the_law_undecided() {
    let (machine, _) = machine(4);
    let oversubscribed = "host `a` runs 4 ranks on 2 cores";
    let ranks = Simulator::new(machine).appearing(|facts| {
        let ranks = facts.ranks.take();
        facts.ranks =
            ranks.map(|ranks| Ranks { oversubscribed: Some(oversubscribed.to_owned()), ..ranks });
    });
    let slow = ranks.distorting(|workload, span| {
        if workload.label().contains("algorithm: Ring") { 3.0 * span } else { span }
    });
    let outcome = measure(slow, "ring");
    assert_eq!(outcome.verdict, Some(Verdict::Inconclusive));
    assert!(said(&outcome, "4 ranks on 2 cores, so nothing is decided"), "{:?}", outcome.diagnosis);
    assert!(outcome.advice.is_empty(), "{:?}", outcome.advice);
}

#[test]
fn links_of_two_kinds_leave_only_rings_judged() {
    let (machine, _) = machine(4);
    let mixed = Simulator::new(machine).appearing(|facts| {
        let ranks = facts.ranks.take();
        facts.ranks = ranks.map(|ranks| Ranks { links_differ: true, ..ranks });
    });
    let outcome = measure(mixed, "ring");
    let judged: Vec<&str> = outcome.judged().map(|point| point.series.as_str()).collect();
    assert!(!judged.is_empty() && judged.iter().all(|series| series.starts_with("ring")));
    assert!(outcome.points.iter().any(|point| point.series.starts_with("naive")));
    assert!(said(&outcome, "shown and not judged"), "{:?}", outcome.diagnosis);
}

#[test]
fn a_process_alone_has_no_ring() {
    let alone = Machine::lawful(32).with(|machine| machine.links = None);
    let outcome = measure(Simulator::new(alone), "ring");
    assert_eq!(outcome.status, Status::Unsupported);
    assert!(
        outcome.reason.is_some_and(|reason| reason.contains("mpirun -n 2 warplaw run --only ring"))
    );
}
