//! `warplaw check`: judges records, for scripts and CI jobs that read the exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use super::error::CliError;
use super::output::{Output, named, read_all};
use crate::report::{self, Judgement};

#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    /// Records to judge
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,
    /// Judge only what is worse than in this record: laws that newly deviate or are no longer decided, and
    /// figures that are clearly worse
    #[arg(long, value_name = "RECORD")]
    baseline: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Judges the records and returns the exit code for the worst result:
///
/// - 0: every law holds. With a baseline: nothing is worse than in the baseline.
/// - 1: a law deviates or an output was wrong. With a baseline: a law newly deviates, an experiment newly
///   fails, or a figure is clearly worse.
/// - 3: a law is undecided or no law was measured. With a baseline: a law is no longer decided.
///
/// # Errors
/// Returns an error if a record cannot be read or the report cannot be written. The binary then exits with
/// code 2.
pub(super) fn check(arguments: &CheckArguments) -> Result<ExitCode, CliError> {
    let records = read_all(&arguments.records)?;
    let baseline = read_all(arguments.baseline.as_slice())?;
    let baseline = named(&baseline).first().copied();
    let (judgement, document) = report::check(&named(&records), baseline);
    arguments.output.put(&arguments.output.text(&document))?;
    Ok(ExitCode::from(match judgement {
        Judgement::Holds => 0,
        Judgement::Deviates => 1,
        Judgement::Inconclusive => 3,
    }))
}
