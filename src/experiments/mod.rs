//! The experiments: what is swept, what calibrates, what the law predicts, what a deviation suggests.
//! No timing code: [`crate::bench`] does that for all of them.
//!
//! A new experiment is one folder here and one line in [`REGISTRY`]: `mod.rs` declares it, `law.rs` holds the
//! formula, `kernel.rs` the workload with its CPU reference, `predict.rs` what the law answers to "what if". Its
//! WGSL lies in `shaders/` under the same name.

pub mod allreduce;
pub mod amdahl;
pub mod batching;
pub mod ceilings;
pub mod coalescing;
pub mod contention;
pub mod dependence;
pub mod divergence;
pub mod ilp;
pub mod imbalance;
pub mod lanes;
pub mod occupancy;
pub mod overlap;
pub mod reduction;
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

/// Every experiment, in the order run: `width` first, since the others want to know it.
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
];

/// The experiment of that id, or of an id that it had before.
#[must_use]
pub fn find(id: &str) -> Option<&'static Experiment> {
    let alias = model::ALIASES.iter().find(|(old, _)| *old == id);
    let id = alias.map_or(id, |(_, present)| present);
    REGISTRY.iter().find(|experiment| experiment.id == id)
}

/// Every law that can be asked.
pub fn laws() -> impl Iterator<Item = &'static Law> {
    REGISTRY.iter().filter_map(|experiment| experiment.predict)
}

/// Every module that can be loaded, templates expanded.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    let own = REGISTRY.iter().flat_map(|experiment| (experiment.shaders)());
    kernels::shaders().into_iter().chain(own).collect()
}
