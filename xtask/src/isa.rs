//! Machine code of every kernel for GPUs that need not be there: the page `results/isa.md`, and the disassembly of one
//! program.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

use isa::radv::{self, FAMILIES, Family, NEWER_FAMILIES, Outcomes, needs_f16};
use isa::{Code, Compiled, Kind, Program, WIDTH, all_programs, amd, folder, intel, nvidia};
use warplaw::model::write_whole;
use warplaw::report::{Document, Format, Table, render};

/// Argument with which this program starts itself for one family of GPUs.
pub(crate) const CHILD: &str = "isa-child";

/// Kernels of the page: the beginnings of their names.
const SHOWN: [&str; 37] = [
    "branch_paths.2 ",
    "branch_paths.32 ",
    "branch_paths.64 ",
    "imbalance uneven",
    "select branch_long",
    "select select_long",
    "select branch_short",
    "select select_short",
    "coalescing coalescing",
    "amdahl stage",
    "ilp.u32.1.vec1 ",
    "ilp.u32.8.vec1 ",
    "ilp.f32.1.vec1 ",
    "ilp.f32.8.vec1 ",
    "ilp.f16.8.vec2 ",
    "ilp.i8.8.vec1 ",
    "chain chain",
    "ceilings.vec4 read_workgroup_memory",
    "memory.4x4 read_words",
    "memory.4x4 write_words",
    "memory.4x4 copy_words",
    "memory.4x4 triad_words",
    "memory.4x4 sum_words",
    "reduction.u32.1x1 atomic_per_item",
    "reduction.u32.1x1 tree_interleaved",
    "reduction.u32.1x1 tree_sequential",
    "reduction.f32.4x1 atomics_alone",
    "contention add,",
    "contention add_to_one,",
    "contention add_privately,",
    "dependence link",
    "allreduce ring_add",
    "allreduce ring_copy",
    "allreduce double",
    "occupancy chase",
    "overlap work",
    "subgroup_size subgroup_size",
];

/// Machine code for an architecture, by program.
struct Column {
    name: String,
    codes: BTreeMap<String, (Compiled, Code)>,
}

/// Returns a command that compiles in a process of its own.
fn apart() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.arg(CHILD);
    command
}

/// Returns such a command with the newer Mesa.
fn apart_by_newer() -> Command {
    let mut command = apart();
    radv::use_newer(&mut command, &folder());
    command
}

/// Compiles all programs for one family, for the process that started this one.
pub(crate) fn child() -> ExitCode {
    radv::child(&all_programs(WIDTH));
    ExitCode::SUCCESS
}

/// Compiles all programs for a family.
fn outcomes(command: fn() -> Command, family: Family) -> Result<Outcomes, String> {
    radv::compile_apart(command, family)?
        .ok_or_else(|| "no Mesa driver for AMD: `sh setup.sh --lavapipe` installs one".to_owned())
}

/// Prints the disassembly of the programs whose name contains `part`, for the architecture `isa`.
///
/// # Errors
/// Returns why the programs cannot be compiled.
pub(crate) fn show(isa: &str, part: &str) -> Result<(), String> {
    let print = |name: &str, compiled: &Compiled| {
        let Compiled { subgroup_size, registers, bytes, assembly, .. } = compiled;
        println!(
            "# {name}: {subgroup_size} lanes, {registers} registers, {bytes} bytes\n{assembly}"
        );
    };
    if by_cpp().any(|known| known == isa) {
        let compilers = Compilers::find()?;
        for program in all_programs(WIDTH).iter().filter(|program| program.name().contains(part)) {
            print(&program.name(), &compilers.compile(program, isa)?.0);
        }
        return Ok(());
    }
    let by = |command: fn() -> Command| move |family: Family| (family, command);
    let families =
        FAMILIES.map(by(apart)).into_iter().chain(NEWER_FAMILIES.map(by(apart_by_newer)));
    let families: Vec<_> = families.collect();
    let Some(&(family, command)) = families.iter().find(|(family, _)| family.isa == isa) else {
        let known = families.iter().map(|(family, _)| family.isa).chain(by_cpp());
        return Err(format!("`{isa}` is none of {}", known.collect::<Vec<_>>().join(", ")));
    };
    for (name, outcome) in outcomes(command, family)?.iter().filter(|(name, _)| name.contains(part))
    {
        print(name, outcome.as_ref().map_err(Clone::clone)?);
    }
    Ok(())
}

