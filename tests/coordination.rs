//! `contention`, `dependence` and `allreduce` on the simulated device: prices that were planted are found, and
//! breaches are named. No GPU.

mod sim;

use sim::{measure, number, said};
use warplaw::gpu::Workload;
use warplaw::model::{DeviceType, Experiment, Status, Verdict};
use warplaw::sim::{Machine, Simulator};

fn parameter(outcome: &Experiment, name: &str) -> f64 {
    outcome.number(name).unwrap_or_else(|| panic!("no parameter {name}"))
}

fn is_near(value: f64, planted: f64, tolerance: f64) -> bool {
    (value / planted - 1.0).abs() < tolerance
}

/// A lawful machine on which workloads of some labels take so many times as long.
fn bent(machine: Machine, times: impl Fn(&str) -> f64 + 'static) -> Simulator {
    Simulator::new(machine).distorting(move |workload, span| times(workload.label()) * span)
}

/// The number behind `before` in a label.
fn number_in(label: &str, before: &str) -> Option<u32> {
    let digits = label.split(before).nth(1)?;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[test]
fn the_prices_of_atomics_are_those_that_were_planted() {
    let machine = Machine::lawful(16);
    let outcome = measure(Simulator::new(machine), "contention");
    for word in ["add", "max"] {
        let of = |name: &str| parameter(&outcome, &format!("{name}.{word}"));
        assert!(is_near(of("t_serial"), machine.costs.atomic_s, 0.02));
        assert!(is_near(of("t_parallel"), machine.costs.atomic_anywhere_s, 0.02));
        let knee = machine.costs.atomic_s / machine.costs.atomic_anywhere_s;
        assert!(is_near(number(&outcome, &format!("knee_predicted.{word}")), knee, 0.03));
        let buys = number(&outcome, &format!("privatising_buys.{word}"));
        let predicted = number(&outcome, &format!("privatising_buys_predicted.{word}"));
        assert!(buys > 2.0 && is_near(buys, predicted, 0.05), "{buys}, {predicted} predicted");
    }
    assert!(said(&outcome, "the compiler does not combine them"), "{:?}", outcome.diagnosis);
}

#[test]
fn a_driver_that_adds_up_a_subgroup_by_itself_is_seen() {
    let executor = bent(Machine::lawful(16), |label| if label.contains("One") { 0.1 } else { 1.0 });
    let outcome = measure(executor, "contention");
    assert!(said(&outcome, "add: where the compiler can see"), "{:?}", outcome.diagnosis);
    assert!(said(&outcome, "the compiler combines them"));
    assert_eq!(outcome.verdict, Some(Verdict::Holds), "what it sees is not what it cannot see");
}

#[test]
fn lanes_that_are_merged_on_one_address_deviate() {
    // Up to a subgroup's lanes every further counter only undoes a merger.
    let executor = bent(Machine::lawful(16), |label| match number_in(label, "InTurn(") {
        Some(counters @ 2..=16) => f64::from(counters),
        _ => 1.0,
    });
    let outcome = measure(executor, "contention");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "lanes of a subgroup on one address are merged"));
    assert!(!said(&outcome, "it moves from cache to cache"), "{:?}", outcome.diagnosis);
}

#[test]
fn counters_that_move_from_core_to_core_deviate() {
    let executor = bent(Machine::lawful(16), |label| match number_in(label, "InTurn(") {
        Some(counters @ 2..=32) => 3.0 * f64::from(counters),
        _ => 1.0,
    })
    .appearing(|facts| facts.device_type = DeviceType::Cpu);
    let outcome = measure(executor, "contention");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "it moves from cache to cache"), "{:?}", outcome.diagnosis);
}

#[test]
fn the_price_of_a_dependency_and_the_slots_are_those_that_were_planted() {
    let machine = Machine::lawful(16);
    let outcome = measure(Simulator::new(machine), "dependence");
    assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.points);
    let of = |name: &str| parameter(&outcome, name);
    // An empty dispatch launches a workgroup of four subgroups besides.
    assert!(is_near(of("alpha"), machine.costs.dispatch_s, 0.05), "{}", of("alpha"));
    assert!(is_near(of("alpha_issue"), machine.costs.issue_dispatch_s, 0.05));
    assert!(is_near(number(&outcome, "dispatches_in_flight"), machine.slots as f64, 0.02));
    // Of eight side by side seven wait for nothing.
    let saved = of("t_dispatch") * 7.0 / 8.0 + of("alpha") - of("alpha_issue");
    assert!(is_near(of("price_of_dependency"), saved, 0.02));
}

