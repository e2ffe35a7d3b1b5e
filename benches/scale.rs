//! `cargo bench --bench scale`: how the time and memory of a run grow with cases and rounds, and those of `report` and
//! `compare` with records; how soon a first look has a verdict; how large the program is and how long it takes to
//! build from nothing.
//!
//! What is measured runs in a process of its own, whose memory is read from the system while it runs; where the
//! system does not say, it is left out.

mod support;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use support::{keep, performance, seconds, table};
use warplaw::bench::{
    Context, Experiment, Idea, Plan, PointSpec, Profile, Session, Sizing, Unsupported, run,
};
use warplaw::kernels::chain::Chain;
use warplaw::model::{Costs, Figures};
use warplaw::report::figures::{per_cent, short};
use warplaw::sim::{Machine, Simulator};

const BINARY: &str = env!("CARGO_BIN_EXE_warplaw");
/// The first argument of a process that is to be measured.
const CHILD: &str = "--measured";

static CASES: AtomicU32 = AtomicU32::new(0);

/// As many cases as [`CASES`] says, each a point that the one before predicts.
fn plan(_: &Context<'_>) -> Result<Plan, Unsupported> {
    let mut plan = Plan::default();
    let mut before = None;
    for index in 0..CASES.load(Ordering::Relaxed) {
        let own = Sizing::Own { granule: 4, most: 4096 };
        let case = plan.case(format!("case.{index}"), own, |workgroups| {
            Chain { lanes: 64, active: 64, iterations: 64, workgroups, seed: 1 }.workload()
        });
        if let Some(before) = before.replace(case) {
            plan.point(PointSpec {
                series: "all".to_owned(),
                x: ("case", f64::from(index), ""),
                unit: "s",
                measured: Box::new(move |samples| samples.unit(case)),
                predicted: Box::new(move |samples| samples.unit(before)),
                claimed: true,
            });
        }
    }
    Ok(plan)
}

/// In a process of its own: so many cases for so many rounds on a device that takes no time.
fn child(cases: u32, rounds: u32) {
    CASES.store(cases, Ordering::Relaxed);
    // By the tolerance of a registered experiment, and never sharp enough to stop.
    let experiment = Experiment { id: "divergence", idea: Idea::Busy, law: "", about: "", plan };
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
    let (outcome, _) =
        run(&mut session, &experiment, &never, &mut |_| ()).expect("the simulated device works");
    assert_eq!(outcome.points.len() as u32, cases - 1);
}

/// Wall time and the most memory of a process, in seconds and bytes.
struct Taken {
    wall_s: f64,
    most_bytes: Option<f64>,
}

fn most_bytes(child: &Child) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? * 1024.0)
}

