//! Tests of failing devices. The failed experiment gives the reason, the others still run, and the record
//! stays complete. No GPU is needed.

mod sim;

use std::sync::atomic::{AtomicBool, Ordering};

use sim::{measure, said, suite};
use warplaw::bench::{Profile, Progress, Session, run};
use warplaw::experiments::{REGISTRY, find};
use warplaw::gpu::{Contents, Workers, Workload};
use warplaw::model::{Experiment, Status, StoppedBy, Verdict};
use warplaw::sim::{DeviceFault, Machine, Noise, Simulator};

fn lawful() -> Simulator {
    Simulator::new(Machine::lawful(16))
}

/// Returns the reason why the experiment failed.
fn reason(experiment: &Experiment) -> &str {
    experiment.reason.as_deref().expect("the experiment has a reason")
}

#[test]
fn a_lost_device_fails_its_experiment_and_the_next_experiment_gets_a_new_device() {
    let lost = lawful().failing(DeviceFault::LostAfter(0.5));
    let record = suite(vec![lost, lawful()], &["width", "divergence", "lanes"]);
    let [width, divergence, lanes] = &record.experiments[..] else {
        panic!("expected three experiments")
    };
    assert_eq!((width.status, width.verdict), (Status::Failed, None));
    assert!(reason(width).contains("lost"), "{:?}", width.reason);
    for experiment in [divergence, lanes] {
        assert_eq!(experiment.verdict, Some(Verdict::Holds), "{}", experiment.id);
    }
    assert!(record.cases().all(|case| !case.id.starts_with("width")));
    let text = serde_json::to_string(&record).expect("a record is JSON");
    assert_eq!(
        serde_json::from_str::<warplaw::model::Record>(&text).expect("the record can be read"),
        record
    );
}

#[test]
fn without_a_new_device_the_remaining_experiments_fail_with_a_reason() {
    let lost = lawful().failing(DeviceFault::LostAfter(0.5));
    let record = suite(vec![lost], &["width", "divergence", "lanes"]);
    assert!(record.experiments.iter().all(|e| e.status == Status::Failed && !reason(e).is_empty()));
    assert!(reason(&record.experiments[2]).contains("no device is left"));
}

#[test]
fn a_hung_device_is_not_opened_again() {
    let hanging = lawful().failing(DeviceFault::HangsAfter(0.5));
    let record = suite(vec![hanging, lawful()], &["width", "lanes"]);
    assert!(reason(&record.experiments[0]).contains("did not finish within 30 s"));
    assert!(reason(&record.experiments[1]).contains("not opened again"));
    assert!(record.experiments.iter().all(|e| e.status == Status::Failed));
}

#[test]
fn a_device_of_another_name_does_not_replace_the_lost_device() {
    let lost = lawful().failing(DeviceFault::LostAfter(0.5));
    let other = lawful().appearing(|facts| facts.name = "Spare".to_owned());
    let record = suite(vec![lost, other], &["width", "lanes"]);
    assert_eq!(record.experiments[1].status, Status::Failed);
    assert!(reason(&record.experiments[1]).contains("`Spare` was opened in its place"));
}

#[test]
fn a_wrong_output_fails_an_interrupted_experiment() {
    let stop = AtomicBool::new(false);
    let wrong = lawful().corrupting(|workload, outputs| {
        if workload.label().starts_with("Chain") {
            outputs[0] ^= 1;
        }
    });
    let experiment = find("lanes").expect("the experiment is registered");
    let mut session =
        Session::open(Box::new(wrong), Profile::QUICK, 1).expect("the simulated device opens");
    let interrupt = &mut |progress: Progress| {
        stop.store(progress.done > 0.15, Ordering::Relaxed);
    };
    let outcome = run(&mut session, experiment, &stop, interrupt)
        .expect("the simulated device does not fail");
    assert_eq!(outcome.stopped_by, Some(StoppedBy::Interrupted));
    assert_eq!(outcome.status, Status::Failed, "{:?}", outcome.reason);
    assert!(reason(&outcome).contains("wrong output"));
}

#[test]
fn a_refused_workload_fails_only_its_experiment() {
    for (fault, message, failing) in [
        (
            DeviceFault::Uncompilable("branch_paths"),
            "`branch_paths` does not compile",
            "divergence",
        ),
        (DeviceFault::Invalid("contention"), "validation error", "contention"),
    ] {
        let ids = [failing, "lanes"];
        let record = suite(vec![lawful().failing(fault)], &ids);
        for outcome in &record.experiments {
            if outcome.id == failing {
                assert_eq!((outcome.status, outcome.verdict), (Status::Failed, None), "{message}");
                assert!(reason(outcome).contains(message), "{:?}", outcome.reason);
            } else {
                assert_eq!(outcome.verdict, Some(Verdict::Holds), "{}", outcome.id);
            }
        }
    }
}

#[test]
fn a_case_that_does_not_fit_is_left_out_and_the_others_are_judged() {
    let roomy = Machine::lawful(16).with(|machine| machine.binding_bytes = 1 << 31);
    let outcome = |device: Simulator| measure(device, "ceilings");
    let whole = outcome(Simulator::new(roomy.clone()));
    let cut = outcome(Simulator::new(roomy).failing(DeviceFault::OutOfMemory(64 << 20)));
    for id in ["read_gb_per_s.4_MiB", "triad_gb_per_s.4_MiB"] {
        assert!(cut.number(id).is_some(), "{id}");
    }
    assert!(whole.number("read_gb_per_s.512_MiB").is_some());
    assert_eq!(cut.number("read_gb_per_s.512_MiB"), None);
    assert_eq!((cut.status, cut.verdict), (Status::Measured, Some(Verdict::Holds)));
    assert!(said(&cut, "not timed: out of memory"), "{:?}", cut.diagnosis);
    assert!(cut.points.len() < whole.points.len());
}

