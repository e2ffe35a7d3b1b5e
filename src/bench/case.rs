//! Cases as expressions and plans name them.

/// A case of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId(pub(super) usize);
