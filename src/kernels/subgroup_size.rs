//! `subgroup_size`: what the shader itself sees.

use std::sync::{Arc, LazyLock};

use super::module;
use crate::gpu::{Check, Contents, CostModel, Dispatch, Shader, Workload};

/// The module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("subgroup_size", include_str!("../../shaders/subgroup_size.wgsl"), true)
    });
    Arc::clone(&SHADER)
}

/// One workgroup of `workgroup_size`. The answer is not known beforehand: it is what the probe is for.
#[must_use]
pub fn workload(workgroup_size: u32) -> Workload {
    Workload::new(
        "subgroup_size".to_owned(),
        vec![Dispatch {
            shader: shader(),
            entry: "subgroup_size",
            constants: vec![("WORKGROUP_SIZE", workgroup_size)],
            bindings: vec![("output", 0)],
            workgroups: [1, 1],
            cost_model: Arc::new(|_| CostModel::default()),
        }],
        vec![Contents::Zeroed(workgroup_size as usize)],
        Check { buffers: vec![0], expected: Arc::new(Vec::new) },
    )
}
