//! Replay of accesses to memory: what the lanes of a subgroup access together.

use naga::valid::ModuleInfo;
use naga::{EntryPoint, GlobalVariable, Handle, Module, Span, Statement};

use super::super::accesses::MemoryAccess;
use super::super::arrangement::Arrangement;
use super::super::instructions::Instructed;
use super::super::mask::Mask;
use super::super::statements::{Placed, Places, statements};
use super::super::unsupported::Unsupported;
use super::super::walk::{Walk, Watch};
use super::decided::{Decided, Known};
use crate::model::{AccessKind, Memory, Together, Transfers};

/// Bytes of the shortest scalar of WGSL.
const SHORTEST: u32 = 2;
/// Banks of workgroup memory on most GPUs, each a word of four bytes wide.
const BANKS: u32 = 32;
const BANK: u32 = 4;

/// What a replay of accesses asks for, of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The next decision, of so many outcomes.
    Decision(u32),
    /// The next address, in bytes from the begin of the variable.
    Address,
}

/// An access of a statement, with what the subgroups of replayed workgroups accessed there.
#[derive(Debug, Clone, PartialEq)]
pub struct Accessed {
    /// The access.
    pub access: MemoryAccess,
    /// Bytes of its variable.
    pub size: u64,
    /// Bytes of the source that ask for it.
    pub span: Span,
    /// What subgroups accessed.
    pub together: Together,
}

/// A shader whose workgroups are replayed with their addresses.
pub struct AccessReplay<'a> {
    module: &'a Module,
    entry: &'a EntryPoint,
    /// Index of each statement.
    places: Places,
    /// The accesses of each statement: the first one of each, and the one after the last.
    firsts: Vec<usize>,
    accessed: Vec<Accessed>,
    transfers: Transfers,
}

impl<'a> AccessReplay<'a> {
    /// Begins a replay of the entry point `entry` of a module whose overrides have their values, on a device that moves memory in
    /// such parts. `size_of` returns the bytes of a variable.
    ///
    /// # Errors
    /// Returns an error if the module has no such entry point.
    pub fn new(
        module: &'a Module,
        info: &'a ModuleInfo,
        entry: &str,
        transfers: Transfers,
        size_of: impl Fn(Handle<GlobalVariable>) -> u64,
    ) -> Result<Self, Unsupported> {
        let index = module.entry_points.iter().position(|candidate| candidate.name == entry);
        let index = index.ok_or_else(|| Unsupported(format!("an entry point `{entry}`")))?;
        let entry = &module.entry_points[index];
        let (places, firsts, accessed) = (Places::default(), vec![0], Vec::new());
        let mut replay = Self { module, entry, places, firsts, accessed, transfers };
        for Placed { function, handle, statement, span } in statements(module, entry) {
            let info = handle.map_or_else(|| info.get_entry_point(index), |handle| &info[handle]);
            let of_statement = Instructed::new(module, function, info).accesses(statement);
            replay.places.add(statement);
            replay.accessed.extend(of_statement.into_iter().map(|access| Accessed {
                access,
                size: size_of(access.variable),
                span: access.span.unwrap_or(span),
                together: Together::default(),
            }));
            replay.firsts.push(replay.accessed.len());
        }
        Ok(replay)
    }

    /// Returns the accesses, with what all workgroups so far did.
    #[must_use]
    pub fn accessed(&self) -> &[Accessed] {
        &self.accessed
    }

    /// Replays a workgroup with these subgroups. `answer` returns what is asked of a lane.
    ///
    /// # Errors
    /// Returns the first error of `answer`.
    pub fn workgroup<E>(
        &mut self,
        arrangement: &Arrangement,
        mut answer: impl FnMut(usize, Asked) -> Result<u32, E>,
    ) -> Result<(), E> {
        let lanes = Addressed {
            answer: |place: usize, asked: Asked| answer(arrangement.lane(place), asked),
            places: &self.places,
            firsts: &self.firsts,
            accessed: &mut self.accessed,
            transfers: self.transfers,
            width: arrangement.width() as usize,
        };
        let mut walk = Walk { module: self.module, lanes: Decided(lanes), watch: Unwatched };
        walk.function(&self.entry.function.body, arrangement.present())
    }
}

/// Lanes whose decisions and addresses are known.
struct Addressed<'a, F> {
    answer: F,
    places: &'a Places,
    firsts: &'a [usize],
    accessed: &'a mut [Accessed],
    transfers: Transfers,
    width: usize,
}

impl<E, F: FnMut(usize, Asked) -> Result<u32, E>> Known for Addressed<'_, F> {
    type Error = E;

    fn decide(&mut self, place: usize, outcomes: u32) -> Result<u32, E> {
        (self.answer)(place, Asked::Decision(outcomes))
    }

    fn perform(&mut self, statement: &Statement, active: &Mask) -> Result<(), E> {
        let place = self.places.of(statement);
        for index in self.firsts[place]..self.firsts[place + 1] {
            let Accessed { access, size, together, .. } = &mut self.accessed[index];
            for first in active.firsts(self.width).lanes() {
                let subgroup = active.subgroup(first / self.width, self.width);
                let addresses = subgroup.lanes().map(|lane| (self.answer)(lane, Asked::Address));
                let addresses = addresses.collect::<Result<Vec<u32>, E>>()?;
                together.add(of_subgroup(access, *size, &addresses, self.transfers));
            }
        }
        Ok(())
    }
}

