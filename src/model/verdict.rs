//! Verdicts.

use serde::{Deserialize, Serialize};

/// Result of the comparison of a law's predictions with measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The whole interval of measured / predicted is within the tolerance of 1. For an experiment: all judged
    /// points hold, or at most one in twenty is undecided, with its interval within twice the tolerance.
    Holds,
    /// The whole interval and, if known, the whole spread bound are outside the tolerance, on the same side.
    Deviates,
    /// Neither of the above, or a control failed.
    Inconclusive,
}

impl Verdict {
    /// Returns the verdict as records and reports write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Deviates => "deviates",
            Self::Inconclusive => "inconclusive",
        }
    }
}
