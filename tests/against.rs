//! `run --against`: two builds measured in turn. The other build is a script that starts this one and may fail.
//!
//! What measures needs lavapipe, as `tests/lavapipe` does.

#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use warplaw::model::{Record, Schema, Status, read};

const WARPLAW: &str = env!("CARGO_BIN_EXE_warplaw");

/// Writes a script that starts warplaw. In `before`, `$1` is the subcommand, `$3` the experiment of `run`, and `$out`
/// the file of its record.
fn script(folder: &Path, before: &str) -> PathBuf {
    let path = folder.join("other build");
    let text = format!("#!/bin/sh\nfor out; do :; done\n{before}\nexec '{WARPLAW}' \"$@\"\n");
    std::fs::write(&path, text).expect("the script can be written");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&path, executable).expect("the script can be made executable");
    path
}

/// Returns the command that measures `only` against `other` in `folder`, with the record in `own.json`.
fn command(folder: &Path, other: &Path, only: &str) -> Command {
    let mut command = Command::new(WARPLAW);
    command
        .args(["run", "--quick", "--backend", "vulkan", "--adapter", "llvmpipe", "--only", only])
        .args(["--warm-up", "10ms", "--out", "own.json", "--against"])
        .arg(other)
        .current_dir(folder)
        .env("LC_ALL", "C.UTF-8")
        .env("LP_NATIVE_VECTOR_WIDTH", "256")
        .env_remove("LP_NUM_THREADS");
    command
}

fn measure(folder: &Path, other: &Path, only: &str) -> Output {
    command(folder, other, only).output().expect("the binary runs")
}

/// Asserts exit code 2 and one line of error with all of `words`.
fn assert_error(output: &Output, words: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let errors: Vec<&str> = stderr.lines().filter(|line| line.contains("error: ")).collect();
    assert_eq!(errors.len(), 1, "{stderr}");
    let line = errors[0];
    assert!(line.starts_with("error: ") && stderr.trim_end().ends_with(line), "{stderr}");
    for word in words {
        assert!(line.contains(word), "`{word}` is missing: {stderr}");
    }
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("the scratch folder can be created")
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder can be listed");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("the folder can be listed").file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

/// Returns the records of this build and of the other one.
fn records(folder: &Path) -> [Record; 2] {
    ["own.json", "own-against-other-build.json"]
        .map(|name| read(&folder.join(name)).expect("the record can be read"))
}

fn states(record: &Record) -> Vec<Status> {
    record.experiments.iter().map(|experiment| experiment.status).collect()
}

/// Returns whether `WARPLAW_SKIP_LAVAPIPE` is set, and prints a message if so.
fn skipped() -> bool {
    let skipped = std::env::var_os("WARPLAW_SKIP_LAVAPIPE").is_some();
    if skipped {
        println!("SKIPPED because WARPLAW_SKIP_LAVAPIPE is set");
    }
    skipped
}

#[test]
fn a_program_that_is_no_warplaw_is_refused_before_measuring() {
    let folder = scratch();
    let no_program = folder.path().join("text");
    std::fs::write(&no_program, "text").expect("the file can be written");
    let failing = script(folder.path(), "echo 'error: no driver' >&2; exit 4");
    let before = files(folder.path());
    for (other, words) in [
        (folder.path().join("missing"), &["missing`", "cannot be started"][..]),
        (no_program, &["text`", "cannot be started"]),
        (PathBuf::from("/bin/echo"), &["`/bin/echo`", "not warplaw"]),
        (failing, &["other build`", "exit code 4: no driver"]),
    ] {
        let output = measure(folder.path(), &other, "width");
        assert_error(&output, words);
        assert_error(&output, &["--against"]);
        assert_eq!(files(folder.path()), before, "{}", other.display());
    }
    let mut twice = command(folder.path(), Path::new("/bin/echo"), "width");
    let output = twice.args(["--adapter", "1"]).output().expect("the binary runs");
    assert_error(&output, &["--against", "2 times"]);
}

#[test]
fn two_builds_are_measured_in_turn_and_compared() {
    if skipped() {
        return;
    }
    let folder = scratch();
    // An older build that lacks an experiment, and tells what it was started with.
    let other = script(
        folder.path(),
        &format!(
            "if [ $1 = list ]; then '{WARPLAW}' \"$@\" | sed 's/\"lanes\"/\"later\"/'; exit; fi\n\
             echo \"$* threads=$LP_NUM_THREADS\" >> started"
        ),
    );
    let output = measure(folder.path(), &other, "width,lanes");
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stderr}");

    let [own, others] = records(folder.path());
    assert_eq!(states(&own), [Status::Measured, Status::Measured]);
    assert_eq!(states(&others), [Status::Measured, Status::Unsupported]);
    assert_eq!((own.seed, &own.tool.argv), (others.seed, &others.tool.argv));
    assert!(own.tool.argv.contains(&"--against".to_owned()), "{:?}", own.tool.argv);
    let started = std::fs::read_to_string(folder.path().join("started")).expect("it was started");
    assert_eq!(started.lines().count(), 1, "{started}");
    // The user has set no number of threads, so the other build may choose it.
    for word in
        ["run --only width --quick", "--warm-up=10000000ns", "--adapter=llvmpipe", "threads="]
    {
        assert!(started.contains(word), "{word}: {started}");
    }
    assert!(started.trim_end().ends_with("threads="), "{started}");

    let mut again = Command::new(WARPLAW);
    again.args(["compare", "own-against-other-build.json", "own.json"]).env("LC_ALL", "C.UTF-8");
    let compared = again.current_dir(folder.path()).output().expect("the binary runs").stdout;
    let compared = String::from_utf8_lossy(&compared);
    assert!(compared.contains("lanes (not in A)"), "{compared}");
    assert!(stdout.starts_with(&*compared), "{stdout}");
    assert!(stdout.contains("compare own-against-other-build.json own.json"), "{stdout}");

    // The records are those of another run now.
    assert_error(&measure(folder.path(), &other, "width"), &["own.json` exists"]);
}

