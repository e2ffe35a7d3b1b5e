//! **warplaw** measures how well the laws of lockstep execution hold on your GPU.
//!
//! It dispatches WGSL kernels through wgpu, times them with timestamp queries, predicts every figure from
//! parameters that it measured elsewhere, and judges the prediction: `holds`, `deviates` or
//! `inconclusive`, with the residual, its interval and a diagnosis.
//!
//! # The house
//!
//! - [`laws`]: pure maths. Formula, symbols, units, domain, source.
//! - [`stats`]: from samples to an estimate, an interval and a verdict; the one table of tolerances.
//! - [`gpu`]: adapter, device, pipelines, timer; the [`gpu::Executor`], real and fake.
//! - [`kernels`]: beside each shader of the same stem, what it does, its CPU twin, what it asks for.
//! - [`measure`]: the one place that times: sizing, verification, rounds, controls, stopping, judging.
//! - [`experiments`]: declarations. One file an experiment, one line in the registry.
//! - [`record`]: the versioned result.
//! - [`report`]: what people read of a record.
//! - [`predict`]: what if. Any law evaluated from given or recorded parameters, one file a law.
//! - [`cli`]: one file per subcommand.
//! - [`methodology`]: what each verdict promises, and how often it is wrong.
//!
//! Two walls are absolute: `laws` and `stats` never see `gpu`, and `report` and `predict` never see `gpu`,
//! `measure` or `experiments`, so that any stored record can be judged and drawn again without hardware.

#[doc = include_str!("../METHODOLOGY.md")]
pub mod methodology {}

pub mod cli;
pub mod experiments;
pub mod gpu;
pub mod kernels;
pub mod laws;
pub mod measure;
pub mod predict;
pub mod record;
pub mod report;
pub mod stats;
