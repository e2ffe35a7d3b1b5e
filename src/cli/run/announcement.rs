//! What a user is told before and during a run about its device.

use std::path::Path;

use crate::bench::Profile;
use crate::gpu::signs_of_gpus;
use crate::model::{DeviceType, Record, figures};

/// Names the device and the time that the run may take, before it begins.
pub(super) fn announcement(record: &Record, profile: Profile) -> String {
    let adapter = &record.adapter;
    let count = record.experiments.len();
    let ranks = record.ranks.as_ref().map(|ranks| format!("{}, the first on ", ranks.words()));
    format!(
        "Measuring {}{} ({}, {} {}, {}): {}, {} profile, about {} of sampling at most; compiling, autotuning and \
         verification come on top.",
        ranks.unwrap_or_default(),
        adapter.full_name(),
        adapter.device_type.as_str(),
        adapter.backend,
        adapter.driver,
        adapter.driver_info,
        figures::counted(count, "experiment"),
        profile.name,
        figures::quantity(profile.budget_s * count as f64, "s"),
    )
}

/// Returns what a user should know before the run about the choice of the device.
pub(super) fn warnings(record: &Record) -> Vec<String> {
    if record.adapter.device_type != DeviceType::Cpu {
        return Vec::new();
    }
    let signs = signs_of_gpus(Path::new("/")).into_iter();
    signs.map(|sign| format!("a software device is measured, but {sign}")).collect()
}
