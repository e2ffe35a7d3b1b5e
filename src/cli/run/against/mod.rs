//! `run --against`: measures by another build and by this one, in turn, and compares the two.
//!
//! Each experiment of each side runs in a process of its own, so that neither side has the older process or the warmer
//! device. The order alternates, so that a machine that becomes slower or faster does so for both sides alike.

mod process;
mod side;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::ValueEnum;
use serde::Deserialize;

use process::{Program, Stop, ask};
use side::{Side, beside};

use super::announcement::warnings;
use super::arguments::{RunArguments, profile};
use super::interrupt::on_interrupt;
use super::keeper::{release, reserve};
use super::progress::spinner;
use super::tool::{command_line, is_bench};
use crate::bench::{Experiment, Profile, seed_from_time};
use crate::cli::error::CliError;
use crate::cli::output::{print_text, quoted, say, terminal};
use crate::model::{Record, Schema, Status, figures, plain};
use crate::report::{self, Named, render};

/// Position of this build among the two sides.
const THIS: usize = 0;
/// Position of the other build.
const OTHER: usize = 1;

/// Measures `experiments` by this build and by the build `other`, writes a record of each, and compares them.
///
/// Returns exit code 130 if the user stopped the run, else 2 if an experiment failed, else 0.
///
/// # Errors
/// Returns an error if the other build cannot be used, a process fails, or a record cannot be written. What was
/// measured before is in the records.
pub(super) fn run_against(
    arguments: &RunArguments,
    other: &Path,
    experiments: &[&'static Experiment],
) -> Result<ExitCode, CliError> {
    if arguments.adapter.len() > 1 {
        return Err(CliError::OneAdapter { count: arguments.adapter.len() });
    }
    let stop = stop_on_interrupt();
    let other = Program::other(other);
    let unusable = |reason| CliError::OtherBuild { program: other.name.clone(), reason };
    let known = known(&other, &stop).map_err(unusable)?;
    let this = Program::this(is_bench()).map_err(unusable)?;
    let files = arguments.out.as_ref().map(|out| [out.clone(), beside(out, &other)]);
    for file in files.iter().flatten() {
        reserve(file, arguments.force)?;
    }
    let profile = profile(arguments, experiments.len());
    say(&format!("{}\n", plain(&announcement(&other, experiments.len(), profile))));
    let mut sides = [Side::new(this, Vec::new()), Side::new(other, known)];
    let measured = measure(&mut sides, arguments, experiments, &stop);
    for file in files.iter().flatten() {
        release(file);
    }
    measured?;
    say("");
    conclude(&sides)?;
    let failed = failures(&sides);
    for failure in &failed {
        say(&format!("error: {}", plain(failure)));
    }
    Ok(if stop.soon.load(Ordering::Relaxed) {
        ExitCode::from(130)
    } else if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}

/// Installs a handler for Ctrl-C and for termination signals. The first signal stops the running process after its
/// current round, the second one ends it at once.
fn stop_on_interrupt() -> Arc<Stop> {
    let stop = Arc::new(Stop::default());
    let flags = Arc::clone(&stop);
    on_interrupt(move || {
        if flags.soon.swap(true, Ordering::Relaxed) {
            flags.now.store(true, Ordering::Relaxed);
        }
    });
    stop
}

/// Asks the other build for the ids of its experiments, by `list --format json`.
///
/// # Errors
/// Returns the reason in one line if it cannot be started or is not warplaw.
fn known(other: &Program, stop: &Stop) -> Result<Vec<String>, String> {
    #[derive(Deserialize)]
    struct List {
        schema: Schema,
        experiments: Vec<Listed>,
    }
    #[derive(Deserialize)]
    struct Listed {
        id: String,
    }

    let ended = ask(other.command().args(["list", "--format", "json"]), stop)?;
    let list: Option<List> = serde_json::from_slice(&ended.stdout).ok();
    let list =
        list.filter(|list| list.schema.name == "warplaw-list" && !list.experiments.is_empty());
    match list {
        Some(list) => Ok(list.experiments.into_iter().map(|listed| listed.id).collect()),
        None if ended.status.success() => {
            Err("it is not warplaw, because `list --format json` lists no experiments".to_owned())
        }
        None => Err(format!("`list --format json` fails: {}", ended.failure())),
    }
}

fn announcement(other: &Program, count: usize, profile: Profile) -> String {
    format!(
        "Measuring {} by this build and by `{}` in turn: {} profile, about {} of sampling at most for each; compiling, \
         autotuning and verification come on top.",
        figures::counted(count, "experiment"),
        other.name,
        profile.name,
        figures::quantity(profile.budget_s * count as f64, "s"),
    )
}

/// Returns the options of each process. A budget is shared equally by the experiments, as in a run of all of them.
fn options(arguments: &RunArguments, experiments: usize) -> Vec<String> {
    let RunArguments { quick, full, checked, host_clock, .. } = *arguments;
    let flags = [
        (quick, "--quick"),
        (full, "--full"),
        (checked, "--checked"),
        (host_clock, "--host-clock"),
    ];
    let mut options: Vec<String> =
        flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag.to_owned()).collect();
    let nanoseconds = |time: Duration| format!("{}ns", time.as_nanos().max(1));
    let share = |budget: Duration| nanoseconds(budget / experiments.max(1) as u32);
    let limits = arguments.limits.to_possible_value().map(|value| value.get_name().to_owned());
    let values = [
        ("--budget", arguments.budget.map(share)),
        ("--warm-up", arguments.warm_up.map(nanoseconds)),
        ("--adapter", arguments.adapter.first().cloned()),
        ("--backend", arguments.backend.clone()),
        // The same for all processes, as it is for all experiments of a run.
        ("--seed", Some(arguments.seed.unwrap_or_else(seed_from_time).to_string())),
        ("--limits", limits),
    ];
    // One word each, so that a value may begin with a hyphen.
    options
        .extend(values.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))));
    options
}

