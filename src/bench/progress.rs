//! Progress of an experiment, for progress bars.

/// Stage that an experiment is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Choosing launch configurations.
    Searching,
    /// Choosing the amount of work in a sample.
    Sizing,
    /// Comparing outputs with their CPU references.
    Verifying,
    /// Timing rounds.
    Timing,
}

/// Progress of an experiment at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Current stage.
    pub stage: Stage,
    /// Fraction of the experiment that is done, from 0 to 1.
    pub done: f64,
    /// Rounds timed so far.
    pub rounds: u32,
    /// Half-width of the widest judged interval; `None` before one is known.
    pub half_width: Option<f64>,
    /// Seconds left; `None` before the first round. Intervals that become narrow enough end the experiment
    /// earlier.
    pub left_s: Option<f64>,
}

impl Progress {
    /// Creates the progress of a stage before the first round.
    pub(super) fn before(stage: Stage, done: f64) -> Self {
        Self { stage, done, rounds: 0, half_width: None, left_s: None }
    }
}

/// Share of the progress bar for verification.
pub(super) const VERIFYING: f64 = 0.2;
