//! `warplaw run`: measures, and writes the record after every experiment.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::error::CliError;
use super::output::{print_text, terminal};
use crate::bench::{Experiment, Opener, Origin, Profile, Progress, Stage, Suite, seed_from_time};
use crate::experiments::{REGISTRY, find};
use crate::gpu::{Hardware, LimitSet, Options, Selection};
use crate::model::figures;
use crate::model::{self, Machine, Record, Status, Tool, plain};
use crate::report::{self, render};

/// Arguments of `warplaw run` and of `cargo bench --bench laws`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct RunArguments {
    /// Take shorter samples and fewer sweep points, for a first look
    #[arg(long, conflicts_with = "full")]
    pub quick: bool,
    /// Take samples of full length and all sweep points (default)
    #[arg(long)]
    pub full: bool,
    /// Spend up to TIME on samples until everything is decided, for example 90s or 10min; compiling, autotuning and
    /// verification come on top
    #[arg(long, value_name = "TIME", value_parser = budget)]
    pub budget: Option<Duration>,
    /// Run only these experiments, comma-separated (see `warplaw list`)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Use the best adapter whose name contains NAME, ignoring case (default: `WGPU_ADAPTER_NAME`, else the
    /// best adapter)
    #[arg(long, value_name = "NAME")]
    pub adapter: Option<String>,
    /// Use only these backends, comma-separated: vulkan, metal, dx12, gl (default: `WGPU_BACKEND`, else all)
    #[arg(long, value_name = "BACKEND")]
    pub backend: Option<String>,
    /// Seed of every random choice (default: derived from the current time)
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Write the record to FILE (default: a new file under records/)
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Keep the bounds, division and loop checks that wgpu injects into shaders
    #[arg(long)]
    pub checked: bool,
    /// Time with the host clock, even if the adapter supports timestamp queries
    #[arg(long)]
    pub host_clock: bool,
    /// Limits to open the device with
    #[arg(long, value_enum, default_value_t, value_name = "SET")]
    pub limits: Limits,
}

/// Values of `--limits`.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub enum Limits {
    /// All limits that the adapter offers
    #[default]
    Adapter,
    /// WebGPU's default limits, which a portable program requests
    Default,
    /// wgpu's downlevel limits, for older hardware
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

