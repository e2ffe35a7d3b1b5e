//! The program on a real device: its options, its streams, and the choice of the device.

use std::path::Path;
use std::process::Command;

use warplaw::model::{ClockKind, Status, read};

use crate::{BRIEF, alone, experiment, number, run, scratch, skipped};

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
        let record = run(set, "256", &[&["--limits", set], &BRIEF[..], rest].concat(), &[]);
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
