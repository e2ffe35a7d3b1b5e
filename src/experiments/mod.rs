//! The experiments. Each one declares a parameter to sweep, the cases that calibrate its law, the predictions
//! of the law, and the likely causes of a deviation.
//!
//! The experiments contain no timing code. [`crate::bench`] times all of them.
//!
//! A new experiment is one folder in this module and one line in [`REGISTRY`]. Its folder contains:
//!
//! - `mod.rs`: the declaration
//! - `law.rs`: the formula
//! - `kernel.rs`: the workload and its CPU reference
//! - `predict.rs`: the answers to "what if" questions
//!
//! The WGSL of the experiment is in `shaders/` under the same name.

pub mod allreduce;
pub mod amdahl;
pub mod batching;
pub mod ceilings;
pub mod coalescing;
pub mod contention;
mod crossing;
pub mod dependence;
pub mod divergence;
pub mod ilp;
pub mod imbalance;
pub mod lanes;
pub mod occupancy;
pub mod overlap;
pub mod reduction;
pub mod ring;
pub mod select;
mod sweep;
pub mod width;

pub use reduction::fastest as fastest_reduction;

use std::sync::Arc;

use crate::bench::Experiment;
use crate::gpu::Shader;
use crate::kernels;
use crate::model;
use crate::predict::Law;

/// All experiments in execution order. `width` is first because later experiments use the subgroup width that
/// `width` finds.
pub const REGISTRY: &[Experiment] = &[
    width::EXPERIMENT,
    divergence::EXPERIMENT,
    imbalance::EXPERIMENT,
    select::EXPERIMENT,
    coalescing::EXPERIMENT,
    amdahl::EXPERIMENT,
    ilp::EXPERIMENT,
    lanes::EXPERIMENT,
    batching::EXPERIMENT,
    ceilings::EXPERIMENT,
    reduction::EXPERIMENT,
    contention::EXPERIMENT,
    dependence::EXPERIMENT,
    allreduce::EXPERIMENT,
    occupancy::EXPERIMENT,
    overlap::EXPERIMENT,
    ring::EXPERIMENT,
];

/// Returns the experiment with the given id. Ids of earlier versions are valid too.
#[must_use]
pub fn find(id: &str) -> Option<&'static Experiment> {
    let alias = model::ALIASES.iter().find(|(old, _)| *old == id);
    let id = alias.map_or(id, |(_, present)| present);
    REGISTRY.iter().find(|experiment| experiment.id == id)
}

/// Returns the laws that `warplaw predict` can evaluate.
pub fn laws() -> impl Iterator<Item = &'static Law> {
    REGISTRY.iter().filter_map(|experiment| experiment.predict)
}

/// Returns all WGSL modules, with all templates expanded.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    let own = REGISTRY.iter().flat_map(|experiment| (experiment.shaders)());
    kernels::shaders().into_iter().chain(own).collect()
}
