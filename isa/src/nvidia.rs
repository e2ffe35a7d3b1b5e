//! NVIDIA's assembler as a proxy for the compiler in NVIDIA's Vulkan driver.
//!
//! naga translates the program to Metal's C++, Clang compiles that to PTX, and `ptxas`, which is NVIDIA's own, makes
//! the machine code. The driver begins with SPIR-V instead, so what Clang does before `ptxas` is not what the driver
//! does: loops may be unrolled otherwise.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::code::{Code, Kind};
use crate::cpp::{Dialect, to_cpp};
use crate::tools::{find, number_before, said};
use crate::{Compiled, Program};

/// Architectures that are compiled for: Turing, Ampere and Hopper.
pub const ARCHITECTURES: [&str; 3] = ["sm_75", "sm_80", "sm_90"];

/// Lanes per subgroup of all of NVIDIA's GPUs.
const LANES: u32 = 32;

const DIALECT: Dialect = Dialect {
    before: include_str!("cuda.hpp"),
    kernel: "extern \"C\" __attribute__((global, launch_bounds(WORKGROUP_SIZE))) void",
    shared: "static __attribute__((shared))",
    values: &[
        ("thread_index_in_threadgroup", "__nvvm_read_ptx_sreg_tid_x()"),
        (
            "threadgroup_position_in_grid",
            "metal::uint3(__nvvm_read_ptx_sreg_ctaid_x(), __nvvm_read_ptx_sreg_ctaid_y(), 0u)",
        ),
        (
            "threadgroups_per_grid",
            "metal::uint3(__nvvm_read_ptx_sreg_nctaid_x(), __nvvm_read_ptx_sreg_nctaid_y(), 1u)",
        ),
        ("thread_index_in_simdgroup", "__nvvm_read_ptx_sreg_laneid()"),
        ("threads_per_simdgroup", "32u"),
    ],
    after: "#pragma clang force_cuda_host_device end",
};

/// The programs that compile for NVIDIA's GPUs.
#[derive(Debug, Clone)]
pub struct Toolchain {
    clang: PathBuf,
    ptxas: PathBuf,
    nvdisasm: PathBuf,
}

impl Toolchain {
    /// Returns the programs in `folder`, where `sh setup.sh --isa` installs them, or in the folders of the variable
    /// `PATH`; `None` if one is missing.
    #[must_use]
    pub fn find(folder: &Path) -> Option<Self> {
        Some(Self {
            clang: find(folder, &["clang-16", "clang"])?,
            ptxas: find(folder, &["ptxas"])?,
            nvdisasm: find(folder, &["nvdisasm"])?,
        })
    }

    /// Compiles a program for an architecture.
    ///
    /// # Errors
    /// Returns what the compiler that failed said.
    pub fn compile(&self, program: &Program, architecture: &str) -> Result<Compiled, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let [cpp, ptx, cubin] = ["a.cpp", "a.ptx", "a.cubin"].map(|name| folder.path().join(name));
        let text = to_cpp(program, &DIALECT)?;
        std::fs::write(&cpp, text).map_err(|error| error.to_string())?;
        let clang = Command::new(&self.clang)
            .args(["-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", "-std=c++17"])
            .args(["-O3", "-w", "-S", "-Xclang", "-target-feature", "-Xclang", "+ptx75"])
            .arg(format!("--cuda-gpu-arch={architecture}"))
            .args([&cpp, Path::new("-o"), &ptx])
            .output();
        said("clang", clang)?;
        let ptxas = Command::new(&self.ptxas)
            .arg(format!("-arch={architecture}"))
            .arg("-v")
            .args([&ptx, Path::new("-o"), &cubin])
            .output();
        let about = said("ptxas", ptxas)?;
        let disassembled = Command::new(&self.nvdisasm).arg("-c").arg(&cubin).output();
        let assembly = said("nvdisasm", disassembled)?;
        // The waits that `read` puts in are no instructions.
        let is_real = |kind: &&Kind| !matches!(kind, Kind::Wait(_));
        let bytes = 16 * read(&assembly).instructions.iter().filter(is_real).count() as u32;
        Ok(Compiled {
            subgroup_size: LANES,
            registers: number_before(&about, " registers").unwrap_or(0),
            spills: number_before(&about, " bytes spill stores").unwrap_or(0),
            bytes,
            assembly,
        })
    }
}

