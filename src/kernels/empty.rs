//! `empty`: a kernel that does no work. It measures the overhead of a dispatch.

use std::sync::{Arc, LazyLock};

use super::module;
use crate::gpu::{Check, Contents, CostModel, Dispatch, Shader, Workload};

/// Returns the shader module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> =
        LazyLock::new(|| module("empty", include_str!("../../shaders/empty.wgsl"), &[], &[]));
    Arc::clone(&SHADER)
}

/// Returns a workload of `workgroups` workgroups with one invocation each, which do no work.
///
/// The expected output is zero, since the kernel writes nothing.
#[must_use]
pub fn workload(workgroups: u32) -> Workload {
    Workload::new(
        "empty".to_owned(),
        vec![Dispatch {
            shader: shader(),
            entry: "empty",
            constants: vec![],
            bindings: vec![("params", 0), ("output", 1)],
            workgroups: [workgroups, 1],
            cost_model: Arc::new(move |_| CostModel {
                workgroups: f64::from(workgroups),
                subgroups: f64::from(workgroups),
                ..CostModel::default()
            }),
        }],
        vec![Contents::Uniform(vec![("never", 0)]), Contents::Zeroed(4)],
        Check { buffers: vec![1], expected: Arc::new(|| vec![0]) },
    )
}
