//! Tests of faulty clocks. The record names each fault, and no fault causes a false verdict.
//! No GPU is needed.

mod sim;

use sim::{measure, params, said, suite};
use warplaw::model::{ClockKind, Record, Status, Verdict};
use warplaw::sim::{Machine, Simulator, StampFault};

fn lawful() -> Simulator {
    Simulator::new(Machine::lawful(16))
}

/// Runs `lanes` on a lawful device whose timestamps have the fault.
fn record_of(fault: StampFault) -> Record {
    suite(vec![lawful().stamping(fault)], &["lanes"])
}

/// With these faults, no pair of timestamps gives a usable time.
#[test]
fn a_dead_clock_falls_back_to_the_host_clock_and_the_record_names_the_fault() {
    for (fault, name) in [
        (StampFault::Lost(1.0), "timestamps of zero, as from a query that was never written"),
        (StampFault::Negative, "an end timestamp before its begin timestamp"),
        (StampFault::Duplicated, "timestamps that are equal to those of another sample"),
        (StampFault::Frozen, "two equal timestamps"),
    ] {
        let record = record_of(fault);
        assert_eq!(record.clock.kind, ClockKind::Host, "{fault:?}");
        let faults = &record.clock.faults;
        assert!(faults.iter().any(|fault| fault.contains(name)), "{fault:?}: {faults:?}");
        let lanes = &record.experiments[0];
        assert_eq!(lanes.status, Status::Measured, "{fault:?}: {:?}", lanes.reason);
        assert_eq!(lanes.verdict, Some(Verdict::Holds), "{fault:?}: {:#?}", lanes.points);
        assert!(said(lanes, "timed by the host's clock"), "{fault:?}: {:?}", lanes.diagnosis);
    }
}

#[test]
fn a_clock_resolution_of_65_536_ns_decides_nothing() {
    let record = record_of(StampFault::Coarse(65_536.0));
    assert_eq!(record.clock.resolution_ns, 65_536.0);
    assert!(record.clock.faults[0].contains("ticks every 65536 ns"), "{:?}", record.clock.faults);
    let lanes = &record.experiments[0];
    assert_eq!(lanes.verdict, Some(Verdict::Inconclusive));
    assert!(said(lanes, "too coarse, so nothing is decided"), "{:?}", lanes.diagnosis);
}

#[test]
fn a_clock_resolution_of_1_000_ns_is_accepted_and_recorded() {
    let record = record_of(StampFault::Coarse(1_000.0));
    assert_eq!(record.clock.resolution_ns, 1_000.0);
    assert_eq!(record.clock.faults, [""; 0]);
    assert_eq!(record.experiments[0].verdict, Some(Verdict::Holds));
}

#[test]
fn one_wrap_of_a_36_bit_counter_rejects_one_sample_and_is_diagnosed() {
    let record = record_of(StampFault::Wrapped { bits: 36, after_s: 0.6 });
    let lanes = &record.experiments[0];
    assert_eq!(lanes.verdict, Some(Verdict::Holds));
    assert!(said(lanes, "1 of ") && said(lanes, "a counter that wrapped around"));
    assert_eq!(record.cases().flat_map(|c| &c.samples_s).filter(|s| s.is_none()).count(), 1);
}

#[test]
fn a_few_lost_timestamps_are_left_out_and_counted() {
    let outcome = measure(lawful().stamping(StampFault::Lost(0.05)), "lanes");
    let cases = &outcome.cases;
    assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.diagnosis);
    assert!(said(&outcome, "were rejected by the clock: timestamps of zero"));
    assert!(cases.iter().any(|case| case.samples_s.contains(&None)));
    assert!(
        cases.iter().flat_map(|case| &case.samples_s).flatten().all(|&sample_s| sample_s > 0.0)
    );
}

#[test]
fn many_lost_timestamps_decide_nothing() {
    let outcome = measure(lawful().stamping(StampFault::Lost(0.4)), "lanes");
    assert_eq!(outcome.verdict, Some(Verdict::Inconclusive));
}

#[test]
fn a_clock_that_disagrees_with_the_host_clock_decides_nothing() {
    for times in [0.5, 2.0] {
        let outcome = measure(lawful().stamping(StampFault::Scaled(times)), "lanes");
        assert_eq!(outcome.verdict, Some(Verdict::Inconclusive));
        assert!(said(&outcome, "control `clock` reads"), "{:?}", outcome.diagnosis);
    }
}

#[test]
fn an_invalid_timestamp_period_falls_back_to_the_host_clock_and_is_diagnosed() {
    for period_ns in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let record = suite(vec![lawful().ticking(period_ns)], &["lanes"]);
        assert_eq!(record.clock.kind, ClockKind::Host);
        assert!(record.clock.faults[0].contains(&format!("{period_ns} ns")));
        let text = serde_json::to_string(&record).expect("a record is JSON");
        serde_json::from_str::<Record>(&text).expect("the written record can be read");
        let lanes = &record.experiments[0];
        assert_ne!(lanes.verdict, Some(Verdict::Deviates), "{:#?}", lanes.points);
        assert!(said(lanes, "timed by the host's clock"), "{:?}", lanes.diagnosis);
    }
}

#[test]
fn a_stopped_clock_does_not_make_samples_grow_until_the_watchdog_acts() {
    let slow = Machine { slowness: 30.0, ..Machine::lawful(16) };
    let frozen = Simulator::new(slow).stamping(StampFault::Frozen);
    let record = suite(vec![frozen], &["lanes", "divergence"]);
    for outcome in &record.experiments {
        assert_eq!(outcome.status, Status::Measured, "{}: {:?}", outcome.id, outcome.reason);
        assert_ne!(outcome.verdict, Some(Verdict::Deviates), "{:#?}", outcome.points);
    }
}

#[test]
fn a_point_that_lost_all_of_its_samples_is_diagnosed() {
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
