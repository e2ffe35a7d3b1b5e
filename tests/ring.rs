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
        near(&outcome, "alpha.one_way", links.message_s);
        near(&outcome, "beta.one_way", links.byte_s);
        near(&outcome, "beta.both_ways", links.both_ways * links.byte_s);
        near(&outcome, "both_ways", links.both_ways);
        near(&outcome, "gamma", links.add_byte_s);
        near(&outcome, "beta", links.both_ways * links.byte_s + links.add_byte_s / 2.0);
        near(&outcome, "half_latency_measured", number(&outcome, "half_latency_predicted"));
        // The library of the simulated ranks uses the same ring for long messages.
        near(&outcome, "library_over_ring.4194304", 1.0);
        near(&outcome, "library_ring_over_ring.1024", 1.0);
    }
}

#[test]
fn the_diagnosis_says_that_messages_go_both_ways() {
    let (machine, links) = machine(4);
    let outcome = measure(Simulator::new(machine), "ring");
    assert!(said(&outcome, "the law needs messages that go both ways"), "{:?}", outcome.diagnosis);
    let same =
        Machine::lawful(32).with(|machine| machine.links = Some(Links { both_ways: 1.0, ..links }));
    let outcome = measure(Simulator::new(same), "ring");
    assert!(said(&outcome, "both calibrations predict about equally"), "{:?}", outcome.diagnosis);
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
fn a_doubt_about_the_ranks_leaves_the_law_undecided() {
    let (machine, _) = machine(4);
    let crowded = "host `a` runs 4 ranks on 2 cores";
    let doubted = Simulator::new(machine).appearing(|facts| {
        let ranks = facts.ranks.take();
        facts.ranks = ranks.map(|ranks| Ranks { doubt: Some(crowded.to_owned()), ..ranks });
    });
    let slow = doubted.distorting(|workload, span| {
        if workload.label().contains("algorithm: Ring") { 3.0 * span } else { span }
    });
    let outcome = measure(slow, "ring");
    assert_eq!(outcome.verdict, Some(Verdict::Inconclusive));
    assert!(said(&outcome, "4 ranks on 2 cores, so nothing is decided"), "{:?}", outcome.diagnosis);
    assert!(outcome.advice.is_empty(), "{:?}", outcome.advice);
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
