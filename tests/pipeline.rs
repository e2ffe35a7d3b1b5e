//! Tests of the full pipeline on the simulated device. No GPU is needed.
//!
//! The laws hold on a lawful device, and an unlawful device deviates. Noise or a faulty clock makes a verdict
//! inconclusive, and a wrong output fails the experiment.

mod sim;

use std::sync::atomic::AtomicBool;

use sim::{measure, measure_until, number, params, said, words};
use warplaw::bench::{Context, Profile, Untuned};
use warplaw::experiments::{REGISTRY, find};
use warplaw::gpu::{AdapterFacts, Contents, Executor, Workload};
use warplaw::model::Status;
use warplaw::model::Verdict;
use warplaw::sim::{Machine, Noise, Simulator};

#[test]
fn every_law_holds_on_a_lawful_machine() {
    for experiment in REGISTRY {
        let outcome = measure(Simulator::new(Machine::lawful(16)), experiment.id);
        let cases = &outcome.cases;
        assert_eq!(outcome.status, Status::Measured, "{}: {:?}", outcome.id, outcome.reason);
        let off: Vec<_> = outcome.points.iter().filter(|p| p.verdict != Verdict::Holds).collect();
        assert_eq!(outcome.verdict, Some(Verdict::Holds), "{}: {off:#?}", outcome.id);
        assert!(outcome.controls.iter().all(|control| control.passed));
        assert!(!outcome.points.is_empty() && cases.iter().all(|case| case.verified));
    }
}

#[test]
fn both_methods_find_every_width_from_4_to_64() {
    for width in [4, 8, 16, 32, 64] {
        let outcome = measure(Simulator::new(Machine::lawful(width)), "width");
        for name in ["effective_width", "width_by_granularity", "width_by_lanes", "reported_width"]
        {
            assert_eq!(number(&outcome, name), f64::from(width), "{name}");
        }
    }
}

#[test]
fn a_width_other_than_the_reported_one_is_found_and_explained() {
    let stale = Machine::lawful(16).with(|machine| machine.units.width = 4);
    let outcome = measure(Simulator::new(stale), "width");
    assert_eq!(number(&outcome, "effective_width"), 4.0);
    assert_eq!(number(&outcome, "reported_width"), 16.0);
    assert!(said(&outcome, "stale driver cache"), "{:?}", outcome.diagnosis);
}

#[test]
fn divergence_predicted_for_the_wrong_width_deviates() {
    let stale = Machine::lawful(16).with(|machine| machine.units.width = 4);
    let outcome = measure(Simulator::new(stale), "divergence");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "narrower than 16 lanes"), "{:?}", outcome.diagnosis);
}

/// Returns whether a buffer of the workload contains path selectors that start with 0, 1 and use only these.
fn takes_two_paths(workload: &Workload) -> bool {
    workload.buffers().iter().any(|contents| match contents {
        Contents::Data(words) => words[..2] == [0, 1] && words.iter().all(|&path| path < 2),
        _ => false,
    })
}

#[test]
fn branch_paths_compiled_to_selects_deviate_and_are_diagnosed() {
    let executor = Simulator::new(Machine::lawful(16))
        .distorting(|workload, span| if takes_two_paths(workload) { 0.6 * span } else { span });
    let outcome = measure(executor, "divergence");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "turned paths into selects"), "{:?}", outcome.diagnosis);
}

#[test]
fn lanes_that_are_not_free_deviate() {
    let half = Machine::lawful(16).with(|machine| machine.units.width = 8);
    let outcome = measure(Simulator::new(half), "lanes");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "lanes below 16 are not free"), "{:?}", outcome.diagnosis);
}

#[test]
fn dispatch_time_that_grows_with_the_batch_deviates_only_at_its_level() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        // Only this level has cases with 8 to 255 workgroups and 32 iterations. No other level and no control
        // has both.
        let medium = (8..256).contains(&workload.dispatches()[0].workgroups()[0]);
        if medium && params(workload).get(1) == Some(&32) { 2.0 * span } else { span }
    });
    let outcome = measure(executor, "batching");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "workgroups_per_dispatch: batches of "));
    let off = outcome.points.iter().filter(|point| point.verdict == Verdict::Deviates);
    assert!(off.into_iter().all(|point| point.series == "workgroups_per_dispatch"));
}

