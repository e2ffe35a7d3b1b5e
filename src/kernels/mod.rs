//! The kernels: for each shader a file of the same stem that says what it does, builds its workloads,
//! computes its answer on the CPU, and counts what it asks of a lockstep machine.

pub mod arms;
pub mod chain;
pub mod empty;
pub mod ilp;
pub mod reduction;
pub mod select;
pub mod stages;
pub mod subgroup_size;
pub mod uneven;

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::gpu::Shader;

/// Every module that can be loaded, templates expanded.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    [
        vec![
            empty::shader(),
            chain::shader(),
            select::shader(),
            stages::shader(),
            subgroup_size::shader(),
            uneven::shader(),
        ],
        arms::shaders(),
        ilp::shaders(),
        reduction::shaders(),
    ]
    .concat()
}

/// A module whose name is its file's stem, and a variant after a dot where the file is a template.
fn module(name: &str, source: impl Into<String>, needs_subgroups: bool) -> Arc<Shader> {
    Arc::new(Shader { name: name.to_owned(), source: source.into(), needs_subgroups })
}

/// `len` incompressible words.
#[must_use]
pub fn random_words(seed: u64, len: usize) -> Arc<[u32]> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..len).map(|_| rng.random()).collect()
}
