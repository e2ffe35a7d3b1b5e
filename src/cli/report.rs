//! `warplaw report`: shows all results of records.

use std::path::PathBuf;
use std::process::ExitCode;

use super::error::CliError;
use super::input::{only, read_all};
use super::output::{Forms, Output, json};
use crate::model::Record;
use crate::report::{self, Document, Export};

#[derive(Debug, clap::Args)]
pub(super) struct ReportArguments {
    /// Records to show, or folders with records, or `-` for standard input
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,
    /// Write the metrics for a service that tracks benchmarks over time
    #[arg(long, value_enum, value_name = "SERVICE", conflicts_with = "format")]
    export: Option<ExportArgument>,
    /// Show only these experiments, comma-separated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ExportArgument {
    /// github-action-benchmark, tool customSmallerIsBetter: metrics of which less is better
    GithubSmaller,
    /// github-action-benchmark, tool customBiggerIsBetter: metrics of which more is better
    GithubBigger,
    /// Bencher Metric Format: all metrics with a better direction
    Bencher,
}

impl From<ExportArgument> for Export {
    fn from(export: ExportArgument) -> Self {
        match export {
            ExportArgument::GithubSmaller => Self::GithubSmaller,
            ExportArgument::GithubBigger => Self::GithubBigger,
            ExportArgument::Bencher => Self::Bencher,
        }
    }
}

/// Writes the reports one after another. CSV contains one row per point instead, and JSON all results without the raw
/// samples.
///
/// # Errors
/// Returns an error if a record cannot be read or the report cannot be written.
pub(super) fn report(arguments: &ReportArguments) -> Result<ExitCode, CliError> {
    arguments.output.check_inputs(&arguments.records)?;
    let records = only(read_all(&arguments.records)?, &arguments.only)?;
    let records: Vec<Record> = records.into_iter().map(|(_, record)| record).collect();
    if let Some(format) = arguments.export {
        arguments.output.put(&report::export(&records, format.into()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let forms = Forms {
        page: Box::new(|| {
            records.iter().fold(Document::default(), |mut document, record| {
                document.append(report::report(record));
                document
            })
        }),
        table: Box::new(|| report::points(&records)),
        json: Box::new(|| json(&report::judged(&records))),
    };
    arguments.output.write(forms, "report", &arguments.records)?;
    Ok(ExitCode::SUCCESS)
}