#[test]
fn software_and_metal_are_told_to_be_serial_and_judged_so() {
    let serial = Machine { slots: 1, ..Machine::lawful(16) };
    for (device_type, backend, reason) in [
        (DeviceType::Cpu, "vulkan", "software runs one dispatch after another"),
        (DeviceType::Integrated, "metal", "the pass's encoder is serial"),
    ] {
        let appear = |machine| {
            Simulator::new(machine).appearing(|facts| {
                facts.device_type = device_type;
                facts.backend = backend;
            })
        };
        let outcome = measure(appear(serial), "dependence");
        assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.points);
        assert!(said(&outcome, reason) && said(&outcome, "the serial one here"));
        // A device that was thought to be serial and is not is a finding.
        let outcome = measure(appear(Machine::lawful(16)), "dependence");
        assert_eq!(outcome.verdict, Some(Verdict::Deviates));
        assert!(said(&outcome, "overlap after all"), "{:?}", outcome.diagnosis);
    }
}

#[test]
fn parts_of_a_buffer_that_overlap_in_spite_of_their_barrier_deviate() {
    let executor =
        bent(
            Machine::lawful(16),
            |label| {
                if label.contains("sharing: Buffer") { 0.5 } else { 1.0 }
            },
        );
    let outcome = measure(executor, "dependence");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "side by side in spite of the"), "{:?}", outcome.diagnosis);
}

#[test]
fn latency_and_bandwidth_of_an_exchange_are_those_that_were_planted() {
    let machine = Machine::lawful(16);
    let outcome = measure(Simulator::new(machine), "allreduce");
    assert!(is_near(parameter(&outcome, "beta"), machine.costs.stream_byte_s, 0.02));
    for workers in [2, 16] {
        let of = |how: &str| number(&outcome, &format!("half_latency_{how}.{workers}"));
        assert!(is_near(of("measured"), of("predicted"), 0.25), "{}", of("measured"));
    }
    let of = |how: &str| number(&outcome, &format!("ring_overtakes_doubling_{how}.16"));
    assert!(is_near(of("measured"), of("predicted"), 0.05), "{}", of("measured"));
    assert!(
        outcome.metric("ring_overtakes_doubling_predicted.2").is_none(),
        "among two it never does"
    );
}

fn ring_steps(workload: &Workload) -> Option<u32> {
    let label = workload.label();
    label.contains("algorithm: Ring").then(|| number_in(label, "words: ")).flatten()
}

#[test]
fn steps_that_cost_more_than_an_empty_one_deviate_where_latency_rules() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        if ring_steps(workload).is_some_and(|words| words <= 4096) { 1.6 * span } else { span }
    });
    let outcome = measure(executor, "allreduce");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "where latency rules, steps take longer"), "{:?}", outcome.diagnosis);
    assert!(!said(&outcome, "where bandwidth rules"), "{:?}", outcome.diagnosis);
}

#[test]
fn bytes_that_cost_more_than_in_a_stream_deviate_where_bandwidth_rules() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        if ring_steps(workload).is_some_and(|words| words >= 1 << 20) { 1.6 * span } else { span }
    });
    let outcome = measure(executor, "allreduce");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "where bandwidth rules, bytes cost more"), "{:?}", outcome.diagnosis);
    assert!(!said(&outcome, "where latency rules"), "{:?}", outcome.diagnosis);
}

#[test]
fn one_worker_with_one_wrong_word_fails_the_experiment() {
    let executor = Simulator::new(Machine::lawful(16)).corrupting(|workload, outputs| {
        if workload.label().contains("workers: 7") {
            *outputs.last_mut().expect("there are outputs") ^= 1;
        }
    });
    let outcome = measure(executor, "allreduce");
    assert_eq!(outcome.status, Status::Failed);
    assert!(outcome.reason.is_some_and(|reason| reason.contains("7") && reason.contains("wrong")));
}

#[test]
fn a_smaller_limit_makes_messages_smaller_and_the_record_says_so() {
    let largest = |binding_bytes: u64| {
        let executor = Simulator::new(Machine::lawful(16))
            .appearing(|facts| facts.limits.binding_bytes = binding_bytes);
        let outcome = measure(executor, "allreduce");
        let cases = &outcome.cases;
        assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.diagnosis);
        assert!(cases.iter().all(|case| case.verified), "{:#?}", outcome.diagnosis);
        let most = outcome.points.iter().map(|p| p.x.value).fold(0.0, f64::max);
        (most, outcome)
    };
    let (most, _) = largest(1 << 30);
    let (fewer, outcome) = largest(16 << 20);
    assert!(fewer < most, "{fewer} of {most} bytes");
    assert!(
        said(&outcome, "16 MiB at most, which is the adapter's limit"),
        "{:?}",
        outcome.diagnosis
    );
}