#[test]
fn a_build_that_fails_ends_the_run_and_loses_no_result() {
    if skipped() {
        return;
    }
    let failing = "if [ \"$3\" = lanes ]; then echo 'error: planted' >&2; exit 3; fi";
    let version = Schema::VERSION.replace('.', "\\.");
    let later = format!(
        "if [ \"$3\" = lanes ]; then '{WARPLAW}' \"$@\" && sed -i 's/\"{version}\"/\"3.0.0\"/' \"$out\"; exit; fi"
    );
    let late = format!("if [ \"$3\" = lanes ]; then '{WARPLAW}' \"$@\"; exit 7; fi");
    let silent = "if [ \"$3\" = lanes ]; then exit 0; fi".to_owned();
    for (before, word) in [
        (failing.to_owned(), "exit code 3: planted"),
        (later, "schema version 3.0.0"),
        (late, "exit code 7"),
        (silent, "exit code 0 and no message"),
    ] {
        let folder = scratch();
        let other = script(folder.path(), &before);
        // The other build runs `lanes` first.
        let output = measure(folder.path(), &other, "width,lanes");
        assert_error(&output, &["other build failed at lanes", word, "own.json"]);
        for record in records(folder.path()) {
            assert_eq!(states(&record), [Status::Measured, Status::Interrupted], "{word}");
        }
    }
}

#[test]
fn an_interrupt_ends_both_builds_and_keeps_what_is_complete() {
    if skipped() {
        return;
    }
    let folder = scratch();
    // The script stays beside warplaw, as one does that cleans up.
    let other = script(
        folder.path(),
        &format!("if [ \"$3\" = lanes ]; then echo $$ > running; '{WARPLAW}' \"$@\"; exit; fi"),
    );
    let mut run = command(folder.path(), &other, "width,lanes,batching");
    let run = run.args(["--budget", "10min"]).stdout(std::process::Stdio::null());
    let mut run = run.stderr(std::process::Stdio::null()).spawn().expect("the binary runs");
    let start = Instant::now();
    let running = folder.path().join("running");
    while !running.exists() {
        assert!(start.elapsed() < Duration::from_secs(120), "`lanes` does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    let interrupt = Command::new("kill").args(["-INT", &run.id().to_string()]).status();
    assert!(interrupt.expect("kill runs").success());
    assert_eq!(run.wait().expect("the run can be waited for").code(), Some(130));
    let script = std::fs::read_to_string(&running).expect("the script has written its number");
    assert!(!Path::new("/proc").join(script.trim()).exists(), "the other build still runs");
    for record in records(folder.path()) {
        let expected = [Status::Measured, Status::Interrupted, Status::Interrupted];
        assert_eq!(states(&record), expected);
    }
}
