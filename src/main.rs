//! The `warplaw` binary: parses the command line, runs the subcommand, and returns its exit code.

use std::process::ExitCode;

use clap::Parser;
use warplaw::cli::{Arguments, execute};
use warplaw::gpu::prepare_environment;

fn main() -> ExitCode {
    prepare_environment();
    execute(Arguments::parse())
}