/// The speeds range from 1000 times the speed of the lawful machine to a hundredth of its speed.
///
/// The fastest machine reads 10 TB/s. The slowest reads 100 MB/s and issues an instruction in 50 ns.
#[test]
fn at_any_speed_samples_stay_short_and_dispatches_within_the_watchdog() {
    for slowness in [1e-3, 1e-1, 1e1, 1e2] {
        // Spread and spikes are off, so that no sample takes longer than planned.
        let noise = Noise { spread: 0.0, spikes: 0.0, ..Noise::QUIET };
        let machine = Machine { slowness, noise, ..Machine::lawful(16) };
        for experiment in REGISTRY {
            let outcome = measure(Simulator::new(machine.clone()), experiment.id);
            assert_ne!(outcome.status, Status::Failed, "{}: {:?}", outcome.id, outcome.reason);
            // No watchdog ends a message between ranks.
            let most_s = if experiment.needs_ranks { 1.01 } else { 0.0505 };
            for case in &outcome.cases {
                let samples = case.samples_s.iter().flatten();
                let longest = samples.copied().reduce(f64::max).unwrap_or(0.0);
                assert!(
                    longest <= most_s,
                    "at slowness {slowness}, the longest sample of {} takes {longest} s",
                    case.id
                );
            }
        }
    }
}

#[test]
fn what_a_lost_device_has_found_is_not_searched_again() {
    let alone = suite(vec![lawful()], &["ceilings"]);
    let lost = lawful().failing(DeviceFault::LostAfter(alone.duration_s + 0.1));
    let record = suite(vec![lost, lawful()], &["ceilings", "lanes", "reduction"]);
    let statuses: Vec<Status> = record.experiments.iter().map(|e| e.status).collect();
    assert_eq!(statuses, [Status::Measured, Status::Failed, Status::Measured]);
    let searches = |index: usize| {
        let names = record.experiments[index].searches.iter().map(|search| search.name.as_str());
        names.collect::<Vec<_>>()
    };
    assert!(searches(0).contains(&"memory.read"), "{:?}", searches(0));
    assert_eq!(searches(2), ["reduction"]);
}

#[test]
fn an_experiment_that_needs_several_workers_gets_a_device_that_has_them() {
    let with = |count| {
        lawful().appearing(|facts| facts.workers = Some(Workers { count, adjustable: true }))
    };
    let record = suite(vec![with(1), with(4), with(1)], &["width", "amdahl", "lanes"]);
    let workers: Vec<Option<u32>> = record.experiments.iter().map(|e| e.workers).collect();
    let has_cores = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    // A machine of one core has no other device to offer.
    assert_eq!(
        workers,
        if has_cores { [Some(1), Some(4), Some(1)] } else { [Some(1), None, Some(1)] }
    );
}

#[test]
fn the_record_names_the_shader_compiler_of_the_device() {
    // One compiler for DX12 has neither subgroups nor 64-bit integers, so that figures of the two are not alike.
    let device =
        Simulator::new(Machine::lawful(16)).appearing(|facts| facts.compiler = Some("fxc"));
    let record = suite(vec![device], &["lanes"]);
    assert_eq!(record.adapter.compiler.as_deref(), Some("fxc"));
    let record = suite(vec![Simulator::new(Machine::lawful(16))], &["lanes"]);
    assert_eq!(record.adapter.compiler, None);
}

#[test]
fn a_slow_compiler_takes_no_time_from_sampling() {
    let rounds = |compile_s: f64| {
        let slow = Machine::lawful(16).with(|machine| machine.queue.compile_s = compile_s);
        let outcome = measure(Simulator::new(slow), "lanes");
        let costs = outcome.costs.expect("a measured experiment has costs");
        assert_eq!(costs.compiling_s >= 5.0, compile_s >= 5.0, "{} s", costs.compiling_s);
        outcome.rounds
    };
    assert_eq!(rounds(5.0), rounds(0.0));
}

#[test]
fn sampling_ends_when_only_a_spread_bound_keeps_points_undecided() {
    // Two paths take 6 % too long where 5 % is allowed. The noise spreads the ratio further than that, which no number
    // of samples changes.
    let noise = Noise { spread: 0.03, ..Noise::default() };
    let device = Simulator::new(Machine { noise, seed: 3, ..Machine::lawful(16) });
    let has_two_paths = |workload: &Workload| {
        workload.buffers().iter().any(|contents| match contents {
            Contents::Data(words) => {
                words.iter().min() == Some(&0) && words.iter().max() == Some(&1)
            }
            _ => false,
        })
    };
    let device =
        device.distorting(
            move |workload, sample_s| {
                if has_two_paths(workload) { 1.06 * sample_s } else { sample_s }
            },
        );
    let profile = Profile { budget_s: 60.0, ..Profile::QUICK };
    let mut session = Session::open(Box::new(device), profile, 3).expect("the device opens");
    let divergence = find("divergence").expect("the experiment is registered");
    let outcome = run(&mut session, divergence, &AtomicBool::new(false), &mut |_| ())
        .expect("the device works");
    assert_eq!(outcome.stopped_by, Some(StoppedBy::Exhausted));
    assert_eq!(outcome.verdict, Some(Verdict::Inconclusive));
    let costs = outcome.costs.expect("a measured experiment has costs");
    assert!(costs.sampling_s < profile.budget_s, "{} s", costs.sampling_s);
    assert!(!outcome.advice.iter().any(|a| a.contains("--budget")), "{:?}", outcome.advice);
}
