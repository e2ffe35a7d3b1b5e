//! `chain`: chains of dependent arithmetic in some or all invocations of a workgroup.

use std::sync::{Arc, LazyLock};

use super::{Kernel, Launch, module};
use crate::gpu::{CostModel, DeviceShape, Invariant, Property, Shader, Workload};

/// The arithmetic of a loop iteration of four chains: multiply, add, shift and combine. Some GPUs multiply and add at
/// once.
pub(crate) const FOUR_CHAINS: Property = Property::ComputesAtLeast(4 * 3);

const INVARIANTS: &[Invariant] = &[Invariant::new(
    &["chain"],
    FOUR_CHAINS,
    "an iteration that is dropped or hoisted costs nothing",
)];

/// Returns the shader module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("chain", include_str!("../../shaders/chain.wgsl"), &[], INVARIANTS)
    });
    Arc::clone(&SHADER)
}

/// Instructions that a subgroup issues before and after its loop.
const SETUP_ISSUES: f64 = 16.0;
/// Instructions that a subgroup issues to learn whether it is active.
const RETURN_ISSUES: f64 = 2.0;
/// Instructions that a subgroup issues per loop iteration.
pub(crate) const ITERATION_ISSUES: f64 = 19.0;

/// Loop iterations of a case whose time per iteration is wanted, and of its floor case.
///
/// On a CPU the floor case is the launch alone. A GPU launches workgroups while others run, so that subtracting a launch
/// subtracts too much. There a floor case has an eighth of the iterations: still more work than a launch takes, and a
/// difference of two lengths contains no launch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loops {
    /// Iterations of the case.
    pub(crate) whole: u32,
    /// Iterations of the floor case.
    pub(crate) floor: u32,
}

impl Loops {
    /// Returns the iterations on a CPU, or on a GPU.
    pub(crate) fn on(is_cpu: bool) -> Self {
        if is_cpu { Self { whole: 512, floor: 0 } } else { Self { whole: 1024, floor: 128 } }
    }
}

/// One dispatch of dependent arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// Invocations per workgroup.
    pub workgroup_size: u32,
    /// Number of active invocations per workgroup, from index 0 on. At most `workgroup_size`.
    pub active: u32,
    /// Loop iterations of each active invocation.
    pub iterations: u32,
    /// Number of workgroups.
    pub workgroups: u32,
    /// Seed of the start values.
    pub seed: u32,
}

impl Chain {
    /// Returns the workload, timed as one pass.
    #[must_use]
    pub fn workload(self) -> Workload {
        Launch {
            label: format!("{self:?}"),
            shader: shader(),
            entry: "chain",
            workgroup_size: self.workgroup_size,
            workgroups: self.workgroups,
            params: vec![
                ("active_lanes", self.active),
                ("iterations", self.iterations),
                ("seed", self.seed),
            ],
            reads: None,
        }
        .of(self)
    }
}

impl Kernel for Chain {
    /// Returns the outputs of one workgroup. All workgroups have equal outputs.
    fn reference(&self) -> Vec<u32> {
        (0..self.workgroup_size)
            .map(|index| {
                if index < self.active {
                    four_chains(index ^ self.seed, self.iterations)
                } else {
                    0
                }
            })
            .collect()
    }

    fn cost_model(&self, shape: DeviceShape) -> CostModel {
        let workgroups = f64::from(self.workgroups);
        let all = workgroups * f64::from(shape.issue_slots(self.workgroup_size));
        // A subgroup with some active lanes, and those before it with all lanes active.
        let of_a_subgroup = |first: u32| {
            let lanes = first..(first + shape.width).min(self.workgroup_size);
            shape.active_issue_slots(&lanes.map(|lane| lane < self.active).collect::<Vec<_>>())
        };
        let firsts = (0..self.active).step_by(shape.width as usize);
        let active = workgroups * f64::from(firsts.map(of_a_subgroup).sum::<u32>());
        CostModel {
            workgroups,
            subgroups: workgroups * f64::from(self.workgroup_size.div_ceil(shape.width)),
            issues: all * RETURN_ISSUES
                + active * (SETUP_ISSUES + ITERATION_ISSUES * f64::from(self.iterations)),
            ..CostModel::default()
        }
    }
}

/// Returns the value of a chain after one iteration from `x`.
pub(crate) fn step(x: u32) -> u32 {
    let x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    x ^ (x >> 15)
}

/// Returns the output of an invocation: four chains from `start`, combined after `iterations` iterations.
pub(crate) fn four_chains(start: u32, iterations: u32) -> u32 {
    let mut chains = [3u32, 5, 7, 11].map(|prime| start.wrapping_mul(prime));
    for _ in 0..iterations {
        for x in &mut chains {
            *x = step(*x);
        }
    }
    chains.into_iter().fold(0, |folded, x| folded ^ x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_matches_a_calculation_by_hand() {
        let chain = Chain { workgroup_size: 2, active: 1, iterations: 1, workgroups: 1, seed: 0 };
        // With seed 0, invocation 0 starts all four chains at 0. Each becomes c ^ (c >> 15), and the
        // exclusive or of four equal words is 0. Invocation 1 is not active.
        assert_eq!(chain.reference(), [0, 0]);
        let none = Chain { seed: 1, iterations: 0, ..chain };
        assert_eq!(none.reference(), [3 ^ 5 ^ 7 ^ 11, 0]);
        // 3·a + c = 1018897798, 5·a + c = 1022226848, 7·a + c = 1025555898, 11·a + c = 1032213998.
        // Each word is combined with its upper 17 bits, and then the four words with each other.
        let fold = |x: u32| x ^ (x >> 15);
        let chains = [1_018_897_798, 1_022_226_848, 1_025_555_898, 1_032_213_998].map(fold);
        let once = Chain { iterations: 1, ..none };
        assert_eq!(once.reference(), [chains[0] ^ chains[1] ^ chains[2] ^ chains[3], 0]);
    }
}
