//! The laws on a real SIMD machine: lavapipe, whose subgroups are as wide as it is told to make its
//! vectors. Each width runs in a process of its own, one at a time.
//!
//! `sh setup.sh` installs it where there is no GPU, `sh setup.sh --lavapipe` beside one.
//! `WARPLAW_SKIP_LAVAPIPE=1` skips these tests, out loud; on Linux nothing else does.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard};

use warplaw::model::{ClockKind, Experiment, Record, Status, Verdict, read};
use warplaw::stats::median;

const WIDTHS: [(u32, &str); 3] = [(4, "128"), (8, "256"), (16, "512")];

/// Two runs at once would measure each other.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn skipped() -> bool {
    let skipped = std::env::var_os("WARPLAW_SKIP_LAVAPIPE").is_some();
    if skipped {
        println!("SKIPPED because WARPLAW_SKIP_LAVAPIPE is set");
    }
    skipped
}

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("warplaw-lavapipe-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a scratch folder can be made");
    folder.join(name)
}

/// Runs the binary on lavapipe and reads its record.
fn run(name: &str, bits: &str, arguments: &[&str], variables: &[(&str, &Path)]) -> Record {
    let out = scratch(&format!("{name}-{bits}.json"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_warplaw"));
    command
        .args(["run", "--quick", "--backend", "vulkan", "--adapter", "llvmpipe", "--seed", "1"])
        .args(arguments)
        .arg("--out")
        .arg(&out)
        .env("LP_NATIVE_VECTOR_WIDTH", bits)
        // What the program sets by itself is for it to set.
        .env_remove("MESA_SHADER_CACHE_DISABLE")
        .envs(variables.iter().copied());
    let output = command.output().expect("the binary runs");
    assert!(
        output.status.success(),
        "{}\n(software Vulkan is installed by `sh setup.sh --lavapipe`)",
        String::from_utf8_lossy(&output.stderr)
    );
    read(&out).expect("a run leaves a record")
}

fn experiment<'a>(record: &'a Record, id: &str) -> &'a Experiment {
    let experiment = record.experiments.iter().find(|e| e.id == id).expect("it was asked for");
    assert_eq!(experiment.status, Status::Measured, "{id}: {:?}", experiment.reason);
    experiment
}

fn number(record: &Record, id: &str, name: &str) -> Option<f64> {
    experiment(record, id).number(name)
}

/// Experiments whose laws hold here, point for point.
const LAWFUL: [&str; 6] = ["width", "divergence", "lanes", "imbalance", "select", "amdahl"];

/// What is wrong with the laws in a record, if anything.
fn breach(record: &Record) -> Option<String> {
    LAWFUL.into_iter().find_map(|id| {
        let outcome = experiment(record, id);
        let residual = median(&outcome.residuals()).expect("there are points");
        let broken = residual >= 0.05 || outcome.verdict == Some(Verdict::Deviates);
        broken.then(|| format!("{id}: median residual {residual:.3}, {:?}", outcome.verdict))
    })
}

/// A broken law is broken in every run; a neighbour on the machine disturbs one, and is given three.
#[test]
fn the_laws_hold_at_every_width() {
    const RUNS: usize = 3;
    if skipped() {
        return;
    }
    let _alone = alone();
    for (width, bits) in WIDTHS {
        let width = f64::from(width);
        let mut breaches = Vec::new();
        while breaches.len() < RUNS {
            let record = run("laws", bits, &["--only", &LAWFUL.join(",")], &[]);
            assert_eq!(record.adapter.subgroup_size.observed.map(f64::from), Some(width));
            for name in ["effective_width", "width_by_granularity", "width_by_lanes"] {
                assert_eq!(number(&record, "width", name), Some(width), "{name} at {bits} bits");
            }
            assert!(record.cases().all(|case| case.verified));
            let Some(breach) = breach(&record) else {
                break;
            };
            println!("at {bits} bits: {breach}");
            breaches.push(breach);
        }
        assert!(breaches.len() < RUNS, "at {bits} bits, {RUNS} runs of {RUNS}: {breaches:#?}");
    }
}

