//! Identifiers by which plans and expressions refer to cases.

/// Identifies a case of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId(pub(super) usize);
