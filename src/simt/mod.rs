//! Lockstep execution of WGSL on the host: what a SIMT machine of a given width issues, and what it computes.
//!
//! [`Grid::run`] follows an entry point lane by lane, statement by statement, with the lanes of a subgroup under one
//! program counter and meeting again as early as the source allows. It counts the instructions of each subgroup, so
//! that a cost model can be compared with them, and changes the buffers as a GPU would.
//!
//! [`Replay`] does the same from the decisions that lanes made elsewhere, such as on a GPU.
//!
//! Following values is slow, and made for small grids. Only what kernels use is there; anything else is [`Unsupported`].

mod accesses;
mod arrangement;
mod builtin;
mod effects;
mod expressions;
mod instructions;
mod lanes;
mod mask;
mod memory;
mod replay;
mod scalar;
mod statements;
mod tally;
mod unsupported;
mod walk;

use std::collections::BTreeMap;

use naga::valid::ModuleInfo;
use naga::{AddressSpace, Module};

use lanes::Values;
use mask::{MOST_LANES, Mask};
use tally::Tally;
use walk::Walk;

pub(crate) use accesses::AddressPart;
pub use accesses::MemoryAccess;
pub use arrangement::Arrangement;
pub(crate) use instructions::Instructed;
pub use instructions::Kind;
pub use replay::{AccessReplay, Accessed, Asked, Counted, Executed, Instructions, Part, Replay};
pub use statements::{Placed, blocks, statements};
pub use tally::Issued;
pub use unsupported::Unsupported;

/// A dispatch of an entry point.
#[derive(Debug, Clone, Copy)]
pub struct Grid<'a> {
    /// The module, valid and without overrides.
    pub module: &'a Module,
    /// What naga's validator found in it.
    pub info: &'a ModuleInfo,
    /// Name of the entry point.
    pub entry: &'a str,
    /// Number of workgroups in x, y and z.
    pub workgroups: [u32; 3],
    /// Lanes of a subgroup.
    pub width: u32,
}

/// Buffers by the names of their variables, as bytes.
pub type Buffers = BTreeMap<String, Vec<u8>>;

impl Grid<'_> {
    /// Executes all workgroups one after another, and changes `buffers`. Returns the instructions that each subgroup
    /// issued, by workgroup.
    ///
    /// # Errors
    /// Returns an error if the module has no such entry point, if a variable has no buffer, or if the entry point uses
    /// something that is not there.
    pub fn run(&self, buffers: &mut Buffers) -> Result<Vec<Vec<Issued>>, Unsupported> {
        let mut issued = Vec::new();
        let [x, y, z] = self.workgroups;
        let ids = (0..z).flat_map(|z| (0..y).flat_map(move |y| (0..x).map(move |x| [x, y, z])));
        for id in ids {
            issued.push(self.workgroup(id, buffers)?);
        }
        Ok(issued)
    }

    /// Executes workgroup `id`.
    fn workgroup(&self, id: [u32; 3], buffers: &mut Buffers) -> Result<Vec<Issued>, Unsupported> {
        let index = self.module.entry_points.iter().position(|entry| entry.name == self.entry);
        let index = index.ok_or_else(|| Unsupported(format!("an entry point `{}`", self.entry)))?;
        let entry = &self.module.entry_points[index];
        let info = self.info.get_entry_point(index);
        let lanes = entry.workgroup_size.iter().product::<u32>() as usize;
        if lanes > MOST_LANES {
            return Err(Unsupported(format!("a workgroup of {lanes} invocations")));
        }
        let width = self.width as usize;
        let mut values = Values::new(self.module, self.info, [lanes, width])?;
        let used = self.module.global_variables.iter().filter(|(v, _)| !info[*v].is_empty());
        let mut bound = Vec::new();
        for (handle, variable) in used {
            let name = variable.name.as_deref().unwrap_or_default();
            if variable.space == AddressSpace::Private {
                values.give_private(handle, variable)?;
                continue;
            }
            let bytes = match variable.space {
                AddressSpace::WorkGroup => vec![0; values.layouts.size(variable.ty)],
                AddressSpace::Storage { .. } | AddressSpace::Uniform => {
                    bound.push((handle, name));
                    let buffer = buffers.get_mut(name).map(std::mem::take);
                    buffer.ok_or_else(|| Unsupported(format!("`{name}` without a buffer")))?
                }
                space => return Err(Unsupported(format!("a variable in {space:?}"))),
            };
            values.bind(handle, bytes);
        }
        let arguments = builtin::arguments(&values, entry, [id, self.workgroups])?;
        values.begin(&entry.function, info, arguments)?;
        let tally = Tally { subgroups: vec![Issued::default(); lanes.div_ceil(width)] };
        let mut walk = Walk { module: self.module, lanes: values, watch: tally };
        let walked = walk.function(&entry.function.body, Mask::below(lanes));
        for (handle, name) in bound {
            buffers.insert(name.to_owned(), walk.lanes.unbind(handle));
        }
        walked.map(|()| walk.watch.subgroups)
    }
}