#[test]
fn batching_finds_the_planted_overheads() {
    let machine = Machine::lawful(16);
    let queue = machine.queue;
    let outcome = measure(Simulator::new(machine), "batching");
    for (level, planted) in [
        ("workgroups_per_dispatch", queue.dispatch_s),
        ("dispatches_per_pass", queue.pass_s),
        ("passes_per_submit", queue.submit_s),
        ("submits_per_wait", queue.wait_s),
        ("chunks_per_map", queue.map_s),
    ] {
        let alpha = number(&outcome, &format!("{level}.alpha"));
        assert!(
            (alpha / planted - 1.0).abs() < 0.1,
            "{level}: measured {alpha}, planted {planted}"
        );
    }
}

#[test]
fn imbalance_on_subgroups_narrower_than_reported_deviates() {
    let narrow = Machine::lawful(16).with(|machine| machine.units.width = 4);
    let outcome = measure(Simulator::new(narrow), "imbalance");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "narrower than 16 lanes"), "{:?}", outcome.diagnosis);
    assert!(!said(&outcome, "Sorted work also departs"), "{:?}", outcome.diagnosis);
}

#[test]
fn the_speed_up_by_sorting_is_as_predicted() {
    let outcome = measure(Simulator::new(Machine::lawful(16)), "imbalance");
    for spread in ["ramp", "straggler", "geometric"] {
        let speed_up = number(&outcome, &format!("sorting_buys.{spread}"));
        let predicted = number(&outcome, &format!("sorting_buys_predicted.{spread}"));
        assert!(
            speed_up > 1.3 && (speed_up / predicted - 1.0).abs() < 0.02,
            "{spread}: measured {speed_up}, predicted {predicted}"
        );
        assert!(number(&outcome, &format!("efficiency_shuffled.{spread}")) < 0.7, "{spread}");
    }
}

#[test]
fn an_extra_cost_of_divergence_deviates() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        let divergent = workload.buffers().iter().any(|contents| match contents {
            Contents::Data(words) => words.iter().any(|&word| word != 0 && word != u32::MAX),
            _ => false,
        });
        let branches = workload.label().starts_with("branch_long");
        if branches && divergent { 1.3 * span } else { span }
    });
    let outcome = measure(executor, "select");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "diverging itself has a price"), "{:?}", outcome.diagnosis);
}

#[test]
fn the_measured_crossover_is_near_the_predicted_one() {
    // A branch costs more than a selection by a twelfth of its paths.
    let dear = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        if workload.label().starts_with("branch_long") { 1.08 * span } else { span }
    });
    let outcome = measure(dear, "select");
    let measured = number(&outcome, "crossover_measured.64_trips");
    let predicted = number(&outcome, "crossover_predicted.64_trips");
    assert!((measured / predicted - 1.0).abs() < 0.2, "measured {measured}, predicted {predicted}");
}

#[test]
fn a_branch_and_a_branch_compiled_to_a_select_are_distinguished() {
    let branch = measure(Simulator::new(Machine::lawful(16)), "select");
    assert!(said(&branch, "still branches"), "{:?}", branch.diagnosis);
    let flat = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        let choices = params(workload).first().copied();
        let short = workload.label().starts_with("branch_short") && choices != Some(0);
        if short { 2e-3 } else { span }
    });
    let select = measure(flat, "select");
    assert!(said(&select, "runs both sides as a select does"), "{:?}", select.diagnosis);
}

#[test]
fn stages_that_slow_each_other_deviate() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        let iterations = |buffer: usize| words(workload, buffer).first().copied().unwrap_or(0);
        let mixed = workload.dispatches().len() == 2 && iterations(0) > 0 && iterations(1) > 0;
        let parallel = workload.dispatches().last().is_some_and(|d| d.workgroups()[0] > 1);
        if mixed && parallel { 1.4 * span } else { span }
    });
    let outcome = measure(executor, "amdahl");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "less than their stages alone allow"), "{:?}", outcome.diagnosis);
}

/// On 64 workers, 1 % of serial work takes 39 % of the time and cuts the speed-up from 64 to 39.3.
#[test]
fn many_workers_resolve_one_per_cent_of_serial_work() {
    let machine = Machine::lawful(16).with(|machine| machine.units.count = 64);
    let outcome = measure(Simulator::new(machine), "amdahl");
    assert_eq!(outcome.verdict, Some(Verdict::Holds), "{:#?}", outcome.diagnosis);
    // 1 / (0.01 + 0.99 / 64) = 39.3.
    assert!((number(&outcome, "best_speed_up.0.99") / 39.3 - 1.0).abs() < 0.05);
    assert!((number(&outcome, "hardware_workers") / 64.0 - 1.0).abs() < 0.05);
}

