//! Measures warplaw itself, and compiles its kernels for GPUs: `cargo xtask isa | peers | precision | scale`.
//!
//! Each task prints its figures and writes them to `xtask/results/<task>.md`. Run one at a time, with nothing else
//! running.

mod isa;
mod page;
mod peers;
mod precision;
mod scale;

use std::process::ExitCode;

use warplaw::gpu::{GpuError, prepare_environment};

const USAGE: &str = "usage: cargo xtask isa [show ARCHITECTURE KERNEL] | peers | precision | scale";

fn main() -> ExitCode {
    prepare_environment();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let measured: Result<page::Page, GpuError> = match arguments.as_slice() {
        ["peers"] => peers::measure(),
        ["precision"] => precision::measure(),
        ["scale"] => Ok(scale::measure()),
        [precision::BUSY, seed, turns] => precision::keep_busy(
            seed.parse().expect("a child process is given a number"),
            *turns == "turns",
        ),
        [isa::CHILD] => return isa::child(),
        ["isa"] => return said(isa::page()),
        ["isa", "show", family, part] => return said(isa::show(family, part)),
        [scale::CHILD, cases, rounds] => {
            let number = |text: &str| text.parse().expect("a child process is given numbers");
            scale::run_cases(number(cases), number(rounds));
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match measured {
        Ok(page) => page.keep(),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Returns the exit code, and prints the error if there is one.
fn said(done: Result<(), String>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
