//! `paths`: a branch whose lanes read from memory which of many arms to take.
//!
//! One table, `operations`, gives both the WGSL of each arm and its CPU twin: six operations, the first
//! fixed and the other five in an order of the arm's own, in a loop of a run-time number of trips.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use super::{Kernel, Launch, cyclic_mask, module};
use crate::gpu::{CostModel, Shader, Workload};

/// Arms in the smaller and in the larger module. Drivers that turn a switch into a ladder of `if`s make
/// every arm pay for every other, so a narrow machine is spared the larger one.
pub const COMPILED_PATHS: [u32; 2] = [32, 64];

/// None folds into a neighbour whatever the order, so every arm keeps all six.
const OPERATIONS: [&str; 6] = [
    "x = x * 2891336453u;",
    "x = x + 1013904223u;",
    "x = x ^ (x >> 15u);",
    "x = x ^ (x << 13u);",
    "x = (x << 7u) | (x >> 25u);",
    "x = x + (x >> 9u);",
];

/// The operations of arm `path` in order: the first is fixed, the rest are a permutation of five, a
/// different one for each of 120 arms.
fn operations(path: u32) -> [usize; 6] {
    // 53 is coprime to 120 = 5!, so neighbouring arms get orders that are far apart and all differ.
    let mut rank = (path as usize * 53) % 120;
    let mut rest = vec![1, 2, 3, 4, 5];
    let mut order = [0; 6];
    for (place, choices) in (1..6).zip([24, 6, 2, 1, 1]) {
        order[place] = rest.remove(rank / choices);
        rank %= choices;
    }
    order
}

fn apply(operation: usize, x: u32) -> u32 {
    match operation {
        0 => x.wrapping_mul(2_891_336_453),
        1 => x.wrapping_add(1_013_904_223),
        2 => x ^ (x >> 15),
        3 => x ^ (x << 13),
        4 => x.rotate_left(7),
        5 => x.wrapping_add(x >> 9),
        _ => unreachable!("there are six operations"),
    }
}

fn source(paths: u32) -> String {
    let mut text = include_str!("../../shaders/branch_paths.wgsl").to_owned();
    text.push_str(
        "\nfn run_path(path: u32, start: u32, iterations: u32) -> u32 {\n    var x = start;\n",
    );
    text.push_str("    switch path {\n");
    for path in 0..paths {
        let body: Vec<&str> = operations(path).iter().map(|&op| OPERATIONS[op]).collect();
        let _infallible = write!(
            text,
            "        case {path}u: {{\n            for (var i = 0u; i < iterations; i++) {{\n                \
             {}\n            }}\n        }}\n",
            body.join("\n                ")
        );
    }
    text.push_str("        default: {}\n    }\n    return x;\n}\n");
    text
}

/// The modules, smaller first.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    static SHADERS: LazyLock<Vec<Arc<Shader>>> = LazyLock::new(|| {
        COMPILED_PATHS
            .map(|paths| module(&format!("branch_paths.{paths}"), source(paths), false))
            .into()
    });
    SHADERS.clone()
}

/// One dispatch of branches.
#[derive(Debug, Clone)]
pub struct BranchPaths {
    /// Lanes in a workgroup.
    pub workgroup_size: u32,
    /// Workgroups.
    pub workgroups: u32,
    /// Times each lane chooses and runs an arm; a power of two, or zero.
    pub repeats: u32,
    /// Loop trips of an arm.
    pub iterations: u32,
    /// Arms that the selectors name: the module is the smallest that has them.
    pub paths: u32,
    /// Arm of each lane of each repeat of each workgroup in turn, used cyclically. A power of two of
    /// them, and at least `lanes`.
    pub selectors: Arc<[u32]>,
    /// Where the lanes start.
    pub seed: u32,
}

impl BranchPaths {
    /// The workload, timed as one pass.
    ///
    /// # Panics
    /// When the selectors are not a power of two, are fewer than the lanes, or name an arm there is not.
    #[must_use]
    pub fn workload(self) -> Workload {
        let mask = cyclic_mask(&self.selectors, self.workgroup_size);
        assert!(self.selectors.iter().all(|&path| path < self.paths), "a selector names no arm");
        assert!(self.repeats == 0 || self.repeats.is_power_of_two());
        let module = COMPILED_PATHS
            .iter()
            .position(|&compiled| compiled >= self.paths)
            .expect("no module has so many arms");
        Launch {
            label: format!(
                "branch of {} invocations, {} repeats",
                self.workgroup_size, self.repeats
            ),
            shader: Arc::clone(&shaders()[module]),
            entry: "branch_paths",
            workgroup_size: self.workgroup_size,
            workgroups: self.workgroups,
            params: vec![
                ("repeats", self.repeats),
                ("iterations", self.iterations),
                ("mask", mask),
                ("seed", self.seed),
            ],
            reads: Some(("selectors", Arc::clone(&self.selectors))),
        }
        .of(self)
    }

