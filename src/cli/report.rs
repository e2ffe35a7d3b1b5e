//! `warplaw report`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{CliError, Output};
use crate::record;
use crate::report::{self, Document};

#[derive(Debug, clap::Args)]
pub(super) struct ReportArguments {
    /// Records to show
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn report(arguments: &ReportArguments) -> Result<ExitCode, CliError> {
    let mut document = Document::default();
    for path in &arguments.records {
        document.append(report::report(&record::read(path)?));
    }
    arguments.output.write(document, "report", &arguments.records)?;
    Ok(ExitCode::SUCCESS)
}
