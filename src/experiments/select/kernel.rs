//! Kernel of `select`: each invocation chooses repeatedly between two paths, by a branch or by running both
//! paths and selecting a result.

use std::sync::{Arc, LazyLock};

use crate::gpu::{CostModel, DeviceShape, Invariant, Property, Shader, Workload};
use crate::kernels::{Kernel, Launch, cyclic_cost_model, cyclic_mask, module};

const INVARIANTS: &[Invariant] = &[
    Invariant::new(
        &["branch_long", "select_long"],
        Property::Loops(3),
        "both paths are loops that no compiler may merge",
    ),
    Invariant::new(
        &["select_long", "select_short"],
        Property::StaysTogether,
        "a select executes both paths in all lanes",
    ),
];

/// Returns the WGSL module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("select", include_str!("../../../shaders/select.wgsl"), &[], INVARIANTS)
    });
    Arc::clone(&SHADER)
}

/// Way to choose between the two paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A branch.
    Branch,
    /// Execution of both paths and selection of one result.
    Select,
}

/// Size of the two paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathSize {
    /// Four dependent operations per path. Many compilers turn a branch over such paths into a select.
    Short,
    /// Loops over the same operations. No compiler turns a branch over loops into a select.
    Long {
        /// Loop iterations of path 0 and of path 1.
        iterations: [u32; 2],
    },
}

/// One dispatch of choices.
#[derive(Debug, Clone)]
pub struct Select {
    /// Way to choose.
    pub way: Way,
    /// Size of the paths.
    pub paths: PathSize,
    /// Invocations per workgroup, a power of two.
    pub workgroup_size: u32,
    /// Number of workgroups.
    pub workgroups: u32,
    /// Choices per invocation.
    pub choices: u32,
    /// Choices of the invocations: one word per invocation and one bit per choice, both used cyclically. The
    /// number of words is a power of two and at least `workgroup_size`.
    pub words: Arc<[u32]>,
    /// Seed of the start values.
    pub seed: u32,
}

impl Select {
    /// Returns the workload, timed as one pass.
    ///
    /// # Panics
    /// Panics if the number of words or `workgroup_size` is not a power of two, or if there are fewer words
    /// than `workgroup_size`.
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
                ("iterations_0", zero_iterations),
                ("iterations_1", one_iterations),
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
    /// Returns one output per word, or one per invocation if there are fewer invocations. Both ways to choose
    /// give the same outputs.
    fn reference(&self) -> Vec<u32> {
        let outputs = self.workgroups as usize * self.workgroup_size as usize;
        let run = |(&word, item): (&u32, u32)| {
            let mut x = (item ^ self.seed).wrapping_mul(2_654_435_761);
            for choice in 0..self.choices {
                let [zero_iterations, one_iterations] = self.iterations();
                x = if chooses_one(word, choice) {
                    (0..one_iterations).fold(x, |x, _| path_1(x))
                } else {
                    (0..zero_iterations).fold(x, |x, _| path_0(x))
                };
            }
            x
        };
        self.words.iter().zip(0..).take(outputs).map(run).collect()
    }

    /// Counts the instructions of every subgroup and choice. A branch issues the paths that at least one lane
    /// takes; a select issues both paths.
    fn cost_model(&self, shape: DeviceShape) -> CostModel {
        // Instructions of a subgroup before and after its loop, of a choice without its paths, of a short path, and of a
        // long path and each of its iterations.
        const SETUP_ISSUES: f64 = 10.0;
        const CHOICE_ISSUES: f64 = 8.0;
        const SHORT_ISSUES: f64 = 6.0;
        const LONG_ISSUES: f64 = 2.0;
        const ITERATION_ISSUES: f64 = 9.0;
        let path_issues = match self.paths {
            PathSize::Short => [SHORT_ISSUES; 2],
            PathSize::Long { iterations } => {
                iterations.map(|n| LONG_ISSUES + ITERATION_ISSUES * f64::from(n))
            }
        };
        // Issue slots of a path with lanes for which the predicate is true.
        let slots = |words: &[u32], takes: &dyn Fn(u32) -> bool| {
            let lanes: Vec<bool> = words.iter().map(|&word| takes(word)).collect();
            f64::from(shape.active_issue_slots(&lanes))
        };
        let subgroup_issues = |words: &[u32]| -> f64 {
            let all = slots(words, &|_| true);
            let paths = |choice: u32| match self.way {
                Way::Select => [all; 2],
                Way::Branch => {
                    [false, true].map(|one| slots(words, &|word| chooses_one(word, choice) == one))
                }
            };
            let choice_issues = |choice: u32| {
                let [zero, one] = paths(choice);
                all * CHOICE_ISSUES + zero * path_issues[0] + one * path_issues[1]
            };
            all * SETUP_ISSUES + (0..self.choices).map(choice_issues).sum::<f64>()
        };
        cyclic_cost_model(
            &self.words,
            [self.workgroup_size, self.workgroups],
            shape,
            subgroup_issues,
        )
    }
}

fn chooses_one(word: u32, choice: u32) -> bool {
    word >> (choice & 31) & 1 == 1
}

fn path_0(start: u32) -> u32 {
    let mut x = start.wrapping_mul(2_891_336_453);
    x ^= x >> 15;
    x = x.wrapping_add(1_013_904_223);
    x ^ (x << 13)
}

fn path_1(start: u32) -> u32 {
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
    fn each_lane_takes_the_path_of_its_bit() {
        // Lane 2 takes path 0 and then path 1, with ten iterations each.
        let reference = choices(Way::Branch, [0, 1, 0b10, 0b11]).reference();
        let zero = (0..10).fold((2 ^ 3u32).wrapping_mul(2_654_435_761), |x, _| path_0(x));
        assert_eq!(reference[2], (0..10).fold(zero, |x, _| path_1(x)));
        assert_eq!(reference, choices(Way::Select, [0, 1, 0b10, 0b11]).reference());
    }

    #[test]
    fn a_branch_issues_the_taken_paths_and_a_select_issues_both() {
        let issues = |way, words, width: u32| choices(way, words).cost_model(width.into()).issues;
        let [setup, choice, path] = [10.0, 8.0, 92.0];
        let [one, both] = [choice + path, choice + 2.0 * path];
        assert_eq!(issues(Way::Branch, [0; 4], 4), setup + 2.0 * one);
        assert_eq!(issues(Way::Branch, [0, 0, 0, 1], 4), setup + both + one);
        assert_eq!(issues(Way::Branch, [0, 0, 1, 1], 2), 2.0 * (setup + 2.0 * one));
        assert_eq!(issues(Way::Select, [0; 4], 4), setup + 2.0 * both);
    }
}
