//! `select`: two arms chosen again and again, by a branch or by running both and selecting.

use std::sync::{Arc, LazyLock};

use crate::gpu::{CostModel, Shader, Workload};
use crate::kernels::{Kernel, Launch, cyclic_cost_model, cyclic_mask, module};

/// The module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> =
        LazyLock::new(|| module("select", include_str!("../../../shaders/select.wgsl"), false));
    Arc::clone(&SHADER)
}

/// How an arm is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By a branch.
    Branch,
    /// By running both arms and selecting.
    Select,
}

/// How large the arms are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathSize {
    /// Four dependent operations: many compilers turn a branch over such arms into a select.
    Short,
    /// Loops of the same operations, so many trips each: no compiler does.
    Long {
        /// Loop trips of arm 0 and of arm 1.
        iterations: [u32; 2],
    },
}

/// One dispatch of choices.
#[derive(Debug, Clone)]
pub struct Select {
    /// How.
    pub way: Way,
    /// Between what.
    pub paths: PathSize,
    /// Lanes in a workgroup, a power of two.
    pub workgroup_size: u32,
    /// Workgroups.
    pub workgroups: u32,
    /// Times each lane chooses.
    pub choices: u32,
    /// The choices of each lane, a bit each, used cyclically: a power of two of words, and at least
    /// `workgroup_size`.
    pub words: Arc<[u32]>,
    /// Where the lanes start.
    pub seed: u32,
}

impl Select {
    /// The workload, timed as one pass.
    ///
    /// # Panics
    /// When the words are not a power of two or fewer than the lanes.
    #[must_use]
    pub fn workload(self) -> Workload {
        let mask = cyclic_mask(&self.words, self.workgroup_size);
        let entry = match (self.way, self.paths) {
            (Way::Branch, PathSize::Short) => "branch_short",
            (Way::Branch, PathSize::Long { .. }) => "branch_long",
            (Way::Select, PathSize::Short) => "select_short",
            (Way::Select, PathSize::Long { .. }) => "select_long",
        };
        let [zero_iterations, one_iterations] = self.iterations();
        Launch {
            label: format!("{entry}, {} choices", self.choices),
            shader: shader(),
            entry,
            workgroup_size: self.workgroup_size,
            workgroups: self.workgroups,
            params: vec![
                ("choices", self.choices),
                ("trips_0", zero_iterations),
                ("trips_1", one_iterations),
                ("mask", mask),
                ("seed", self.seed),
            ],
            reads: Some(("words", Arc::clone(&self.words))),
        }
        .of(self)
    }

    fn iterations(&self) -> [u32; 2] {
        match self.paths {
            PathSize::Short => [1; 2],
            PathSize::Long { iterations } => iterations,
        }
    }
}

impl Kernel for Select {
    /// One output for each word, or for each lane if those are fewer. Both ways give the same.
    fn reference(&self) -> Vec<u32> {
        let outputs = self.workgroups as usize * self.workgroup_size as usize;
        let run = |(&word, item): (&u32, u32)| {
            let mut x = (item ^ self.seed).wrapping_mul(2_654_435_761);
            for choice in 0..self.choices {
                let [zero_iterations, one_iterations] = self.iterations();
                x = if chooses_one(word, choice) {
                    (0..one_iterations).fold(x, |x, _| arm_1(x))
                } else {
                    (0..zero_iterations).fold(x, |x, _| arm_0(x))
                };
            }
            x
        };
        self.words.iter().zip(0..).take(outputs).map(run).collect()
    }

    /// Counts, subgroup by subgroup and choice by choice, the arms that any lane wants, or both.
    fn cost_model(&self, width: u32) -> CostModel {
        const BRANCH_ISSUES: f64 = 6.0;
        const SELECT_ISSUES: f64 = 2.0;
        const ARM_ISSUES: [f64; 2] = [6.0, 7.0];
        let paths = |wanted: [bool; 2]| -> f64 {
            let paths = wanted.into_iter().zip(self.iterations()).zip(ARM_ISSUES);
            paths.filter(|&((wanted, _), _)| wanted).map(|((_, n), each)| f64::from(n) * each).sum()
        };
        let subgroup_issues = |words: &[u32]| -> f64 {
            let choice_issues = |choice: u32| match self.way {
                Way::Select => SELECT_ISSUES + paths([true; 2]),
                Way::Branch => {
                    let one = words.iter().any(|&word| chooses_one(word, choice));
                    let zero = words.iter().any(|&word| !chooses_one(word, choice));
                    BRANCH_ISSUES + paths([zero, one])
                }
            };
            (0..self.choices).map(choice_issues).sum()
        };
        cyclic_cost_model(
            &self.words,
            [self.workgroup_size, self.workgroups, width],
            subgroup_issues,
        )
    }
}

fn chooses_one(word: u32, choice: u32) -> bool {
    word >> (choice & 31) & 1 == 1
}

fn arm_0(start: u32) -> u32 {
    let mut x = start.wrapping_mul(2_891_336_453);
    x ^= x >> 15;
    x = x.wrapping_add(1_013_904_223);
    x ^ (x << 13)
}

fn arm_1(start: u32) -> u32 {
    let mut x = start ^ (start << 7);
    x = x.wrapping_mul(1_664_525);
    x ^= x >> 11;
    x.wrapping_add(2_654_435_761)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(way: Way, words: [u32; 4]) -> Select {
        Select {
            way,
            paths: PathSize::Long { iterations: [10, 10] },
            workgroup_size: 4,
            workgroups: 1,
            choices: 2,
            words: words.into(),
            seed: 3,
        }
    }

    #[test]
    fn lanes_follow_their_bits() {
        // Lane 2 takes arm 0 and then arm 1, ten times each.
        let reference = choices(Way::Branch, [0, 1, 0b10, 0b11]).reference();
        let zero = (0..10).fold((2 ^ 3u32).wrapping_mul(2_654_435_761), |x, _| arm_0(x));
        assert_eq!(reference[2], (0..10).fold(zero, |x, _| arm_1(x)));
        assert_eq!(reference, choices(Way::Select, [0, 1, 0b10, 0b11]).reference());
    }

    #[test]
    fn a_branch_pays_for_arms_that_are_wanted_and_a_select_for_both() {
        let issues = |way, words, width| choices(way, words).cost_model(width).issues;
        assert_eq!(issues(Way::Branch, [0; 4], 4), 2.0 * (6.0 + 60.0));
        assert_eq!(issues(Way::Branch, [0, 0, 0, 1], 4), (6.0 + 130.0) + (6.0 + 60.0));
        assert_eq!(issues(Way::Branch, [0, 0, 1, 1], 2), 3.0 * (6.0 + 60.0) + (6.0 + 70.0));
        assert_eq!(issues(Way::Select, [0; 4], 4), 2.0 * (2.0 + 130.0));
    }
}
