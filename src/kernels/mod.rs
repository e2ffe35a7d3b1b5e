//! The kernels: for each shader a file of the same stem that says what it does, builds its workloads,
//! computes its answer on the CPU, and counts what it asks of a lockstep machine.

pub mod branch_paths;
pub mod chain;
pub mod empty;
pub mod ilp;
mod launch;
mod launch_config;
pub mod memory;
pub mod subgroup_size;

pub(crate) use launch::{Kernel, Launch, cyclic_cost_model, cyclic_mask, module};
pub use launch::{MAX_ITERATIONS, Number, random_words};
pub use launch_config::{LaunchConfig, Load};

use std::sync::Arc;

use crate::gpu::Shader;

/// Every module that can be loaded, templates expanded.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    [
        vec![empty::shader(), chain::shader(), subgroup_size::shader()],
        branch_paths::shaders(),
        ilp::shaders(),
        memory::shaders(),
    ]
    .concat()
}
