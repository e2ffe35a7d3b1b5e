//! Tests of `contention`, `dependence` and `allreduce` on the simulated device. No GPU is needed.
//!
//! The experiments find the planted costs. A device that breaks a law deviates, and the diagnosis names the
//! cause.

mod sim;

use sim::{measure, number, said};
use warplaw::experiments::dependence::law::{dependent_time, independent_time};
use warplaw::gpu::Workload;
use warplaw::model::{DeviceType, Experiment, Status, Verdict};
use warplaw::sim::{Machine, Simulator};

/// Returns the value of the metric `name`, which is a parameter of the law.
fn parameter(outcome: &Experiment, name: &str) -> f64 {
    outcome.number(name).unwrap_or_else(|| panic!("there is no parameter `{name}`"))
}

/// Returns whether `value` differs from `planted` by a relative error below `tolerance`.
fn is_near(value: f64, planted: f64, tolerance: f64) -> bool {
    (value / planted - 1.0).abs() < tolerance
}

/// Builds a simulated device on which `factor(label)` multiplies the time of the workload with that label.
fn scaled_by_label(machine: Machine, factor: impl Fn(&str) -> f64 + 'static) -> Simulator {
    Simulator::new(machine).distorting(move |workload, span| factor(workload.label()) * span)
}

/// Returns the number that follows `prefix` in a label.
fn number_in(label: &str, prefix: &str) -> Option<u32> {
    let digits = label.split(prefix).nth(1)?;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[test]
fn contention_finds_the_planted_costs_of_atomics() {
    let machine = Machine::lawful(16);
    let atomics = machine.atomics;
    let parallel_s = atomics.slice_s / f64::from(atomics.slices);
    let outcome = measure(Simulator::new(machine), "contention");
    for operation in ["add", "max"] {
        let of = |name: &str| parameter(&outcome, &format!("{name}.{operation}"));
        // The lanes of a subgroup make one request.
        assert!(is_near(16.0 * of("t_serial"), atomics.address_s, 0.02));
        assert!(is_near(of("t_request"), atomics.address_s, 0.02));
        assert!(is_near(of("t_parallel"), parallel_s, 0.02));
        let knee = atomics.address_s / parallel_s;
        assert!(is_near(number(&outcome, &format!("knee_predicted.{operation}")), knee, 0.03));
        let speed_up = number(&outcome, &format!("privatising_buys.{operation}"));
        let predicted = number(&outcome, &format!("privatising_buys_predicted.{operation}"));
        assert!(
            speed_up > 1.2 && is_near(speed_up, predicted, 0.05),
            "measured {speed_up}, predicted {predicted}"
        );
    }
    assert!(said(&outcome, "the compiler adds nothing"), "{:?}", outcome.diagnosis);
}

#[test]
fn a_compiler_that_combines_the_atomics_of_a_subgroup_is_diagnosed() {
    let executor =
        scaled_by_label(Machine::lawful(16), |label| if label.contains("One") { 0.1 } else { 1.0 });
    let outcome = measure(executor, "contention");
    assert!(said(&outcome, "add: where the compiler can see"), "{:?}", outcome.diagnosis);
    assert!(said(&outcome, "the compiler combines them"));
    assert_eq!(
        outcome.verdict,
        Some(Verdict::Holds),
        "the law applies to the atomics that the compiler cannot combine"
    );
}

/// The law counts requests. So it holds whatever the device merges, and the experiment says what that is.
#[test]
fn contention_tells_what_a_device_merges() {
    let merged = |factor: fn(f64) -> f64| {
        scaled_by_label(Machine::lawful(16), move |label| match number_in(label, "InTurn(") {
            Some(counters @ 1..=16) => factor(f64::from(counters)),
            _ if label.contains("ByBlock") => factor(1.0),
            _ => 1.0,
        })
    };
    // The machine merges the atomics of any lanes. On one that merges only those of all lanes, several counters get a
    // request of each lane.
    let all = merged(|counters| if counters > 1.0 { 16.0 / counters } else { 1.0 });
    let none = merged(|counters| 16.0 / counters);
    for (executor, words) in [
        (Simulator::new(Machine::lawful(16)), "are merged, however many there are"),
        (all, "if all 16 lanes of a subgroup use one address, their atomics take the time of one"),
        (none, "nothing merges them"),
    ] {
        let outcome = measure(executor, "contention");
        assert!(said(&outcome, words), "{words}: {:?}", outcome.diagnosis);
        let round_robin =
            outcome.points.iter().filter(|point| point.series.ends_with("round-robin"));
        let mut verdicts = round_robin.map(|point| point.verdict);
        assert!(
            verdicts.all(|verdict| verdict == Verdict::Holds),
            "{words}: {:#?}",
            outcome.points
        );
    }
}

#[test]
fn counters_that_move_between_the_caches_of_cores_deviate() {
    let executor =
        scaled_by_label(Machine::lawful(16), |label| match number_in(label, "InTurn(") {
            Some(counters @ 2..=32) => 3.0 * f64::from(counters),
            _ => 1.0,
        })
        .appearing(|facts| facts.device_type = DeviceType::Cpu);
    let outcome = measure(executor, "contention");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "it moves from cache to cache"), "{:?}", outcome.diagnosis);
}

