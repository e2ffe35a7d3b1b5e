//! Cost models: the work of a dispatch, counted from its parameters without running it.

use std::sync::Arc;

/// Which atomics of a subgroup on one address the hardware or the compiler merges into one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merging {
    /// None: each lane's atomic is a request.
    Nothing,
    /// Those of all lanes, if all lanes use one address.
    All,
    /// Those of any lanes that use one address.
    Any,
}

/// What a cost model needs to know of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceShape {
    /// Lanes of a subgroup: they share one flow of control.
    pub width: u32,
    /// Lanes that execute in one issue slot, a divisor of `width`. Some GPUs issue each instruction of a subgroup several
    /// times, for some of its lanes each.
    pub issue_width: u32,
    /// Whether the device skips an issue slot whose lanes are all inactive because of a branch. Slots for which a workgroup
    /// has no invocations are skipped on every device.
    pub skips_inactive: bool,
    /// Which lanes make one request of an atomic operation.
    pub atomic_merging: Merging,
    /// Bytes of a cache line: what a load looks up.
    pub line_bytes: u32,
    /// Bytes of a sector: what a load transfers. A divisor of `line_bytes`.
    pub sector_bytes: u32,
}

impl DeviceShape {
    /// Returns the number of issue slots that one instruction takes in all subgroups of a workgroup, or in a part of a
    /// workgroup, of this many invocations.
    #[must_use]
    pub fn issue_slots(self, invocations: u32) -> u32 {
        invocations.div_ceil(self.issue_width)
    }

    /// Returns the number of requests of an atomic operation in a subgroup of `lanes` lanes that use `addresses` addresses.
    #[must_use]
    pub fn requests(self, lanes: u32, addresses: u32) -> u32 {
        match self.atomic_merging {
            Merging::Any => addresses,
            Merging::All if addresses == 1 => 1,
            Merging::All | Merging::Nothing => lanes,
        }
    }

    /// Returns the number of issue slots that one instruction takes in a subgroup, given which of its lanes are active.
    #[must_use]
    pub fn active_issue_slots(self, lanes: &[bool]) -> u32 {
        let active = |lanes: &&[bool]| lanes.contains(&true);
        let slots = lanes.chunks(self.issue_width as usize);
        match slots.clone().filter(active).count() {
            0 => 0,
            some if self.skips_inactive => some as u32,
            _ => slots.len() as u32,
        }
    }
}

impl From<u32> for DeviceShape {
    /// Returns the shape of a device that executes all `width` lanes of a subgroup at once, with lines of 128 bytes and
    /// sectors of 32 bytes.
    fn from(width: u32) -> Self {
        Self {
            width,
            issue_width: width,
            skips_inactive: true,
            atomic_merging: Merging::Any,
            line_bytes: 128,
            sector_bytes: 32,
        }
    }
}

/// The work of one dispatch, counted before the dispatch runs.
///
/// The work is counted lane by lane and not derived from a law.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CostModel {
    /// Number of workgroups launched.
    pub workgroups: f64,
    /// Number of subgroups launched.
    pub subgroups: f64,
    /// Number of issue slots, summed over subgroups. An instruction takes as many as
    /// [`DeviceShape::issue_slots`] says; one if a device executes whole subgroups at once.
    pub issues: f64,
    /// The issue slots of each subgroup, in the order of launch and used cyclically. Their mean times `subgroups` is
    /// `issues`. Absent if all subgroups have equal numbers.
    pub uneven: Option<Arc<[f64]>>,
    /// How many of `issues` are integer multiplications, which some devices issue more slowly. Zero if they are not
    /// counted, because no figure depends on them.
    pub multiplies: f64,
    /// Number of instructions in the longest dependent chain of a subgroup, summed over subgroups.
    ///
    /// Zero if a subgroup has enough independent instructions to hide all latency.
    pub dependent: f64,
    /// Number of times that a subgroup begins a loop or another long piece of code that other subgroups may not be in,
    /// summed over subgroups.
    pub code_entries: f64,
    /// Bytes of the different pieces of such code that are entered.
    pub code_bytes: f64,
    /// Number of workgroup barriers passed, summed over workgroups.
    pub barriers: f64,
    /// Number of atomic requests on the address that receives the most.
    pub atomics: f64,
    /// Number of atomic requests on all addresses together.
    pub atomics_anywhere: f64,
    /// Bytes read and written.
    pub bytes: f64,
    /// Different bytes among these: the memory over which the accesses range.
    pub footprint: f64,
    /// Bytes that each workgroup moves between two waits for its loads. Zero if waits do not limit the dispatch.
    pub bytes_in_flight: f64,
    /// Number of cache lines that load instructions look up one after another, summed over subgroups. Zero if the
    /// instructions load neighbouring words, so that the bytes limit the dispatch.
    pub lines: f64,
    /// Number of sectors that these loads transfer.
    pub sectors: f64,
    /// Number of loads in the longest chain of dependent loads. Chains that run at the same time count once.
    pub load_chain: f64,
}
