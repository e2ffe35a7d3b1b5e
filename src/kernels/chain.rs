//! `chain`: arithmetic alone, for some or all of a workgroup's lanes.

use std::sync::{Arc, LazyLock};

use super::{Kernel, Launch, module};
use crate::gpu::{CostModel, Shader, Workload};

/// The module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> =
        LazyLock::new(|| module("chain", include_str!("../../shaders/chain.wgsl"), false));
    Arc::clone(&SHADER)
}

/// Instructions that a subgroup issues before and after its trips, and in each trip, as one counts them in the WGSL.
pub(crate) const SETUP_ISSUES: f64 = 12.0;
pub(crate) const ITERATION_ISSUES: f64 = 17.0;

/// One dispatch of arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// Lanes in a workgroup.
    pub workgroup_size: u32,
    /// How many of them work, from the first; at most `workgroup_size`.
    pub active: u32,
    /// Steps each working lane takes.
    pub iterations: u32,
    /// Workgroups.
    pub workgroups: u32,
    /// Where the chains start.
    pub seed: u32,
}

impl Chain {
    /// The workload, timed as one pass.
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
    /// One workgroup's outputs; every workgroup's are alike.
    fn reference(&self) -> Vec<u32> {
        (0..self.workgroup_size)
            .map(|lane| {
                if lane < self.active { four_chains(lane ^ self.seed, self.iterations) } else { 0 }
            })
            .collect()
    }

    fn cost_model(&self, width: u32) -> CostModel {
        let workgroups = f64::from(self.workgroups);
        let working = f64::from(self.active.div_ceil(width));
        CostModel {
            workgroups,
            subgroups: workgroups * f64::from(self.workgroup_size.div_ceil(width)),
            issues: workgroups
                * working
                * (SETUP_ISSUES + ITERATION_ISSUES * f64::from(self.iterations)),
            ..CostModel::default()
        }
    }
}

/// One step of a chain.
pub(crate) fn step(x: u32) -> u32 {
    let x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    x ^ (x >> 15)
}

/// What a lane makes of `start` in so many steps of its four chains.
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
    fn the_reference_steps_by_hand() {
        let chain = Chain { workgroup_size: 2, active: 1, iterations: 1, workgroups: 1, seed: 0 };
        // Lane 0 of seed 0 starts all four chains at 0: each becomes c ^ (c >> 15), and four equal
        // words fold to 0. The second lane does not work.
        assert_eq!(chain.reference(), [0, 0]);
        let none = Chain { seed: 1, iterations: 0, ..chain };
        assert_eq!(none.reference(), [3 ^ 5 ^ 7 ^ 11, 0]);
        // 3·a + c = 1018897798, 5·a + c = 1022226848, 7·a + c = 1025555898, 11·a + c = 1032213998;
        // each folded by its upper 17 bits, then all four together.
        let fold = |x: u32| x ^ (x >> 15);
        let steps = [1_018_897_798, 1_022_226_848, 1_025_555_898, 1_032_213_998].map(fold);
        let once = Chain { iterations: 1, ..none };
        assert_eq!(once.reference(), [steps[0] ^ steps[1] ^ steps[2] ^ steps[3], 0]);
    }
}
