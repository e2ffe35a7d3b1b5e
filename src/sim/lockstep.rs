//! A workload on the host, lane by lane: its outputs, and the instructions that its subgroups issue.

use std::collections::BTreeMap;

use crate::gpu::{Contents, Dispatch, Workload};
use crate::simt::{Buffers, Grid, Issued, Unsupported};

/// What a workload did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The words of the checked buffers.
    pub outputs: Vec<u32>,
    /// For each dispatch of the list, the instructions that each subgroup issued, by workgroup.
    pub issued: Vec<Vec<Vec<Issued>>>,
}

/// Executes the preparation, what warms up, and then the dispatch list of `workload` once, with subgroups of `width` lanes.
///
/// # Errors
/// Returns an error if a shader is not valid or uses something that cannot be executed on the host.
pub fn follow(workload: &Workload, width: u32) -> Result<Followed, Unsupported> {
    let mut memory = Memory::of(workload);
    for dispatch in workload.prepare.iter().chain(&workload.warm_up) {
        memory.run(dispatch, width)?;
    }
    let mut issued = Vec::new();
    for dispatch in &workload.dispatches {
        issued.push(memory.run(dispatch, width)?);
    }
    let checked = workload.check.buffers.iter();
    let outputs = checked.flat_map(|&buffer| memory.words(buffer, &workload.buffers[buffer]));
    Ok(Followed { outputs: outputs.collect(), issued })
}

/// The buffers of a workload, as bytes. Buffers that share a scratch buffer have one number.
struct Memory<'a> {
    workload: &'a Workload,
    bytes: BTreeMap<usize, Vec<u8>>,
}

impl<'a> Memory<'a> {
    fn of(workload: &'a Workload) -> Self {
        let mut memory = Self { workload, bytes: BTreeMap::new() };
        for index in 0..workload.buffers.len() {
            let bytes = workload.buffers[index].bytes();
            let shared = memory.bytes.entry(memory.place(index)).or_default();
            if shared.len() < bytes.len() {
                *shared = bytes;
            }
        }
        memory
    }

    /// Returns the number of the memory in which a buffer lies.
    fn place(&self, buffer: usize) -> usize {
        match self.workload.buffers[buffer] {
            Contents::Scratch(scratch, _) => {
                let same = |contents: &Contents| matches!(contents, Contents::Scratch(s, _) if *s == scratch);
                self.workload.buffers.iter().position(same).unwrap_or(buffer)
            }
            _ => buffer,
        }
    }

    fn words(&self, buffer: usize, contents: &Contents) -> Vec<u32> {
        let bytes = &self.bytes[&self.place(buffer)][..4 * contents.words()];
        bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    }

    fn run(&mut self, dispatch: &Dispatch, width: u32) -> Result<Vec<Vec<Issued>>, Unsupported> {
        let (module, info) = dispatch
            .shader
            .specialized(false, dispatch.entry, &dispatch.constants)
            .map_err(Unsupported)?;
        let [x, y] = dispatch.workgroups;
        let grid = Grid {
            module: &module,
            info: &info,
            entry: dispatch.entry,
            workgroups: [x, y, 1],
            width,
        };
        let mut buffers = Buffers::new();
        for &(name, buffer) in &dispatch.bindings {
            // Two variables may have one buffer if the shader writes neither.
            buffers.insert(name.to_owned(), self.bytes[&self.place(buffer)].clone());
        }
        let issued = grid.run(&mut buffers);
        // What is as it was may belong to a variable that this entry point does not use.
        let written = dispatch.bindings.iter().filter_map(|&(name, buffer)| {
            let (bytes, place) = (buffers.remove(name)?, self.place(buffer));
            (bytes != self.bytes[&place]).then_some((place, bytes))
        });
        let written: Vec<_> = written.collect();
        self.bytes.extend(written);
        issued
    }
}
