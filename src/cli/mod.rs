//! The command line: one file per subcommand, one line per error, exit 2 for what the user can mend.

mod adapters;
mod check;
mod compare;
mod error;
mod gallery;
mod list;
mod output;
mod predict;
mod report;
mod run;

use std::process::ExitCode;

use anstream::ColorChoice;
use clap::{Parser, Subcommand};

use crate::model::plain;

pub use error::CliError;
pub use gallery::make_gallery;
pub use run::{Closing, RunArguments, run};

/// Measures how well the laws of lockstep execution hold on your GPU.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
pub struct Arguments {
    /// No colours, as `NO_COLOR` and a pipe ask for too
    #[arg(long, global = true)]
    no_color: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure, judge, and write a record
    Run(RunArguments),
    /// List the experiments and their laws
    List(list::ListArguments),
    /// List the adapters, best first
    Adapters(adapters::AdapterArguments),
    /// Show records
    Report(report::ReportArguments),
    /// Show records side by side
    Compare(compare::CompareArguments),
    /// Make the pages of a folder of records
    Gallery(gallery::GalleryArguments),
    /// Evaluate a law from parameters, or from a record's
    Predict(predict::PredictArguments),
    /// Judge records: exit 1 if a law deviates, 3 if one is inconclusive
    Check(check::CheckArguments),
}

/// Carries out the command and says how it went.
#[must_use]
pub fn execute(arguments: Arguments) -> ExitCode {
    if arguments.no_color {
        ColorChoice::Never.write_global();
    }
    let outcome = match arguments.command {
        Command::Run(arguments) => run(&arguments, Closing::Summary),
        Command::List(arguments) => list::list(&arguments),
        Command::Adapters(arguments) => adapters::adapters(&arguments),
        Command::Report(arguments) => report::report(&arguments),
        Command::Compare(arguments) => compare::compare(&arguments),
        Command::Gallery(arguments) => gallery::gallery(&arguments),
        Command::Predict(arguments) => predict::predict(&arguments),
        Command::Check(arguments) => check::check(&arguments),
    };
    report_error(outcome)
}

/// One line on standard error for what went wrong, and exit 2.
#[must_use]
pub fn report_error(outcome: Result<ExitCode, CliError>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {}", plain(&error.to_string()));
        ExitCode::from(2)
    })
}
