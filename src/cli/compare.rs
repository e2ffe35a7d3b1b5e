//! `warplaw compare`: shows the figures of several records in one table.

use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use super::error::CliError;
use super::input::{Only, collect, named};
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
    let only = Only::new(&arguments.only);
    let records = collect(&arguments.records, |path, record| (path, only.of(record.for_many())))?;
    only.check()?;
    if records.len() < 2 {
        return Err(CliError::OneRecord);
    }
    // Only one of the forms is made, and it drops the records before its text is laid out, which needs memory itself.
    let records = Rc::new(records);
    let [of_page, of_table, of_json] = std::array::from_fn(|_| Rc::clone(&records));
    drop(records);
    let forms = Forms {
        page: Box::new(move || report::compare(&named(&of_page))),
        table: Box::new(move || report::comparison(&named(&of_table))),
        json: Box::new(move || json(&report::comparison_data(&named(&of_json)))),
    };
    arguments.output.write(forms, "compare", &arguments.records)?;
    Ok(ExitCode::SUCCESS)
}