#[test]
fn points_beyond_the_hardware_workers_are_not_judged() {
    let machine = Machine::lawful(16);
    let outcome = measure(Simulator::new(machine), "amdahl");
    assert_eq!(outcome.verdict, Some(Verdict::Holds));
    assert!((number(&outcome, "hardware_workers") - 4.0).abs() < 0.1);
    assert!((number(&outcome, "ceiling.0.99") - 100.0).abs() < 1e-6);
    let ideal = outcome.points.iter().filter(|p| p.series.ends_with("ideal workers"));
    let beyond: Vec<_> = ideal.filter(|p| p.x.value > 4.0).collect();
    assert!(!beyond.is_empty() && beyond.iter().all(|p| !p.judged && p.measured < p.predicted));
}

#[test]
fn ilp_finds_the_planted_latency_and_knee() {
    let machine = Machine::lawful(16);
    let units = machine.units;
    let outcome = measure(Simulator::new(machine), "ilp");
    let planted_knee = units.latency_s / units.issue_s;
    for (number_type, instructions) in [("u32", 2.0), ("f32", 1.0)] {
        let latency = number(&outcome, &format!("latency.{number_type}"));
        let planted = instructions * units.latency_s;
        assert!((latency / planted - 1.0).abs() < 0.02, "{latency}");
        for how in ["predicted", "measured"] {
            let knee = number(&outcome, &format!("knee_{how}.{number_type}"));
            assert!((knee / planted_knee - 1.0).abs() < 0.03, "{how} {number_type}: {knee}");
        }
    }
}

#[test]
fn chains_that_are_slow_around_the_knee_deviate() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        let at_the_knee =
            ["chains: 3", "chains: 4"].iter().any(|chains| workload.label().contains(chains));
        if at_the_knee { 1.3 * span } else { span }
    });
    let outcome = measure(executor, "ilp");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "the corner is round"), "{:?}", outcome.diagnosis);
    assert!(!said(&outcome, "far from the knee"), "{:?}", outcome.diagnosis);
}

#[test]
fn a_reduction_slower_than_the_sum_of_its_parts_deviates() {
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        if workload.label().starts_with("tree_interleaved") { 2.5 * span } else { span }
    });
    let outcome = measure(executor, "reduction");
    assert_eq!(outcome.verdict, Some(Verdict::Deviates));
    assert!(said(&outcome, "tree_interleaved u32"), "{:?}", outcome.diagnosis);
}

#[test]
fn without_subgroup_operations_the_width_is_found_and_subgroup_reductions_are_left_out() {
    let machine = Machine { reported_width: None, ..Machine::lawful(8) };
    let width = measure(Simulator::new(machine.clone()), "width");
    assert_eq!(number(&width, "effective_width"), 8.0);
    assert!(width.metric("reported_width").is_none());
    let reduction = measure(Simulator::new(machine.clone()), "reduction");
    assert_eq!(reduction.status, Status::Measured);
    assert!(said(&reduction, "subgroup_then_atomic u32 is unsupported"));
    let divergence = measure(Simulator::new(machine), "divergence");
    assert_eq!(divergence.status, Status::Unsupported);
    assert!(divergence.reason.is_some_and(|reason| reason.contains("run all experiments")));
}

#[test]
fn a_noisy_machine_is_inconclusive() {
    let noise = Noise { spread: 0.35, spikes: 0.2, ..Noise::QUIET };
    let noisy = Machine { noise, ..Machine::lawful(16) };
    for id in [
        "divergence",
        "lanes",
        "imbalance",
        "select",
        "amdahl",
        "ilp",
        "contention",
        "dependence",
        "occupancy",
        "overlap",
    ] {
        let outcome = measure(Simulator::new(noisy.clone()), id);
        assert_eq!(outcome.verdict, Some(Verdict::Inconclusive), "{id}");
    }
}

