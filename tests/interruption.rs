//! Runs that are ended at any moment, politely and not: what was finished is on disk, and reads back.
//!
//! On lavapipe, as `tests/lavapipe.rs`. `WARPLAW_INTERRUPTIONS=50` makes it fifty moments for each signal.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use warplaw::model::{Status, read};

/// What ends a run, by its name and as `kill` knows it.
const SIGNALS: [&str; 3] = ["INT", "TERM", "KILL"];
/// Moments for each of them, unless the environment asks for more.
const MOMENTS: u32 = 3;
/// A run takes about so long once its first record is there, so that some are done before they are ended.
const RUN: Duration = Duration::from_millis(3_500);

fn start(out: &Path, seed: u64) -> Child {
    Command::new(env!("CARGO_BIN_EXE_warplaw"))
        .args(["run", "--quick", "--only", "width,lanes", "--backend", "vulkan"])
        .args(["--adapter", "llvmpipe", "--seed", &seed.to_string(), "--out"])
        .arg(out)
        .env("LP_NATIVE_VECTOR_WIDTH", "256")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs")
}

/// Waits until `done`, and panics where it takes unreasonably long.
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} takes more than a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn signal(child: &Child, signal: &str) {
    // The shell's own, which is there where no other is.
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status();
    assert!(sent.expect("a shell runs").success());
}

/// Files in the folder whose name ends like that.
fn ending(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder can be listed");
    let paths = entries.map(|entry| entry.expect("the folder can be listed").path());
    paths.filter(|path| path.to_string_lossy().ends_with(end)).collect()
}

#[test]
fn a_run_that_is_ended_at_any_moment_leaves_a_record() {
    if std::env::var_os("WARPLAW_SKIP_LAVAPIPE").is_some() {
        println!("SKIPPED because WARPLAW_SKIP_LAVAPIPE is set");
        return;
    }
    let asked = std::env::var("WARPLAW_INTERRUPTIONS").ok().and_then(|n| n.parse().ok());
    let moments = asked.unwrap_or(MOMENTS);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let folder = tempfile::tempdir().expect("a scratch folder can be made");
    let (mut readable, mut finished) = (0, 0);
    for name in SIGNALS {
        for moment in 0..moments {
            let out = folder.path().join(format!("{name}-{moment}.json"));
            let mut child = start(&out, u64::from(moment));
            wait_until("the first record", || out.exists());
            // The sleep of a moment, not a wait for anything.
            std::thread::sleep(RUN.mul_f64(rng.random::<f64>()));
            signal(&child, name);
            let mut status = None;
            wait_until("the end", || {
                status = child.try_wait().expect("the child can be waited for");
                status.is_some()
            });
            let record = read(&out).expect("what was finished reads back");
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
    let parts = ending(folder.path(), ".part").len();
    println!(
        "{readable} of {runs} records are readable, {finished} of them of runs that were done before;"
    );
    println!("{parts} hidden parts of a record were left by SIGKILL");
    assert_eq!(readable, runs);
    assert_eq!(ending(folder.path(), ".json").len(), runs);
    // Only what cannot clean up may leave something, and that is not called a record.
    assert!(parts <= moments as usize);
}
