//! Verdicts.

use serde::{Deserialize, Serialize};

/// What the evidence says of a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The whole interval of measured / predicted lies within the tolerance of 1.
    Holds,
    /// The whole interval lies outside it.
    Deviates,
    /// Neither: the interval straddles the tolerance, or a control failed.
    Inconclusive,
}

impl Verdict {
    /// The word used in records and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Deviates => "deviates",
            Self::Inconclusive => "inconclusive",
        }
    }
}
