//! Tests of the laws on a real SIMD machine: lavapipe, Mesa's software Vulkan driver.
//!
//! `LP_NATIVE_VECTOR_WIDTH` sets the vector width of lavapipe and with it the subgroup size. Each width runs
//! in a separate process, one process at a time.
//!
//! `sh setup.sh` installs lavapipe on a machine without a GPU, and `sh setup.sh --lavapipe` on any machine.
//! `WARPLAW_SKIP_LAVAPIPE=1` skips these tests with a message. On Linux, nothing else skips them.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard};

use warplaw::model::{ClockKind, Experiment, Record, Status, Verdict, read};
use warplaw::stats::median;

/// Subgroup sizes, and the vector widths in bits that give them.
const WIDTHS: [(u32, &str); 3] = [(4, "128"), (8, "256"), (16, "512")];

/// Returns a guard that allows one run at a time, because concurrent runs disturb each other's samples.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Returns whether `WARPLAW_SKIP_LAVAPIPE` is set, and prints a message if so.
fn skipped() -> bool {
    let skipped = std::env::var_os("WARPLAW_SKIP_LAVAPIPE").is_some();
    if skipped {
        println!("SKIPPED because WARPLAW_SKIP_LAVAPIPE is set");
    }
    skipped
}

/// Returns the path of a temporary file.
fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("warplaw-lavapipe-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the scratch folder can be created");
    folder.join(name)
}

/// Runs the binary on lavapipe with vectors of `bits` bits and returns the record.
fn run(name: &str, bits: &str, arguments: &[&str], variables: &[(&str, &Path)]) -> Record {
    let out = scratch(&format!("{name}-{bits}.json"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_warplaw"));
    command
        .args(["run", "--quick", "--backend", "vulkan", "--adapter", "llvmpipe", "--seed", "1"])
        .args(arguments)
        .args(["--force", "--out"])
        .arg(&out)
        .env("LP_NATIVE_VECTOR_WIDTH", bits)
        // The program sets this variable only if the environment does not, so the test removes it.
        .env_remove("MESA_SHADER_CACHE_DISABLE")
        .envs(variables.iter().copied());
    let output = command.output().expect("the binary runs");
    assert!(
        output.status.success(),
        "{}\n(`sh setup.sh --lavapipe` installs software Vulkan)",
        String::from_utf8_lossy(&output.stderr)
    );
    read(&out).expect("a run leaves a record")
}

/// Returns the experiment `id` of the record and asserts that it was measured.
fn experiment<'a>(record: &'a Record, id: &str) -> &'a Experiment {
    let experiment =
        record.experiments.iter().find(|e| e.id == id).expect("the record has the experiment");
    assert_eq!(experiment.status, Status::Measured, "{id}: {:?}", experiment.reason);
    experiment
}

/// Returns the value of the metric `name` of the experiment `id`, or `None` if the record has no such number.
fn number(record: &Record, id: &str, name: &str) -> Option<f64> {
    experiment(record, id).number(name)
}

/// Experiments whose laws hold on lavapipe at every point.
const LAWFUL: [&str; 6] = ["width", "divergence", "lanes", "imbalance", "select", "amdahl"];

/// Describes the first of the [`LAWFUL`] experiments that deviates or has a median residual of 5 % or more.
fn breach(record: &Record) -> Option<String> {
    LAWFUL.into_iter().find_map(|id| {
        let outcome = experiment(record, id);
        let residual = median(&outcome.residuals()).expect("the experiment has points");
        let broken = residual >= 0.05 || outcome.verdict == Some(Verdict::Deviates);
        broken.then(|| format!("{id}: median residual {residual:.3}, {:?}", outcome.verdict))
    })
}

/// Other load on the machine may disturb one run, so each width has up to three runs. A broken law fails in
/// all three.
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
        assert!(breaches.len() < RUNS, "at {bits} bits, all {RUNS} runs fail: {breaches:#?}");
    }
}

