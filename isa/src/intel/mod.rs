//! Intel's graphics compiler (IGC) as a proxy for the compilers of Intel's Vulkan drivers.
//!
//! naga translates the program to Metal's C++, Clang compiles that as C++ for OpenCL, and IGC makes the machine code. On
//! Windows, the Vulkan driver has IGC too, but begins with SPIR-V. On Linux, Mesa's driver ANV has a compiler of its own.

mod flags;
mod instruction;
mod read;

pub use read::read;

use std::path::{Path, PathBuf};
use std::process::Command;

use instruction::Instruction;

use crate::cpp::{Dialect, to_cpp};
use crate::tools::{find, number_after, said};
use crate::{Compiled, Program};

/// The architecture that is compiled for: Alchemist, as `ocloc` calls it.
pub const ARCHITECTURE: &str = "dg2";

/// Bytes of the registers of a thread, which executes one subgroup.
const REGISTERS_BYTES: u32 = 128 * 32;

const DIALECT: Dialect = Dialect {
    before: include_str!("../opencl.hpp"),
    kernel: "__kernel __attribute__((reqd_work_group_size(WORKGROUP_SIZE, 1, 1))) void",
    shared: "__local",
    values: &[
        ("thread_index_in_threadgroup", "get_local_id(0)"),
        ("threadgroup_position_in_grid", "metal::uint3(get_group_id(0), get_group_id(1), 0u)"),
        ("threadgroups_per_grid", "metal::uint3(get_num_groups(0), get_num_groups(1), 1u)"),
        ("thread_index_in_simdgroup", "get_sub_group_local_id()"),
        ("threads_per_simdgroup", "get_sub_group_size()"),
    ],
    after: "",
};

/// The programs that compile for Intel's GPUs.
#[derive(Debug, Clone)]
pub struct Toolchain {
    clang: PathBuf,
    ocloc: PathBuf,
}

impl Toolchain {
    /// Returns the programs in `folder`, where `sh setup.sh --isa` installs compilers, or in the folders of the variable
    /// `PATH`; `None` if one is missing.
    #[must_use]
    pub fn find(folder: &Path) -> Option<Self> {
        // IGC reads what its own version of LLVM writes, and nothing newer.
        Some(Self { clang: find(folder, &["clang-14"])?, ocloc: find(folder, &["ocloc"])? })
    }

    /// Compiles a program for [`ARCHITECTURE`].
    ///
    /// # Errors
    /// Returns what the compiler that failed said.
    pub fn compile(&self, program: &Program) -> Result<Compiled, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let [cpp, llvm, out, dump] =
            ["a.clcpp", "a.bc", "out", "dump/"].map(|name| folder.path().join(name));
        let text = to_cpp(program, &DIALECT)?;
        std::fs::write(&cpp, text).map_err(|error| error.to_string())?;
        std::fs::create_dir(&dump).map_err(|error| error.to_string())?;
        let clang = Command::new(&self.clang)
            .args(["-x", "cl", "-cl-std=clc++2021", "--target=spir64", "-O2", "-w", "-c"])
            .args(["-Xclang", "-fdeclare-opencl-builtins", "-Xclang", "-finclude-default-header"])
            // IGC expects scalars: it drops all but one component of a vector that Clang makes of several chains.
            .args(["-fno-slp-vectorize", "-fno-vectorize", "-emit-llvm"])
            .args([&cpp, Path::new("-o"), &llvm])
            .output();
        said("clang", clang)?;
        let ocloc = Command::new(&self.ocloc)
            .env("IGC_ShaderDumpEnable", "1")
            .env("IGC_DumpToCustomDir", &dump)
            .args(["compile", "-llvm_input", "-device", ARCHITECTURE, "-output", "a"])
            .args([Path::new("-file"), &llvm, Path::new("-out_dir"), &out])
            .output();
        said("ocloc", ocloc)?;
        let (assembly, subgroup_size) = dumped(&dump)?;
        if assembly.lines().any(|line| Instruction::of(line).is_some_and(|i| i.is_call())) {
            return Err("the code calls a function that is not in it".to_owned());
        }
        Ok(Compiled {
            subgroup_size,
            registers: REGISTERS_BYTES / 4 / subgroup_size,
            spills: number_after(&assembly, "//.spill size ").unwrap_or(0),
            bytes: end(&assembly).ok_or("the code has no label at its end")?,
            assembly,
        })
    }
}

/// Returns the assembly that IGC wrote to a folder, and the lanes per subgroup that the name of the file tells.
fn dumped(folder: &Path) -> Result<(String, u32), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let assemblies: Vec<(PathBuf, u32)> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "asm"))
        .filter_map(|path| {
            let lanes = number_after(path.file_name()?.to_str()?, "_simd")?;
            Some((path, lanes))
        })
        .collect();
    // IGC compiles once more if registers are spilled.
    let [(path, lanes)] = assemblies.as_slice() else {
        return Err(format!("IGC wrote {} assemblies", assemblies.len()));
    };
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    Ok((text, *lanes))
}

/// Returns the size of the code in bytes.
fn end(assembly: &str) -> Option<u32> {
    // The last label, such as `L1656:`, is the offset of the instruction that stands last.
    let label = |line: &str| line.strip_prefix('L')?.strip_suffix(':')?.parse::<u32>().ok();
    let offset = assembly.lines().filter_map(label).next_back()?;
    Some(offset + 16)
}
