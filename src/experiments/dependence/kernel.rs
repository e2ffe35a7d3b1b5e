//! Kernel of `dependence`: sequences of short dispatches, with and without dependencies between them.

use std::sync::{Arc, LazyLock};

use crate::gpu::{Check, Contents, CostModel, Dispatch, Invariant, Shader, Workload};
use crate::kernels::chain::{FOUR_CHAINS, ITERATION_ISSUES, four_chains};
use crate::kernels::module;

/// Instructions that a subgroup issues before and after its loop.
const SETUP_ISSUES: f64 = 14.0;
/// Instructions that the first dispatch of a sequence issues in each subgroup beyond those of the others.
const FIRST_ISSUES: f64 = 2.0;

const INVARIANTS: &[Invariant] = &[Invariant::new(
    &["link", "first_link"],
    FOUR_CHAINS,
    "an iteration that is dropped or hoisted costs nothing",
)];

/// Returns the WGSL module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("dependence", include_str!("../../../shaders/dependence.wgsl"), &[], INVARIANTS)
    });
    Arc::clone(&SHADER)
}

/// Data that the dispatches of a sequence share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Each dispatch continues from the result of the previous dispatch.
    Results,
    /// Each dispatch has a separate part of one buffer.
    Buffer,
    /// Each dispatch has a separate buffer.
    Nothing,
}

/// A sequence of dispatches of one workgroup each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    /// Data that the dispatches share.
    pub sharing: Sharing,
    /// Dispatches per sequence.
    pub dispatches: u32,
    /// Loop iterations per invocation in each dispatch.
    pub iterations: u32,
    /// Invocations per workgroup.
    pub workgroup_size: u32,
    /// Seed of the initial values.
    pub seed: u32,
}

impl Sequence {
    /// Returns `times` sequences in one pass. Each sequence waits for the previous one.
    #[must_use]
    pub fn workload(self, times: u32) -> Workload {
        match self.sharing {
            Sharing::Results => self.on_parts(1).repeated(times),
            Sharing::Buffer => self.on_parts(self.dispatches).repeated(times),
            Sharing::Nothing => self.on_buffers(times),
        }
    }

    /// Returns one sequence whose dispatches use `parts` parts of one buffer round-robin.
    fn on_parts(self, parts: u32) -> Workload {
        let mut contents = vec![Contents::Zeroed((parts * self.workgroup_size) as usize)];
        let links = (0..self.dispatches).map(|i| {
            contents.push(Contents::Uniform(self.params(i % parts * self.workgroup_size)));
            self.link("link", vec![("params", contents.len() - 1), ("data", 0)])
        });
        let dispatches = links.collect();
        self.finish(dispatches, contents, vec![0])
    }

    /// Returns `times` sequences in which each dispatch has a separate buffer.
    ///
    /// No buffer is used twice, because a second use in the same pass would have a barrier before it, at any
    /// distance from the first use. The first dispatch of each sequence also binds a buffer that all
    /// sequences share, so it waits for the previous sequence.
    fn on_buffers(self, times: u32) -> Workload {
        let mut contents =
            vec![Contents::Uniform(self.params(0)), Contents::Zeroed(self.workgroup_size as usize)];
        let mut checked = Vec::new();
        let links = (0..times * self.dispatches).map(|i| {
            checked.push(contents.len());
            contents.push(Contents::Zeroed(self.workgroup_size as usize));
            let mut bindings = vec![("params", 0), ("data", contents.len() - 1)];
            if i % self.dispatches == 0 {
                bindings.push(("join", 1));
                return self.link("first_link", bindings);
            }
            self.link("link", bindings)
        });
        let dispatches = links.collect();
        self.finish(dispatches, contents, checked)
    }

    fn params(self, first: u32) -> Vec<(&'static str, u32)> {
        vec![("iterations", self.iterations), ("first", first), ("seed", self.seed)]
    }

    fn link(self, entry: &'static str, bindings: Vec<(&'static str, usize)>) -> Dispatch {
        let first_issues = if entry == "first_link" { FIRST_ISSUES } else { 0.0 };
        Dispatch {
            shader: shader(),
            entry,
            constants: vec![("WORKGROUP_SIZE", self.workgroup_size)],
            bindings,
            workgroups: [1, 1],
            cost_model: Arc::new(move |shape| {
                let slots = f64::from(shape.issue_slots(self.workgroup_size));
                CostModel {
                    workgroups: 1.0,
                    subgroups: f64::from(self.workgroup_size.div_ceil(shape.width)),
                    issues: slots
                        * (SETUP_ISSUES
                            + first_issues
                            + ITERATION_ISSUES * f64::from(self.iterations)),
                    ..CostModel::default()
                }
            }),
        }
    }

    fn finish(
        self,
        dispatches: Vec<Dispatch>,
        contents: Vec<Contents>,
        checked: Vec<usize>,
    ) -> Workload {
        let check = Check { buffers: checked, expected: Arc::new(move || self.reference()) };
        Workload::new(format!("{self:?}"), dispatches, contents, check)
    }

    /// Returns the output of one part. All parts have the same output.
    fn reference(self) -> Vec<u32> {
        let passes = if self.sharing == Sharing::Results { self.dispatches } else { 1 };
        let link = |x: u32, lane: u32| {
            four_chains(x.wrapping_add(lane).wrapping_add(self.seed), self.iterations)
        };
        (0..self.workgroup_size).map(|lane| (0..passes).fold(0, |x, _| link(x, lane))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shared_results_carry_over_to_the_next_dispatch() {
        let sequence = Sequence {
            sharing: Sharing::Results,
            dispatches: 2,
            iterations: 1,
            workgroup_size: 4,
            seed: 9,
        };
        let once = four_chains(3 + 9, 1);
        assert_eq!(sequence.reference()[3], four_chains(once.wrapping_add(3 + 9), 1));
        for sharing in [Sharing::Buffer, Sharing::Nothing] {
            assert_eq!(Sequence { sharing, ..sequence }.reference()[3], once);
        }
    }

    #[test]
    fn every_dispatch_has_a_separate_part_or_buffer() {
        let words = |sharing| {
            let sequence =
                Sequence { sharing, dispatches: 3, iterations: 1, workgroup_size: 4, seed: 0 };
            let workload = sequence.workload(2);
            (workload.check.buffers.len(), workload.checked_words())
        };
        assert_eq!(words(Sharing::Results), (1, 4));
        assert_eq!(words(Sharing::Buffer), (1, 12));
        assert_eq!(words(Sharing::Nothing), (6, 24), "no buffer is used twice");
    }
}