/// Runs each experiment by both builds, and writes the records after each.
fn measure(
    sides: &mut [Side; 2],
    arguments: &RunArguments,
    experiments: &[&'static Experiment],
    stop: &Stop,
) -> Result<(), CliError> {
    let options = options(arguments, experiments.len());
    let argv = command_line(std::env::args_os());
    let count = experiments.len();
    for (index, experiment) in experiments.iter().enumerate() {
        // This build is first at first, because the file of the other record is named after that of its own.
        let order = if index % 2 == 0 { [THIS, OTHER] } else { [OTHER, THIS] };
        for which in order {
            let side = &mut sides[which];
            if stop.soon.load(Ordering::Relaxed) || !side.has(experiment) {
                continue;
            }
            let is_first = side.record.is_none();
            let name = side.program.name.clone();
            let bar = spinner(&format!("{}/{count} {} by {name}", index + 1, experiment.id));
            let measured = side.measure(experiments, index, &options, &argv, stop);
            bar.finish_and_clear();
            measured.map_err(|reason| failure(sides, &name, experiment, reason))?;
            let out = match which {
                THIS => arguments.out.clone(),
                _ => sides[THIS].path().map(|own| beside(own, &sides[OTHER].program)),
            };
            let side = &mut sides[which];
            side.keep(out)?;
            let Some(record) = &side.record else { continue };
            if is_first {
                for warning in warnings(record) {
                    say(&format!("warning: {}\n", plain(&warning)));
                }
            }
            let line = report::in_a_line(&record.experiments[index]);
            let line = plain(&format!("{line}  by {name}"));
            say(&format!("{:>5} {line}", format!("{}/{count}", index + 1)));
        }
    }
    Ok(())
}

/// Returns the error of a process that failed, with where the results before it are.
fn failure(sides: &[Side; 2], name: &str, experiment: &Experiment, reason: String) -> CliError {
    let paths: Vec<String> = sides.iter().filter_map(Side::path).map(quoted).collect();
    let kept = match &paths[..] {
        [] => String::new(),
        paths => format!("; what was measured before is in {}", paths.join(" and ")),
    };
    CliError::Process { program: name.to_owned(), experiment: experiment.id, reason, kept }
}

/// Returns the records, the one of the other build first: it is the baseline.
fn pair(sides: &[Side; 2]) -> Vec<(String, &Side, &Record)> {
    let measured = |side| {
        let side: &Side = side;
        Some((side.path()?.display().to_string(), side, side.record.as_ref()?))
    };
    [&sides[OTHER], &sides[THIS]].into_iter().filter_map(measured).collect()
}

/// Prints the comparison, and where the records are.
fn conclude(sides: &[Side; 2]) -> Result<(), CliError> {
    let pair = pair(sides);
    if pair.len() == 2 {
        let named: Vec<Named<'_>> =
            pair.iter().map(|(path, _, record)| Named { path, record }).collect();
        print_text(&render(&report::compare(&named), terminal()))?;
    }
    print_text("\n")?;
    let shown = |path: &str| plain(&quoted(Path::new(path)));
    for (path, side, _) in &pair {
        print_text(&format!("record by {}: {}\n", plain(&side.program.name), shown(path)))?;
    }
    if let [(other, ..), (this, ..)] = &pair[..] {
        let (other, this) = (shown(other), shown(this));
        print_text(&format!("this comparison: warplaw compare {other} {this}\n"))?;
    }
    Ok(())
}

/// Returns a line for each experiment that failed.
fn failures(sides: &[Side; 2]) -> Vec<String> {
    let of = |(_, side, record): (String, &Side, &Record)| {
        let failed = record.experiments.iter().filter(|each| each.status == Status::Failed);
        let line = |each: &crate::model::Experiment| {
            let reason = each.reason.as_deref().unwrap_or("unknown reason");
            format!("{} failed by {}: {reason}", each.id, side.program.name)
        };
        failed.map(line).collect::<Vec<_>>()
    };
    pair(sides).into_iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::run::arguments::Limits;

    #[test]
    fn each_process_gets_the_options_of_the_run_and_its_share_of_the_budget() {
        let arguments = RunArguments {
            full: true,
            checked: true,
            host_clock: true,
            budget: Some(Duration::from_secs(90)),
            warm_up: Some(Duration::from_millis(1500)),
            adapter: vec!["-odd".to_owned()],
            backend: Some("vulkan".to_owned()),
            seed: Some(7),
            limits: Limits::Downlevel,
            ..RunArguments::default()
        };
        let expected = [
            "--full",
            "--checked",
            "--host-clock",
            "--budget=30000000000ns",
            "--warm-up=1500000000ns",
            "--adapter=-odd",
            "--backend=vulkan",
            "--seed=7",
            "--limits=downlevel",
        ];
        assert_eq!(options(&arguments, 3), expected);
        let usual = options(&RunArguments { quick: true, ..RunArguments::default() }, 3);
        assert_eq!(usual.len(), 3, "{usual:?}");
        assert_eq!((usual[0].as_str(), usual[2].as_str()), ("--quick", "--limits=adapter"));
        assert!(usual[1].starts_with("--seed="));
    }
}
