//! `warplaw compare`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{CliError, Output};
use crate::record;
use crate::report;

#[derive(Debug, clap::Args)]
pub(super) struct CompareArguments {
    /// Records to lay side by side
    #[arg(required = true, num_args = 2.., value_name = "RECORD")]
    records: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn compare(arguments: &CompareArguments) -> Result<ExitCode, CliError> {
    let mut records = Vec::with_capacity(arguments.records.len());
    for path in &arguments.records {
        records.push((path.display().to_string(), record::read(path)?));
    }
    arguments.output.write(report::compare(&records), "compare", &arguments.records)?;
    Ok(ExitCode::SUCCESS)
}
