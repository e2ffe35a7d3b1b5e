//! Compiles warplaw's kernels by the compilers of real GPUs, which need not be there, and reads the machine code.
//!
//! - [`programs()`] lists the programs that a run dispatches.
//! - [`radv`] compiles them by Mesa's driver for AMD, whose null device compiles for any family of GPUs and executes
//!   nothing.
//! - [`Code`] is the disassembly: instructions by kind, loops, loads on their way. [`amd`] reads it.
//! - [`broken`] holds the code against the invariants of the kernel.

pub mod amd;
mod code;
mod invariants;
mod programs;
pub mod radv;
mod spirv;

pub use code::{Code, Instruction, Kind};
pub use invariants::broken;
pub use programs::{Program, WIDTH, programs};
pub use spirv::{Binding, Spirv, to_spirv};

use serde::{Deserialize, Serialize};

/// A program as a GPU's compiler made it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compiled {
    /// Lanes per subgroup.
    pub subgroup_size: u32,
    /// Vector registers of each lane.
    pub registers: u32,
    /// Registers that had to be kept in memory.
    pub spills: u32,
    /// Size of the code in bytes.
    pub bytes: u32,
    /// Disassembly.
    pub assembly: String,
}
