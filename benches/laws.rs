//! `cargo bench --bench laws`: the suite, ending in the verdict table. Takes what `warplaw run` takes
//! (`cargo bench --bench laws -- --quick`).

use std::process::ExitCode;

use clap::Parser;
use warplaw::cli::{Closing, RunArguments, report_error, run};
use warplaw::gpu::prepare_environment;

/// Measures, judges, and writes a record.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    run: RunArguments,
    /// Passed by cargo to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    prepare_environment();
    report_error(run(&Arguments::parse().run, Closing::Everything))
}
