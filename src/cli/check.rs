//! `warplaw check`: for scripts, by exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{CliError, print_text};
use crate::record::{self, plain};
use crate::report::{Judgement, word};

#[derive(Debug, clap::Args)]
pub(super) struct CheckArguments {
    /// Records to judge
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,
}

pub(super) fn check(arguments: &CheckArguments) -> Result<ExitCode, CliError> {
    let mut worst = Judgement::Holds;
    for path in &arguments.records {
        let record = record::read(path)?;
        let words: Vec<String> = record
            .experiments
            .iter()
            .map(|experiment| format!("{} {}", experiment.id, word(experiment)))
            .collect();
        let line = format!("{}: {}", path.display(), words.join(", "));
        print_text(&format!("{}\n", plain(&line)))?;
        worst = worst.max(Judgement::of(&record));
    }
    Ok(ExitCode::from(match worst {
        Judgement::Holds => 0,
        Judgement::Deviates => 1,
        Judgement::Inconclusive => 3,
    }))
}
