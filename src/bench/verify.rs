//! Cases after verification.

use std::collections::BTreeMap;

use crate::gpu::BadSpan;
use crate::model::Case;

/// A case after verification.
pub(super) struct Checked {
    pub(super) case: Case,
    /// Whether its output was compared with the CPU reference and is wrong.
    pub(super) mismatched: bool,
    /// Whether the device refused to load it, though it has the memory.
    pub(super) refused: bool,
    /// Whether it is a floor case, which is short by nature.
    pub(super) is_floor: bool,
    /// Number of rejected samples, by the reason for the rejection.
    pub(super) bad: BTreeMap<BadSpan, usize>,
}
