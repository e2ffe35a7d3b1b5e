//! Measuring on one or several devices, with what the user sees meanwhile and at the end.

#[cfg(feature = "mpi")]
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use super::announcement::{announcement, warnings};
use super::keeper::Keeper;
use super::progress::{progress_bar, show};
use super::tool::tool;
use crate::bench::{Experiment, Opener, Origin, Profile, Suite};
use crate::cli::error::CliError;
use crate::cli::output::{print_text, quoted, say, terminal};
use crate::model::{Machine, Status, plain};
use crate::report::{self, render};

/// A device under test, with the file of its record.
pub(super) struct Target<'a> {
    suite: Suite<'a>,
    keeper: Keeper,
}

impl<'a> Target<'a> {
    /// Opens a device, and begins its record in the file `out` or in a new one.
    ///
    /// # Errors
    /// Returns an error if the device cannot be opened, or the record cannot be written.
    pub(super) fn open(
        opener: Opener<'a>,
        experiments: &[&'static Experiment],
        (profile, seed, origin): (Profile, u64, Origin),
        out: Option<PathBuf>,
    ) -> Result<Self, CliError> {
        let suite = Suite::open(opener, experiments.to_vec(), profile, seed, origin)?;
        let mut keeper = Keeper::new(out, suite.record())?;
        keeper.keep(suite.record())?;
        Ok(Self { suite, keeper })
    }

    /// Returns the file of the record.
    #[cfg(feature = "mpi")]
    pub(super) fn path(&self) -> &Path {
        &self.keeper.path
    }
}

/// Runs the experiments of all targets in turn, and keeps each result.
///
/// # Errors
/// Returns an error if a record cannot be written before anything is measured.
pub(super) fn measure_all(
    targets: &mut [Target<'_>],
    profile: Profile,
    stop: &AtomicBool,
) -> Result<(), CliError> {
    let count = targets.first().map_or(0, |target| target.suite.experiments().len());
    for Target { suite, .. } in &*targets {
        say(&format!("{}\n", plain(&announcement(suite.record(), profile))));
        for warning in warnings(suite.record()) {
            say(&format!("warning: {}\n", plain(&warning)));
        }
    }
    let are_several = targets.len() > 1;
    for index in 0..count {
        for Target { suite, keeper } in &mut *targets {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let bar = progress_bar(suite.experiments()[index], index, count);
            suite.run(index, stop, &mut |progress| show(&bar, progress));
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
    Ok(())
}

/// Prints the summary of each record, what to do with the records, and the experiments that failed.
///
/// Returns exit code 130 if the user stopped the run, else 2 if an experiment failed, else 0.
///
/// # Errors
/// Returns an error if nothing can be printed.
pub(super) fn conclude(targets: &[Target<'_>], stop: &AtomicBool) -> Result<ExitCode, CliError> {
    print_summaries(targets)?;
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

fn print_summaries(targets: &[Target<'_>]) -> Result<(), CliError> {
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

/// Describes this run.
pub(super) fn origin(profile: Profile) -> Origin {
    Origin {
        ranks: None,
        tool: tool(profile),
        machine: Machine::here(),
        started_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}
