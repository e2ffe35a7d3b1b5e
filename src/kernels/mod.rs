//! Kernels that several experiments share.
//!
//! Each shader has a file of the same stem here. The file contains the parameters of the kernel, builds its
//! workloads, and provides the CPU reference and the cost model.

pub mod add_part;
pub mod branch_paths;
pub mod chain;
pub mod empty;
pub mod ilp;
mod launch;
mod launch_config;
pub mod memory;
mod step;
pub mod subgroup_size;

pub(crate) use launch::{Kernel, Launch, cyclic_cost_model, cyclic_mask, module};
pub use launch::{MAX_ITERATIONS, Number, random_words};
pub use launch_config::{LaunchConfig, Load};
pub use step::Step;

use std::sync::Arc;

use crate::gpu::Shader;

/// Returns every shader module of the shared kernels, with templates expanded.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    [
        vec![add_part::shader(), empty::shader(), chain::shader(), subgroup_size::shader()],
        branch_paths::shaders(),
        ilp::shaders(),
        memory::shaders(),
    ]
    .concat()
}