    /// Workgroups after which selectors, and so outputs, come round again.
    fn period(&self) -> u32 {
        let per_workgroup = self.workgroup_size * self.repeats.max(1);
        if self.repeats == 0 { 1 } else { (self.selectors.len() as u32 / per_workgroup).max(1) }
    }

    fn selector(&self, workgroup: u32, repeat: u32, lane: u32) -> (u32, u32) {
        let mask = self.selectors.len() as u32 - 1;
        let at = ((workgroup * self.repeats + repeat) * self.workgroup_size + lane) & mask;
        (at, self.selectors[at as usize])
    }

    /// Equal operation counts, unequal times: orders differ in what a pipeline can overlap.
    fn path_issues(&self, path: u32) -> f64 {
        f64::from(self.iterations) * (8.0 + f64::from(path % 5) * 0.2)
    }
}

impl Kernel for BranchPaths {
    /// One period's outputs, or all if there are fewer. Lanes that take the same arm step together, which lets the CPU vectorise.
    fn reference(&self) -> Vec<u32> {
        let mut outputs = Vec::new();
        for workgroup in 0..self.period().min(self.workgroups) {
            let mut values: Vec<u32> = (0..self.workgroup_size)
                .map(|lane| {
                    (self.selector(workgroup, 0, lane).0 ^ self.seed).wrapping_mul(2_654_435_761)
                })
                .collect();
            for repeat in 0..self.repeats {
                let mut by_arm: Vec<Vec<u32>> = vec![Vec::new(); self.paths as usize];
                for lane in 0..self.workgroup_size {
                    by_arm[self.selector(workgroup, repeat, lane).1 as usize].push(lane);
                }
                for (path, members) in by_arm.iter().enumerate().filter(|(_, m)| !m.is_empty()) {
                    let mut xs: Vec<u32> = members.iter().map(|&l| values[l as usize]).collect();
                    let order = operations(path as u32);
                    for _ in 0..self.iterations {
                        for operation in order {
                            step_all(operation, &mut xs);
                        }
                    }
                    for (&lane, x) in members.iter().zip(xs) {
                        values[lane as usize] = x;
                    }
                }
            }
            outputs.extend(values);
        }
        outputs
    }

    /// Counts, subgroup by subgroup, the distinct arms its lanes take.
    fn cost_model(&self, width: u32) -> CostModel {
        const CHOOSE_ISSUES: f64 = 40.0;
        let mut issues = 0.0;
        for workgroup in 0..self.period() {
            for repeat in 0..self.repeats {
                for first in (0..self.workgroup_size).step_by(width as usize) {
                    let mut taken: Vec<u32> = (first..(first + width).min(self.workgroup_size))
                        .map(|lane| self.selector(workgroup, repeat, lane).1)
                        .collect();
                    taken.sort_unstable();
                    taken.dedup();
                    issues += CHOOSE_ISSUES
                        + taken.iter().map(|&path| self.path_issues(path)).sum::<f64>();
                }
            }
        }
        let workgroups = f64::from(self.workgroups);
        CostModel {
            workgroups,
            subgroups: workgroups * f64::from(self.workgroup_size.div_ceil(width)),
            issues: issues * workgroups / f64::from(self.period()),
            ..CostModel::default()
        }
    }
}

fn step_all(operation: usize, xs: &mut [u32]) {
    for x in xs {
        *x = apply(operation, *x);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_arm_is_an_order_of_its_own() {
        let orders: HashSet<[usize; 6]> = (0..64).map(operations).collect();
        assert_eq!(orders.len(), 64);
        for order in orders {
            let mut sorted = order;
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5]);
        }
    }

    #[test]
    fn cost_counts_the_distinct_paths_of_each_subgroup() {
        let paths = |selectors: Vec<u32>| BranchPaths {
            workgroup_size: 4,
            workgroups: 1,
            repeats: 1,
            iterations: 10,
            paths: 5,
            selectors: selectors.into(),
            seed: 0,
        };
        let issues = |selectors: Vec<u32>, width| paths(selectors).cost_model(width).issues;
        let uniform = issues(vec![0, 0, 0, 0], 4);
        assert_eq!(uniform, 40.0 + 80.0);
        assert_eq!(issues(vec![0, 1, 0, 1], 4), 40.0 + 80.0 + 82.0);
        assert_eq!(issues(vec![0, 0, 1, 1], 2), 2.0 * 40.0 + 80.0 + 82.0);
    }
}
