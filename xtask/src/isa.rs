//! Machine code of every kernel for GPUs that need not be there: the page `results/isa.md`, and the disassembly of one
//! program.

use std::process::{Command, ExitCode};

use isa::radv::{self, FAMILIES};
use isa::{WIDTH, programs};

/// Argument with which this program starts itself for one family of GPUs.
pub(crate) const CHILD: &str = "isa-child";

/// Returns a command that compiles in a process of its own.
fn apart() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.arg(CHILD);
    command
}

/// Compiles all programs for one family, for the process that started this one.
pub(crate) fn child() -> ExitCode {
    radv::child(&programs(WIDTH));
    ExitCode::SUCCESS
}

/// Prints the disassembly of the programs whose name contains `part`, for the architecture `isa`.
pub(crate) fn show(isa: &str, part: &str) -> ExitCode {
    let Some(&family) = FAMILIES.iter().find(|family| family.isa == isa) else {
        let known: Vec<&str> = FAMILIES.iter().map(|family| family.isa).collect();
        eprintln!("error: `{isa}` is none of {}", known.join(", "));
        return ExitCode::from(2);
    };
    match radv::compile_apart(apart, family) {
        Ok(Some(outcomes)) => {
            for (name, outcome) in outcomes.iter().filter(|(name, _)| name.contains(part)) {
                match outcome {
                    Ok(compiled) => println!(
                        "# {name}: {} lanes, {} registers, {} bytes\n{}",
                        compiled.subgroup_size,
                        compiled.registers,
                        compiled.bytes,
                        compiled.assembly
                    ),
                    Err(error) => println!("# {name}: {error}"),
                }
            }
            ExitCode::SUCCESS
        }
        Ok(None) => {
            eprintln!("error: no Mesa driver for AMD: `sh setup.sh --lavapipe` installs one");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
