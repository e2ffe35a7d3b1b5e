//! Machine code of every kernel, for GPUs that need not be there, held against the kernel's invariants.
#![cfg(target_os = "linux")]

use std::process::Command;

use isa::radv::{self, FAMILIES, Family, needs_f16};
use isa::{Program, WIDTH, amd, broken, programs};

#[test]
#[ignore = "the other tests start it in a process of its own, once for each family of GPUs"]
fn compiler() {
    radv::child(&programs(WIDTH));
}

/// Returns a command that runs the test [`compiler`] alone.
fn apart() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the test has a path"));
    command.args(["compiler", "--exact", "--ignored"]);
    command
}

/// Returns a line for each broken invariant on a family.
fn broken_on(family: Family, programs: &[Program]) -> Vec<String> {
    let isa = family.isa;
    let outcomes = radv::compile_apart(apart, family)
        .unwrap_or_else(|error| panic!("{isa}: {error}"))
        .expect("`sh setup.sh --lavapipe` installs Mesa's driver for AMD");
    let of = |program: &Program| match &outcomes.get(&program.name()) {
        None => {
            assert!(isa == "gfx803" && needs_f16(program), "{isa} lacks {}", program.name());
            Vec::new()
        }
        Some(Ok(compiled)) => broken(program, compiled, &amd::read(&compiled.assembly, isa)),
        Some(Err(error)) => vec![error.clone()],
    };
    let line = |program: &Program, broken: String| format!("{isa}: {}: {broken}", program.name());
    programs.iter().flat_map(|p| of(p).into_iter().map(move |b| line(p, b))).collect()
}

#[test]
fn every_kernel_keeps_its_invariants_on_gpus_of_amd() {
    let programs = programs(WIDTH);
    let broken: Vec<String> =
        FAMILIES.iter().flat_map(|&family| broken_on(family, &programs)).collect();
    assert!(broken.is_empty(), "{} invariants are broken:\n{}", broken.len(), broken.join("\n"));
}