#[test]
fn a_drifting_machine_is_inconclusive_and_diagnosed() {
    let noise = Noise { drift: 0.1, ..Noise::QUIET };
    let drifting = Machine { noise, ..Machine::lawful(16) };
    let outcome = measure(Simulator::new(drifting), "lanes");
    assert_eq!(outcome.verdict, Some(Verdict::Inconclusive));
    assert!(said(&outcome, "control `drift`"), "{:?}", outcome.diagnosis);
}

#[test]
fn the_linear_control_catches_preemption_of_long_samples() {
    // Samples of the experiment and of `control.multiple` take 1.5 ms, those of the canary a quarter of it.
    let executor = Simulator::new(Machine::lawful(16))
        .distorting(|_, span| if span > 0.8e-3 { 1.5 * span } else { span });
    let outcome = measure(executor, "lanes");
    assert_eq!(outcome.verdict, Some(Verdict::Inconclusive));
    assert!(said(&outcome, "control `linear`"), "{:?}", outcome.diagnosis);
}

#[test]
fn one_wrong_word_fails_the_experiment_and_its_case_is_never_timed() {
    let executor = Simulator::new(Machine::lawful(16)).corrupting(|workload, outputs| {
        if takes_two_paths(workload) {
            *outputs.last_mut().expect("the workload has outputs") ^= 1;
        }
    });
    let outcome = measure(executor, "divergence");
    let cases = &outcome.cases;
    assert_eq!((outcome.status, outcome.verdict), (Status::Failed, None));
    assert!(outcome.reason.is_some_and(|reason| reason.contains("wrong output: output[")));
    let wrong: Vec<_> = cases.iter().filter(|case| !case.verified).collect();
    assert!(!wrong.is_empty() && wrong.iter().all(|case| case.samples_s.is_empty()));
    assert!(!outcome.points.iter().any(|p| p.series == "interleaved" && p.x.value == 2.0));
}

#[test]
fn undecided_points_get_extra_rounds_and_decided_points_get_none() {
    // The point is off by nearly the tolerance, so no number of rounds moves its interval to one side.
    let noise = Noise { spread: 0.02, ..Noise::default() };
    let executor = Simulator::new(Machine { noise, seed: 3, ..Machine::lawful(16) }).distorting(
        |workload, span| {
            let active = params(workload).first().copied();
            let iterations = params(workload).get(1).copied();
            if (active, iterations) == (Some(2), Some(1024)) { span / 1.04 } else { span }
        },
    );
    let outcome = measure(executor, "lanes");
    let cases = &outcome.cases;
    assert_eq!(outcome.verdict, Some(Verdict::Inconclusive), "{:#?}", outcome.points);
    assert!(said(&outcome, "extra rounds for the cases of undecided points"));
    let rounds = |id: &str| {
        let case = cases.iter().find(|case| case.id == id);
        case.expect("the case exists").samples_s.len()
    };
    assert!(rounds("active.2") > rounds("active.8"), "extra rounds sample the undecided point");
    assert!(
        rounds("active.1") > rounds("active.8"),
        "extra rounds sample the case that predicts the point"
    );
    assert!(
        rounds("control.canary") > 2 * rounds("active.2"),
        "a round samples the controls several times"
    );
    assert_eq!(rounds("active.16"), outcome.rounds as usize);
    assert!(!said(&outcome, "rejected by the clock"), "{:?}", outcome.diagnosis);
}

#[test]
fn an_interrupted_experiment_has_its_status_and_no_verdict() {
    let outcome =
        measure_until(Simulator::new(Machine::lawful(16)), "lanes", &AtomicBool::new(true));
    assert_eq!((outcome.status, outcome.verdict), (Status::Interrupted, None));
}

#[test]
fn the_same_seeds_give_the_same_points_and_samples() {
    let once = measure(Simulator::new(Machine::lawful(16)), "lanes");
    let twice = measure(Simulator::new(Machine::lawful(16)), "lanes");
    assert_eq!(once.points, twice.points);
    assert_eq!(once.cases, twice.cases);
}

/// Returns a record of all experiments on a lawful machine.
fn full_record() -> warplaw::model::Record {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/record-1.0.0.json");
    let mut record = warplaw::model::read(golden.as_ref()).expect("the golden record is readable");
    record.experiments = REGISTRY
        .iter()
        .map(|experiment| measure(Simulator::new(Machine::lawful(16)), experiment.id))
        .collect();
    record
}

