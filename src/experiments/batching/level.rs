//! The levels of batching: what the unit of each is called, and what a batch of it consists of.

/// Lanes of a workgroup at the levels that do not vary it.
pub(super) const WORKGROUP_SIZE: u32 = 64;
/// Steps of an item at the levels where it is the least work worth a subgroup or a dispatch.
pub(super) const ITEM_STEPS: u32 = 16;
/// Steps of a lane, where lanes are what a batch consists of.
pub(super) const LANE_STEPS: u32 = 128;
/// Steps of a workgroup's lanes, where workgroups are.
pub(super) const WORKGROUP_STEPS: u32 = 32;
/// Words in a chunk that a map brings back.
pub(super) const CHUNK_WORDS: u32 = 1024;

/// A level: a unit that carries a batch of its content.
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
    /// All of them, inside out.
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

    /// The level of that id.
    pub(super) fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.id() == id)
    }

    /// Its name in records.
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

    /// The unit, for the levels that a programmer decides on.
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

    /// What a batch consists of.
    pub(super) fn content(self) -> String {
        match self {
            Self::ItemsPerLane => "steps of a lane".to_owned(),
            Self::LanesPerSubgroup => format!("lanes of {LANE_STEPS} steps"),
            Self::SubgroupsPerWorkgroup => format!("subgroups of {ITEM_STEPS} steps"),
            Self::WorkgroupsPerDispatch => {
                format!("workgroups of {WORKGROUP_SIZE} lanes and {WORKGROUP_STEPS} steps")
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
    fn a_level_is_found_by_its_id_and_says_what_it_carries() {
        for level in Level::ALL {
            assert_eq!(Level::of(level.id()), Some(level));
        }
        assert_eq!(Level::of("dispatch"), None);
        let content = Level::WorkgroupsPerDispatch.content();
        assert_eq!(content, "workgroups of 64 lanes and 32 steps");
        assert_eq!(Level::ChunksPerMap.content(), "chunks of 4 KiB");
    }
}
