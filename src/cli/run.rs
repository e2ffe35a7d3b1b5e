//! `warplaw run`: measures, and keeps what it has after every experiment.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use super::error::CliError;
use super::output::{print_text, terminal};
use crate::bench::{Experiment, Opener, Origin, Profile, Progress, Stage, Suite, seed_from_time};
use crate::experiments::{REGISTRY, find};
use crate::gpu::{Hardware, LimitSet, Options, Selection};
use crate::model::figures;
use crate::model::{self, Machine, Record, Status, Tool, plain};
use crate::report::{self, render};

/// What to measure, on what, and where the record goes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct RunArguments {
    /// A first look: shorter spans, sparser sweeps
    #[arg(long, conflicts_with = "full")]
    pub quick: bool,
    /// What a record is made with (the default)
    #[arg(long)]
    pub full: bool,
    /// Only these experiments (see `warplaw list`)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub only: Vec<String>,
    /// The adapter whose name contains this, any case (or `WGPU_ADAPTER_NAME`)
    #[arg(long, value_name = "NAME")]
    pub adapter: Option<String>,
    /// Only these backends: vulkan, metal, dx12, gl (or `WGPU_BACKEND`)
    #[arg(long, value_name = "BACKEND")]
    pub backend: Option<String>,
    /// Seed of every random choice; a new one each run unless given
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Write the record here; under results/ unless given
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Keep wgpu's injected bounds, division and loop checks
    #[arg(long)]
    pub checked: bool,
    /// Time by the host clock even where there are timestamps
    #[arg(long)]
    pub host_clock: bool,
    /// Which limits to open the device with
    #[arg(long, value_enum, default_value_t, value_name = "SET")]
    pub limits: Limits,
}

/// Limits by their name on the command line.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub enum Limits {
    /// All that the adapter offers
    #[default]
    Adapter,
    /// WebGPU's default limits, as a portable program asks for
    Default,
    /// wgpu's limits for older hardware
    Downlevel,
}

impl From<Limits> for LimitSet {
    fn from(limits: Limits) -> Self {
        match limits {
            Limits::Adapter => Self::Adapter,
            Limits::Default => Self::Default,
            Limits::Downlevel => Self::Downlevel,
        }
    }
}

/// What is printed when all is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// The card and the verdicts.
    Summary,
    /// Every experiment, the card, and the verdicts at the end: for `cargo bench`.
    Everything,
}

/// Runs the experiments, prints the report and writes the record.
///
/// # Errors
/// An unknown experiment, no adapter, a failing device, a place that cannot be written.
pub fn run(arguments: &RunArguments, closing: Closing) -> Result<ExitCode, CliError> {
    let experiments = chosen(&arguments.only)?;
    if let Some(path) = &arguments.out {
        try_out(path)?;
    }
    let stop = stop_on_interrupt();
    let profile = if arguments.quick { Profile::QUICK } else { Profile::FULL };
    let seed = arguments.seed.unwrap_or_else(seed_from_time);
    let options = Options {
        selection: Selection {
            adapter: arguments.adapter.clone(),
            backend: arguments.backend.clone(),
        },
        checked: arguments.checked,
        host_clock: arguments.host_clock,
        limits: arguments.limits.into(),
    };
    let opener: Opener<'_> = Box::new(move || Ok(Box::new(Hardware::open(&options)?)));
    let origin = Origin {
        tool: tool(profile),
        machine: Machine::here(),
        started_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    let mut suite = Suite::open(opener, experiments, profile, seed, origin)?;
    let mut keeper = Keeper::new(arguments.out.clone(), suite.record());
    keeper.keep(suite.record())?;

    let of = suite.experiments().len();
    for index in 0..of {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let bar = progress_bar(suite.experiments()[index], index, of);
        suite.run(index, &stop, &mut |progress| show(&bar, progress));
        bar.finish_and_clear();
        // As soon as it is known; the report proper comes when all is measured.
        let line = report::in_a_line(&suite.record().experiments[index]);
        eprintln!("{:>5} {}", format!("{}/{of}", index + 1), plain(&line));
        keeper.keep(suite.record())?;
    }
    let record = suite.record();
    let document = match closing {
        Closing::Summary => report::summary(record),
        Closing::Everything => report::closing_with_verdicts(record),
    };
    print_text(&render(&document, terminal()))?;
    let path = plain(&keeper.path.display().to_string());
    print_text(&format!("\nrecord: {path}\ncurves: warplaw report {path}\n"))?;
    let failed = record.experiments.iter().filter(|e| e.status == Status::Failed);
    for experiment in failed.clone() {
        let reason = experiment.reason.as_deref().unwrap_or("no reason is known");
        eprintln!("error: {}", plain(&format!("{} failed: {reason}", experiment.id)));
    }
    Ok(if stop.load(Ordering::Relaxed) {
        ExitCode::from(130)
    } else if failed.count() > 0 {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    })
}

fn chosen(only: &[String]) -> Result<Vec<&'static Experiment>, CliError> {
    let mut wanted = Vec::new();
    for name in only {
        let Some(experiment) = find(name) else {
            let known: Vec<&str> = REGISTRY.iter().map(|experiment| experiment.id).collect();
            return Err(CliError::UnknownExperiment {
                name: name.clone(),
                known: known.join(", "),
            });
        };
        wanted.push(experiment.id);
    }
    // In the registry's order, since `width` serves the others.
    let wanted = |experiment: &&Experiment| only.is_empty() || wanted.contains(&experiment.id);
    Ok(REGISTRY.iter().filter(wanted).collect())
}

