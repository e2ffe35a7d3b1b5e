//! Machine code of every kernel, for GPUs that need not be there, held against the kernel's invariants.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;

use isa::nvidia;
use isa::radv::{self, FAMILIES, Family, NEWER_FAMILIES, needs_f16};
use isa::{Code, Compiled, Program, WIDTH, all_programs, amd, broken, folder, intel, programs};

#[test]
#[ignore = "the other tests start it in a process of its own, once for each family of GPUs"]
fn compiler() {
    radv::child(&all_programs(WIDTH));
}

/// Returns a command that runs the test [`compiler`] alone.
fn apart() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the test has a path"));
    command.args(["compiler", "--exact", "--ignored"]);
    command
}

/// Returns a line for each invariant that the code of a program breaks on a GPU.
fn broken_on(isa: &str, program: &Program, compiled: &Compiled, code: &Code) -> Vec<String> {
    let broken = broken(program, compiled, code);
    broken.into_iter().map(|broken| format!("{isa}: {}: {broken}", program.name())).collect()
}

/// Compiles all programs for a family of AMD's GPUs and returns a line for each broken invariant.
fn broken_on_amd(family: Family, programs: &[Program], command: fn() -> Command) -> Vec<String> {
    let isa = family.isa;
    let outcomes = radv::compile_apart(command, family)
        .unwrap_or_else(|error| panic!("{isa}: {error}"))
        .expect("`sh setup.sh --lavapipe` installs Mesa's driver for AMD");
    let of = |program: &Program| match &outcomes.get(&program.name()) {
        None => {
            assert!(isa == "gfx803" && needs_f16(program), "{isa} lacks {}", program.name());
            Vec::new()
        }
        Some(Ok(compiled)) => {
            broken_on(isa, program, compiled, &amd::read(&compiled.assembly, isa))
        }
        Some(Err(error)) => vec![format!("{isa}: {}: {error}", program.name())],
    };
    programs.iter().flat_map(of).collect()
}

fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "{} invariants are broken:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn every_kernel_keeps_its_invariants_on_gpus_of_amd() {
    let programs = all_programs(WIDTH);
    let broken: Vec<String> =
        FAMILIES.iter().flat_map(|&family| broken_on_amd(family, &programs, apart)).collect();
    assert_none(&broken);
}

#[test]
#[ignore = "needs Mesa 25, which `sh setup.sh --isa` installs"]
fn every_kernel_keeps_its_invariants_on_gpus_of_amd_that_mesa_25_knows() {
    let newer = || {
        let mut command = apart();
        radv::use_newer(&mut command, &folder());
        command
    };
    let programs = all_programs(WIDTH);
    let families = FAMILIES.into_iter().chain(NEWER_FAMILIES);
    let broken: Vec<String> =
        families.flat_map(|family| broken_on_amd(family, &programs, newer)).collect();
    assert_none(&broken);
}

/// Calls `compile` for all of `work` on all CPUs, and returns the lines that it returns, in their order.
fn on_all_cpus<T>(
    work: impl Iterator<Item = T> + Send,
    compile: impl Fn(T) -> Vec<String> + Sync,
) -> Vec<String> {
    let left = Mutex::new(work);
    let lines = Mutex::new(BTreeSet::new());
    let thread = || {
        let next = || left.lock().expect("no thread has panicked").next();
        while let Some(one) = next() {
            let of = compile(one);
            lines.lock().expect("no thread has panicked").extend(of);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(thread);
        }
    });
    lines.into_inner().expect("no thread has panicked").into_iter().collect()
}

/// An invariant that is known to be broken: the architecture, the program, and the beginning of the line about it.
type Known = (&'static str, &'static str, &'static str);

/// Asserts that exactly the `known` invariants are broken, as far as their programs are among `compiled`: autotuning on
/// the simulated GPU decides which variants are.
fn assert_only(mut broken: Vec<String>, known: &[Known], compiled: &[Program]) {
    for (isa, program, property) in known {
        if !compiled.iter().any(|compiled| compiled.name() == *program) {
            continue;
        }
        let known = format!("{isa}: {program}: not {property}");
        let count = broken.len();
        broken.retain(|line| !line.starts_with(&known));
        assert_eq!(broken.len() + 1, count, "{isa}: {program} keeps {property} now");
    }
    assert_none(&broken);
}

#[test]
#[ignore = "needs NVIDIA's assembler, which `sh setup.sh --isa` installs"]
fn every_kernel_keeps_its_invariants_by_the_assembler_of_nvidia() {
    let tools =
        nvidia::Toolchain::find(&folder()).expect("`sh setup.sh --isa` installs the compilers");
    // Clang has no 16-bit floating-point numbers for NVIDIA's GPUs in C++.
    let programs: Vec<Program> = programs(32).into_iter().filter(|p| !needs_f16(p)).collect();
    let all =
        nvidia::ARCHITECTURES.into_iter().flat_map(|isa| programs.iter().map(move |p| (isa, p)));
    let broken = on_all_cpus(all, |(isa, program)| match tools.compile(program, isa) {
        Ok(compiled) => broken_on(isa, program, &compiled, &nvidia::read(&compiled.assembly)),
        Err(error) => vec![format!("{isa}: {}: {error}", program.name())],
    });
    assert_only(broken, &IN_TWO_BATCHES, &programs);
}

/// Programs in which NVIDIA's assembler loads in two batches instead of one, to keep to 32 registers: more subgroups are
/// resident then, and hide the latency instead.
const IN_TWO_BATCHES: [Known; 3] = [
    ("sm_80", "memory.4x4 read_words, WORKGROUP_SIZE = 64", "LoadsInFlight"),
    (
        "sm_80",
        "reduction_subgroup.u32.4px4 subgroup_single_pass, WORKGROUP_SIZE = 256",
        "LoadsInFlight",
    ),
    (
        "sm_90",
        "reduction_subgroup.u32.4px4 subgroup_single_pass, WORKGROUP_SIZE = 256",
        "LoadsInFlight",
    ),
];

#[test]
#[ignore = "needs Intel's compiler, which `sh setup.sh --isa` installs"]
fn every_kernel_keeps_its_invariants_by_the_compiler_of_intel() {
    let tools =
        intel::Toolchain::find(&folder()).expect("`sh setup.sh --isa` installs the compilers");
    let isa = intel::ARCHITECTURE;
    let programs = programs(32);
    let broken = on_all_cpus(programs.iter(), |program| match tools.compile(program) {
        Ok(compiled) => broken_on(isa, program, &compiled, &intel::read(&compiled.assembly)),
        Err(error) => vec![format!("{isa}: {}: {error}", program.name())],
    });
    assert_only(broken, &TOO_LARGE, &programs);
}

/// A program that Intel's compiler makes 36,520 bytes of, instead of 32 KiB at most: for 32 lanes it needs two
/// instructions for most operations, and eight for a multiplication.
const TOO_LARGE: [Known; 2] = [
    ("dg2", "branch_paths.64 branch_paths, WORKGROUP_SIZE = 32", "CodeBytes"),
    ("dg2", "branch_paths.64 branch_paths, WORKGROUP_SIZE = 64", "CodeBytes"),
];
