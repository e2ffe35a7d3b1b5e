//! `empty`: the cost of a dispatch with nothing in it.

use std::sync::{Arc, LazyLock};

use super::module;
use crate::gpu::{Check, Contents, CostModel, Dispatch, Shader, Workload};

/// The module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> =
        LazyLock::new(|| module("empty", include_str!("../../shaders/empty.wgsl"), false));
    Arc::clone(&SHADER)
}

/// `workgroups` workgroups of one lane that do nothing. Its answer: nothing was written.
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
