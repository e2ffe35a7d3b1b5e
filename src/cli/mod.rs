//! The command line, with one file per subcommand.
//!
//! An error is one line on standard error, and the exit code is 2.

mod adapters;
mod check;
mod compare;
mod error;
mod gallery;
mod input;
mod list;
mod output;
mod predict;
mod profile;
mod report;
mod run;

use std::process::ExitCode;

use anstream::ColorChoice;
use clap::{Parser, Subcommand};

use crate::model::plain;

pub use error::CliError;
pub use gallery::make_gallery;
pub use run::{RunArguments, run};

/// Measures how well the laws of lockstep (SIMT) execution hold on a GPU.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
pub struct Arguments {
    /// Write no colours (default if `NO_COLOR` is set or the output is not a terminal)
    #[arg(long, global = true)]
    no_color: bool,
    /// Write text in ASCII (default if the locale is not UTF-8)
    #[arg(long, global = true)]
    ascii: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure, judge the laws, and write a record
    Run(RunArguments),
    /// Measure an all-reduce among processes, started by `mpirun -n P warplaw ring`; the same as `run --only ring`
    #[command(
        mut_arg("only", |only| only.hide(true)),
        mut_arg("against", |against| against.hide(true)),
        mut_arg("adapter", |adapter| adapter.help(
            "Use this adapter: its number in `warplaw adapters`, its PCI bus id, or part of its name, ignoring case (default: \
             the GPUs of each host in turn, or else its software devices). Given several times, the processes of a host take \
             them in turn"
        )),
    )]
    Ring(RunArguments),
    /// List the experiments and their laws
    List(list::ListArguments),
    /// List the adapters, best first
    Adapters(adapters::AdapterArguments),
    /// Show all results of records
    Report(report::ReportArguments),
    /// Compare the figures of records
    Compare(compare::CompareArguments),
    /// Write overview pages for a folder of records
    Gallery(gallery::GalleryArguments),
    /// Evaluate a law from given parameters, or from those of a record
    Predict(predict::PredictArguments),
    /// Show where a WGSL shader loses lanes, and what sorting its invocations gains
    Profile(profile::ProfileArguments),
    /// Judge records by exit code: 0 all laws hold, 1 a law deviates, 2 error, 3 a law is undecided
    Check(check::CheckArguments),
}

/// Runs the subcommand and returns the exit code of the process.
#[must_use]
pub fn execute(arguments: Arguments) -> ExitCode {
    if arguments.no_color {
        ColorChoice::Never.write_global();
    }
    if arguments.ascii {
        output::force_ascii();
    }
    let outcome = match arguments.command {
        Command::Run(arguments) => run(&arguments),
        Command::Ring(mut arguments) => {
            arguments.only.push("ring".to_owned());
            run(&arguments)
        }
        Command::List(arguments) => list::list(&arguments),
        Command::Adapters(arguments) => adapters::adapters(&arguments),
        Command::Report(arguments) => report::report(&arguments),
        Command::Compare(arguments) => compare::compare(&arguments),
        Command::Gallery(arguments) => gallery::gallery(&arguments),
        Command::Predict(arguments) => predict::predict(&arguments),
        Command::Profile(arguments) => profile::profile(&arguments),
        Command::Check(arguments) => check::check(&arguments),
    };
    report_error(outcome)
}

/// Returns the exit code of `outcome`. Prints an error as one line on standard error and returns exit code 2.
#[must_use]
pub fn report_error(outcome: Result<ExitCode, CliError>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        output::say(&format!("error: {}", plain(&error.to_string())));
        ExitCode::from(2)
    })
}