/// Sees nothing.
struct Unwatched;

impl<L> Watch<L> for Unwatched {
    fn note(&mut self, _: &L, _: &Statement, _: &Mask) {}
}

/// Returns what one execution by the lanes of a subgroup accesses, at these addresses.
fn of_subgroup(
    access: &MemoryAccess,
    size: u64,
    addresses: &[u32],
    transfers: Transfers,
) -> Together {
    let lanes = addresses.len() as u64;
    let is_inside = |&at: &u32| u64::from(at) + u64::from(access.bytes) <= size;
    let addresses: Vec<u32> = addresses.iter().copied().filter(is_inside).collect();
    let blocks = |bytes: u32| -> Vec<u32> {
        let of_lane = |&at: &u32| at / bytes..=(at + access.bytes.max(1) - 1) / bytes;
        let mut blocks: Vec<u32> = addresses.iter().flat_map(of_lane).collect();
        blocks.sort_unstable();
        blocks.dedup();
        blocks
    };
    let words = blocks(BANK);
    let mut together = Together {
        executions: 1,
        lanes,
        outside: lanes - addresses.len() as u64,
        bytes: u64::from(SHORTEST) * blocks(SHORTEST).len() as u64,
        words: words.len() as u64,
        ..Together::default()
    };
    match access.memory {
        Memory::Workgroup => {
            let mut banks = [0u64; BANKS as usize];
            words.iter().for_each(|word| banks[(word % BANKS) as usize] += 1);
            together.passes = banks.into_iter().max().unwrap_or(0);
        }
        _ => {
            together.lines = blocks(transfers.line_bytes).len() as u64;
            together.sectors = blocks(transfers.sector_bytes).len() as u64;
        }
    }
    if access.kind == AccessKind::Atomic {
        let mut sorted = addresses;
        sorted.sort_unstable();
        let runs = sorted.chunk_by(|a, b| a == b).map(<[u32]>::len);
        together.on_one = runs.max().unwrap_or(0) as u64;
    }
    together
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of a variable that contains all.
    const SIZE: u64 = 1 << 20;

    fn access(kind: AccessKind, memory: Memory, bytes: u32) -> MemoryAccess {
        let module = naga::front::wgsl::parse_str(
            "var<workgroup> x: u32; @compute @workgroup_size(1) fn main() { x = 1u; }",
        );
        let module = module.expect("the module is valid");
        let (variable, _) = module.global_variables.iter().next().expect("there is a variable");
        let function = &module.entry_points[0].function;
        let (pointer, _) = function.expressions.iter().next().expect("there is an expression");
        MemoryAccess { kind, memory, variable, bytes, pointer, span: None }
    }

    #[test]
    fn lines_sectors_banks_and_equal_addresses_are_those_by_hand() {
        let strided = |stride: u32| (0..32).map(|lane| stride * lane).collect::<Vec<u32>>();
        let load = access(AccessKind::Load, Memory::Buffer, 4);
        let found = |stride| {
            let Together { lines, sectors, words, .. } =
                of_subgroup(&load, SIZE, &strided(stride), Transfers::USUAL);
            (lines, sectors, words)
        };
        assert_eq!(found(4), (1, 4, 32));
        assert_eq!(found(8), (2, 8, 32));
        assert_eq!(found(128), (32, 32, 32));
        assert_eq!(found(0), (1, 1, 1));
        // A vector of 16 bytes at an odd place lies in two sectors.
        let wide = access(AccessKind::Load, Memory::Buffer, 16);
        assert_eq!(of_subgroup(&wide, SIZE, &[24], Transfers::USUAL).sectors, 2);
        let shared = access(AccessKind::Store, Memory::Workgroup, 4);
        let passes = |stride| of_subgroup(&shared, SIZE, &strided(stride), Transfers::USUAL).passes;
        assert_eq!([0, 4, 8, 12, 128, 132].map(passes), [1, 1, 2, 1, 32, 1]);
        let atomic = access(AccessKind::Atomic, Memory::Buffer, 4);
        assert_eq!(of_subgroup(&atomic, SIZE, &[8, 4, 8, 0, 8], Transfers::USUAL).on_one, 3);
        // Half words ask for half as much.
        let half = access(AccessKind::Load, Memory::Buffer, 2);
        let found = of_subgroup(&half, SIZE, &strided(32), Transfers::USUAL);
        assert_eq!((found.bytes, found.utilization(Transfers::USUAL)), (64, Some(0.0625)));
        // Only the first eight words are in the variable.
        let found = of_subgroup(&load, 32, &strided(4), Transfers::USUAL);
        assert_eq!((found.lanes, found.outside, found.words, found.lines), (32, 24, 8, 1));
    }
}