fn taken(command: &mut Command) -> Taken {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut most = None;
    loop {
        most = most_bytes(&child).or(most);
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            assert!(status.success(), "{command:?} failed");
            return Taken { wall_s: start.elapsed().as_secs_f64(), most_bytes: most };
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn memory(taken: &Taken) -> String {
    taken
        .most_bytes
        .map_or_else(String::new, |bytes| format!("{:.0} MiB", bytes / (1 << 20) as f64))
}

/// Cases and rounds.
fn runs() -> Figures {
    let mut figures =
        table(&["cases", "rounds", "time of the host", "for a case and round", "memory"]);
    let own = std::env::current_exe().expect("a bench has a path");
    for (cases, rounds) in [(10, 100), (100, 10), (100, 100), (100, 1000), (1000, 100)] {
        let arguments = [CHILD.to_owned(), cases.to_string(), rounds.to_string()];
        let taken = taken(Command::new(&own).args(arguments));
        let each = taken.wall_s / f64::from(cases * rounds);
        figures.rows.push(vec![
            cases.to_string(),
            rounds.to_string(),
            seconds(taken.wall_s),
            seconds(each),
            memory(&taken),
        ]);
    }
    figures
}

/// The committed records, again and again.
fn records() -> Vec<PathBuf> {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let folders = std::fs::read_dir(results).expect("there are results").flatten();
    let files =
        folders.filter(|folder| folder.path().is_dir() && !folder.path().ends_with("performance"));
    let files =
        files.flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten());
    let mut paths: Vec<PathBuf> = files.map(|file| file.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
}

fn reports(scratch: &Path) -> Figures {
    let mut figures =
        table(&["records", "report, html", "its memory", "compare, markdown", "memory of that"]);
    let records = records();
    for many in [1, 10, 100, 1000] {
        let paths: Vec<&PathBuf> = records.iter().cycle().take(many).collect();
        let make = |command: &str, format: &str| {
            let out = scratch.join("page");
            let arguments = [command, "--format", format, "--out"];
            taken(Command::new(BINARY).args(arguments).arg(&out).args(&paths))
        };
        let report = make("report", "html");
        let compare = (many > 1).then(|| make("compare", "markdown"));
        figures.rows.push(vec![
            many.to_string(),
            seconds(report.wall_s),
            memory(&report),
            compare.as_ref().map_or_else(String::new, |taken| seconds(taken.wall_s)),
            compare.as_ref().map_or_else(String::new, memory),
        ]);
        println!("{}", figures.rows[figures.rows.len() - 1].join("  "));
    }
    figures
}

/// A first look at everything, from start to end.
fn first_look(scratch: &Path) -> Figures {
    let mut figures = table(&[
        "run --quick",
        "first verdict after",
        "experiments",
        "in timed spans",
        "of the host for a span",
        "pipelines",
        "built in",
        "searches",
    ]);
    for _ in 0..3 {
        let out = scratch.join("quick.json");
        let start = Instant::now();
        let mut child = Command::new(BINARY)
            .args(["run", "--quick", "--out"])
            .arg(&out)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut first_s = None;
        for line in BufReader::new(child.stderr.take().expect("it is piped")).lines() {
            let is_verdict = line.is_ok_and(|line| line.trim_start().starts_with("1/"));
            first_s = first_s.or(is_verdict.then(|| start.elapsed().as_secs_f64()));
        }
        assert!(child.wait().expect("it ends").success(), "a first look failed");
        let wall_s = start.elapsed().as_secs_f64();
        let record = warplaw::model::read(&out).expect("a run leaves a record");
        let costs: Vec<Costs> = record.experiments.iter().filter_map(|e| e.costs).collect();
        let total = |of: fn(&Costs) -> f64| costs.iter().map(of).sum::<f64>();
        let sampling_s = total(|costs| costs.sampling_s);
        let in_spans_s = total(|costs| costs.in_spans_s);
        let least = costs.iter().filter_map(Costs::share_in_spans).fold(1.0, f64::min);
        figures.rows.push(vec![
            seconds(wall_s),
            first_s.map_or_else(String::new, seconds),
            record.experiments.len().to_string(),
            format!(
                "{} of the sampling, at least {}",
                per_cent(in_spans_s / sampling_s),
                per_cent(least)
            ),
            seconds((sampling_s - in_spans_s) / total(|costs| costs.samples as f64)),
            format!("{:.0}", total(|costs| costs.pipelines as f64)),
            seconds(total(|costs| costs.compiling_s)),
            seconds(total(|costs| costs.searching_s)),
        ]);
    }
    figures
}

/// The program and its build from nothing, with what it depends on already downloaded.
fn program(scratch: &Path) -> Figures {
    let mut figures = table(&["the program", "built from nothing"]);
    let target = scratch.join("target");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = taken(
        Command::new(cargo)
            .args(["build", "--release", "--bin", "warplaw", "--manifest-path"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", &target),
    );
    let program = target.join("release").join(format!("warplaw{}", std::env::consts::EXE_SUFFIX));
    let bytes = program.metadata().expect("it is built").len();
    figures.rows.push(vec![short(bytes as f64, "B"), seconds(built.wall_s)]);
    figures
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, cases, rounds] = arguments.as_slice()
        && first == CHILD
    {
        let number = |text: &str| text.parse().expect("a child is given numbers");
        child(number(cases), number(rounds));
        return ExitCode::SUCCESS;
    }
    let scratch = tempfile::tempdir().expect("there is room for scratch");
    let about = [
        "A first look at every experiment, three times; a run's own cost by its cases and rounds, on a device that takes \
         no time; pages of as many records, the committed ones again and again; and the program itself."
            .to_owned(),
    ];
    let mut performance = performance("scale", "Scale", &about);
    performance.tables = vec![first_look(scratch.path()), runs(), reports(scratch.path())];
    performance.tables.push(program(scratch.path()));
    keep("scale", &performance)
}
