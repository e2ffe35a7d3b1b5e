//! `amdahl`: a job of two stages. The first stage is one workgroup. The second stage is many workgroups that
//! read the result of the first.

use std::sync::{Arc, LazyLock};

use crate::gpu::{Check, Contents, CostModel, Dispatch, Invariant, Shader, Workload};
use crate::kernels::chain::{FOUR_CHAINS, ITERATION_ISSUES, four_chains};
use crate::kernels::module;

/// Instructions that a subgroup issues before and after its loop.
const SETUP_ISSUES: f64 = 13.0;

const INVARIANTS: &[Invariant] = &[Invariant::new(
    &["stage"],
    FOUR_CHAINS,
    "an iteration that is dropped or hoisted costs nothing",
)];

/// Returns the WGSL module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("amdahl", include_str!("../../../shaders/amdahl.wgsl"), &[], INVARIANTS)
    });
    Arc::clone(&SHADER)
}

/// Invocations per workgroup: enough subgroups that one workgroup keeps a compute unit busy.
pub const WORKGROUP_SIZE: u32 = 256;
/// Number of different start values of the invocations. The CPU reference computes only these, so that it
/// checks a job of millions of iterations quickly.
const DISTINCT: u32 = 32;

/// A job of two stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stages {
    /// Loop iterations of each invocation in the first stage, which is one workgroup.
    pub serial_iterations: u32,
    /// Loop iterations of each invocation in the second stage.
    pub parallel_iterations: u32,
    /// Workgroups of the second stage.
    pub workers: u32,
    /// Seed of the start values.
    pub seed: u32,
}

impl Stages {
    /// Builds the workload: two dispatches in one pass.
    #[must_use]
    pub fn workload(self) -> Workload {
        let first: Arc<[u32]> = (0..WORKGROUP_SIZE).map(|index| self.start(index)).collect();
        Workload::new(
            format!("{self:?}"),
            vec![
                stage([0, 2, 3], 1, self.serial_iterations),
                stage([1, 3, 4], self.workers, self.parallel_iterations),
            ],
            vec![
                Contents::Uniform(vec![("iterations", self.serial_iterations)]),
                Contents::Uniform(vec![("iterations", self.parallel_iterations)]),
                Contents::Data(first),
                Contents::Zeroed(WORKGROUP_SIZE as usize),
                Contents::Zeroed(self.workers as usize * WORKGROUP_SIZE as usize),
            ],
            Check { buffers: vec![4], expected: Arc::new(move || self.reference()) },
        )
    }

    /// Returns the start value of the invocation with local index `index`.
    fn start(self, index: u32) -> u32 {
        (index % DISTINCT) ^ self.seed
    }

    /// Returns the output words of the first [`DISTINCT`] invocations. The other outputs repeat them.
    fn reference(self) -> Vec<u32> {
        (0..DISTINCT)
            .map(|index| four_chains(self.start(index), self.serial_iterations))
            .map(|x| four_chains(x, self.parallel_iterations))
            .collect()
    }
}

/// Builds the dispatch of one stage. The first argument contains buffer indices.
fn stage([params, input, output]: [usize; 3], workgroups: u32, iterations: u32) -> Dispatch {
    Dispatch {
        shader: shader(),
        entry: "stage",
        constants: vec![("WORKGROUP_SIZE", WORKGROUP_SIZE)],
        bindings: vec![("params", params), ("input", input), ("output", output)],
        workgroups: [workgroups, 1],
        cost_model: Arc::new(move |shape| {
            let slots = f64::from(workgroups * shape.issue_slots(WORKGROUP_SIZE));
            CostModel {
                workgroups: f64::from(workgroups),
                subgroups: f64::from(workgroups * WORKGROUP_SIZE.div_ceil(shape.width)),
                issues: slots * (SETUP_ISSUES + ITERATION_ISSUES * f64::from(iterations)),
                ..CostModel::default()
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_stage_starts_from_the_result_of_the_first() {
        let job = Stages { serial_iterations: 1, parallel_iterations: 2, workers: 2, seed: 9 };
        let by_hand = four_chains(four_chains(1 ^ 9, 1), 2);
        assert_eq!(job.reference()[1], by_hand);
        assert_ne!(by_hand, four_chains(1 ^ 9, 3), "two stages must differ from one long stage");
    }
}
