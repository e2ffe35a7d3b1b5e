//! How much a report has.

/// How much of an experiment its section has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Everything.
    All,
    /// What a terminal shows.
    Terminal,
}