/// Describes the first implausible latency, issue time, knee or unexplained verdict of `ilp` with vectors of
/// `bits` bits.
fn implausible_knee(record: &Record, bits: &str) -> Option<String> {
    let outcome = experiment(record, "ilp");
    for number_type in ["u32", "f32"] {
        let seconds =
            |name: &str| outcome.number(&format!("{name}.{number_type}")).unwrap_or(f64::NAN);
        let (latency, issue) = (seconds("latency"), seconds("t_issue"));
        // On any CPU, two dependent instructions take from a few tenths of a nanosecond to a few nanoseconds.
        // The ratio of issue time to latency is 1 if chains wait for one another. A CPU without 512-bit
        // registers always has two halves of each vector in flight and lacks registers for twelve chains. Its
        // ratio is 0.71 to 0.76.
        let max_ratio = if bits == "512" { 0.85 } else { 0.7 };
        if !((1e-10..1e-8).contains(&latency) && issue < max_ratio * latency) {
            return Some(format!("{number_type}: latency {latency} s, issue time {issue} s"));
        }
        let knee = |how: &str| number(record, "ilp", &format!("knee_{how}.{number_type}"));
        let predicted = knee("predicted").expect("latency and issue time were measured");
        // The corner of the roofline is round: more chains than L/t are needed to come close to the peak, and
        // the speed-up stays below the peak. If registers run out, though, the many chains that calibrate the
        // issue time issue more slowly than a few chains.
        let best =
            number(record, "ilp", &format!("best_speed_up.{number_type}")).unwrap_or(f64::NAN);
        if let Some(measured) = knee("measured")
            && !(measured > predicted - 0.5 && (0.75..1.25).contains(&(best / predicted)))
        {
            return Some(format!(
                "{number_type}: measured knee {measured}, predicted knee {predicted}, best speed-up {best}×"
            ));
        }
    }
    let mechanisms = ["the corner is round", "far from the knee", "less than predicted"];
    let explains = |entry: &String| mechanisms.iter().any(|mechanism| entry.contains(mechanism));
    let explained = outcome.diagnosis.iter().any(explains);
    let unexplained = outcome.verdict == Some(Verdict::Deviates) && !explained;
    unexplained.then(|| "ilp deviates and no diagnosis explains why".to_owned())
}

/// The corner of lavapipe's roofline is rounder than the law allows, so the test does not require `holds`.
#[test]
fn chains_hide_latency_up_to_the_knee_at_every_width() {
    const RUNS: usize = 3;
    if skipped() {
        return;
    }
    let _alone = alone();
    for (_, bits) in WIDTHS {
        let faults = (0..RUNS).map_while(|_| {
            let record = run("ilp", bits, &["--only", "ilp"], &[]);
            assert!(record.cases().all(|case| case.verified));
            implausible_knee(&record, bits)
        });
        let faults: Vec<String> = faults.collect();
        assert!(faults.len() < RUNS, "at {bits} bits, all {RUNS} runs fail: {faults:#?}");
    }
}

/// Returns the largest swept value at which both series of the experiment have a point.
fn largest_common(record: &Record, id: &str, one: &str, other: &str) -> Option<f64> {
    let values = |series: &str| {
        let points = experiment(record, id).points.iter();
        points.filter(|p| p.series == series).map(|p| p.x.value).collect::<Vec<f64>>()
    };
    let others = values(other);
    values(one).into_iter().filter(|value| others.contains(value)).max_by(f64::total_cmp)
}

