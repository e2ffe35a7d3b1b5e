//! The levels of batching, with the name of the unit and the content of a batch at each level.

/// Invocations per workgroup at the levels that do not vary the workgroup size.
pub(super) const WORKGROUP_SIZE: u32 = 64;
/// Loop iterations at the levels whose items are subgroups or small dispatches: the least work that justifies
/// one.
pub(super) const ITEM_STEPS: u32 = 16;
/// Loop iterations of an item at the level whose items are parts of a lane: so many that what a lane executes before and
/// after its loop hardly counts.
pub(super) const ITEM_STEPS_OF_A_LANE: u32 = 8;
/// Loop iterations of each lane at the level whose items are lanes.
pub(super) const LANE_STEPS: u32 = 128;
/// Loop iterations of each invocation at the level whose items are workgroups.
pub(super) const WORKGROUP_STEPS: u32 = 32;
/// 32-bit words in a chunk of a readback.
pub(super) const CHUNK_WORDS: u32 = 1024;

/// A level of batching: a unit that carries a batch of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    ItemsPerLane,
    LanesPerSubgroup,
    SubgroupsPerWorkgroup,
    WorkgroupsPerDispatch,
    DispatchesPerPass,
    PassesPerSubmit,
    SubmitsPerWait,
    ChunksPerMap,
}

impl Level {
    /// All levels, from the innermost to the outermost.
    pub(super) const ALL: [Self; 8] = [
        Self::ItemsPerLane,
        Self::LanesPerSubgroup,
        Self::SubgroupsPerWorkgroup,
        Self::WorkgroupsPerDispatch,
        Self::DispatchesPerPass,
        Self::PassesPerSubmit,
        Self::SubmitsPerWait,
        Self::ChunksPerMap,
    ];

    /// Returns the level named `id`, or `None` if there is none.
    pub(super) fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.id() == id)
    }

    /// Returns the name in records.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::ItemsPerLane => "items_per_lane",
            Self::LanesPerSubgroup => "lanes_per_subgroup",
            Self::SubgroupsPerWorkgroup => "subgroups_per_workgroup",
            Self::WorkgroupsPerDispatch => "workgroups_per_dispatch",
            Self::DispatchesPerPass => "dispatches_per_pass",
            Self::PassesPerSubmit => "passes_per_submit",
            Self::SubmitsPerWait => "submits_per_wait",
            Self::ChunksPerMap => "chunks_per_map",
        }
    }

    /// Returns the name of the unit, for the levels whose batches a wgpu programmer chooses.
    pub(super) fn unit(self) -> Option<&'static str> {
        match self {
            Self::ItemsPerLane | Self::LanesPerSubgroup | Self::SubgroupsPerWorkgroup => None,
            Self::WorkgroupsPerDispatch => Some("dispatch"),
            Self::DispatchesPerPass => Some("pass"),
            Self::PassesPerSubmit => Some("submit"),
            Self::SubmitsPerWait => Some("wait"),
            Self::ChunksPerMap => Some("readback"),
        }
    }

    /// Returns a plural noun phrase that names the items of a batch.
    pub(super) fn content(self) -> String {
        match self {
            Self::ItemsPerLane => format!("times {ITEM_STEPS_OF_A_LANE} iterations of a lane"),
            Self::LanesPerSubgroup => format!("lanes of {LANE_STEPS} iterations"),
            Self::SubgroupsPerWorkgroup => format!("subgroups of {ITEM_STEPS} iterations"),
            Self::WorkgroupsPerDispatch => {
                format!(
                    "workgroups of {WORKGROUP_SIZE} invocations and {WORKGROUP_STEPS} iterations"
                )
            }
            Self::DispatchesPerPass => "small dispatches".to_owned(),
            Self::PassesPerSubmit => "passes of one small dispatch".to_owned(),
            Self::SubmitsPerWait => "submits of one small dispatch".to_owned(),
            Self::ChunksPerMap => format!("chunks of {} KiB", CHUNK_WORDS * 4 / 1024),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_found_by_its_id_and_names_its_items() {
        for level in Level::ALL {
            assert_eq!(Level::of(level.id()), Some(level));
        }
        assert_eq!(Level::of("dispatch"), None);
        let content = Level::WorkgroupsPerDispatch.content();
        assert_eq!(content, "workgroups of 64 invocations and 32 iterations");
        assert_eq!(Level::ChunksPerMap.content(), "chunks of 4 KiB");
    }
}
