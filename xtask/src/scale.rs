//! How the time and memory of a run grow with its cases and rounds, and those of `report` and `compare` with the number
//! of records. Also how soon a quick run has its first verdict, how large the program is, and how long a cold build
//! takes.
//!
//! Each measured command runs in a process of its own. Linux reports the peak memory of a process; on other systems
//! that column stays empty.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use warplaw::bench::{
    CaseId, Context, Experiment, Plan, Profile, Session, Sizing, Tolerance, Unsupported, run,
};
use warplaw::gpu::WantedWorkers;
use warplaw::kernels::chain::Chain;
use warplaw::model::figures::{per_cent, short};
use warplaw::model::{Category, Costs};
use warplaw::report::Table;
use warplaw::sim::{Machine, Simulator};

use crate::page::{Page, seconds};

/// First argument of a child process that runs cases on the simulated device.
pub(crate) const CHILD: &str = "--run-cases";

static CASES: AtomicU32 = AtomicU32::new(0);

/// Declares as many cases as [`CASES`] says. Each case after the first is a point that its predecessor predicts.
fn plan(_: &Context<'_>) -> Result<Plan, Unsupported> {
    let mut plan = Plan::default();
    let series = plan.series("all", ("case", ""), "s");
    let mut before: Option<CaseId> = None;
    for index in 0..CASES.load(Ordering::Relaxed) {
        let own = Sizing::Own { granule: 4, most: 4096 };
        let case = plan.case(format!("case.{index}"), own, |workgroups| {
            Chain { workgroup_size: 64, active: 64, iterations: 64, workgroups, seed: 1 }.workload()
        });
        if let Some(before) = before.replace(case) {
            plan.judge(series, f64::from(index), case.per_unit(), before.per_unit());
        }
    }
    Ok(plan)
}

/// Runs `cases` cases for `rounds` rounds on the simulated device, whose samples cost no time.
pub(crate) fn run_cases(cases: u32, rounds: u32) {
    CASES.store(cases, Ordering::Relaxed);
    let experiment = Experiment {
        id: "scale",
        category: Category::Busy,
        law: "",
        about: "",
        // Every point holds, so that no extra round is run.
        tolerance: Tolerance { ratio: 1e12, reason: "" },
        shaders: Vec::new,
        workers: WantedWorkers::One,
        needs_ranks: false,
        plan,
        predict: None,
    };
    let profile = Profile {
        budget_s: f64::INFINITY,
        least_rounds: rounds,
        most_rounds: rounds,
        ..Profile::FULL
    };
    let device = Simulator::new(Machine::lawful(32));
    let mut session =
        Session::open(Box::new(device), profile, 1).expect("the simulated device opens");
    let never = AtomicBool::new(false);
    let outcome =
        run(&mut session, &experiment, &never, &mut |_| ()).expect("the simulated device works");
    assert_eq!(outcome.points.len() as u32, cases - 1);
}

/// Wall time and peak memory of a process.
struct Usage {
    wall_s: f64,
    peak_bytes: Option<f64>,
}

fn peak_bytes(child: &Child) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? * 1024.0)
}

