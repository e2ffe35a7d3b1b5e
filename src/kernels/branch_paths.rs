//! `branch_paths`: a branch with many paths. Each invocation reads from memory which path to take.
//!
//! Each path is a loop of six operations with a number of iterations known at run time. The first operation
//! is fixed. The other five have a different order in every path. The function `operations` defines this
//! order for both the WGSL and the CPU reference.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use super::{Kernel, Launch, cyclic_mask, module};
use crate::gpu::{CostModel, DeviceShape, Invariant, Property, Shader, Workload};

/// Numbers of paths for which modules exist.
///
/// A module has exactly the paths that its selectors may name. Some drivers compile a switch to a sequence of `if`s,
/// in which every path pays for all others, and all paths share the instruction cache.
pub const PATHS: [u32; 6] = [2, 4, 8, 16, 32, 64];

/// Bytes of a path's machine code, about. Compilers unroll its loop; `results/isa.md` has their figures.
const PATH_BYTES: f64 = 512.0;

/// WGSL of the six operations.
///
/// In no order can a compiler merge an operation with the next one, so every path executes all six.
const OPERATIONS: [&str; 6] = [
    "x = x * 2891336453u;",
    "x = x + 1013904223u;",
    "x = x ^ (x >> 15u);",
    "x = x ^ (x << 13u);",
    "x = (x << 7u) | (x >> 25u);",
    "x = x + (x >> 9u);",
];

/// Returns the operations of path `path` in order, as indices into [`OPERATIONS`].
///
/// The first is fixed. The other five are a permutation that differs for each of 120 paths.
fn operations(path: u32) -> [usize; 6] {
    // 53 is coprime to 120 = 5!, so all permutations differ, and those of neighbouring paths are far apart.
    let mut rank = (path as usize * 53) % 120;
    let mut rest = vec![1, 2, 3, 4, 5];
    let mut order = [0; 6];
    for (place, choices) in (1..6).zip([24, 6, 2, 1, 1]) {
        order[place] = rest.remove(rank / choices);
        rank %= choices;
    }
    order
}

/// Returns the result of an operation on `x`, as in [`OPERATIONS`].
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

/// Generates the module with `paths` paths.
fn source(paths: u32) -> String {
    let mut text = include_str!("../../shaders/branch_paths.wgsl").to_owned();
    text.push_str(
        "\nfn run_path(path: u32, start: u32, iterations: u32, all_ones: u32) -> u32 {\n    var x = start;\n",
    );
    text.push_str("    switch path {\n");
    for path in 0..paths {
        let body: Vec<&str> = operations(path).iter().map(|&op| OPERATIONS[op]).collect();
        let _infallible = write!(
            text,
            "        case {path}u: {{\n            for (var i = iterations; i != 0u; i = (i - 1u) & all_ones) {{\n                \
             {}\n            }}\n        }}\n",
            body.join("\n                ")
        );
    }
    text.push_str("        default: {}\n    }\n    return x;\n}\n");
    text
}

/// Returns what the machine code of the module with `paths` paths must be like.
fn invariants(paths: u32) -> [Invariant; 2] {
    [
        Invariant::new(
            &["branch_paths"],
            Property::Loops(paths + 1),
            "paths that a compiler merges or turns into selects do not diverge",
        ),
        Invariant::new(
            &["branch_paths"],
            Property::CodeBytes(32 << 10),
            "paths that do not fit an instruction cache together are slower together than alone",
        ),
    ]
}

/// Returns the modules, the one with the fewest paths first.
#[must_use]
pub fn shaders() -> Vec<Arc<Shader>> {
    static SHADERS: LazyLock<Vec<Arc<Shader>>> = LazyLock::new(|| {
        PATHS
            .map(|paths| {
                module(&format!("branch_paths.{paths}"), source(paths), &[], &invariants(paths))
            })
            .into()
    });
    SHADERS.clone()
}

/// One dispatch of repeated branches.
#[derive(Debug, Clone)]
pub struct BranchPaths {
    /// Invocations per workgroup.
    pub workgroup_size: u32,
    /// Number of workgroups.
    pub workgroups: u32,
    /// Number of times that each invocation selects and executes a path. A power of two, or zero.
    pub repeats: u32,
    /// Loop iterations of a path.
    pub iterations: u32,
    /// Number of paths, one of [`PATHS`].
    pub paths: u32,
    /// Path of each invocation, in the order of workgroups, then repeats, then invocations.
    ///
    /// The selectors are used cyclically. Their number is a power of two and at least `workgroup_size`.
    pub selectors: Arc<[u32]>,
    /// Seed of the start values.
    pub seed: u32,
}

