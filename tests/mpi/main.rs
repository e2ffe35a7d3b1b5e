//! `ring` under `mpirun`, on lavapipe: `cargo test --features mpi --test mpi`.
//!
//! These tests need Open MPI, which `sh setup.sh --mpi` installs. They assert no time, since several ranks share the cores.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use warplaw::model::{Record, Status, Verdict, read};
use warplaw::ranks::PATIENCE_S;

/// Transports of Open MPI: shared memory, and TCP over loopback.
const TRANSPORTS: [&str; 2] = ["vader,self", "tcp,self"];

const WARPLAW: &str = env!("CARGO_BIN_EXE_warplaw");

/// Returns the command that starts `ranks` processes of `program` in `folder`.
fn mpirun(folder: &Path, ranks: u32, transport: &str, program: &str) -> Command {
    let mut command = Command::new("mpirun");
    let count = ranks.to_string();
    command
        .args(["-n", &count, "--oversubscribe", "--mca", "btl", transport])
        .args(["--mca", "btl_tcp_if_include", "lo", program])
        .current_dir(folder)
        .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
        .env("LC_ALL", "C.UTF-8");
    command
}

fn run(folder: &Path, ranks: u32, transport: &str, program: &str, arguments: &[&str]) -> Output {
    let mut command = mpirun(folder, ranks, transport, program);
    command.args(arguments).output().expect("mpirun runs: sh setup.sh --mpi")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

/// Returns the lines of standard error that warplaw wrote about an error.
fn errors(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.lines().filter(|line| line.starts_with("error: ")).map(str::to_owned).collect()
}

fn record(path: &Path) -> Record {
    read(path).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_element_is_right_by_shared_memory_and_by_tcp_between_two_and_four_ranks() {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    for transport in TRANSPORTS {
        for ranks in 2..=4 {
            let folder = folder();
            let arguments =
                ["run", "--quick", "--only", "ring", "--budget", "1s", "--out", "r.json"];
            let output = run(folder.path(), ranks, transport, WARPLAW, &arguments);
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{ranks} ranks, {transport}: {text}");

            let record = record(&folder.path().join("r.json"));
            let described = record.ranks.as_ref().expect("the record describes the ranks");
            assert_eq!(described.members.len(), ranks as usize);
            assert!(described.library.starts_with("Open MPI"), "{}", described.library);
            let setting = format!("OMPI_MCA_btl={transport}");
            assert!(described.settings.contains(&setting), "{:?}", described.settings);
            let ring = &record.experiments[0];
            assert_eq!((ring.id.as_str(), ring.status), ("ring", Status::Measured));
            for case in &ring.cases {
                assert!(
                    case.verified,
                    "{ranks} ranks, {transport}: {}: {:?}",
                    case.id, case.failure
                );
            }
            // Open MPI can be told to use a ring.
            assert!(ring.cases.iter().any(|case| case.id.starts_with("library_ring.")));
            // One word is less than a word for each rank, and no rank count divides 10,007 words.
            for id in ["ring.4", "ring.40028", "ring.1048588"] {
                assert!(ring.cases.iter().any(|case| case.id == id), "{id} is missing");
            }
            if ranks > cores {
                assert_ne!(ring.verdict, Some(Verdict::Deviates));
                assert!(ring.diagnosis.iter().any(|line| line.contains("a rank that waits")));
            }
        }
    }
}

#[test]
fn a_run_that_cannot_be_is_refused_in_one_line() {
    let folder = folder();
    let refused = |ranks, arguments: &[&str], expected: &str| {
        let output = run(folder.path(), ranks, TRANSPORTS[0], WARPLAW, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let errors = errors(&output);
        assert!(errors.len() == 1 && errors[0].contains(expected), "{arguments:?}: {errors:?}");
    };
    refused(
        1,
        &["ring"],
        "`ring` needs at least two processes: mpirun -n 2 warplaw run --only ring",
    );
    refused(
        2,
        &["run", "--only", "ring,lanes"],
        "`ring` needs several processes, and other experiments need one",
    );
    refused(
        2,
        &["run", "--quick"],
        "mpirun started several processes, which would measure `width`",
    );
    refused(2, &["ring", "--only", "lanes"], "and other experiments need one");
    refused(2, &["ring", "--against", "other"], "leave out --against");
    refused(2, &["ring", "--adapter", "no such"], "no adapter matches `no such`");
    std::fs::write(folder.path().join("kept.json"), "{}").expect("a file can be written");
    refused(2, &["ring", "--out", "kept.json"], "`kept.json` exists and is not replaced");
}

#[test]
fn a_host_without_an_adapter_is_named() {
    let folder = folder();
    let script = folder.path().join("rank");
    let text = format!(
        "#!/bin/sh\n[ \"$OMPI_COMM_WORLD_RANK\" = 1 ] && export VK_DRIVER_FILES=/none VK_ICD_FILENAMES=/none \
         WGPU_BACKEND=vulkan\nexec {WARPLAW} \"$@\"\n"
    );
    std::fs::write(&script, text).expect("a file can be written");
    let script = script.to_string_lossy().into_owned();
    let made = Command::new("chmod").args(["+x", &script]).status();
    assert!(made.is_ok_and(|status| status.success()));
    let output = run(folder.path(), 2, TRANSPORTS[0], &script, &["ring"]);
    assert_eq!(output.status.code(), Some(2));
    let errors = errors(&output);
    assert!(errors.len() == 1 && errors[0].contains("rank 1 on host"), "{errors:?}");
}

/// Returns the processes of `mpirun` that run warplaw, by rank.
fn ranks_of(mpirun: u32) -> Vec<u32> {
    let list =
        Command::new("ps").args(["--ppid", &mpirun.to_string(), "-o", "pid=,comm="]).output();
    let text = String::from_utf8_lossy(&list.expect("ps runs").stdout).into_owned();
    let is_rank = |line: &&str| line.trim_end().ends_with("warplaw");
    let mut ranks: Vec<u32> = text
        .lines()
        .filter(is_rank)
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect();
    ranks.sort_unstable();
    ranks
}

#[test]
fn a_rank_that_dies_ends_the_run() {
    for (transport, victim) in [(TRANSPORTS[0], 1), (TRANSPORTS[1], 1), (TRANSPORTS[0], 0)] {
        let folder = folder();
        let child = mpirun(folder.path(), 2, transport, WARPLAW)
            .args(["ring", "--quick", "--budget", "60s", "--out", "r.json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("mpirun runs");
        let begun = Instant::now();
        // The record is there as soon as all ranks have opened their devices.
        while !folder.path().join("r.json").metadata().is_ok_and(|file| file.len() > 0) {
            assert!(begun.elapsed() < Duration::from_secs(PATIENCE_S), "the run does not begin");
            sleep(Duration::from_millis(20));
        }
        sleep(Duration::from_millis(300));
        let ranks = ranks_of(child.id());
        assert_eq!(ranks.len(), 2);
        let killed = Command::new("kill").args(["-9", &ranks[victim].to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()));
        let since = Instant::now();
        let output = child.wait_with_output().expect("mpirun ends");
        assert!(since.elapsed() < Duration::from_secs(PATIENCE_S), "{transport}, rank {victim}");
        assert!(!output.status.success());
        if victim > 0 {
            let errors = errors(&output);
            assert!(
                errors.len() == 1 && errors[0].contains("another process failed"),
                "{errors:?}"
            );
            assert!(!folder.path().join("r.json").exists(), "a record of nothing is left");
        }
    }
}
