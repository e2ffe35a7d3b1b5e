//! `warplaw run`: measures, and writes the record after every experiment.

mod against;
mod announcement;
mod arguments;
mod interrupt;
mod keeper;
mod measuring;
#[cfg(feature = "mpi")]
mod mpi;
mod progress;
mod ranks;
mod tool;

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use against::run_against;
use arguments::{options, profile};
use interrupt::stop_on_interrupt;
use keeper::{release, reserve};
use measuring::{Target, conclude, measure_all, origin};
pub(super) use tool::tool_of;

pub use arguments::RunArguments;

use super::error::CliError;
use crate::bench::{Experiment, Opener, Profile, Suite, seed_from_time};
use crate::experiments::{REGISTRY, find};
use crate::gpu::{Hardware, Options, Selection};
use crate::model::Record;

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
    if experiments.iter().any(|experiment| experiment.needs_ranks) {
        #[cfg(feature = "mpi")]
        return mpi::run(arguments, &experiments);
        #[cfg(not(feature = "mpi"))]
        return Err(ranks::without_library(&experiments));
    }
    ranks::refuse_several_processes(&experiments)?;
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
    measure_all(&mut targets, profile, &stop)?;
    conclude(&targets, &stop)
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
        let options = options(arguments, adapter);
        let opener: Opener<'_> = Box::new(move |workers| {
            Ok(Box::new(Hardware::open(&Options { workers, ..options.clone() })?))
        });
        let run = (profile, seed, origin(profile));
        Target::open(opener, experiments, run, arguments.out.clone())
    };
    chosen.into_iter().map(open).collect()
}

/// Returns the experiments of `--only` in the order of the registry, or all experiments of one process if `only` is empty.
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
    let is_wanted = |experiment: &&Experiment| {
        let by_default = only.is_empty() && !experiment.needs_ranks;
        by_default || wanted.contains(&experiment.id)
    };
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
