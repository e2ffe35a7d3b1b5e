//! `cargo bench --bench laws` runs the suite and prints the table of verdicts at the end.
//!
//! The bench takes the arguments of `warplaw run`, for example `cargo bench --bench laws -- --quick`.

use std::process::ExitCode;

use clap::Parser;
use warplaw::cli::{RunArguments, report_error, run};
use warplaw::gpu::prepare_environment;

/// Measures the laws, judges them and writes a record.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    run: RunArguments,
    /// Accepted because cargo passes it to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    prepare_environment();
    report_error(run(&Arguments::parse().run))
}
