//! Profiles: time limits and precision of a run.

use super::search::Thoroughness;
use crate::model::DeviceType;

/// Time limits and precision of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// `quick` or `full`.
    pub name: &'static str,
    /// Target time of a sample, in seconds.
    pub sample_s: f64,
    /// Time for the samples of an experiment in seconds, without compiling, autotuning, sizing, verifying and
    /// warming up. An experiment may also take half of the time that those before it left. The least number of rounds
    /// may take up to three times the budget.
    pub budget_s: f64,
    /// Seconds for which the device is kept busy before the first round of an experiment counts. A GPU is kept busy for at
    /// least 0.25 s.
    pub warm_up_s: f64,
    /// Least number of rounds, before which narrow intervals do not end sampling.
    pub least_rounds: u32,
    /// Largest number of rounds.
    pub most_rounds: u32,
    /// Half-width at which the interval of a ratio is narrow enough.
    pub half_width: f64,
    /// Thoroughness of autotuning.
    pub search: Thoroughness,
    /// Whether sweeps include all of their points instead of, for example, every other one.
    pub dense: bool,
}

impl Profile {
    /// Profile for a first look at a device.
    pub const QUICK: Self = Self {
        name: "quick",
        sample_s: 1.5e-3,
        budget_s: 1.8,
        warm_up_s: 0.05,
        least_rounds: 14,
        most_rounds: 61,
        half_width: 0.02,
        search: Thoroughness { sweeps: 1, rounds: 2, max_s: 0.8, sample_s: 4e-3 },
        dense: false,
    };

    /// Profile for records.
    pub const FULL: Self = Self {
        name: "full",
        sample_s: 4e-3,
        budget_s: 7.0,
        warm_up_s: 0.15,
        least_rounds: 31,
        most_rounds: 101,
        half_width: 0.005,
        search: Thoroughness { sweeps: 2, rounds: 3, max_s: 5.0, sample_s: 16e-3 },
        dense: true,
    };

    /// Returns the target time of a sample on a device of this type, in seconds.
    pub(super) fn sample_s_on(&self, device_type: DeviceType) -> f64 {
        if device_type == DeviceType::Cpu { self.sample_s.min(CPU_SAMPLE_S) } else { self.sample_s }
    }

    /// Returns how to search on a device of this type.
    ///
    /// On a CPU the samples are at most as long as the profile's target: a configuration that is fastest in longer samples
    /// may not be the fastest later. A plan that shortens its samples does so later. A GPU needs longer samples, since its
    /// clocks are low after each pipeline is built.
    pub(super) fn search_on(&self, device_type: DeviceType) -> Thoroughness {
        match device_type {
            DeviceType::Cpu => {
                let sample_s = self.search.sample_s.min(self.sample_s_on(device_type));
                Thoroughness { sample_s, ..self.search }
            }
            _ => self.search,
        }
    }
}

/// Longest target time of a sample on a CPU, in seconds. A scheduler that shares the cores gives each thread a few
/// milliseconds at a time, and interrupts nearly every sample as long as that.
const CPU_SAMPLE_S: f64 = 2e-3;

/// Longest sample that is timed, in seconds. A longer one comes near a watchdog.
pub(super) const MAX_SAMPLE_S: f64 = 0.050;

/// Largest target time of a sample, in seconds. Interference may double it and it stays within [`MAX_SAMPLE_S`].
pub(super) const MAX_TARGET_S: f64 = MAX_SAMPLE_S / 2.0;

/// Least length of a sample, in ticks of the measured clock resolution.
pub(super) const MIN_TICKS: f64 = 1000.0;