/// What is not as it must be about latency and the knee with vectors of so many bits, if anything.
fn odd_knee(record: &Record, bits: &str) -> Option<String> {
    let outcome = experiment(record, "ilp");
    for word in ["u32", "f32"] {
        let seconds = |name: &str| outcome.number(&format!("{name}.{word}")).unwrap_or(f64::NAN);
        let (latency, issue) = (seconds("latency"), seconds("t_issue"));
        // Two dependent instructions of any CPU take a few tenths to a few nanoseconds. Chains that wait for one another
        // would issue at 1. A CPU without registers of 512 bits has two halves of each vector under way as it is, and
        // no room for twelve chains: it comes to 0.71 to 0.76 there.
        let most = if bits == "512" { 0.85 } else { 0.7 };
        if !((1e-10..1e-8).contains(&latency) && issue < most * latency) {
            return Some(format!("{word}: latency {latency} s, issue time {issue} s"));
        }
        let knee = |how: &str| number(record, "ilp", &format!("knee_{how}.{word}"));
        let predicted = knee("predicted").expect("both ends were timed");
        // The corner is round: it takes more chains than L/t to come near, and the speed-up stays below; but where
        // registers run out, the many chains that calibrate issue more slowly than a few.
        let best = number(record, "ilp", &format!("best_speed_up.{word}")).unwrap_or(f64::NAN);
        if let Some(measured) = knee("measured")
            && !(measured > predicted - 0.5 && (0.75..1.25).contains(&(best / predicted)))
        {
            return Some(format!(
                "{word}: knee {measured}, {predicted} predicted, {best}× at best"
            ));
        }
    }
    let mechanisms = ["the corner is round", "far from the knee", "less than predicted"];
    let names = |remark: &String| mechanisms.iter().any(|mechanism| remark.contains(mechanism));
    let diagnosed = outcome.diagnosis.iter().any(names);
    let undiagnosed = outcome.verdict == Some(Verdict::Deviates) && !diagnosed;
    undiagnosed.then(|| "it deviates and nobody knows why".to_owned())
}

/// The corner of its roofline is rounder than the law allows, so the verdict is not asked for.
#[test]
fn chains_hide_latency_up_to_the_knee_at_every_width() {
    const RUNS: usize = 3;
    if skipped() {
        return;
    }
    let _alone = alone();
    for (_, bits) in WIDTHS {
        let odd = (0..RUNS).map_while(|_| {
            let record = run("ilp", bits, &["--only", "ilp"], &[]);
            assert!(record.cases().all(|case| case.verified));
            odd_knee(&record, bits)
        });
        let odd: Vec<String> = odd.collect();
        assert!(odd.len() < RUNS, "at {bits} bits, {RUNS} runs of {RUNS}: {odd:#?}");
    }
}

