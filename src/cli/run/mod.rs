//! `warplaw run`: measures, and writes the record after every experiment.

mod against;
mod announcement;
mod arguments;
mod interrupt;
mod keeper;
mod progress;
mod tool;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use against::run_against;
use announcement::{announcement, warnings};
use arguments::profile;
use interrupt::stop_on_interrupt;
use keeper::{Keeper, release, reserve};
use progress::{progress_bar, show};
use tool::tool;
pub(super) use tool::tool_of;

pub use arguments::RunArguments;

use super::error::CliError;
use super::output::{print_text, quoted, say, terminal};
use crate::bench::{Experiment, Opener, Origin, Profile, Suite, seed_from_time};
use crate::experiments::{REGISTRY, find};
use crate::gpu::{Hardware, Options, Selection};
use crate::model::{Machine, Record, Status, plain};
use crate::report::{self, render};

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
    if let Some(other) = &arguments.against {
        return run_against(arguments, other, &experiments);
    }
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
        let suite = Suite::open(opener, experiments.to_vec(), profile, seed, origin(profile))?;
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

/// Measures the experiments `only` briefly on the device that `selection` chooses, without writing a record.
///
/// # Errors
/// Returns an error if the device cannot be opened.
pub(super) fn measure(only: &[&str], selection: &Selection) -> Result<Record, CliError> {
    let is_wanted = |experiment: &&Experiment| only.contains(&experiment.id);
    let experiments: Vec<_> = REGISTRY.iter().filter(is_wanted).collect();
    let opener: Opener<'_> = Box::new(|workers| {
        let selection = selection.clone();
        Ok(Box::new(Hardware::open(&Options { selection, workers, ..Options::default() })?))
    });
    let (profile, seed) = (Profile::QUICK, seed_from_time());
    let mut suite = Suite::open(opener, experiments, profile, seed, origin(profile))?;
    for index in 0..suite.experiments().len() {
        suite.run(index, &AtomicBool::new(false), &mut |_| ());
    }
    Ok(suite.record().clone())
}

/// Describes this run.
fn origin(profile: Profile) -> Origin {
    Origin {
        tool: tool(profile),
        machine: Machine::here(),
        started_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}
