//! `warplaw adapters`: lists adapters with their numbers, and what is missing from the list with the reason.

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::error::CliError;
use super::output::{json, print, print_text};
use crate::gpu::{AdapterFacts, Hidden, Selection, list_adapters, signs_of_gpus};
use crate::model::{DeviceType, Schema, plain};

#[derive(Debug, clap::Args)]
pub(super) struct AdapterArguments {
    /// List only adapters of these backends, comma-separated: vulkan, metal, dx12, gl (default:
    /// `WGPU_BACKEND`, else all)
    #[arg(long, value_name = "BACKEND")]
    backend: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value = "terminal")]
    format: AdapterFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum AdapterFormat {
    Terminal,
    Json,
}

/// The list as JSON.
#[derive(Debug, Serialize)]
struct List<'a> {
    schema: Schema,
    adapters: Vec<Listed<'a>>,
    /// Adapters and backends that wgpu leaves out.
    hidden: Vec<Reason<'a>>,
    /// Signs of GPUs that no driver offers.
    signs: &'a [String],
}

/// An adapter as JSON. A property that the driver does not tell is absent.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    number: usize,
    name: &'a str,
    backend: &'a str,
    device_type: DeviceType,
    vendor_id: u32,
    device_id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pci_bus_id: Option<&'a str>,
    driver: &'a str,
    driver_info: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subgroup_min: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subgroup_max: Option<u32>,
    features: &'a [&'static str],
}

#[derive(Debug, Serialize)]
struct Reason<'a> {
    name: &'a str,
    reason: &'a str,
}

/// Prints every adapter, best first, with the number that `--adapter` takes.
///
/// # Errors
/// Returns an error if the backend is unknown, no adapter exists, or standard output cannot be written.
pub(super) fn adapters(arguments: &AdapterArguments) -> Result<ExitCode, CliError> {
    let selection = Selection { adapter: None, backend: arguments.backend.clone() };
    let (adapters, hidden) = listening(|| list_adapters(&selection));
    let signs = signs_of_gpus(Path::new("/"));
    // The reasons are most useful where there is no adapter at all.
    let adapters = adapters.inspect_err(|_| {
        let _unread = print_text(&remarks(&hidden, &signs));
    })?;
    // A sign of a GPU that is in the list tells nothing new.
    let has_gpu = adapters.iter().any(|facts| facts.device_type != DeviceType::Cpu);
    let signs = if has_gpu { Vec::new() } else { signs };
    match arguments.format {
        AdapterFormat::Json => print(&json(&List {
            schema: Schema::new("warplaw-adapters", "1.0.0"),
            adapters: adapters
                .iter()
                .enumerate()
                .map(|(number, facts)| listed(number, facts))
                .collect(),
            hidden: hidden.iter().map(|Hidden { name, reason }| Reason { name, reason }).collect(),
            signs: &signs,
        }))?,
        AdapterFormat::Terminal => {
            let lines = adapters.iter().enumerate().map(|(number, facts)| text(number, facts));
            print_text(&format!("{}{}", lines.collect::<String>(), remarks(&hidden, &signs)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn listed(number: usize, facts: &AdapterFacts) -> Listed<'_> {
    Listed {
        number,
        name: &facts.name,
        backend: facts.backend,
        device_type: facts.device_type,
        vendor_id: facts.vendor_id,
        device_id: facts.device_id,
        pci_bus_id: facts.pci_bus_id.as_deref(),
        driver: &facts.driver,
        driver_info: &facts.driver_info,
        subgroup_min: facts.subgroup_min,
        subgroup_max: facts.subgroup_max,
        features: &facts.features,
    }
}

fn text(number: usize, facts: &AdapterFacts) -> String {
    let subgroups = match (facts.subgroup_min, facts.subgroup_max) {
        (Some(min), Some(max)) if min == max => format!("subgroup size {min}"),
        (Some(min), Some(max)) => format!("subgroup size {min} to {max}"),
        _ => "no subgroup operations".to_owned(),
    };
    let clock = if facts.has_timestamps() { "timestamp queries" } else { "no timestamp queries" };
    let pci = facts.pci_bus_id.as_ref().map_or(String::new(), |id| format!(", PCI {id}"));
    let rest = format!(
        "{}, {}{pci}, {} {}; {subgroups}, {clock}",
        facts.backend,
        facts.device_type.as_str(),
        facts.driver,
        facts.driver_info
    );
    format!("{number}  {}\n    {}\n", plain(&facts.name), plain(&rest))
}

/// Lists what is not among the adapters, with the reasons.
fn remarks(hidden: &[Hidden], signs: &[String]) -> String {
    let hidden = hidden.iter().map(|Hidden { name, reason }| format!("{name}: {reason}"));
    let lines: Vec<String> = hidden.chain(signs.iter().cloned()).collect();
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.iter().map(|line| format!("    {}\n", plain(line))).collect();
    format!("\nNot available:\n{lines}")
}

/// Collects what the log of wgpu says about adapters and backends that it leaves out.
struct Listener(Mutex<Vec<Hidden>>);

static LISTENER: Listener = Listener(Mutex::new(Vec::new()));

impl log::Log for Listener {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("wgpu")
    }

    fn log(&self, record: &log::Record<'_>) {
        if let Some(hidden) = Hidden::in_log(&record.args().to_string()) {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !all.contains(&hidden) {
                all.push(hidden);
            }
        }
    }

    fn flush(&self) {}
}

/// Returns the result of `call`, with what wgpu left out meanwhile.
fn listening<T>(call: impl FnOnce() -> T) -> (T, Vec<Hidden>) {
    // A program that has a logger of its own keeps it, and nothing is collected.
    let _has_logger = log::set_logger(&LISTENER);
    log::set_max_level(log::LevelFilter::Debug);
    let result = call();
    log::set_max_level(log::LevelFilter::Off);
    let hidden = std::mem::take(&mut *LISTENER.0.lock().unwrap_or_else(PoisonError::into_inner));
    (result, hidden)
}
