//! Compiles warplaw's kernels by the compilers of real GPUs, which need not be there, and reads the machine code.
//!
//! - [`programs()`] lists the programs that a run dispatches, and [`all_programs()`] those that one may dispatch.
//! - [`radv`] compiles them by Mesa's driver for AMD, whose null device compiles for any family of GPUs and executes
//!   nothing.
//! - [`nvidia`] compiles them by NVIDIA's assembler, by way of C++.
//! - [`intel`] compiles them by Intel's graphics compiler, by way of C++ for OpenCL.
//! - [`Code`] is the disassembly: instructions by kind, loops, loads on their way. [`amd`] reads it.
//! - [`broken`] holds the code against the invariants of the kernel.

pub mod amd;
mod code;
mod cpp;
pub mod intel;
mod invariants;
pub mod nvidia;
mod programs;
pub mod radv;
mod spirv;
#[cfg(test)]
mod tests;
mod tools;

pub use code::{Code, Kind};
pub use invariants::broken;
pub use programs::{Program, WIDTH, all_programs, programs};
pub use spirv::{Binding, Spirv, to_spirv};

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Returns the folder in which `sh setup.sh --isa` installs compilers.
#[must_use]
pub fn folder() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    cache.or_else(home).unwrap_or_default().join("warplaw").join("isa")
}

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
