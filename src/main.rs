//! The `warplaw` binary: parse, dispatch, exit code.

use std::process::ExitCode;

use clap::Parser;
use warplaw::cli::{Arguments, execute};
use warplaw::gpu::prepare_environment;

fn main() -> ExitCode {
    #[expect(unsafe_code, reason = "drivers must be told before they are loaded")]
    // SAFETY: this is the first thing in `main`: no other thread runs.
    unsafe {
        prepare_environment();
    }
    execute(Arguments::parse())
}