/// Fails before anything is measured where the record could not be written after.
fn try_out(path: &Path) -> Result<(), CliError> {
    let unwritable =
        |reason: String| CliError::Unwritable { path: path.display().to_string(), reason };
    match path.metadata() {
        Ok(there) if there.is_dir() => return Err(unwritable("it is a directory".to_owned())),
        Ok(there) if !there.is_file() => return Ok(()), // a device or a pipe: it is opened when written to
        _ => (),
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| unwritable(error.to_string()))?;
    tempfile::NamedTempFile::new_in(folder).map_err(|error| unwritable(error.to_string()))?;
    Ok(())
}

/// Set by the first Ctrl-C, which ends the round in hand; a second one ends the process.
fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // Only a second handler in one process fails, and then the first still stops that run.
    let _already_set = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    stop
}

/// The command as one would type it: the program's name, not where it lies, and cargo's for a bench.
fn command_line(arguments: impl Iterator<Item = std::ffi::OsString>) -> Vec<String> {
    // An argument need not be text.
    let mut words = arguments.map(|argument| argument.to_string_lossy().into_owned());
    let program = words.next().unwrap_or_default();
    let name = Path::new(&program).file_name().map(|name| name.to_string_lossy().into_owned());
    let (bench, rest): (Vec<String>, Vec<String>) = words.partition(|word| word == "--bench");
    let mut line: Vec<String> = if bench.is_empty() {
        vec![name.unwrap_or_else(|| "warplaw".to_owned())]
    } else {
        ["cargo", "bench", "--bench", "laws"].map(str::to_owned).to_vec()
    };
    line.extend((!bench.is_empty() && !rest.is_empty()).then(|| "--".to_owned()));
    line.extend(rest);
    line
}

fn tool(profile: Profile) -> Tool {
    Tool {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git_rev: option_env!("WARPLAW_GIT_REV").map(str::to_owned),
        dirty: option_env!("WARPLAW_GIT_DIRTY").map(|dirty| dirty == "true"),
        argv: command_line(std::env::args_os()),
        profile: profile.name.to_owned(),
    }
}

/// Writes the record where it belongs and, should that fail midway, where it can.
struct Keeper {
    path: PathBuf,
}

impl Keeper {
    fn new(out: Option<PathBuf>, record: &Record) -> Self {
        Self { path: out.unwrap_or_else(|| model::default_path(record)) }
    }

    fn keep(&mut self, record: &Record) -> Result<(), CliError> {
        let Err(error) = model::write(record, &self.path) else {
            return Ok(());
        };
        if record.cases().next().is_none() {
            return Err(error.into()); // nothing is lost yet
        }
        let refuge = tempfile::Builder::new().prefix("warplaw-rescued-").suffix(".json").tempfile();
        let refuge = refuge.ok().and_then(|file| file.into_temp_path().keep().ok());
        let Some(refuge) = refuge.filter(|refuge| model::write(record, refuge).is_ok()) else {
            eprintln!("warning: {}", plain(&error.to_string()));
            return Ok(());
        };
        let kept = format!("{error}; the record is kept in `{}` instead", refuge.display());
        eprintln!("warning: {}", plain(&kept));
        self.path = refuge;
        Ok(())
    }
}

/// On standard error, and only where that is a terminal.
fn progress_bar(experiment: &Experiment, index: usize, of: usize) -> ProgressBar {
    const STEPS: u64 = 1000;
    let bar = ProgressBar::new(STEPS);
    let template = "{prefix:>20} {bar:24} {percent:>3} % {wide_msg}";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is constant"));
    bar.set_prefix(format!("{}/{of} {}", index + 1, experiment.id));
    bar
}

fn show(bar: &ProgressBar, progress: Progress) {
    let steps = bar.length().unwrap_or(0) as f64;
    bar.set_position((progress.done * steps) as u64);
    bar.set_message(said(progress));
}

/// The stage in words: rounds done, how sharp the widest interval is by now, seconds left at most.
fn said(progress: Progress) -> String {
    match progress.stage {
        Stage::Searching => "trying launch configurations".to_owned(),
        Stage::Sizing => "sizing samples".to_owned(),
        Stage::Verifying => "verifying outputs".to_owned(),
        Stage::Timing => {
            let width = progress.half_width.map(|half| format!(", ±{}", figures::per_cent(half)));
            let left = progress.left_s.map(|left_s| format!(", {:.0} s at most", left_s.ceil()));
            let [width, left] = [width, left].map(Option::unwrap_or_default);
            format!("round {}{width}{left}", progress.rounds)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_the_one_that_was_typed() {
        let line = |words: &[&str]| command_line(words.iter().map(Into::into)).join(" ");
        assert_eq!(line(&["/a/b/warplaw", "run", "--quick"]), "warplaw run --quick");
        assert_eq!(line(&["/t/laws-0123", "--bench"]), "cargo bench --bench laws");
        let chosen = line(&["/t/laws-0123", "--quick", "--bench"]);
        assert_eq!(chosen, "cargo bench --bench laws -- --quick");
    }

    #[test]
    fn progress_tells_rounds_sharpness_and_time_as_far_as_they_are_known() {
        let timing = Progress {
            stage: Stage::Timing,
            done: 0.4,
            rounds: 21,
            half_width: Some(0.031),
            left_s: Some(3.2),
        };
        assert_eq!(said(timing), "round 21, ±3.1 %, 4 s at most");
        assert_eq!(said(Progress { half_width: None, left_s: None, ..timing }), "round 21");
        assert_eq!(said(Progress { stage: Stage::Sizing, ..timing }), "sizing samples");
    }
}
