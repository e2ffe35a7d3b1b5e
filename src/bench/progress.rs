//! What a run tells whoever draws its progress bar.

/// Where an experiment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Choosing launch configurations.
    Searching,
    /// Choosing how much work a span holds.
    Sizing,
    /// Comparing outputs with their twins.
    Verifying,
    /// Timing.
    Timing,
}

/// Told to whoever draws the progress bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// How much of the experiment is done, 0 to 1.
    pub done: f64,
    /// Rounds so far.
    pub rounds: u32,
    /// Half-width of the widest judged interval, once there is one.
    pub half_width: Option<f64>,
    /// Seconds left, or less if the intervals become sharp before; once rounds are timed.
    pub left_s: Option<f64>,
}

impl Progress {
    /// Before the first round.
    pub(super) fn before(stage: Stage, done: f64) -> Self {
        Self { stage, done, rounds: 0, half_width: None, left_s: None }
    }
}

/// Verification's share of the progress bar.
pub(super) const VERIFYING: f64 = 0.2;