/// Returns the architectures that are compiled for by way of C++.
fn by_cpp() -> impl Iterator<Item = &'static str> {
    nvidia::ARCHITECTURES.into_iter().chain([intel::ARCHITECTURE])
}

/// The compilers for [`by_cpp`].
struct Compilers {
    nvidia: nvidia::Toolchain,
    intel: intel::Toolchain,
}

impl Compilers {
    fn find() -> Result<Self, String> {
        let missing = |name: &str| format!("{name} is missing: `sh setup.sh --isa` installs it");
        let nvidia = nvidia::Toolchain::find(&folder());
        let intel = intel::Toolchain::find(&folder());
        Ok(Self {
            nvidia: nvidia.ok_or_else(|| missing("NVIDIA's assembler"))?,
            intel: intel.ok_or_else(|| missing("Intel's compiler"))?,
        })
    }

    fn compile(&self, program: &Program, isa: &str) -> Result<(Compiled, Code), String> {
        let is_intel = isa == intel::ARCHITECTURE;
        let (compiled, read): (_, fn(&str) -> Code) = if is_intel {
            (self.intel.compile(program), intel::read)
        } else {
            (self.nvidia.compile(program, isa), nvidia::read)
        };
        let compiled = compiled.map_err(|error| format!("{isa}: {}: {error}", program.name()))?;
        let code = read(&compiled.assembly);
        Ok((compiled, code))
    }
}

/// Compiles all kernels of the page and writes `results/isa.md`.
///
/// # Errors
/// Returns why a program cannot be compiled, or why the page cannot be written.
pub(crate) fn page() -> Result<(), String> {
    let compilers = Compilers::find()?;
    let all = all_programs(WIDTH);
    let shown: Vec<&Program> = SHOWN.iter().map(|name| named(&all, name)).collect();
    let mut columns = Vec::new();
    let amd = |command: fn() -> Command, family: Family| -> Result<Column, String> {
        let read = |(name, outcome): (String, Result<Compiled, String>)| {
            let compiled = outcome.ok()?;
            let code = amd::read(&compiled.assembly, family.isa);
            Some((name, (compiled, code)))
        };
        let codes = outcomes(command, family)?.into_iter().filter_map(read).collect();
        Ok(Column { name: family.isa.to_owned(), codes })
    };
    for family in FAMILIES {
        columns.push(amd(apart, family)?);
    }
    for family in NEWER_FAMILIES {
        columns.push(amd(apart_by_newer, family)?);
    }
    for isa in by_cpp() {
        // Clang has no 16-bit floating-point numbers for NVIDIA's GPUs in C++.
        let can = |program: &&&Program| isa == intel::ARCHITECTURE || !needs_f16(program);
        let code = |program: &&Program| Ok((program.name(), compilers.compile(program, isa)?));
        let codes = shown.iter().filter(can).map(code).collect::<Result<_, String>>()?;
        columns.push(Column { name: isa.to_owned(), codes });
    }
    let document = document(&shown, &columns);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/isa.md");
    write_whole(&path, render(&document, Format::Markdown).as_bytes())
        .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    println!("{}", render(&document, Format::Terminal { width: None, color: false, ascii: false }));
    Ok(())
}

/// Returns the program of a kernel of the page: the one with the most invocations up to 256 per workgroup.
fn named<'a>(all: &'a [Program], beginning: &str) -> &'a Program {
    let is_named = |program: &&Program| program.name().starts_with(beginning);
    let found = all.iter().filter(is_named).filter(|program| program.workgroup_size() <= 256);
    found
        .max_by_key(|program| program.workgroup_size())
        .unwrap_or_else(|| panic!("no run dispatches `{beginning}`"))
}

/// What the page says of NVIDIA's architectures.
const NVIDIA: &str = "sm_75, sm_80, sm_90: NVIDIA Turing, Ampere (A100) and Hopper. A proxy: NVIDIA's own assembler, \
                      but Clang before it, and not the compiler of the Vulkan driver. Kernels with 16-bit \
                      floating-point numbers are left out.";