/// Reads a disassembly: labels such as `.L_x_1:`, and instructions between `/*0010*/` and `;`.
///
/// NVIDIA's code has no waits. A wait is put before each instruction that reads what a load on its way has loaded.
#[must_use]
pub fn read(assembly: &str) -> Code {
    let mut lines = Vec::new();
    let mut loading: VecDeque<BTreeSet<u32>> = VecDeque::new();
    for line in assembly.lines().map(str::trim) {
        if line.starts_with(".L_") && line.ends_with(':') {
            lines.push(line.to_owned());
            continue;
        }
        let Some(text) = line.strip_prefix("/*").and_then(|rest| rest.split_once("*/")) else {
            continue;
        };
        let Some(text) = text.1.trim().strip_suffix(';').map(str::trim) else { continue };
        let (_, operation) = predicated(text);
        let (mnemonic, operands) = operation.split_once(' ').unwrap_or((operation, ""));
        let is_load = mnemonic.starts_with("LDG") || mnemonic.starts_with("LD.");
        let (first, others) = operands.split_once(',').unwrap_or((operands, ""));
        let stores = mnemonic.starts_with("ST") || mnemonic.starts_with("RED");
        let used = registers(if stores { operands } else { others });
        let needed = loading.iter().rposition(|loaded| !loaded.is_disjoint(&used));
        if let Some(needed) = needed {
            loading.drain(..=needed);
            lines.push(format!("WAIT {}", loading.len()));
        }
        if is_load && let Some(base) = registers(first).first() {
            let count = if mnemonic.contains(".128") {
                4
            } else if mnemonic.contains(".64") {
                2
            } else {
                1
            };
            loading.push_back((*base..base + count).collect());
        }
        lines.push(text.to_owned());
    }
    Code::read(lines, false, kind_of)
}

/// Returns the registers that operands name.
fn registers(operands: &str) -> BTreeSet<u32> {
    let words = operands.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter_map(|word| word.strip_prefix('R')?.parse().ok()).collect()
}

/// Splits an instruction into its predicate and the operation.
fn predicated(text: &str) -> (&str, &str) {
    match text.strip_prefix('@') {
        Some(rest) => rest.split_once(' ').map_or(("", text), |(p, rest)| (p, rest.trim())),
        None => ("", text),
    }
}

/// Returns what an instruction does, or the label that it branches to.
fn kind_of(text: &str) -> Result<Kind, String> {
    let (_, operation) = predicated(text);
    let (mnemonic, operands) = operation.split_once(' ').unwrap_or((operation, ""));
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| mnemonic.starts_with(prefix));
    let bytes = || {
        if mnemonic.contains(".128") {
            16
        } else if mnemonic.contains(".64") {
            8
        } else {
            4
        }
    };
    if mnemonic == "BRA" || mnemonic.starts_with("BRA.") {
        let label = operands.trim().trim_start_matches("`(").trim_end_matches(')');
        return Err(label.to_owned());
    }
    Ok(if mnemonic == "WAIT" {
        Kind::Wait(operands.trim().parse().unwrap_or(0))
    } else if starts(&["BSSY"]) {
        Kind::Splits
    } else if starts(&["LDG", "LD."]) {
        Kind::Load
    } else if starts(&["STG", "ST."]) {
        Kind::Store
    } else if starts(&["ATOMG", "RED"]) && !starts(&["REDUX"]) {
        Kind::Atomic
    } else if starts(&["LDS"]) {
        Kind::WorkgroupLoad(bytes())
    } else if starts(&["STS"]) {
        Kind::WorkgroupStore
    } else if starts(&["ATOMS"]) {
        Kind::WorkgroupAtomic
    } else if starts(&["BAR"]) {
        Kind::Barrier
    } else if starts(&["LDC", "ULDC"]) {
        Kind::ScalarLoad
    } else if starts(&["U", "R2UR", "VOTEU"]) {
        Kind::Scalar
    } else if starts(&OTHER) {
        Kind::Other
    } else {
        Kind::Computes(1)
    })
}

/// Instructions that move, compare or steer.
const OTHER: [&str; 22] = [
    "MOV",
    "IMAD.MOV",
    "HFMA2.MMA",
    "S2R",
    "S2UR",
    "CS2R",
    "ISETP",
    "FSETP",
    "PLOP3",
    "P2R",
    "R2P",
    "NOP",
    "EXIT",
    "BSYNC",
    "WARPSYNC",
    "BREAK",
    "CALL",
    "RET",
    "DEPBAR",
    "BMOV",
    "YIELD",
    "SEL",
];
