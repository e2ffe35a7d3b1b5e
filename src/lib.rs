//! **warplaw** measures how well the laws of lockstep (SIMT) execution hold on a GPU.
//!
//! A *law* is a formula that predicts a figure, for example the time of a k-way branch or the speed-up on p
//! workers. An *experiment* tests one law:
//!
//! 1. It measures the parameters of the law.
//! 2. It predicts other figures from these parameters. A figure never calibrates its own prediction.
//! 3. It measures the predicted figures with WGSL kernels, which run through wgpu and are timed with
//!    timestamp queries.
//! 4. It judges each ratio of measured to predicted figure by a tolerance.
//!
//! The verdict is `holds`, `deviates` or `inconclusive`. The result contains each ratio with its
//! confidence interval, and a diagnosis.
//!
//! # Modules
//!
//! | module | contents | imports |
//! |---|---|---|
//! | [`model`] | metrics, verdicts, and the versioned record of a run | no other module |
//! | [`stats`] | estimates, confidence intervals, and the rule for verdicts | `model` |
//! | [`gpu`] | adapter selection, device, pipelines, clocks, and the [`gpu::Executor`] trait | `model` |
//! | [`kernels`] | kernels that several experiments share, with CPU references and cost models | `gpu` |
//! | [`simt`] | lockstep execution of WGSL on the host | no other module |
//! | [`profile`] | where a shader loses lanes: probes, recording, lines | `gpu`, `simt` |
//! | [`ranks`] | several processes that run one experiment together | `gpu`, `kernels`, `model` |
//! | [`sim`] | a simulated GPU that implements [`gpu::Executor`] | `gpu`, `model`, `ranks`, `simt` |
//! | [`predict`] | evaluation of a law from given or recorded parameters | `model` |
//! | [`mod@bench`] | measurement, from plan to verdict | `gpu`, `kernels`, `model`, `predict`, `stats` |
//! | [`experiments`] | the registry, and one folder per experiment | `bench` and its imports |
//! | [`report`] | reports, comparisons and galleries of records | `model`, `predict`, `stats` |
//! | [`cli`] | the command line, one file per subcommand | every module |
//!
//! [`methodology`] contains no code. Its text explains how warplaw measures, what each verdict means, and how
//! often verdicts are wrong.
//!
//! # Dependency rules
//!
//! `tests/architecture.rs` checks these rules on the sources:
//!
//! - A module imports only the modules in its row of the table. `report` therefore needs neither a GPU nor
//!   the experiments: it can judge and draw any stored record on a machine without a GPU.
//! - No imports form a cycle, neither between modules nor between the files of one module.
//! - `model`, `stats`, `gpu`, `sim`, `predict`, `bench` and `report` contain no experiment id. The one
//!   exception is the frozen label table for records of version 1.
//! - `model`, `stats`, `kernels`, `predict`, `experiments` and `report` read no clock.
//! - Only `src/gpu/unchecked.rs` and `src/ranks/mpi/tool.rs` contain `unsafe` code.
//!
//! # Example
//!
//! A program can run one experiment and read its result:
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//! use warplaw::bench::{Profile, Session, run};
//! use warplaw::experiments::find;
//! use warplaw::gpu::{Hardware, Options};
//!
//! // Opens the best adapter. `Options` can select another one.
//! let device = Hardware::open(&Options::default())?;
//! // Tests the clock and reads the subgroup size. The last argument is the seed of all random choices.
//! let mut session = Session::open(Box::new(device), Profile::QUICK, 1)?;
//! let lanes = find("lanes").expect("`lanes` is in the registry");
//! // Measures and judges. Setting the flag stops the experiment early; the closure receives the progress.
//! let outcome = run(&mut session, lanes, &AtomicBool::new(false), &mut |_| ())?;
//! println!("{}: {}", outcome.id, outcome.as_str());
//! for point in &outcome.points {
//!     println!("{}, {} {}: ratio {:.3}", point.series, point.x.value, point.x.name, point.ratio);
//! }
//! # Ok::<(), warplaw::gpu::GpuError>(())
//! ```

#[doc = include_str!("../METHODOLOGY.md")]
pub mod methodology {}

pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
pub mod experiments;
pub mod gpu;
pub mod kernels;
pub mod model;
pub mod predict;
pub mod profile;
pub mod ranks;
pub mod report;
pub mod sim;
pub mod simt;
pub mod stats;

/// Returns the version of this crate, with the git revision it was built from where that is known:
/// `warplaw 0.1.0 (0123456789ab)`.
#[must_use]
pub fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let revision = option_env!("WARPLAW_GIT_REV").and_then(|revision| revision.get(..12));
    revision.map_or_else(
        || format!("warplaw {version}"),
        |revision| format!("warplaw {version} ({revision})"),
    )
}
