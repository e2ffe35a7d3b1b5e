//! The command line: one file per subcommand, one line per error, exit 2 for what the user can mend.

mod adapters;
mod check;
mod compare;
mod gallery;
mod list;
mod predict;
mod report;
mod run;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::{Parser, Subcommand, ValueEnum};

use crate::gpu::GpuError;
use crate::predict::Unanswered;
use crate::record::{self, Record, RecordError, plain, write_whole};
use crate::report::{Document, Format, Named, render};

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
    List,
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

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The device.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// A record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A law cannot be evaluated.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// `--only` names no experiment.
    #[error("no experiment is called `{name}`; there is: {known}")]
    UnknownExperiment {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A gallery of nothing.
    #[error("there is no record in `{folder}` or the folders in it: `warplaw run` makes one")]
    NoRecords {
        /// Where to look.
        folder: String,
    },
    /// A report cannot be written.
    #[error("cannot write `{path}`: {reason}; choose another place with --out FILE")]
    Unwritable {
        /// Where to.
        path: String,
        /// What the system said.
        reason: String,
    },
}

/// Carries out the command and says how it went.
#[must_use]
pub fn execute(arguments: Arguments) -> ExitCode {
    if arguments.no_color {
        ColorChoice::Never.write_global();
    }
    let outcome = match arguments.command {
        Command::Run(arguments) => run(&arguments, Closing::Summary),
        Command::List => list::list(),
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArgument {
    Terminal,
    Markdown,
    Csv,
    Html,
}

/// Columns of the terminal that reads standard output; none where that is a file or a pipe.
fn terminal_width() -> Option<u16> {
    let (width, _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(width.0)
}

/// For who reads standard output: as wide, and in colours where that is wished.
fn terminal() -> Format {
    let choice = AutoStream::choice(&std::io::stdout());
    Format::Terminal { width: terminal_width(), color: choice != ColorChoice::Never }
}

type Records = Vec<(String, Record)>;

/// Reads every record.
fn read_all(paths: &[PathBuf]) -> Result<Records, CliError> {
    let read = |path: &PathBuf| Ok((path.display().to_string(), record::read(path)?));
    paths.iter().map(read).collect()
}

/// The same as reports want them.
fn named(records: &Records) -> Vec<Named<'_>> {
    records.iter().map(|(path, record)| Named { path, record }).collect()
}

/// Where and how a document goes.
#[derive(Debug, clap::Args)]
struct Output {
    /// How to write it
    #[arg(long, value_enum, default_value = "terminal")]
    format: FormatArgument,
    /// Write here instead of to the terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Output {
    /// Writes the document; a file ends with the command that makes it again.
    fn write(
        &self,
        mut document: Document,
        command: &str,
        records: &[PathBuf],
    ) -> Result<(), CliError> {
        if let Some(path) = &self.out {
            let value = self.format.to_possible_value().expect("no format is hidden");
            let records: String =
                records.iter().map(|record| format!(" {}", record.display())).collect();
            document.push_maker(&format!(
                "warplaw {command}{records} --format {} --out {}",
                value.get_name(),
                path.display()
            ));
        }
        self.put(&self.text(&document))
    }

    /// The document as it is to be written.
    fn text(&self, document: &Document) -> String {
        let format = match self.format {
            FormatArgument::Terminal if self.out.is_some() => {
                Format::Terminal { width: None, color: false }
            }
            FormatArgument::Terminal => terminal(),
            FormatArgument::Markdown => Format::Markdown,
            FormatArgument::Csv => Format::Csv,
            FormatArgument::Html => Format::Html,
        };
        render(document, format)
    }

    /// Writes the text where it is to go.
    fn put(&self, text: &str) -> Result<(), CliError> {
        match &self.out {
            Some(path) => write_text(path, text),
            None => print_text(text),
        }
    }
}

fn write_text(path: &Path, text: &str) -> Result<(), CliError> {
    write_whole(path, text.as_bytes()).map_err(|error| CliError::Unwritable {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

/// Prints. A reader that has had enough (`warplaw … | head`) is no error.
fn print_text(text: &str) -> Result<(), CliError> {
    use std::io::{ErrorKind, Write};
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Unwritable {
            path: "standard output".to_owned(),
            reason: error.to_string(),
        }),
        _ => Ok(()),
    }
}