/// Runs the experiments, writes the record after each of them, and prints a summary.
///
/// Standard error first gets the device and the time limit, then one line per experiment.
///
/// Returns exit code 130 if the user stopped the run, else 2 if an experiment failed, else 0.
///
/// # Errors
/// Returns an error if an experiment is unknown, no adapter matches, the device cannot be opened, or the
/// record cannot be written.
pub fn run(arguments: &RunArguments) -> Result<ExitCode, CliError> {
    let experiments = selected(&arguments.only)?;
    if let Some(path) = &arguments.out {
        check_writable(path)?;
    }
    let stop = stop_on_interrupt();
    let profile = profile(arguments, experiments.len());
    let seed = arguments.seed.unwrap_or_else(seed_from_time);
    let options = Options {
        selection: Selection {
            adapter: arguments.adapter.clone(),
            backend: arguments.backend.clone(),
        },
        checked: arguments.checked,
        host_clock: arguments.host_clock,
        limits: arguments.limits.into(),
        ..Options::default()
    };
    let opener: Opener<'_> = Box::new(move |workers| {
        Ok(Box::new(Hardware::open(&Options { workers, ..options.clone() })?))
    });
    let origin = Origin {
        tool: tool(profile),
        machine: Machine::here(),
        started_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    let mut suite = Suite::open(opener, experiments, profile, seed, origin)?;
    let mut keeper = Keeper::new(arguments.out.clone(), suite.record());
    keeper.keep(suite.record())?;

    let count = suite.experiments().len();
    eprintln!("{}\n", plain(&announcement(suite.record(), profile)));
    for index in 0..count {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let bar = progress_bar(suite.experiments()[index], index, count);
        suite.run(index, &stop, &mut |progress| show(&bar, progress));
        bar.finish_and_clear();
        // Printed now, because the full report appears only after the last experiment.
        let line = report::in_a_line(&suite.record().experiments[index]);
        eprintln!("{:>5} {}", format!("{}/{count}", index + 1), plain(&line));
        keeper.keep(suite.record())?;
    }
    let record = suite.record();
    eprintln!();
    print_text(&render(&report::summary(record), terminal()))?;
    let path = plain(&keeper.path.display().to_string());
    print_text(&format!("\nrecord: {path}\nall figures and plots: warplaw report {path}\n"))?;
    let failed = record.experiments.iter().filter(|e| e.status == Status::Failed);
    for experiment in failed.clone() {
        let reason = experiment.reason.as_deref().unwrap_or("unknown reason");
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

/// Returns the profile of the run. A budget is shared equally by the experiments.
fn profile(arguments: &RunArguments, experiments: usize) -> Profile {
    let usual = if arguments.quick { Profile::QUICK } else { Profile::FULL };
    arguments.budget.map_or(usual, |budget| Profile {
        budget_s: budget.as_secs_f64() / experiments.max(1) as f64,
        ..usual
    })
}

/// Parses a time such as `90s`, `10min` or `1h 30m`.
fn budget(text: &str) -> Result<Duration, String> {
    let time: Option<jiff::SignedDuration> = text.parse().ok();
    let time = time.and_then(|time| Duration::try_from(time).ok()).filter(|time| !time.is_zero());
    time.ok_or_else(|| {
        "give a time above zero with its unit, for example 90s, 10min or 1h".to_owned()
    })
}

/// Names the device and the time that the run may take, before it begins.
fn announcement(record: &Record, profile: Profile) -> String {
    let adapter = &record.adapter;
    let count = record.experiments.len();
    format!(
        "Measuring {} ({}, {} {}, {}): {}, {} profile, about {} of sampling at most; compiling, autotuning and \
         verification come on top.",
        adapter.name,
        adapter.device_type.as_str(),
        adapter.backend,
        adapter.driver,
        adapter.driver_info,
        figures::counted(count, "experiment"),
        profile.name,
        figures::quantity(profile.budget_s * count as f64, "s"),
    )
}

/// Returns the experiments of `--only` in the order of the registry, or all experiments if `only` is empty.
fn selected(only: &[String]) -> Result<Vec<&'static Experiment>, CliError> {
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
    // The order of the registry, because other experiments use the subgroup width that `width` finds.
    let is_wanted = |experiment: &&Experiment| only.is_empty() || wanted.contains(&experiment.id);
    Ok(REGISTRY.iter().filter(is_wanted).collect())
}

/// Checks that the record can be written to `path`, so that `run` fails before it measures rather than after.
fn check_writable(path: &Path) -> Result<(), CliError> {
    let unwritable =
        |reason: String| CliError::Unwritable { path: path.display().to_string(), reason };
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => {
            return Err(unwritable("the path is a directory".to_owned()));
        }
        Ok(metadata) if !metadata.is_file() => return Ok(()), // a device or a pipe, opened for each write
        _ => (),
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| unwritable(error.to_string()))?;
    tempfile::NamedTempFile::new_in(folder).map_err(|error| unwritable(error.to_string()))?;
    Ok(())
}

/// Installs a handler for Ctrl-C and for termination signals, and returns the flag that it sets.
///
/// The first signal sets the flag, and the run stops after the current round. The second signal ends the
/// process with exit code 130.
fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // This fails only if an earlier run of this process has installed its handler, which stays in place.
    let _already_set = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    stop
}

