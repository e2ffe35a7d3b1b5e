//! `subgroup_size`: a kernel that reports the subgroup size that the shader sees.

use std::sync::{Arc, LazyLock};

use super::module;
use crate::gpu::{Check, Contents, CostModel, Dispatch, Shader, ShaderFeature, Workload};

/// Returns the shader module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module(
            "subgroup_size",
            include_str!("../../shaders/subgroup_size.wgsl"),
            &[ShaderFeature::Subgroups],
            &[],
        )
    });
    Arc::clone(&SHADER)
}

/// Returns a workload of one workgroup with `workgroup_size` invocations.
///
/// The CPU reference is empty, since the subgroup size is not known in advance.
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
