//! `warplaw check`: judges records, for scripts and CI jobs that read the exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use super::error::CliError;
use super::input::{named, read_all};
use super::output::{Forms, Output, json, quoted};
use crate::model::Record;
use crate::report::{self, Judgement, are_of_one_device};

#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    /// Records to judge, or folders with records, or `-` for standard input
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,
    /// Judge only what is worse than in this record: points that held and clearly deviate, laws that are no longer
    /// decided, and figures that are clearly worse
    #[arg(long, value_name = "RECORD")]
    baseline: Option<PathBuf>,
    /// Check against the baseline of another device too
    #[arg(long, requires = "baseline")]
    across_devices: bool,
    #[command(flatten)]
    output: Output,
}

/// Judges the records and returns the exit code for the worst result:
///
/// - 0: every law holds. With a baseline: nothing is worse than in the baseline.
/// - 1: a law deviates or an output was wrong. With a baseline: a point that held there clearly deviates, an experiment
///   that was measured there fails, or a figure is clearly worse.
/// - 3: a law is undecided or no law was measured. With a baseline: a law that it decides is measured and undecided.
///
/// # Errors
/// Returns an error if a record cannot be read, if the baseline is of another device, or if the report cannot be
/// written. The binary then exits with
/// code 2.
pub(super) fn check(arguments: &CheckArguments) -> Result<ExitCode, CliError> {
    let inputs = [arguments.records.as_slice(), arguments.baseline.as_slice()].concat();
    arguments.output.check_inputs(&inputs)?;
    let records = read_all(&arguments.records, &[])?;
    let baseline = read_all(arguments.baseline.as_slice(), &[])?;
    let baseline = named(&baseline).first().copied();
    if let Some(baseline) = baseline.filter(|_| !arguments.across_devices) {
        let is_other = |record: &&(String, Record)| !are_of_one_device(baseline.record, &record.1);
        if let Some((path, record)) = records.iter().find(is_other) {
            return Err(CliError::OtherDevice {
                record: path.clone(),
                device: record.adapter.full_name(),
                baseline: baseline.record.adapter.full_name(),
            });
        }
    }
    let records = named(&records);
    let checked = report::check(&records, baseline);
    let command = match &arguments.baseline {
        Some(baseline) => format!("check --baseline {}", quoted(baseline)),
        None => "check".to_owned(),
    };
    let forms = Forms {
        page: Box::new(|| checked.document()),
        table: Box::new(|| checked.tidy()),
        json: Box::new(|| json(&checked)),
    };
    arguments.output.write(forms, &command, &arguments.records)?;
    Ok(ExitCode::from(match checked.judgement() {
        Judgement::Holds => 0,
        Judgement::Deviates => 1,
        Judgement::Inconclusive => 3,
    }))
}
