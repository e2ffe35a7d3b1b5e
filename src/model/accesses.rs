//! What the lanes of a subgroup access together.

use serde::{Deserialize, Serialize};

/// What an access to memory does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccessKind {
    /// Loads.
    Load,
    /// Stores.
    Store,
    /// Changes a word by an atomic operation.
    Atomic,
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}

/// The memory of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Memory {
    /// A storage buffer.
    Buffer,
    /// Workgroup memory.
    Workgroup,
    /// Memory that this version does not know.
    #[serde(other)]
    Unknown,
}

/// The parts in which a device moves memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfers {
    /// Bytes of a line of the cache.
    pub line_bytes: u32,
    /// Bytes of a sector, the least that is fetched.
    pub sector_bytes: u32,
}

impl Transfers {
    /// Those of most GPUs.
    pub const USUAL: Self = Self { line_bytes: 128, sector_bytes: 32 };
}

/// What subgroups accessed, summed over executions of one access by one subgroup each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Together {
    /// Executions by a subgroup.
    pub executions: u64,
    /// Active lanes.
    pub lanes: u64,
    /// Active lanes whose address is beyond the end of the variable. What follows is without them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub outside: u64,
    /// Different bytes, with those that pad a type.
    pub bytes: u64,
    /// Words of 4 bytes that contain them.
    pub words: u64,
    /// Lines of the cache that contain them; 0 in workgroup memory.
    pub lines: u64,
    /// Sectors that contain them; 0 in workgroup memory.
    pub sectors: u64,
    /// The most different words in one of 32 banks of workgroup memory, which has to be accessed so many times; 0 in buffers.
    pub passes: u64,
    /// The most lanes with an atomic on one address; 0 without atomics.
    pub on_one: u64,
}

impl Together {
    /// Adds other executions of the same access.
    pub fn add(&mut self, other: Self) {
        self.executions += other.executions;
        self.lanes += other.lanes;
        self.outside += other.outside;
        self.bytes += other.bytes;
        self.words += other.words;
        self.lines += other.lines;
        self.sectors += other.sectors;
        self.passes += other.passes;
        self.on_one += other.on_one;
    }

    /// Returns the share of fetched bytes that a lane asked for; `None` in workgroup memory.
    ///
    /// ```
    /// use warplaw::model::{Together, Transfers};
    /// // 32 lanes that load words 32 bytes apart: each fetches a sector of its own for one word.
    /// let strided = Together { executions: 1, lanes: 32, bytes: 128, lines: 8, sectors: 32, ..Together::default() };
    /// assert_eq!(strided.utilization(Transfers::USUAL), Some(0.125));
    /// ```
    #[must_use]
    pub fn utilization(&self, transfers: Transfers) -> Option<f64> {
        let fetched = self.sectors * u64::from(transfers.sector_bytes);
        (fetched > 0).then(|| self.bytes as f64 / fetched as f64)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// An access to memory, with what subgroups accessed there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessedLine {
    /// Line of the source, from 1.
    pub line: u32,
    /// Name of the variable.
    pub variable: String,
    /// What the access does.
    pub kind: AccessKind,
    /// Memory of the variable.
    pub memory: Memory,
    /// Bytes that each lane accesses.
    pub bytes: u32,
    /// What subgroups accessed.
    pub together: Together,
    /// Estimated seconds of this access in the whole dispatch, at the full throughput of the device; absent without a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_s: Option<f64>,
}

/// The accesses of a sample of workgroups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accesses {
    /// Workgroups whose addresses were recorded.
    pub workgroups: u32,
    /// The parts in which the device moves memory: those of the record, or else those of most GPUs.
    pub transfers: Transfers,
    /// The accesses that were executed, by line.
    pub lines: Vec<AccessedLine>,
}
