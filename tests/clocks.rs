//! Clocks that lie: each is named in the record, and none is judged as if it were sound. No GPU.

mod sim;

use sim::{measure, params, said, suite};
use warplaw::model::{ClockKind, Record, Status, Verdict};
use warplaw::sim::{Machine, Simulator, StampFault};

fn lawful() -> Simulator {
    Simulator::new(Machine::lawful(16))
}

fn record_of(fault: StampFault) -> Record {
    suite(vec![lawful().stamping(fault)], &["lanes"])
}

/// Where no span, or none to speak of, can be had by stamps.
#[test]
fn stamps_that_are_no_spans_decide_nothing_and_are_named() {
    for (fault, name) in [
        (StampFault::Lost(1.0), "zero, as of a query that was never written"),
        (StampFault::Negative, "an end before its beginning"),
        (StampFault::Duplicated, "stamps that another span has too"),
        (StampFault::Frozen, "two stamps that are equal"),
    ] {
        let record = record_of(fault);
        let lanes = &record.experiments[0];
        assert_eq!(lanes.status, Status::Measured, "{fault:?}: {:?}", lanes.reason);
        assert_eq!(lanes.verdict, Some(Verdict::Inconclusive), "{fault:?}");
        assert_eq!(lanes.points, [], "{fault:?}");
        let faults = &record.clock.faults;
        assert!(faults.iter().any(|fault| fault.contains(name)), "{fault:?}: {faults:?}");
        assert!(said(lanes, name), "{fault:?}: {:?}", lanes.diagnosis);
        // What was not measured is absent, and that it was tried is not.
        let samples: Vec<_> = record.cases().flat_map(|case| &case.samples_s).collect();
        assert!(samples.len() > 100 && samples.iter().all(|sample| sample.is_none()), "{fault:?}");
    }
}

#[test]
fn a_clock_that_ticks_too_rarely_decides_nothing() {
    let record = record_of(StampFault::Coarse(65_536.0));
    assert_eq!(record.clock.resolution_ns, 65_536.0);
    assert!(record.clock.faults[0].contains("ticks every 65536 ns"), "{:?}", record.clock.faults);
    let lanes = &record.experiments[0];
    assert_eq!(lanes.verdict, Some(Verdict::Inconclusive));
    assert!(said(lanes, "too coarse, so nothing is decided"), "{:?}", lanes.diagnosis);
}

#[test]
fn a_clock_that_ticks_seldom_enough_is_believed_to_a_tick() {
    let record = record_of(StampFault::Coarse(1_000.0));
    assert_eq!(record.clock.resolution_ns, 1_000.0);
    assert_eq!(record.clock.faults, [""; 0]);
    assert_eq!(record.experiments[0].verdict, Some(Verdict::Holds));
}

#[test]
fn one_wrap_of_a_36_bit_counter_costs_one_span_and_is_named() {
    let record = record_of(StampFault::Wrapped { bits: 36, after_s: 0.5 });
    let lanes = &record.experiments[0];
    assert_eq!(lanes.verdict, Some(Verdict::Holds));
    assert!(said(lanes, "1 of ") && said(lanes, "a counter that wrapped around"));
    assert_eq!(record.cases().flat_map(|c| &c.samples_s).filter(|s| s.is_none()).count(), 1);
}

#[test]
fn few_lost_stamps_are_left_out_and_counted() {
    let outcome = measure(lawful().stamping(StampFault::Lost(0.05)), "lanes");
    let cases = &outcome.cases;
    assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.diagnosis);
    assert!(said(&outcome, "were rejected by the clock: stamps that are zero"));
    assert!(cases.iter().any(|case| case.samples_s.contains(&None)));
    assert!(cases.iter().flat_map(|case| &case.samples_s).flatten().all(|&span| span > 0.0));
}

#[test]
fn many_lost_stamps_decide_nothing() {
    let outcome = measure(lawful().stamping(StampFault::Lost(0.4)), "lanes");
    assert_eq!(outcome.verdict, Some(Verdict::Inconclusive));
}

#[test]
fn a_clock_that_runs_at_another_rate_than_the_hosts_is_not_believed() {
    for times in [0.5, 2.0] {
        let outcome = measure(lawful().stamping(StampFault::Scaled(times)), "lanes");
        assert_eq!(outcome.verdict, Some(Verdict::Inconclusive));
        assert!(said(&outcome, "control `clock` reads"), "{:?}", outcome.diagnosis);
    }
}

#[test]
fn a_period_that_cannot_be_leaves_the_hosts_clock_and_says_so() {
    for period_ns in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let record = suite(vec![lawful().ticking(period_ns)], &["lanes"]);
        assert_eq!(record.clock.kind, ClockKind::Host);
        assert!(record.clock.faults[0].contains(&format!("{period_ns} ns")));
        let text = serde_json::to_string(&record).expect("a record is JSON");
        serde_json::from_str::<Record>(&text).expect("what is written can be read");
        let lanes = &record.experiments[0];
        assert_ne!(lanes.verdict, Some(Verdict::Deviates), "{:#?}", lanes.points);
        assert!(said(lanes, "timed by the host's clock"), "{:?}", lanes.diagnosis);
    }
}

#[test]
fn a_clock_that_stands_still_makes_nothing_grow_into_a_watchdog() {
    let slow = Machine { slowness: 30.0, ..Machine::lawful(16) };
    let frozen = Simulator::new(slow).stamping(StampFault::Frozen);
    let record = suite(vec![frozen], &["lanes", "divergence"]);
    for outcome in &record.experiments {
        assert_eq!(outcome.status, Status::Measured, "{}: {:?}", outcome.id, outcome.reason);
        assert_eq!(outcome.verdict, Some(Verdict::Inconclusive));
    }
}

#[test]
fn a_point_that_lost_all_of_its_spans_is_not_passed_over() {
    let one_lost =
        lawful().distorting(
            |workload, span_s| {
                if params(workload).first() == Some(&2) { f64::NAN } else { span_s }
            },
        );
    let outcome = measure(one_lost, "lanes");
    assert_eq!(outcome.verdict, Some(Verdict::Inconclusive), "{:#?}", outcome.points);
    assert!(
        said(&outcome, "points that were timed and cannot be judged: 1"),
        "{:?}",
        outcome.diagnosis
    );
}