/// Describes the first implausible figure or unexplained verdict of the experiments in the categories
/// coordination and busy.
fn implausible_coordination(record: &Record) -> Option<String> {
    let within = |what: &str, value: Option<f64>, range: std::ops::Range<f64>| {
        let value = value.unwrap_or(f64::NAN);
        (!range.contains(&value)).then(|| format!("{what} is {value}, which is outside {range:?}"))
    };
    let metric = |id: &str, name: &str| number(record, id, name);
    let median_of = |id: &str| median(&experiment(record, id).residuals());
    let ratio = |id: &str, what: &str, of: &str| {
        let figure = |how: &str| number(record, id, &format!("{what}_{how}.{of}"));
        Some(figure("measured")? / figure("predicted")?)
    };
    let deviates = |id: &str| experiment(record, id).verdict == Some(Verdict::Deviates);
    let unexplained = |id: &str, mechanisms: &[&str]| {
        let diagnosis = &experiment(record, id).diagnosis;
        let explains =
            |entry: &String| mechanisms.iter().any(|mechanism| entry.contains(mechanism));
        (deviates(id) && !diagnosis.iter().any(explains))
            .then(|| format!("{id} deviates and no diagnosis explains why: {diagnosis:?}"))
    };
    // An atomic of one core takes a few nanoseconds. Atomics of cores that contend take longer.
    within("serial atomic time", metric("contention", "t_serial.add"), 1e-9..1e-7)
        .or_else(|| {
            within(
                "speed-up by privatising",
                metric("contention", "privatising_buys.add"),
                0.5..50.0,
            )
        })
        .or_else(|| {
            // By the machine, cores pass lines between their caches, or counters share hardware.
            let causes =
                ["from cache to cache", "with a counter for each block", "share more hardware"];
            unexplained("contention", &causes)
        })
        // lavapipe runs dispatches one after another, whether they are dependent or not.
        .or_else(|| {
            within("dispatches in flight", metric("dependence", "dispatches_in_flight"), 0.8..1.25)
        })
        .or_else(|| within("median residual of dependence", median_of("dependence"), 0.0..0.15))
        .or_else(|| within("all-reduce step overhead", metric("allreduce", "alpha"), 1e-6..1e-3))
        .or_else(|| within("median residual of allreduce", median_of("allreduce"), 0.0..0.25))
        .or_else(|| {
            within(
                "measured over predicted half-latency size",
                ratio("allreduce", "half_latency", "16"),
                0.3..3.0,
            )
        })
        .or_else(|| {
            let predicted = metric("allreduce", "ring_overtakes_doubling_predicted.16");
            // Without a crossover up to the largest message of both sweeps, the crossover is beyond that message.
            let measured =
                metric("allreduce", "ring_overtakes_doubling_measured.16").or_else(|| {
                    largest_common(record, "allreduce", "ring, 16 workers", "doubling, 16 workers")
                });
            let crossover =
                measured.zip(predicted).map(|(measured, predicted)| measured / predicted);
            within("measured over predicted crossover", crossover, 0.3..3.0)
        })
        .or_else(|| unexplained("allreduce", &["Latency-bound", "Bandwidth-bound"]))
        .or_else(|| within("median residual of occupancy", median_of("occupancy"), 0.0..0.05))
        .or_else(|| deviates("occupancy").then(|| "occupancy deviates".to_owned()))
        // Memory is slower than any cache.
        .or_else(|| {
            let latency = |size: &str| metric("occupancy", &format!("latency_of_a_lane.{size}"));
            let times = latency("64_MiB").zip(latency("16_KiB")).map(|(far, near)| far / near);
            within("memory latency over cache latency", times, 3.0..1000.0)
        })
        .or_else(|| {
            within(
                "hidden share of the upload",
                metric("overlap", "hidden_share.write_buffer.2"),
                -1.0..1.25,
            )
        })
        // One batch at a time takes the sum of its upload and its computation. More batches hide a part of
        // the upload, and the diagnosis gives the share.
        .or_else(|| {
            let serial = experiment(record, "overlap").points.iter().filter(|p| p.x.value == 1.0);
            serial.map(|p| p.ratio).find_map(|ratio| {
                within("measured over predicted serial time", Some(ratio), 0.75..1.35)
            })
        })
        .or_else(|| unexplained("overlap", &["of uploading and computing hides"]))
}