#[test]
fn the_device_card_has_a_row_for_every_headline_and_no_other() {
    let record = full_record();
    let report = warplaw::report::report(&record);
    let text = warplaw::report::render(&report, warplaw::report::Format::Markdown);
    let card = text.split("## Device card").nth(1).expect("the report has a device card");
    let card = card.split("\n## ").next().expect("a split gives at least one part");
    let metrics = record.experiments.iter().flat_map(|experiment| &experiment.metrics);
    let headlines: Vec<_> = metrics.filter(|metric| metric.headline).collect();
    for metric in &headlines {
        let label = metric.label.replace('_', "\\_");
        assert!(card.contains(&format!("| {label} |")), "the device card lacks `{label}`: {card}");
    }
    // The table has a header line, a separator line and one line per headline.
    assert_eq!(card.lines().filter(|line| line.starts_with('|')).count(), headlines.len() + 2);
    for experiment in &record.experiments {
        let has_headline = experiment.metrics.iter().any(|metric| metric.headline);
        assert!(has_headline, "{} has no headline", experiment.id);
    }
}

#[test]
fn a_machine_with_subgroups_of_one_lane_is_measured() {
    for id in [
        "width",
        "batching",
        "lanes",
        "divergence",
        "imbalance",
        "amdahl",
        "ilp",
        "contention",
        "dependence",
        "allreduce",
        "occupancy",
        "overlap",
    ] {
        let outcome = measure(Simulator::new(Machine::lawful(1)), id);
        assert_eq!(outcome.status, Status::Measured, "{id}: {:?}", outcome.reason);
    }
}

/// Each experiment shrinks its sizes to the limits or gives the reason why it cannot run. The device refuses
/// no planned case.
#[test]
fn small_limits_shrink_the_sizes_or_give_a_reason() {
    let small_workgroups: fn(&mut AdapterFacts) = |facts| facts.limits.max_workgroup_size = 128;
    let small_bindings: fn(&mut AdapterFacts) = |facts| facts.limits.binding_bytes = 16 << 20;
    // The limits are tested one at a time, because the reason for one would hide the effect of the other.
    let limited = [small_workgroups, small_bindings]
        .into_iter()
        .flat_map(|limit| REGISTRY.iter().map(move |experiment| (experiment, limit)));
    for (experiment, limit) in limited {
        let executor = Simulator::new(Machine::lawful(16)).appearing(limit);
        let outcome = measure(executor, experiment.id);
        let cases = &outcome.cases;
        match outcome.status {
            Status::Measured => assert!(
                cases.iter().all(|case| case.verified),
                "{}: {:#?}",
                outcome.id,
                outcome.diagnosis
            ),
            Status::Unsupported => {
                let reason = outcome.reason.expect("the experiment has a reason");
                assert!(
                    reason.contains("allows at most 128") || reason.contains("16 MiB"),
                    "{reason}"
                );
            }
            other => panic!("{}: {other:?}, {:?}", outcome.id, outcome.reason),
        }
    }
}

#[test]
fn without_a_readable_control_nothing_is_decided() {
    // All timestamps of `control.multiple` are lost, so the control `linear` has no value.
    let executor = Simulator::new(Machine::lawful(16)).distorting(|workload, span| {
        let is_multiple = workload.label().contains("active: 64, iterations: 4096");
        if is_multiple { f64::NAN } else { span }
    });
    let outcome = measure(executor, "lanes");
    assert_eq!(outcome.verdict, Some(Verdict::Inconclusive));
    assert!(said(&outcome, "control `linear` could not be read"), "{:?}", outcome.diagnosis);
}

#[test]
fn figures_print_as_formulas_of_their_cases() {
    let device = Simulator::new(Machine::lawful(8));
    let context = Context::new(device.facts(), &Profile::QUICK, 1, &Untuned);
    let context = Context { width: Some(8), ..context };
    let plan = (find("lanes").expect("the experiment is registered").plan)(&context)
        .expect("lanes can be planned");
    let formulas = plan.formulas();
    let of = |name: &str| {
        let found = formulas.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, formula)| formula.as_str())
    };
    let one = "(T[active.1] − T[active.1.floor]) / n[active.1]";
    assert_eq!(of("t_subgroup_step"), format!("{one} / 896"));
    assert_eq!(of("speed-up, 8, predicted"), "8");
    let measured = of("speed-up, 8, measured");
    assert!(
        measured.starts_with("8·(T[active.1]") && measured.contains("T[active.8]"),
        "{measured}"
    );
}
