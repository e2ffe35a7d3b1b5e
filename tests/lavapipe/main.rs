//! Tests on a real SIMD machine: lavapipe, Mesa's software Vulkan driver.
//!
//! `LP_NATIVE_VECTOR_WIDTH` sets the vector width of lavapipe and with it the subgroup size. Each width runs
//! in a separate process, one process at a time.
//!
//! `sh setup.sh` installs lavapipe on a machine without a GPU, and `sh setup.sh --lavapipe` on any machine.
//! `WARPLAW_SKIP_LAVAPIPE=1` skips these tests with a message. On Linux, nothing else skips them.

#![cfg(target_os = "linux")]

mod laws;
mod program;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard};

use warplaw::model::{Experiment, Record, Status, read};

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

/// Arguments for a run whose verdicts do not matter: each experiment takes the least number of rounds.
const BRIEF: [&str; 2] = ["--budget", "1s"];

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