impl BranchPaths {
    /// Returns the workload, timed as one pass.
    ///
    /// # Panics
    /// Panics if the number of selectors or `workgroup_size` is not a power of two, or if `repeats` is
    /// neither zero nor a power of two. Panics if there are fewer selectors than invocations in a workgroup.
    /// Panics if a selector is not less than `paths`, or if no module has this number of paths.
    #[must_use]
    pub fn workload(self) -> Workload {
        let mask = cyclic_mask(&self.selectors, self.workgroup_size);
        assert!(
            self.selectors.iter().all(|&path| path < self.paths),
            "a selector names a path that does not exist"
        );
        assert!(self.repeats == 0 || self.repeats.is_power_of_two());
        let module = PATHS
            .iter()
            .position(|&paths| paths == self.paths)
            .expect("a module has this number of paths");
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
                ("all_ones", u32::MAX),
            ],
            reads: Some(("selectors", Arc::clone(&self.selectors))),
        }
        .of(self)
    }

    /// Returns the number of workgroups after which the selectors, and therefore the outputs, repeat.
    fn period(&self) -> u32 {
        let per_workgroup = self.workgroup_size * self.repeats.max(1);
        if self.repeats == 0 { 1 } else { (self.selectors.len() as u32 / per_workgroup).max(1) }
    }

    /// Returns the index of a selector and the selected path.
    fn selector(&self, workgroup: u32, repeat: u32, invocation: u32) -> (u32, u32) {
        let mask = self.selectors.len() as u32 - 1;
        let at = ((workgroup * self.repeats + repeat) * self.workgroup_size + invocation) & mask;
        (at, self.selectors[at as usize])
    }

    /// Returns the instructions of a path in the cost model. All paths have the same number.
    fn path_issues(&self) -> f64 {
        const EXIT_ISSUES: f64 = 2.0;
        const ITERATION_ISSUES: f64 = 15.0;
        EXIT_ISSUES + f64::from(self.iterations) * ITERATION_ISSUES
    }
}

impl Kernel for BranchPaths {
    /// Returns the outputs of one period, or of all workgroups if there are fewer.
    ///
    /// Invocations that take the same path are computed together, so that the compiler can vectorise the
    /// loop.
    fn reference(&self) -> Vec<u32> {
        let mut outputs = Vec::new();
        for workgroup in 0..self.period().min(self.workgroups) {
            let mut values: Vec<u32> = (0..self.workgroup_size)
                .map(|invocation| {
                    (self.selector(workgroup, 0, invocation).0 ^ self.seed)
                        .wrapping_mul(2_654_435_761)
                })
                .collect();
            for repeat in 0..self.repeats {
                let mut by_path: Vec<Vec<u32>> = vec![Vec::new(); self.paths as usize];
                for invocation in 0..self.workgroup_size {
                    by_path[self.selector(workgroup, repeat, invocation).1 as usize]
                        .push(invocation);
                }
                for (path, members) in by_path.iter().enumerate().filter(|(_, m)| !m.is_empty()) {
                    let mut xs: Vec<u32> = members.iter().map(|&l| values[l as usize]).collect();
                    let order = operations(path as u32);
                    for _ in 0..self.iterations {
                        for operation in order {
                            apply_all(operation, &mut xs);
                        }
                    }
                    for (&invocation, x) in members.iter().zip(xs) {
                        values[invocation as usize] = x;
                    }
                }
            }
            outputs.extend(values);
        }
        outputs
    }

    /// Counts the instructions of the distinct paths that the lanes of each subgroup take.
    fn cost_model(&self, shape: DeviceShape) -> CostModel {
        // Instructions of a subgroup before and after its loop, and of the selection of a path.
        const SETUP_ISSUES: f64 = 11.0;
        const CHOOSE_ISSUES: f64 = 8.0;
        let mut uneven = Vec::new();
        let (mut entries, mut entered) = (0, BTreeSet::new());
        for workgroup in 0..self.period() {
            for first in (0..self.workgroup_size).step_by(shape.width as usize) {
                let lanes = first..(first + shape.width).min(self.workgroup_size);
                let slots = f64::from(shape.issue_slots(lanes.len() as u32));
                let mut issues = slots * SETUP_ISSUES;
                for repeat in 0..self.repeats {
                    let paths = lanes.clone().map(|lane| self.selector(workgroup, repeat, lane).1);
                    let paths: Vec<u32> = paths.collect();
                    let mut taken = paths.clone();
                    taken.sort_unstable();
                    taken.dedup();
                    let slots_of = |&path: &u32| {
                        shape.active_issue_slots(
                            &paths.iter().map(|&p| p == path).collect::<Vec<_>>(),
                        )
                    };
                    let of_paths: u32 = taken.iter().map(slots_of).sum();
                    issues += slots * CHOOSE_ISSUES + f64::from(of_paths) * self.path_issues();
                    entries += taken.len();
                    entered.extend(taken);
                }
                uneven.push(issues);
            }
        }
        let workgroups = f64::from(self.workgroups);
        let subgroups = workgroups * f64::from(self.workgroup_size.div_ceil(shape.width));
        let times = subgroups / uneven.len() as f64;
        CostModel {
            workgroups,
            subgroups,
            issues: uneven.iter().sum::<f64>() * times,
            uneven: Some(uneven.into()),
            code_entries: entries as f64 * times,
            code_bytes: PATH_BYTES * entered.len() as f64,
            ..CostModel::default()
        }
    }
}

fn apply_all(operation: usize, xs: &mut [u32]) {
    for x in xs {
        *x = apply(operation, *x);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_path_has_a_different_order_of_all_operations() {
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
        let issues =
            |selectors: Vec<u32>, width: u32| paths(selectors).cost_model(width.into()).issues;
        let [setup, choose, path] = [11.0, 8.0, 152.0];
        assert_eq!(issues(vec![0, 0, 0, 0], 4), setup + choose + path);
        assert_eq!(issues(vec![0, 1, 0, 1], 4), setup + choose + 2.0 * path);
        assert_eq!(issues(vec![0, 0, 1, 1], 2), 2.0 * (setup + choose + path));
    }
}