/// What is not as it must be about coordination and busy hardware, if anything.
fn odd_coordination(record: &Record) -> Option<String> {
    let within = |what: &str, value: Option<f64>, range: std::ops::Range<f64>| {
        let value = value.unwrap_or(f64::NAN);
        (!range.contains(&value)).then(|| format!("{what}: {value}, not within {range:?}"))
    };
    let parameter = |id: &str, name: &str| number(record, id, name);
    let median_of = |id: &str| median(&experiment(record, id).residuals());
    let ratio = |id: &str, what: &str, of: &str| {
        let figure = |how: &str| number(record, id, &format!("{what}_{how}.{of}"));
        Some(figure("measured")? / figure("predicted")?)
    };
    let deviates = |id: &str| experiment(record, id).verdict == Some(Verdict::Deviates);
    let unexplained = |id: &str, mechanisms: &[&str]| {
        let diagnosis = &experiment(record, id).diagnosis;
        let names = |remark: &String| mechanisms.iter().any(|mechanism| remark.contains(mechanism));
        (deviates(id) && !diagnosis.iter().any(names))
            .then(|| format!("{id} deviates: {diagnosis:?}"))
    };
    // An atomic of one core takes a few nanoseconds, and cores in each other's way take longer.
    within("an atomic on one address", parameter("contention", "t_serial.add"), 1e-9..1e-7)
        .or_else(|| {
            within("privatising", number(record, "contention", "privatising_buys.add"), 0.5..50.0)
        })
        .or_else(|| {
            unexplained("contention", &["from cache to cache", "with a counter for each block"])
        })
        // This software runs dispatches one after another, dependent or not.
        .or_else(|| {
            within(
                "dispatches in flight",
                number(record, "dependence", "dispatches_in_flight"),
                0.8..1.25,
            )
        })
        .or_else(|| within("dependence", median_of("dependence"), 0.0..0.15))
        .or_else(|| within("a step", parameter("allreduce", "alpha"), 1e-6..1e-3))
        .or_else(|| within("allreduce", median_of("allreduce"), 0.0..0.25))
        .or_else(|| within("half latency", ratio("allreduce", "half_latency", "16"), 0.3..3.0))
        .or_else(|| {
            within("the crossover", ratio("allreduce", "ring_overtakes_doubling", "16"), 0.3..3.0)
        })
        .or_else(|| unexplained("allreduce", &["where latency rules", "where bandwidth rules"]))
        .or_else(|| within("occupancy", median_of("occupancy"), 0.0..0.05))
        .or_else(|| deviates("occupancy").then(|| "occupancy deviates".to_owned()))
        // No cache is as slow as memory.
        .or_else(|| {
            let latency = |size: &str| parameter("occupancy", &format!("latency_of_a_lane.{size}"));
            let times = latency("64_MiB").zip(latency("16_KiB")).map(|(far, near)| far / near);
            within("memory over cache", times, 3.0..1000.0)
        })
        .or_else(|| {
            within("hidden", number(record, "overlap", "hidden_share.write_buffer.2"), -1.0..1.25)
        })
        // One batch at a time is the sum of its parts; more hide what they can, and say how much.
        .or_else(|| {
            let alone = experiment(record, "overlap").points.iter().filter(|p| p.x.value == 1.0);
            alone
                .map(|p| p.ratio)
                .find_map(|ratio| within("one at a time", Some(ratio), 0.75..1.35))
        })
        .or_else(|| unexplained("overlap", &["of uploading and computing hides"]))
}

#[test]
fn coordination_and_busy_hardware_at_every_width() {
    const RUNS: usize = 3;
    const IDS: &str = "contention,dependence,allreduce,occupancy,overlap";
    if skipped() {
        return;
    }
    let _alone = alone();
    for (_, bits) in WIDTHS {
        let odd = (0..RUNS).map_while(|_| {
            let record = run("coordination", bits, &["--only", IDS], &[]);
            assert!(record.cases().all(|case| case.verified), "at {bits} bits");
            odd_coordination(&record)
        });
        let odd: Vec<String> = odd.inspect(|odd| println!("at {bits} bits: {odd}")).collect();
        assert!(odd.len() < RUNS, "at {bits} bits, {RUNS} runs of {RUNS}: {odd:#?}");
    }
}

/// Smaller limits than the adapter's make smaller sizes, and are in the record.
#[test]
fn portable_limits_are_enough_for_every_experiment() {
    if skipped() {
        return;
    }
    let _alone = alone();
    for (set, rest) in
        [("default", &["--only", "reduction,allreduce,occupancy"][..]), ("downlevel", &[])]
    {
        let record = run(set, "256", &[&["--limits", set], rest].concat(), &[]);
        assert_eq!(record.adapter.limits, set);
        for outcome in &record.experiments {
            assert_eq!(outcome.status, Status::Measured, "{}: {:?}", outcome.id, outcome.reason);
        }
        assert!(record.cases().all(|case| case.verified), "{set}");
    }
}