#[test]
fn dependence_finds_the_planted_cost_of_a_dependency_and_the_planted_slots() {
    let machine = Machine::lawful(16);
    let queue = machine.queue;
    let outcome = measure(Simulator::new(machine), "dependence");
    assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.points);
    let of = |name: &str| parameter(&outcome, name);
    // The tolerance covers the workgroup of four subgroups that an empty dispatch also launches.
    assert!(is_near(of("alpha"), queue.dispatch_s, 0.05), "{}", of("alpha"));
    assert!(is_near(of("alpha_issue"), queue.issue_dispatch_s, 0.05));
    assert!(is_near(number(&outcome, "dispatches_in_flight"), queue.slots as f64, 0.02));
    let longest = outcome.points.iter().map(|point| point.x.value).fold(0.0, f64::max);
    let (t, issue) = (of("t_dispatch"), of("alpha_issue"));
    let independent = independent_time(longest, issue, t, queue.slots as f64) + of("alpha") - issue;
    let saved = (dependent_time(longest, of("alpha"), t) - independent) / longest;
    assert!(is_near(of("price_of_dependency"), saved, 0.02));
}

#[test]
fn software_and_metal_are_judged_by_the_serial_law() {
    let serial = Machine::lawful(16).with(|machine| {
        machine.queue.slots = 1;
        machine.queue.issues_ahead = false;
    });
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
        let outcome = measure(appear(serial.clone()), "dependence");
        assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.points);
        assert!(said(&outcome, reason) && said(&outcome, "the serial one here"));
        // A device that should be serial but overlaps dispatches deviates.
        let outcome = measure(appear(Machine::lawful(16)), "dependence");
        assert_eq!(outcome.verdict, Some(Verdict::Deviates));
        assert!(said(&outcome, "overlap after all"), "{:?}", outcome.diagnosis);
    }
}

#[test]
fn dispatches_on_parts_of_one_buffer_that_overlap_despite_the_barrier_deviate() {
    let executor = scaled_by_label(Machine::lawful(16), |label| {
        if label.contains("sharing: Buffer") { 0.5 } else { 1.0 }
    });
    let outcome = measure(executor, "dependence");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "side by side in spite of the"), "{:?}", outcome.diagnosis);
}

#[test]
fn allreduce_finds_the_planted_latency_and_bandwidth() {
    let machine = Machine::lawful(16);
    // A worker waits for its loads: four of 16 bytes in each of 256 invocations.
    let (waited_s, in_flight) = (machine.memory.levels[0].latency_s, 4.0 * 16.0 * 256.0);
    // Two workers move 2 bytes for each that they copy and 3 for each that they add.
    let per_byte_s = 2.0 * 2.5 / machine.memory.levels[0].bytes_per_s;
    let outcome = measure(Simulator::new(machine), "allreduce");
    assert!(is_near(parameter(&outcome, "beta"), (waited_s / in_flight).max(per_byte_s), 0.02));
    for workers in [2, 16] {
        let of = |how: &str| number(&outcome, &format!("half_latency_{how}.{workers}"));
        assert!(is_near(of("measured"), of("predicted"), 0.25), "{}", of("measured"));
    }
    let of = |how: &str| number(&outcome, &format!("ring_overtakes_doubling_{how}.16"));
    assert!(is_near(of("measured"), of("predicted"), 0.05), "{}", of("measured"));
    assert!(
        outcome.metric("ring_overtakes_doubling_predicted.2").is_none(),
        "with two workers the ring never overtakes recursive doubling"
    );
}

/// Returns the message size in words if the workload is a ring all-reduce.
fn ring_words(workload: &Workload) -> Option<u32> {
    let label = workload.label();
    label.contains("algorithm: Ring").then(|| number_in(label, "words: ")).flatten()
}

#[test]
fn steps_that_cost_more_than_an_empty_step_deviate_for_small_messages() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        if ring_words(workload).is_some_and(|words| words <= 4096) { 1.6 * span } else { span }
    });
    let outcome = measure(executor, "allreduce");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "Latency-bound all-reduces are slower"), "{:?}", outcome.diagnosis);
    assert!(!said(&outcome, "Bandwidth-bound"), "{:?}", outcome.diagnosis);
}

#[test]
fn bytes_that_cost_more_than_streamed_bytes_deviate_for_large_messages() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        if ring_words(workload).is_some_and(|words| words >= 1 << 20) { 1.6 * span } else { span }
    });
    let outcome = measure(executor, "allreduce");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "Bandwidth-bound all-reduces are slower"), "{:?}", outcome.diagnosis);
    assert!(!said(&outcome, "Latency-bound"), "{:?}", outcome.diagnosis);
}

#[test]
fn one_wrong_word_with_7_workers_fails_the_experiment() {
    let executor = Simulator::new(Machine::lawful(16)).corrupting(|workload, outputs| {
        if workload.label().contains("workers: 7") {
            *outputs.last_mut().expect("the workload has outputs") ^= 1;
        }
    });
    let outcome = measure(executor, "allreduce");
    assert_eq!(outcome.status, Status::Failed);
    assert!(outcome.reason.is_some_and(|reason| reason.contains("7") && reason.contains("wrong")));
}

#[test]
fn a_smaller_binding_limit_shrinks_the_messages_and_is_diagnosed() {
    let largest_message = |binding_bytes: u64| {
        let executor = Simulator::new(Machine::lawful(16))
            .appearing(|facts| facts.limits.binding_bytes = binding_bytes);
        let outcome = measure(executor, "allreduce");
        let cases = &outcome.cases;
        assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.diagnosis);
        assert!(cases.iter().all(|case| case.verified), "{:#?}", outcome.diagnosis);
        let bytes = outcome.points.iter().map(|p| p.x.value).fold(0.0, f64::max);
        (bytes, outcome)
    };
    let (unlimited, _) = largest_message(1 << 30);
    let (limited, outcome) = largest_message(16 << 20);
    assert!(limited < unlimited, "{limited} bytes with the smaller limit, {unlimited} without");
    assert!(
        said(&outcome, "16 MiB at most, which is the adapter's limit"),
        "{:?}",
        outcome.diagnosis
    );
}
