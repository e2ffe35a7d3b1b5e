//! The ladder's levels as people call them.

/// A level: a unit that carries a batch of its content.
pub(super) struct Level {
    /// Its name in records.
    pub(super) id: &'static str,
    /// The unit, for the levels that a programmer decides on.
    pub(super) unit: Option<&'static str>,
    content: &'static str,
}

const fn level(id: &'static str, unit: Option<&'static str>, content: &'static str) -> Level {
    Level { id, unit, content }
}

/// All of them, inside out.
pub(super) const LEVELS: [Level; 8] = [
    level("items_per_lane", None, "steps of a lane"),
    level("lanes_per_subgroup", None, "lanes of 128 steps"),
    level("subgroups_per_workgroup", None, "subgroups of 16 steps"),
    level("workgroups_per_dispatch", Some("a dispatch"), "workgroups of 64 lanes and 32 steps"),
    level("dispatches_per_pass", Some("a pass"), "small dispatches"),
    level("passes_per_submit", Some("a submit"), "passes of one small dispatch"),
    level("submits_per_wait", Some("a wait"), "submits of one small dispatch"),
    level("chunks_per_map", Some("a readback"), "chunks of 4 KiB"),
];

/// What a batch of the level consists of.
#[must_use]
pub fn content(id: &str) -> Option<&'static str> {
    LEVELS.iter().find(|level| level.id == id).map(|level| level.content)
}
