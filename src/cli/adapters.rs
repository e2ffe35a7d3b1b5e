//! `warplaw adapters`: lists adapters with their subgroup sizes and clocks.

use std::process::ExitCode;

use super::error::CliError;
use super::output::print_text;
use crate::gpu::{Selection, list_adapters};

#[derive(Debug, clap::Args)]
pub(super) struct AdapterArguments {
    /// List only adapters of these backends, comma-separated: vulkan, metal, dx12, gl (default:
    /// `WGPU_BACKEND`, else all)
    #[arg(long, value_name = "BACKEND")]
    backend: Option<String>,
}

/// Prints every adapter, best first.
///
/// # Errors
/// Returns an error if the backend is unknown, no adapter exists, or standard output cannot be written.
pub(super) fn adapters(arguments: &AdapterArguments) -> Result<ExitCode, CliError> {
    let selection = Selection { adapter: None, backend: arguments.backend.clone() };
    let adapters = list_adapters(&selection)?;
    let text: String = adapters
        .iter()
        .map(|facts| {
            let subgroups = match (facts.subgroup_min, facts.subgroup_max) {
                (Some(min), Some(max)) if min == max => format!("subgroup size {min}"),
                (Some(min), Some(max)) => format!("subgroup size {min} to {max}"),
                _ => "no subgroup operations".to_owned(),
            };
            let clock =
                if facts.has_timestamps() { "timestamp queries" } else { "no timestamp queries" };
            format!(
                "{}\n    {}, {}, {} {}; {subgroups}, {clock}\n",
                facts.name,
                facts.backend,
                facts.device_type.as_str(),
                facts.driver,
                facts.driver_info
            )
        })
        .collect();
    print_text(&text)?;
    Ok(ExitCode::SUCCESS)
}
