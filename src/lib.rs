//! **warplaw** measures how well the laws of lockstep execution hold on your GPU.
//!
//! It dispatches WGSL kernels through wgpu, times them with timestamp queries, predicts every figure from
//! parameters that it measured elsewhere, and judges the prediction: `holds`, `deviates` or
//! `inconclusive`, with the residual, its interval and a diagnosis.
//!
//! # The modules
//!
//! - [`model`]: metrics, verdicts, and the versioned record of a run.
//! - [`stats`]: from samples to an estimate, an interval and a verdict.
//! - [`gpu`]: adapter, device, pipelines, clocks; the [`gpu::Executor`] over wgpu.
//! - [`sim`]: a simulated device that implements the same trait.
//! - [`kernels`]: the kernels that several experiments share, each with its CPU reference and cost model.
//! - [`mod@bench`]: the one place that times. Plans, expressions, sizing, rounds, controls, judging.
//! - [`experiments`]: the registry, and one folder per experiment.
//! - [`predict`]: what if. Any law evaluated from given or recorded parameters.
//! - [`report`]: what people read of a record.
//! - [`cli`]: one file per subcommand.
//! - [`methodology`]: what each verdict promises, and how often it is wrong.
//!
//! Two rules are absolute, and tested: `stats` and `model` never see `gpu`, and `report` never sees `gpu`, `bench` or
//! `experiments`, so that any stored record can be judged and drawn again without hardware. No import goes round in a
//! circle.
//!
//! # One experiment from another program
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//! use warplaw::bench::{Profile, Session, run};
//! use warplaw::experiments::find;
//! use warplaw::gpu::{Hardware, Options};
//!
//! let device = Hardware::open(&Options::default())?;
//! let mut session = Session::open(Box::new(device), Profile::QUICK, 1)?;
//! let lanes = find("lanes").expect("it is registered");
//! let outcome = run(&mut session, lanes, &AtomicBool::new(false), &mut |_| ())?;
//! println!("{}: {}", outcome.id, outcome.as_str());
//! # Ok::<(), warplaw::gpu::GpuError>(())
//! ```

#[doc = include_str!("../METHODOLOGY.md")]
pub mod methodology {}

pub mod bench;
pub mod cli;
pub mod experiments;
pub mod gpu;
pub mod kernels;
pub mod model;

pub mod predict;

pub mod report;
pub mod sim;
pub mod stats;
