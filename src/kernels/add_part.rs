//! `add_part`: a kernel that adds a part of a received message to a message of floats.

use std::sync::{Arc, LazyLock};

use super::module;
use crate::gpu::{Check, Contents, CostModel, DeviceShape, Dispatch, Shader, Workload};

/// Invocations of a workgroup.
pub const WORKGROUP_SIZE: u32 = 256;
/// Name of the entry point.
pub const ENTRY: &str = "add_part";
/// Largest number of workgroups. Each invocation adds several words of a longer part.
const MOST_WORKGROUPS: u32 = 1024;

/// Instructions of an invocation for each word: compare, branch, two addresses, two loads, add, store, step.
const OF_A_WORD: f64 = 9.0;

/// Returns the shader module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> =
        LazyLock::new(|| module("add_part", include_str!("../../shaders/add_part.wgsl"), &[], &[]));
    Arc::clone(&SHADER)
}

/// Returns the workgroups that add a part of `words` words; at least one.
#[must_use]
pub fn workgroups(words: u32) -> u32 {
    words.div_ceil(WORKGROUP_SIZE).clamp(1, MOST_WORKGROUPS)
}

/// Returns a workload that adds `words` words at place `start` of a message of `start + words + 1` zeros. Word n of the received
/// part is n as a float.
#[must_use]
pub fn workload(start: u32, words: u32) -> Workload {
    let received: Arc<[u32]> = (0..words.max(1)).map(|word| (word as f32).to_bits()).collect();
    let part = Arc::clone(&received);
    let expected = move || {
        let zeros = |count: u32| std::iter::repeat_n(0, count as usize);
        zeros(start).chain(part.iter().copied().take(words as usize)).chain(zeros(1)).collect()
    };
    Workload::new(
        "add_part".to_owned(),
        vec![Dispatch {
            shader: shader(),
            entry: ENTRY,
            constants: vec![("WORKGROUP_SIZE", WORKGROUP_SIZE)],
            bindings: vec![("params", 0), ("received", 1), ("message", 2)],
            workgroups: [workgroups(words), 1],
            cost_model: Arc::new(move |shape| cost_model(words, shape)),
        }],
        vec![
            Contents::Uniform(vec![("start", start), ("count", words)]),
            Contents::Data(received),
            Contents::Zeroed((start + words + 1) as usize),
        ],
        Check { buffers: vec![2], expected: Arc::new(expected) },
    )
}

fn cost_model(words: u32, shape: DeviceShape) -> CostModel {
    let workgroups = f64::from(workgroups(words));
    let subgroups = workgroups * f64::from(WORKGROUP_SIZE.div_ceil(shape.width));
    CostModel {
        workgroups,
        subgroups,
        issues: OF_A_WORD * f64::from(words.div_ceil(shape.width)),
        bytes: 12.0 * f64::from(words),
        footprint: 8.0 * f64::from(words),
        ..CostModel::default()
    }
}
