//! `warplaw compare`: shows the figures of several records in one table.

use std::path::PathBuf;
use std::process::ExitCode;

use super::error::CliError;
use super::input::{named, read_all};
use super::output::{Forms, Output, json};
use crate::report;

#[derive(Debug, clap::Args)]
pub(super) struct CompareArguments {
    /// Records to compare, or folders with records, or `-` for standard input: two records are compared figure by
    /// figure, three or more are ranked
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,
    /// Compare only these experiments, comma-separated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    #[command(flatten)]
    output: Output,
}

/// Writes the comparison. CSV contains one row per figure and per pair of the first record with another one.
///
/// # Errors
/// Returns an error if a record cannot be read or the comparison cannot be written.
pub(super) fn compare(arguments: &CompareArguments) -> Result<ExitCode, CliError> {
    arguments.output.check_inputs(&arguments.records)?;
    let records = read_all(&arguments.records, &arguments.only)?;
    let records = named(&records);
    if records.len() < 2 {
        return Err(CliError::OneRecord);
    }
    let forms = Forms {
        page: Box::new(|| report::compare(&records)),
        table: Box::new(|| report::comparison(&records)),
        json: Box::new(|| json(&report::comparison_data(&records))),
    };
    arguments.output.write(forms, "compare", &arguments.records)?;
    Ok(ExitCode::SUCCESS)
}
