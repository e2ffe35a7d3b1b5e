//! The kernels: for each shader a file of the same stem that says what it does, builds its workloads,
//! computes its answer on the CPU, and counts what it asks of a lockstep machine.

pub mod arms;
pub mod chain;
pub mod empty;
pub mod ilp;
mod launch;
pub mod memory;
mod shape;
pub mod subgroup_size;

pub(crate) use launch::{Kernel, Launch, cyclic_demand, cyclic_mask, module};
pub use launch::{MOST_ITERATIONS, Number, random_words};
pub use shape::{Load, Shape};

use std::sync::Arc;

use crate::gpu::Shader;

/// Every module that can be loaded, templates expanded.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    [
        vec![empty::shader(), chain::shader(), subgroup_size::shader()],
        arms::shaders(),
        ilp::shaders(),
        memory::shaders(),
    ]
    .concat()
}
