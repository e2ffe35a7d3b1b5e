//! Profiles: time limits and precision of a run.

use super::search::Thoroughness;

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
    /// Seconds for which the device is kept busy before the first round of an experiment counts.
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
}

/// Longest sample that is timed, in seconds. A longer one comes near a watchdog.
pub(super) const MAX_SAMPLE_S: f64 = 0.050;

/// Largest target time of a sample, in seconds. Interference may double it and it stays within [`MAX_SAMPLE_S`].
pub(super) const MAX_TARGET_S: f64 = MAX_SAMPLE_S / 2.0;

/// Least length of a sample, in ticks of the measured clock resolution.
pub(super) const MIN_TICKS: f64 = 1000.0;
