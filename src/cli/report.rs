//! `warplaw report`: shows all results of records.

use std::path::PathBuf;
use std::process::ExitCode;

use super::error::CliError;
use super::output::{FormatArgument, Output, read_all};
use crate::report::{self, Document};

#[derive(Debug, clap::Args)]
pub(super) struct ReportArguments {
    /// Records to show
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Writes the reports one after another. CSV contains one row per point instead.
///
/// # Errors
/// Returns an error if a record cannot be read or the report cannot be written.
pub(super) fn report(arguments: &ReportArguments) -> Result<ExitCode, CliError> {
    let records = read_all(&arguments.records)?.into_iter().map(|(_, record)| record);
    let document = match arguments.output.format {
        FormatArgument::Csv => report::points(&records.collect::<Vec<_>>()),
        _ => records.fold(Document::default(), |mut document, record| {
            document.append(report::report(&record));
            document
        }),
    };
    arguments.output.write(document, "report", &arguments.records)?;
    Ok(ExitCode::SUCCESS)
}