/// What the page says of Intel's.
const INTEL: &str = "dg2: Intel Alchemist, Arc A770. A proxy: Intel's graphics compiler (IGC) as Debian 12 installs it, \
                     but Clang and C++ for OpenCL before it. IGC is what Intel's OpenCL, Level Zero and Windows drivers \
                     have; ANV, Mesa's Vulkan driver on Linux, has a compiler of its own.";

/// Builds the page.
fn document(shown: &[&Program], columns: &[Column]) -> Document {
    let mut document = Document::default();
    document.heading(1, "Machine code of the kernels");
    document.text(
        "What the compilers of GPUs make of warplaw's kernels, without a GPU. `cargo test --test isa` holds every \
         program that a full run dispatches against the invariants of its kernel; this page shows one program of each \
         kernel. `cargo xtask isa` makes it, after `sh setup.sh --isa`. `cargo xtask isa show gfx1030 'chain chain'` \
         prints a disassembly.",
    );
    let about = |family: Family| format!("{}: {}", family.isa, family.about);
    document.list(
        [FAMILIES.map(about).to_vec(), NEWER_FAMILIES.map(about).to_vec()]
            .concat()
            .into_iter()
            .chain([NVIDIA.to_owned(), INTEL.to_owned()])
            .collect::<Vec<_>>(),
    );
    document.text(
        "AMD's code is that of Mesa 22.3.6 as Debian 12 installs it, and of Mesa 25.0.7 for gfx90a and gfx1201. An empty \
         cell is a kernel that the architecture lacks numbers for. Where all invocations use one counter, as in \
         `add_to_one`, Mesa, Clang and IGC add up the addends of a subgroup first, and one lane executes the atomic. Before \
         RDNA, Mesa makes two instructions of a multiplication and an addition in f32.",
    );
    let mut table = |heading: &str, text: &str, figure: &dyn Fn(&Compiled, &Code) -> String| {
        document.heading(2, heading);
        document.text(text);
        let heads: Vec<String> = std::iter::once("kernel, invocations".to_owned())
            .chain(columns.iter().map(|column| format!("{}>", column.name)))
            .collect();
        let mut table = Table::new(&heads.iter().map(String::as_str).collect::<Vec<_>>());
        table.rows.extend(shown.iter().map(|program| {
            let cell = |column: &Column| {
                let code = column.codes.get(&program.name());
                code.map_or(String::new(), |(compiled, code)| figure(compiled, code))
            };
            let name = format!(
                "{} {}, {}",
                program.shader.name(),
                program.entry,
                program.workgroup_size()
            );
            std::iter::once(name).chain(columns.iter().map(cell)).collect()
        }));
        document.table(table);
    };
    table(
        "Operations in the loop",
        "Vector instructions that compute, in the largest innermost loop; for branches, in the smallest and the largest \
         loop. Where a compiler unrolls a loop, the number is a multiple. An instruction of two operations counts twice. \
         On dg2, the instructions that execute the parts of a subgroup count once, and so do the two of a multiplication.",
        &operations,
    );
    table("Loops", "Loops that are left after unrolling.", &|_, code| {
        code.loops().len().to_string()
    });
    table(
        "Loads on their way",
        "Largest number of loads from buffers at once in an innermost loop.",
        &|_, code| {
            let innermost = code.innermost();
            let most = innermost.into_iter().map(|range| code.loads_in_flight(range)).max();
            most.unwrap_or(0).to_string()
        },
    );
    table(
        "Registers",
        "Vector registers of a lane. On dg2, a subgroup has 128 registers of 32 bytes, whatever it needs: this is its share \
         in words.",
        &|compiled, _| compiled.registers.to_string(),
    );
    table("Code size", "Bytes.", &|compiled, _| compiled.bytes.to_string());
    table(
        "Subgroup size",
        "Lanes for which the compiler made the code. On AMD's RDNA, it chooses 32 or 64 for each pipeline.",
        &|compiled, _| compiled.subgroup_size.to_string(),
    );
    document
}

/// Formats the numbers of operations in the loops.
fn operations(_: &Compiled, code: &Code) -> String {
    let all = code.innermost().into_iter().map(|range| code.sum(range, Kind::computes));
    let all: Vec<u32> = all.filter(|&operations| operations > 0).collect();
    match (all.iter().min(), all.iter().max()) {
        (Some(least), Some(most)) if least < most => format!("{least}–{most}"),
        (Some(least), _) => least.to_string(),
        _ => "0".to_owned(),
    }
}