/// Returns the command as a user would type it.
///
/// The program's path is reduced to its file name. A bench, which cargo starts with `--bench`, becomes
/// `cargo bench --bench laws`.
fn command_line(arguments: impl Iterator<Item = std::ffi::OsString>) -> Vec<String> {
    // Arguments may be invalid UTF-8.
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

/// Describes this build and its command line, for the record.
fn tool(profile: Profile) -> Tool {
    Tool {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git_rev: option_env!("WARPLAW_GIT_REV").map(str::to_owned),
        dirty: option_env!("WARPLAW_GIT_DIRTY").map(|dirty| dirty == "true"),
        argv: command_line(std::env::args_os()),
        profile: profile.name.to_owned(),
    }
}

/// Writes the record to its file. If a write fails during the run, writes to a temporary file instead.
struct Keeper {
    /// Destination of the next write.
    path: PathBuf,
}

impl Keeper {
    fn new(out: Option<PathBuf>, record: &Record) -> Self {
        Self { path: out.unwrap_or_else(|| model::default_path(record)) }
    }

    /// Writes the record.
    ///
    /// # Errors
    /// Returns an error if the write fails and the record contains no case yet. A later failure only prints a
    /// warning, so that the run continues.
    fn keep(&mut self, record: &Record) -> Result<(), CliError> {
        let Err(error) = model::write(record, &self.path) else {
            return Ok(());
        };
        if record.cases().next().is_none() {
            return Err(error.into()); // no measurement is lost
        }
        let fallback =
            tempfile::Builder::new().prefix("warplaw-rescued-").suffix(".json").tempfile();
        let fallback = fallback.ok().and_then(|file| file.into_temp_path().keep().ok());
        let Some(fallback) = fallback.filter(|path| model::write(record, path).is_ok()) else {
            eprintln!("warning: {}", plain(&error.to_string()));
            return Ok(());
        };
        let warning = format!("{error}; the record is now in `{}`", fallback.display());
        eprintln!("warning: {}", plain(&warning));
        self.path = fallback;
        Ok(())
    }
}

/// Returns a progress bar on standard error. The bar is hidden if standard error is not a terminal.
fn progress_bar(experiment: &Experiment, index: usize, count: usize) -> ProgressBar {
    const STEPS: u64 = 1000;
    let bar = ProgressBar::new(STEPS);
    let template = "{prefix:>20} {bar:24} {percent:>3} % {wide_msg}";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is valid"));
    bar.set_prefix(format!("{}/{count} {}", index + 1, experiment.id));
    bar
}

/// Updates the progress bar.
fn show(bar: &ProgressBar, progress: Progress) {
    let steps = bar.length().unwrap_or(0) as f64;
    bar.set_position((progress.done * steps) as u64);
    bar.set_message(describe(progress));
}

/// Describes the stage. While samples are taken, the text contains the number of rounds, the half-width of
/// the widest judged interval, and the upper bound of the remaining seconds.
fn describe(progress: Progress) -> String {
    match progress.stage {
        Stage::Searching => "autotuning launch configurations".to_owned(),
        Stage::Sizing => "sizing samples".to_owned(),
        Stage::Verifying => "verifying outputs".to_owned(),
        Stage::Timing => {
            let width = progress.half_width.map(|half| format!(", ±{}", figures::per_cent(half)));
            let left = progress.left_s.map(|left_s| format!(", ≤ {:.0} s left", left_s.ceil()));
            let [width, left] = [width, left].map(Option::unwrap_or_default);
            format!("round {}{width}{left}", progress.rounds)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_command_is_the_typed_command() {
        let line = |words: &[&str]| command_line(words.iter().map(Into::into)).join(" ");
        assert_eq!(line(&["/a/b/warplaw", "run", "--quick"]), "warplaw run --quick");
        assert_eq!(line(&["/t/laws-0123", "--bench"]), "cargo bench --bench laws");
        let chosen = line(&["/t/laws-0123", "--quick", "--bench"]);
        assert_eq!(chosen, "cargo bench --bench laws -- --quick");
    }

    #[test]
    fn progress_shows_rounds_interval_width_and_time_left_if_known() {
        let timing = Progress {
            stage: Stage::Timing,
            done: 0.4,
            rounds: 21,
            half_width: Some(0.031),
            left_s: Some(3.2),
        };
        assert_eq!(describe(timing), "round 21, ±3.1 %, ≤ 4 s left");
        assert_eq!(describe(Progress { half_width: None, left_s: None, ..timing }), "round 21");
        assert_eq!(describe(Progress { stage: Stage::Sizing, ..timing }), "sizing samples");
    }
}
