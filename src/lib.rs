//! warplaw
#![allow(missing_docs, reason="wip")]
pub mod laws;
pub mod stats;
pub mod gpu;
pub mod kernels;
pub mod record;
pub mod measure;
pub mod experiments;