#[test]
fn coordination_and_busy_figures_are_plausible_at_every_width() {
    const RUNS: usize = 3;
    const IDS: &str = "contention,dependence,allreduce,occupancy,overlap";
    if skipped() {
        return;
    }
    let _alone = alone();
    for (_, bits) in WIDTHS {
        let faults = (0..RUNS).map_while(|_| {
            let record = run("coordination", bits, &["--only", IDS], &[]);
            assert!(record.cases().all(|case| case.verified), "at {bits} bits");
            implausible_coordination(&record)
        });
        let faults: Vec<String> =
            faults.inspect(|fault| println!("at {bits} bits: {fault}")).collect();
        assert!(faults.len() < RUNS, "at {bits} bits, all {RUNS} runs fail: {faults:#?}");
    }
}

/// Limits below those of the adapter shrink the sizes of an experiment. The record names the set of limits.
#[test]
fn portable_limits_suffice_for_every_experiment() {
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
fn a_stale_driver_cache_is_ignored_or_diagnosed() {
    if skipped() {
        return;
    }
    let _alone = alone();
    let cache = scratch("cache");
    std::fs::create_dir_all(&cache).expect("the scratch folder can be created");
    let enabled = Path::new("false");
    let with_cache =
        [("MESA_SHADER_CACHE_DIR", cache.as_path()), ("MESA_SHADER_CACHE_DISABLE", enabled)];
    let only = ["--only", "width"];
    assert_eq!(
        number(&run("poison", "128", &only, &with_cache), "width", "effective_width"),
        Some(4.0)
    );
    // By default the program disables the cache.
    let record = run("cured", "512", &only, &[("MESA_SHADER_CACHE_DIR", cache.as_path())]);
    assert_eq!(number(&record, "width", "effective_width"), Some(16.0));
    // With the cache enabled, the program measures the stale code and diagnoses it.
    let record = run("deceived", "512", &only, &with_cache);
    if number(&record, "width", "effective_width") == Some(16.0) {
        println!(
            "this version of Mesa keys its cache by the vector width, so the cache is not stale"
        );
    } else {
        let diagnosis = experiment(&record, "width").diagnosis.join("\n");
        assert!(diagnosis.contains("stale driver cache"), "{diagnosis}");
    }
}

#[test]
fn every_kernel_is_correct_and_the_best_reduction_is_near_the_ceiling_at_every_width() {
    const RUNS: usize = 3;
    const MIN_SHARE: f64 = 0.9;
    if skipped() {
        return;
    }
    let _alone = alone();
    // Another process may take half of a core during some samples only, so a low share is measured again.
    let best_of = |share: f64, bits: &str| {
        let measure_again = || {
            let record = run("kernels", bits, &["--only", "reduction"], &[]);
            number(&record, "reduction", "best_share_of_ceiling").unwrap_or(0.0)
        };
        (1..RUNS)
            .fold(share, |best, _| if best > MIN_SHARE { best } else { best.max(measure_again()) })
    };
    for (_, bits) in WIDTHS {
        let record = run("kernels", bits, &["--only", "batching,ceilings,reduction"], &[]);
        for id in ["batching", "ceilings", "reduction"] {
            let reason = &experiment(&record, id).reason;
            assert!(reason.is_none(), "{id} at {bits} bits: {reason:?}");
        }
        assert!(record.cases().all(|case| case.verified), "at {bits} bits");
        let share =
            number(&record, "reduction", "best_share_of_ceiling").expect("the share is measured");
        let share = best_of(share, bits);
        assert!(
            share > MIN_SHARE,
            "at {bits} bits, the best reduction reads at {share} of the ceiling"
        );
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
fn the_record_marks_runs_with_checked_shaders() {
    if skipped() {
        return;
    }
    let _alone = alone();
    let record = run("checked", "256", &["--checked", "--only", "lanes"], &[]);
    assert!(record.adapter.shader_checks);
    assert!(record.cases().all(|case| case.verified));
}

#[test]
fn an_interrupt_keeps_finished_experiments_and_marks_the_others() {
    if skipped() {
        return;
    }
    let _alone = alone();
    let out = scratch("interrupted.json");
    let mut child = Command::new(env!("CARGO_BIN_EXE_warplaw"))
        .args(["run", "--full", "--backend", "vulkan", "--adapter", "llvmpipe"])
        .args(["--only", "width,lanes,batching", "--force", "--out"])
        .arg(&out)
        .env("LP_NATIVE_VECTOR_WIDTH", "256")
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the binary runs");
    // When the first experiment is on disk, the second or the third is running.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let measured =
        |out: &Path| read(out).is_ok_and(|record| record.experiments[0].status == Status::Measured);
    while !measured(&out) {
        assert!(
            std::time::Instant::now() < deadline,
            "no record of the first experiment appeared within 60 s"
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.expect("kill runs").success());
    assert_eq!(child.wait().expect("the child can be waited for").code(), Some(130));
    let record = read(&out).expect("the record can be read");
    assert_eq!(record.experiments[0].status, Status::Measured);
    assert_eq!(record.experiments.len(), 3);
    assert_eq!(record.experiments[2].status, Status::Interrupted);
}

#[test]
fn a_run_whose_output_nobody_reads_is_measured_to_its_end() {
    if skipped() {
        return;
    }
    let _alone = alone();
    for (name, streams) in
        [("pipe", "2>&1 | true"), ("closed", ">&- 2>&-"), ("full", "> /dev/full 2>&1")]
    {
        let out = scratch(&format!("unread-{name}.json"));
        let binary = env!("CARGO_BIN_EXE_warplaw");
        let run =
            "run --quick --backend vulkan --adapter llvmpipe --only width,lanes --force --out";
        let script = format!("'{binary}' {run} '{}' {streams}", out.display());
        let status = Command::new("bash").args(["-c", &script]).status().expect("bash runs");
        let record = read(&out).expect("the record is complete");
        for outcome in &record.experiments {
            assert_eq!(outcome.status, Status::Measured, "{name}, {status}: {}", outcome.id);
        }
    }
}

/// Mesa's driver for AMD makes a null device for its developers.
#[test]
fn a_null_device_is_never_chosen_by_itself_and_refused_by_name() {
    if skipped() {
        return;
    }
    let warplaw = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_warplaw"))
            .args(arguments)
            .env("RADV_FORCE_FAMILY", "gfx1100")
            .env("AMD_FORCE_FAMILY", "gfx1100")
            .output()
            .expect("the binary runs")
    };
    let listed = String::from_utf8_lossy(&warplaw(&["adapters"]).stdout).into_owned();
    if !listed.contains("Null hardware") {
        println!("this machine has no driver for AMD, so there is no null device to refuse");
        return;
    }
    assert!(!listed.lines().next().expect("there is an adapter").contains("Null"), "{listed}");
    let refused = warplaw(&["run", "--quick", "--adapter", "null hardware"]);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{error}");
    assert!(error.contains("executes nothing") && error.contains("RADV_FORCE_FAMILY"), "{error}");
}

#[test]
fn adapters_as_json_have_the_numbers_that_the_option_takes() {
    if skipped() {
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_warplaw"))
        .args(["adapters", "--format", "json"])
        .output()
        .expect("the binary runs");
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(list["schema"]["name"], "warplaw-adapters");
    let adapters = list["adapters"].as_array().expect("an array");
    for (number, adapter) in adapters.iter().enumerate() {
        assert_eq!(adapter["number"], number);
        assert!(adapter["name"].is_string() && adapter["backend"].is_string(), "{adapter}");
    }
    let number = adapters
        .iter()
        .position(|adapter| adapter["backend"] == "vulkan" && adapter["driver"] == "llvmpipe");
    let number = number.expect("lavapipe is installed").to_string();
    let out = scratch("by-number.json");
    let status = Command::new(env!("CARGO_BIN_EXE_warplaw"))
        .args(["run", "--quick", "--only", "lanes", "--adapter", &number, "--force", "--out"])
        .arg(&out)
        .output()
        .expect("the binary runs")
        .status;
    assert!(status.success());
    assert_eq!(read(&out).expect("a record").adapter.driver, "llvmpipe");
}