fn usage(command: &mut Command) -> Usage {
    let start = Instant::now();
    let mut child =
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command starts");
    let mut peak = None;
    loop {
        peak = peak_bytes(&child).or(peak);
        if let Some(status) = child.try_wait().expect("the command can be waited for") {
            assert!(status.success(), "{command:?} failed");
            return Usage { wall_s: start.elapsed().as_secs_f64(), peak_bytes: peak };
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn memory(usage: &Usage) -> String {
    let mib = |bytes: f64| format!("{:.0} MiB", bytes / f64::from(1 << 20));
    usage.peak_bytes.map_or_else(String::new, mib)
}

fn runs() -> Table {
    let mut table =
        Table::new(&["cases", "rounds", "host time", "host time per case and round", "memory"]);
    let own = std::env::current_exe().expect("a process has a path");
    for (cases, rounds) in [(10, 100), (100, 10), (100, 100), (100, 1000), (1000, 100)] {
        let arguments = [CHILD.to_owned(), cases.to_string(), rounds.to_string()];
        let usage = usage(Command::new(&own).args(arguments));
        let each = usage.wall_s / f64::from(cases * rounds);
        table.rows.push(vec![
            cases.to_string(),
            rounds.to_string(),
            seconds(usage.wall_s),
            seconds(each),
            memory(&usage),
        ]);
    }
    table
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the paths of the committed records.
fn records() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(root().join("results")).expect("there are results").flatten();
    let folders = folders.map(|folder| folder.path()).filter(|folder| folder.is_dir());
    let files =
        folders.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    let mut paths: Vec<PathBuf> = files.map(|file| file.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
}

fn reports(program: &Path, scratch: &Path) -> Table {
    let mut table = Table::new(&[
        "records",
        "report --format html",
        "its memory",
        "compare --format markdown",
        "its memory",
    ]);
    let records = records();
    for count in [1, 10, 100, 1000] {
        let paths: Vec<&PathBuf> = records.iter().cycle().take(count).collect();
        let make = |command: &str, format: &str| {
            let out = scratch.join("page");
            let arguments = [command, "--format", format, "--force", "--out"];
            usage(Command::new(program).args(arguments).arg(&out).args(&paths))
        };
        let report = make("report", "html");
        let compare = (count > 1).then(|| make("compare", "markdown"));
        table.rows.push(vec![
            count.to_string(),
            seconds(report.wall_s),
            memory(&report),
            compare.as_ref().map_or_else(String::new, |usage| seconds(usage.wall_s)),
            compare.as_ref().map_or_else(String::new, memory),
        ]);
        println!("{}", table.rows[table.rows.len() - 1].join("  "));
    }
    table
}

/// Runs all experiments three times by the quick profile.
fn quick_runs(program: &Path, scratch: &Path) -> Table {
    let mut table = Table::new(&[
        "run --quick",
        "first verdict after",
        "experiments",
        "share of sampling inside samples",
        "least share of an experiment",
        "host time per sample",
        "pipelines",
        "compiled in",
        "autotuning",
    ]);
    for _ in 0..3 {
        let out = scratch.join("quick.json");
        let start = Instant::now();
        let mut child = Command::new(program)
            .args(["run", "--quick", "--force", "--out"])
            .arg(&out)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut first_s = None;
        for line in BufReader::new(child.stderr.take().expect("it is piped")).lines() {
            let is_verdict = line.is_ok_and(|line| line.trim_start().starts_with("1/"));
            first_s = first_s.or(is_verdict.then(|| start.elapsed().as_secs_f64()));
        }
        assert!(child.wait().expect("the program ends").success(), "a quick run failed");
        let wall_s = start.elapsed().as_secs_f64();
        let record = warplaw::model::read(&out).expect("a run writes a record");
        let costs: Vec<Costs> = record.experiments.iter().filter_map(|e| e.costs).collect();
        let total = |of: fn(&Costs) -> f64| costs.iter().map(of).sum::<f64>();
        let sampling_s = total(|costs| costs.sampling_s);
        let in_samples_s = total(|costs| costs.in_samples_s);
        let least = costs.iter().filter_map(Costs::share_in_samples).fold(1.0, f64::min);
        table.rows.push(vec![
            seconds(wall_s),
            first_s.map_or_else(String::new, seconds),
            record.experiments.len().to_string(),
            per_cent(in_samples_s / sampling_s),
            per_cent(least),
            seconds((sampling_s - in_samples_s) / total(|costs| costs.samples as f64)),
            format!("{:.0}", total(|costs| costs.pipelines as f64)),
            seconds(total(|costs| costs.compiling_s)),
            seconds(total(|costs| costs.searching_s)),
        ]);
    }
    table
}

/// Builds the program in a fresh target folder, with all dependencies downloaded. Returns the program.
fn build(scratch: &Path, features: &[&str], table: &mut Table) -> PathBuf {
    let target = scratch.join("target");
    let _none_at_first = std::fs::remove_dir_all(&target);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let in_root = |arguments: &[&str]| {
        let mut command = Command::new(&cargo);
        command.args(arguments).args(["--manifest-path"]).arg(root().join("Cargo.toml"));
        command.args(features).env("CARGO_TARGET_DIR", &target);
        command
    };
    let tree = in_root(&["tree", "-p", "warplaw", "-e", "normal,build", "--prefix", "none"]);
    let dependencies = count_lines(tree) - 1;
    let built = usage(&mut in_root(&["build", "--release", "-p", "warplaw"]));
    let program = target.join("release").join(format!("warplaw{}", std::env::consts::EXE_SUFFIX));
    let size = program.metadata().map(|data| short(data.len() as f64, "B")).unwrap_or_default();
    table.rows.push(vec![
        if features.is_empty() { "all".to_owned() } else { "none".to_owned() },
        seconds(built.wall_s),
        dependencies.to_string(),
        size,
    ]);
    program
}

/// Counts the distinct first two words of the command's lines: a crate and its version.
fn count_lines(mut command: Command) -> usize {
    let output = command.output().expect("cargo starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let crates: std::collections::BTreeSet<String> = text
        .lines()
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
        .collect();
    crates.len()
}

/// Measures all four tables.
pub(crate) fn measure() -> Page {
    let scratch = tempfile::tempdir().expect("a scratch folder can be made");
    let mut builds = Table::new(&["features", "cold release build", "dependencies", "program"]);
    let slim = build(scratch.path(), &["--no-default-features"], &mut builds);
    assert!(!slim.exists(), "the library alone has no program");
    let program = build(scratch.path(), &[], &mut builds);
    let about = vec![
        "Three quick runs of all experiments; the host's own time for a run by its number of cases and rounds, on a \
         simulated device whose samples cost no time; reports of many records, which are the committed records \
         repeated; and cold builds with and without the default features."
            .to_owned(),
    ];
    Page {
        task: "scale",
        title: "Scale",
        device: None,
        about,
        tables: vec![
            quick_runs(&program, scratch.path()),
            runs(),
            reports(&program, scratch.path()),
            builds,
        ],
    }
}
