//! `warplaw check`: for scripts, by exit code.

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
    /// Judge by what has become worse than in this record: laws that held, figures that were faster
    #[arg(long, value_name = "RECORD")]
    baseline: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

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
