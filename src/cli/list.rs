//! `warplaw list`.

use std::process::ExitCode;

use super::{CliError, print_text};
use crate::experiments::REGISTRY;

pub(super) fn list() -> Result<ExitCode, CliError> {
    let mut text = String::new();
    for experiment in REGISTRY {
        text.push_str(&format!(
            "{:<12} {:<13} {}\n{:27}{}\n",
            experiment.id,
            experiment.idea.word(),
            experiment.about,
            "",
            experiment.law
        ));
    }
    print_text(&text)?;
    Ok(ExitCode::SUCCESS)
}