#[test]
fn a_poisoned_driver_cache_neither_deceives_nor_goes_unseen() {
    if skipped() {
        return;
    }
    let _alone = alone();
    let cache = scratch("cache");
    std::fs::create_dir_all(&cache).expect("a scratch folder can be made");
    let enabled = Path::new("false");
    let believing =
        [("MESA_SHADER_CACHE_DIR", cache.as_path()), ("MESA_SHADER_CACHE_DISABLE", enabled)];
    let only = ["--only", "width"];
    assert_eq!(
        number(&run("poison", "128", &only, &believing), "width", "effective_width"),
        Some(4.0)
    );
    // Left to itself the program does not believe the cache.
    let record = run("cured", "512", &only, &[("MESA_SHADER_CACHE_DIR", cache.as_path())]);
    assert_eq!(number(&record, "width", "effective_width"), Some(16.0));
    // Made to believe it, the program measures what the stale code does and says so.
    let record = run("deceived", "512", &only, &believing);
    if number(&record, "width", "effective_width") == Some(16.0) {
        println!("this Mesa is not deceived: its cache is keyed by the vector width");
    } else {
        let diagnosis = experiment(&record, "width").diagnosis.join("\n");
        assert!(diagnosis.contains("stale driver cache"), "{diagnosis}");
    }
}

#[test]
fn every_kernel_is_right_at_every_width() {
    const RUNS: usize = 3;
    const ENOUGH: f64 = 0.9;
    if skipped() {
        return;
    }
    let _alone = alone();
    // Another thread of this machine may take half of a core from some spans and not from others.
    let best_of = |share: f64, bits: &str| {
        let again = || {
            let record = run("kernels", bits, &["--only", "reduction"], &[]);
            number(&record, "reduction", "best_share_of_ceiling").unwrap_or(0.0)
        };
        (1..RUNS).fold(share, |best, _| if best > ENOUGH { best } else { best.max(again()) })
    };
    for (_, bits) in WIDTHS {
        let record = run("kernels", bits, &["--only", "batching,ceilings,reduction"], &[]);
        for id in ["batching", "ceilings", "reduction"] {
            let reason = &experiment(&record, id).reason;
            assert!(reason.is_none(), "{id} at {bits} bits: {reason:?}");
        }
        assert!(record.cases().all(|case| case.verified), "at {bits} bits");
        let share = number(&record, "reduction", "best_share_of_ceiling").expect("it is measured");
        let share = best_of(share, bits);
        assert!(share > ENOUGH, "the best reduction reads at {share} of the ceiling, {bits} bits");
    }
}

#[test]
fn the_host_clock_finds_the_same_width() {
    if skipped() {
        return;
    }
    let _alone = alone();
    let record = run("host", "256", &["--host-clock", "--only", "width"], &[]);
    assert_eq!(record.clock.kind, ClockKind::Host);
    assert_eq!(number(&record, "width", "effective_width"), Some(8.0));
}

#[test]
fn checked_shaders_are_recorded_as_such() {
    if skipped() {
        return;
    }
    let _alone = alone();
    let record = run("checked", "256", &["--checked", "--only", "lanes"], &[]);
    assert!(record.adapter.shader_checks);
    assert!(record.cases().all(|case| case.verified));
}

#[test]
fn an_interrupt_keeps_what_there_is_and_marks_the_rest() {
    if skipped() {
        return;
    }
    let _alone = alone();
    let out = scratch("interrupted.json");
    let mut child = Command::new(env!("CARGO_BIN_EXE_warplaw"))
        .args(["run", "--full", "--backend", "vulkan", "--adapter", "llvmpipe"])
        .args(["--only", "width,lanes,batching", "--out"])
        .arg(&out)
        .env("LP_NATIVE_VECTOR_WIDTH", "256")
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the binary runs");
    // Once the first experiment is on disk the second or third is under way.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let measured =
        |out: &Path| read(out).is_ok_and(|record| record.experiments[0].status == Status::Measured);
    while !measured(&out) {
        assert!(std::time::Instant::now() < deadline, "no record appeared");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.expect("kill runs").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let record = read(&out).expect("the record is whole");
    assert_eq!(record.experiments[0].status, Status::Measured);
    assert_eq!(record.experiments.len(), 3);
    assert_eq!(record.experiments[2].status, Status::Interrupted);
}
