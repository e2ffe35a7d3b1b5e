//! `warplaw run`: measures, and writes the record after every experiment.

mod keeper;
mod progress;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keeper::{Keeper, release, reserve};
use progress::{progress_bar, show};

use super::error::CliError;
use super::output::{print_text, quoted, say, terminal};
use crate::bench::{Experiment, Opener, Origin, Profile, Suite, seed_from_time};
use crate::experiments::{REGISTRY, find};
use crate::gpu::{Hardware, LimitSet, Options, Selection, signs_of_gpus};
use crate::model::figures;
use crate::model::{DeviceType, Machine, Record, Status, Tool, plain};
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
    /// Keep the device busy for TIME before each experiment counts, for example 2s (default: 0.05s, or 0.15s with --full)
    #[arg(long, value_name = "TIME", value_parser = budget)]
    pub warm_up: Option<Duration>,
    /// Run only these experiments, comma-separated (see `warplaw list`)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Use this adapter: its number in `warplaw adapters`, its PCI bus id, or part of its name, ignoring case
    /// (default: `WGPU_ADAPTER_NAME`, else the best adapter). Given several times, each experiment runs on one adapter
    /// after the other
    #[arg(long, value_name = "ADAPTER")]
    pub adapter: Vec<String>,
    /// Use only these backends, comma-separated: vulkan, metal, dx12, gl (default: `WGPU_BACKEND`, else all)
    #[arg(long, value_name = "BACKEND")]
    pub backend: Option<String>,
    /// Seed of every random choice (default: derived from the current time)
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Write the record to FILE (default: a new file under records/)
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace the file of --out if it exists
    #[arg(long, requires = "out")]
    pub force: bool,
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
    let count = experiments.len();
    if let Some(path) = &arguments.out {
        if arguments.adapter.len() > 1 {
            return Err(CliError::OneFile { path: path.display().to_string() });
        }
        reserve(path, arguments.force)?;
    }
    let stop = stop_on_interrupt();
    let profile = profile(arguments, count);
    let opened = open_all(arguments, &experiments, profile);
    let mut targets = opened.inspect_err(|_| {
        if let Some(path) = &arguments.out {
            release(path);
        }
    })?;
    for Target { suite, .. } in &targets {
        say(&format!("{}\n", plain(&announcement(suite.record(), profile))));
        for warning in warnings(suite.record()) {
            say(&format!("warning: {}\n", plain(&warning)));
        }
    }
    let are_several = targets.len() > 1;
    for index in 0..count {
        for Target { suite, keeper } in &mut targets {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let bar = progress_bar(suite.experiments()[index], index, count);
            suite.run(index, &stop, &mut |progress| show(&bar, progress));
            keeper.keep(suite.record())?;
            bar.finish_and_clear();
            // Printed now, because the full report appears only after the last experiment.
            let line = report::in_a_line(&suite.record().experiments[index]);
            let device = suite.record().adapter.full_name();
            let device = if are_several { format!("  on {device}") } else { String::new() };
            say(&format!("{:>5} {}", format!("{}/{count}", index + 1), plain(&(line + &device))));
        }
    }
    say("");
    conclude(&targets)?;
    let failed = targets.iter().flat_map(|target| &target.suite.record().experiments);
    let failed: Vec<_> = failed.filter(|e| e.status == Status::Failed).collect();
    for experiment in &failed {
        let reason = experiment.reason.as_deref().unwrap_or("unknown reason");
        say(&format!("error: {}", plain(&format!("{} failed: {reason}", experiment.id))));
    }
    Ok(if stop.load(Ordering::Relaxed) {
        ExitCode::from(130)
    } else if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}

/// A device under test, with the file of its record.
struct Target<'a> {
    suite: Suite<'a>,
    keeper: Keeper,
}

/// Opens each of the adapters, or the best one.
fn open_all<'a>(
    arguments: &RunArguments,
    experiments: &[&'static Experiment],
    profile: Profile,
) -> Result<Vec<Target<'a>>, CliError> {
    let chosen: Vec<Option<String>> = match &arguments.adapter[..] {
        [] => vec![None],
        several => several.iter().cloned().map(Some).collect(),
    };
    let seed = arguments.seed.unwrap_or_else(seed_from_time);
    let open = |adapter: Option<String>| {
        let options = Options {
            selection: Selection { adapter, backend: arguments.backend.clone() },
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
        let suite = Suite::open(opener, experiments.to_vec(), profile, seed, origin)?;
        let mut keeper = Keeper::new(arguments.out.clone(), suite.record())?;
        keeper.keep(suite.record())?;
        Ok(Target { suite, keeper })
    };
    chosen.into_iter().map(open).collect()
}

/// Prints the summary of each record, and what to do with the records.
fn conclude(targets: &[Target<'_>]) -> Result<(), CliError> {
    for Target { suite, keeper } in targets {
        print_text(&render(&report::summary(suite.record()), terminal()))?;
        let path = plain(&quoted(&keeper.path));
        print_text(&format!("\nrecord: {path}\nall figures and plots: warplaw report {path}\n"))?;
    }
    if targets.len() > 1 {
        let paths: Vec<String> = targets.iter().map(|t| plain(&quoted(&t.keeper.path))).collect();
        print_text(&format!("comparison: warplaw compare {}\n", paths.join(" ")))?;
    }
    Ok(())
}

/// Returns the profile of the run. A budget is shared equally by the experiments.
fn profile(arguments: &RunArguments, experiments: usize) -> Profile {
    let usual = if arguments.quick { Profile::QUICK } else { Profile::FULL };
    let share = |budget: Duration| budget.as_secs_f64() / experiments.max(1) as f64;
    Profile {
        budget_s: arguments.budget.map_or(usual.budget_s, share),
        warm_up_s: arguments.warm_up.map_or(usual.warm_up_s, |time| time.as_secs_f64()),
        ..usual
    }
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
        adapter.full_name(),
        adapter.device_type.as_str(),
        adapter.backend,
        adapter.driver,
        adapter.driver_info,
        figures::counted(count, "experiment"),
        profile.name,
        figures::quantity(profile.budget_s * count as f64, "s"),
    )
}

/// Returns what a user should know before the run about the choice of the device.
fn warnings(record: &Record) -> Vec<String> {
    if record.adapter.device_type != DeviceType::Cpu {
        return Vec::new();
    }
    let signs = signs_of_gpus(Path::new("/")).into_iter();
    signs.map(|sign| format!("a software device is measured, but {sign}")).collect()
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
}
