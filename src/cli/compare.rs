//! `warplaw compare`: shows the figures of several records in one table.

use std::path::PathBuf;
use std::process::ExitCode;

use super::error::CliError;
use super::output::{FormatArgument, Output, named, read_all};
use crate::report;

#[derive(Debug, clap::Args)]
pub(super) struct CompareArguments {
    /// Records to compare: two are compared figure by figure, three or more are ranked
    #[arg(required = true, num_args = 2.., value_name = "RECORD")]
    records: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Writes the comparison. CSV contains one row per figure and per pair of the first record with another one.
///
/// # Errors
/// Returns an error if a record cannot be read or the comparison cannot be written.
pub(super) fn compare(arguments: &CompareArguments) -> Result<ExitCode, CliError> {
    let records = read_all(&arguments.records)?;
    let records = named(&records);
    let document = match arguments.output.format {
        FormatArgument::Csv => report::comparison(&records),
        _ => report::compare(&records),
    };
    arguments.output.write(document, "compare", &arguments.records)?;
    Ok(ExitCode::SUCCESS)
}
