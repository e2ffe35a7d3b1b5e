//! Runs that a signal ends at a random moment, with and without a chance to clean up. The record of the
//! finished experiments is on disk and can be read.
//!
//! The runs use lavapipe, as `tests/lavapipe` does. `WARPLAW_INTERRUPTIONS=50` ends 50 runs per signal.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use warplaw::model::{Status, read};

/// Names of the signals that end a run, as `kill` takes them.
const SIGNALS: [&str; 3] = ["INT", "TERM", "KILL"];
/// Interrupted runs per signal, unless `WARPLAW_INTERRUPTIONS` gives another number.
const MOMENTS: u32 = 2;
/// Upper bound of the delay between the first record and the signal. A run takes about as long, so some runs
/// finish before the signal.
const MAX_DELAY: Duration = Duration::from_millis(3_500);

/// Starts a run of two experiments that writes its record to `out`.
fn start(out: &Path, seed: u64) -> Child {
    Command::new(env!("CARGO_BIN_EXE_warplaw"))
        .args(["run", "--quick", "--only", "width,lanes", "--backend", "vulkan"])
        .args(["--adapter", "llvmpipe", "--seed", &seed.to_string(), "--force", "--out"])
        .arg(out)
        .env("LP_NATIVE_VECTOR_WIDTH", "256")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs")
}

/// Waits until `done` returns `true`.
///
/// # Panics
/// Panics after a minute. `what` names the awaited event.
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} takes more than a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Sends the signal to the process.
fn signal(child: &Child, signal: &str) {
    // `kill` is built into the shell, so no separate program is needed.
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status();
    assert!(sent.expect("a shell runs").success());
}

/// Returns the files in the folder whose names end with `suffix`.
fn files_ending(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder can be listed");
    let paths = entries.map(|entry| entry.expect("the folder can be listed").path());
    paths.filter(|path| path.to_string_lossy().ends_with(suffix)).collect()
}

#[test]
fn a_run_ended_by_a_signal_at_any_moment_leaves_a_readable_record() {
    if std::env::var_os("WARPLAW_SKIP_LAVAPIPE").is_some() {
        println!("SKIPPED because WARPLAW_SKIP_LAVAPIPE is set");
        return;
    }
    let requested = std::env::var("WARPLAW_INTERRUPTIONS").ok().and_then(|n| n.parse().ok());
    let moments = requested.unwrap_or(MOMENTS);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let folder = tempfile::tempdir().expect("the scratch folder can be created");
    let (mut readable, mut finished) = (0, 0);
    for name in SIGNALS {
        for moment in 0..moments {
            let out = folder.path().join(format!("{name}-{moment}.json"));
            let mut child = start(&out, u64::from(moment));
            wait_until("the first record", || out.exists());
            // The sleep picks the moment of the signal. It does not wait for an event.
            std::thread::sleep(MAX_DELAY.mul_f64(rng.random::<f64>()));
            signal(&child, name);
            let mut status = None;
            wait_until("the end of the run", || {
                status = child.try_wait().expect("the child can be waited for");
                status.is_some()
            });
            let record = read(&out).expect("the record can be read");
            readable += 1;
            let measured =
                record.experiments.iter().filter(|e| e.status == Status::Measured).count();
            let left =
                record.experiments.iter().filter(|e| e.status == Status::Interrupted).count();
            assert_eq!((measured + left, record.experiments.len()), (2, 2), "{name}");
            assert!(record.experiments.iter().all(|e| e.reason.is_some() || e.verdict.is_some()));
            finished += usize::from(left == 0);
            if name != "KILL" {
                let code = status.and_then(|status| status.code());
                assert!(
                    code == Some(130) || code == Some(0) && left == 0,
                    "{name}: {code:?}, {left} left"
                );
            }
        }
    }
    let runs = SIGNALS.len() * moments as usize;
    let parts = files_ending(folder.path(), ".part").len();
    println!(
        "{readable} of {runs} records are readable; {finished} of the runs finished before the signal;"
    );
    println!("SIGKILL left {parts} hidden temporary files");
    assert_eq!(readable, runs);
    assert_eq!(files_ending(folder.path(), ".json").len(), runs);
    // Only a run ended by SIGKILL cannot clean up. Its temporary file does not have the name of a record.
    assert!(parts <= moments as usize);
}
