//! How much time to spend.

use super::search::Thoroughness;

/// What a run may cost and how sharp it must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// `quick` or `full`.
    pub name: &'static str,
    /// Spans are sized towards this.
    pub sample_s: f64,
    /// No further round is begun after this, counted from the experiment's beginning without its searches; the
    /// least number of rounds may take three times as long.
    pub budget_s: f64,
    /// How long a device is kept busy before the first round of an experiment counts.
    pub warm_up_s: f64,
    /// Rounds before anything is decided.
    pub least_rounds: u32,
    /// Rounds at most.
    pub most_rounds: u32,
    /// An interval narrower than ± this is sharp enough.
    pub half_width: f64,
    /// How thoroughly shapes are searched for.
    pub search: Thoroughness,
    /// Whether sweeps take every step or every other one.
    pub dense: bool,
}

impl Profile {
    /// A first look.
    pub const QUICK: Self = Self {
        name: "quick",
        sample_s: 1.5e-3,
        budget_s: 1.3,
        warm_up_s: 0.05,
        least_rounds: 12,
        most_rounds: 61,
        half_width: 0.02,
        search: Thoroughness { sweeps: 1, rounds: 2, max_s: 0.8, sample_s: 4e-3 },
        dense: false,
    };

    /// What a record is made with.
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

/// A span longer than this nears a watchdog and is never timed.
pub(super) const MAX_SAMPLE_S: f64 = 0.050;

/// No span is sized towards more, so that one of four times the work, as among the controls, stays short enough.
pub(super) const MAX_TARGET_S: f64 = MAX_SAMPLE_S / 4.0;

/// A span must be this many ticks of the measured resolution.
pub(super) const MIN_TICKS: f64 = 1000.0;
