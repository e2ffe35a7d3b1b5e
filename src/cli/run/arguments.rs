//! The arguments of `warplaw run`.

use std::path::PathBuf;
use std::time::Duration;

use crate::bench::Profile;
use crate::gpu::{LimitSet, Options, Selection};

/// Arguments of `warplaw run` and of `cargo bench --bench laws`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct RunArguments {
    /// Take shorter samples and fewer sweep points, for a first look
    #[arg(long, conflicts_with = "full")]
    pub quick: bool,
    /// Take samples of full length and all sweep points (default)
    #[arg(long)]
    pub full: bool,
    /// Spend up to TIME on samples until everything is decided, for example 90s or 10min; compiling, autotuning and
    /// verification come on top
    #[arg(long, value_name = "TIME", value_parser = budget)]
    pub budget: Option<Duration>,
    /// Keep the device busy for at least TIME before each experiment counts, for example 2s (default: 0.25s on a GPU; on a
    /// CPU 0.05s, or 0.15s with --full)
    #[arg(long, value_name = "TIME", value_parser = budget)]
    pub warm_up: Option<Duration>,
    /// Run only these experiments, comma-separated (see `warplaw list`)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Use this adapter: its number in `warplaw adapters`, its PCI bus id, or part of its name, ignoring case
    /// (default: `WGPU_ADAPTER_NAME`, else the best adapter). Given several times, each experiment runs on one adapter
    /// after the other
    #[arg(long, value_name = "ADAPTER")]
    pub adapter: Vec<String>,
    /// Use only these backends, comma-separated: vulkan, metal, dx12, gl (default: `WGPU_BACKEND`, else all)
    #[arg(long, value_name = "BACKEND")]
    pub backend: Option<String>,
    /// Seed of every random choice (default: derived from the current time)
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Write the record to FILE (default: a new file under records/)
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace the file of --out if it exists
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Keep the bounds, division and loop checks that wgpu injects into shaders
    #[arg(long)]
    pub checked: bool,
    /// Time with the host clock, even if the adapter supports timestamp queries
    #[arg(long)]
    pub host_clock: bool,
    /// Limits to open the device with
    #[arg(long, value_enum, default_value_t, value_name = "SET")]
    pub limits: Limits,
    /// Run each experiment by the warplaw at PROGRAM too, such as an older build or a script that changes the
    /// environment of the driver, in turn with this one. Writes a record of each, and compares the two
    #[arg(long, value_name = "PROGRAM")]
    pub against: Option<PathBuf>,
}

/// Values of `--limits`.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub enum Limits {
    /// All limits that the adapter offers
    #[default]
    Adapter,
    /// WebGPU's default limits, which a portable program requests
    Default,
    /// wgpu's downlevel limits, for older hardware
    Downlevel,
}

impl From<Limits> for LimitSet {
    fn from(limits: Limits) -> Self {
        match limits {
            Limits::Adapter => Self::Adapter,
            Limits::Default => Self::Default,
            Limits::Downlevel => Self::Downlevel,
        }
    }
}

/// Returns how to open this adapter, or the best one.
pub(super) fn options(arguments: &RunArguments, adapter: Option<String>) -> Options {
    Options {
        selection: Selection { adapter, backend: arguments.backend.clone() },
        checked: arguments.checked,
        host_clock: arguments.host_clock,
        limits: arguments.limits.into(),
        ..Options::default()
    }
}

/// Returns the profile of the run. A budget is shared equally by the experiments.
pub(super) fn profile(arguments: &RunArguments, experiments: usize) -> Profile {
    let usual = if arguments.quick { Profile::QUICK } else { Profile::FULL };
    let share = |budget: Duration| budget.as_secs_f64() / experiments.max(1) as f64;
    Profile {
        budget_s: arguments.budget.map_or(usual.budget_s, share),
        warm_up_s: arguments.warm_up.map_or(usual.warm_up_s, |time| time.as_secs_f64()),
        ..usual
    }
}

/// Parses a time such as `90s`, `10min` or `1h 30m`.
fn budget(text: &str) -> Result<Duration, String> {
    let time: Option<jiff::SignedDuration> = text.parse().ok();
    let time = time.and_then(|time| Duration::try_from(time).ok()).filter(|time| !time.is_zero());
    time.ok_or_else(|| {
        "give a time above zero with its unit, for example 90s, 10min or 1h".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_whole_nanoseconds_is_read() {
        assert_eq!(budget("30000000000ns"), Ok(Duration::from_secs(30)));
        assert_eq!(budget("1ns"), Ok(Duration::from_nanos(1)));
        assert!(budget("0ns").is_err());
    }
}
