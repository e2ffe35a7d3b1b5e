//! Kernel of `contention`: atomics on one counter, on many counters, and on a counter in workgroup memory.

use std::sync::{Arc, LazyLock};

use crate::gpu::{
    Check, Contents, CostModel, DeviceShape, Dispatch, Invariant, Property, Shader, Workload,
};
use crate::kernels::module;

const INVARIANTS: &[Invariant] = &[
    Invariant::new(
        &["add", "maximum", "add_to_one", "maximum_of_one"],
        Property::AtomicsInLoop(1),
        "an atomic that is merged with the next one costs nothing",
    ),
    Invariant::new(
        &["add_privately", "maximum_privately"],
        Property::WorkgroupAtomicsInLoop(1),
        "an atomic that is merged with the next one costs nothing",
    ),
];

/// Returns the WGSL module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("contention", include_str!("../../../shaders/contention.wgsl"), &[], INVARIANTS)
    });
    Arc::clone(&SHADER)
}

/// Instructions that a subgroup issues before and after its atomics.
const SETUP_ISSUES: f64 = 10.0;

/// An atomic operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Integer addition.
    Add,
    /// Integer maximum.
    Max,
}

impl Operation {
    /// Both operations.
    pub const ALL: [Self; 2] = [Self::Add, Self::Max];

    /// Returns the name in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Max => "max",
        }
    }
}

/// The counter that an invocation uses. The number of counters is a power of two and at most the number of
/// invocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Consecutive invocations use this many counters round-robin.
    InTurn(u32),
    /// Each of this many counters serves a block of consecutive invocations. All blocks have the same size.
    ByBlock(u32),
    /// All invocations use one counter, and a compiler can see that.
    One,
    /// One counter per workgroup, in workgroup memory. The workgroup combines it with one global counter at
    /// the end.
    Private,
    /// One counter per workgroup, in workgroup memory. Its value is discarded.
    Dropped,
}

/// One dispatch of atomics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contention {
    /// The operation.
    pub operation: Operation,
    /// The counter of each invocation.
    pub target: Target,
    /// Atomics per invocation.
    pub repeats: u32,
    /// Invocations per workgroup, a power of two.
    pub workgroup_size: u32,
    /// Number of workgroups, a power of two.
    pub workgroups: u32,
    /// Words from one counter to the next.
    pub stride: u32,
}

impl Contention {
    /// Returns the workload, timed as one pass. The output is the counters.
    ///
    /// # Panics
    /// Panics if the number of counters is not a power of two or exceeds the number of invocations.
    #[must_use]
    pub fn workload(self) -> Workload {
        let counters = self.counters();
        assert!(counters.is_power_of_two() && counters <= self.invocations());
        let combine = u32::from(self.target != Target::Dropped);
        Workload::new(
            format!("{self:?}"),
            vec![Dispatch {
                shader: shader(),
                entry: self.entry(),
                constants: vec![("WORKGROUP_SIZE", self.workgroup_size), ("STRIDE", self.stride)],
                bindings: vec![("params", 0), ("counters", 1)],
                workgroups: [self.workgroups, 1],
                cost_model: Arc::new(move |shape| self.cost_model(shape)),
            }],
            vec![
                Contents::Uniform(vec![
                    ("repeats", self.repeats),
                    ("mask", counters - 1),
                    ("shift", self.shift()),
                    ("combine", combine),
                ]),
                Contents::Zeroed(self.words()),
            ],
            Check { buffers: vec![1], expected: Arc::new(move || self.reference()) },
        )
    }

    fn invocations(self) -> u32 {
        self.workgroups * self.workgroup_size
    }

    /// Returns the size of the buffer of counters in words.
    fn words(self) -> usize {
        (1 + self.counters() as usize) * self.stride as usize
    }

    fn counters(self) -> u32 {
        match self.target {
            Target::InTurn(counters) | Target::ByBlock(counters) => counters,
            Target::One | Target::Private | Target::Dropped => 1,
        }
    }

    fn shift(self) -> u32 {
        match self.target {
            Target::ByBlock(counters) => (self.invocations() / counters).ilog2(),
            _ => 0,
        }
    }

    fn entry(self) -> &'static str {
        use Operation::{Add, Max};
        use Target::{ByBlock, Dropped, InTurn, One, Private};
        match (self.operation, self.target) {
            (Add, InTurn(_) | ByBlock(_)) => "add",
            (Add, One) => "add_to_one",
            (Add, Private | Dropped) => "add_privately",
            (Max, InTurn(_) | ByBlock(_)) => "maximum",
            (Max, One) => "maximum_of_one",
            (Max, Private | Dropped) => "maximum_privately",
        }
    }

    fn reference(self) -> Vec<u32> {
        let counters = self.counters();
        let mut words = vec![0; self.words()];
        let invocations = if self.target == Target::Dropped { 0 } else { self.invocations() };
        if self.repeats == 0 {
            return words;
        }
        for invocation in 0..invocations {
            let counter = (invocation >> self.shift()) & (counters - 1);
            let counter = &mut words[((1 + counter) * self.stride) as usize];
            *counter = match self.operation {
                Operation::Add => {
                    counter.wrapping_add(self.repeats.wrapping_mul(1 + (invocation & 1)))
                }
                Operation::Max => {
                    (*counter).max(invocation + (self.repeats - 1) * self.workgroup_size)
                }
            };
        }
        words
    }

    fn cost_model(self, shape: DeviceShape) -> CostModel {
        let width = shape.width;
        let workgroups = f64::from(self.workgroups);
        let subgroups = workgroups * f64::from(self.workgroup_size.div_ceil(width));
        let all = f64::from(self.invocations()) * f64::from(self.repeats);
        let counters = self.counters();
        let lanes = width.min(self.workgroup_size);
        let of_a_subgroup = match self.target {
            Target::InTurn(_) => counters.min(lanes),
            _ => lanes.div_ceil(self.invocations() / counters),
        };
        let per_subgroup = shape.requests(lanes, of_a_subgroup);
        let requests = f64::from(per_subgroup) * subgroups * f64::from(self.repeats);
        let launched = CostModel {
            workgroups,
            subgroups,
            issues: workgroups * f64::from(shape.issue_slots(self.workgroup_size)) * SETUP_ISSUES,
            ..CostModel::default()
        };
        match self.target {
            Target::InTurn(_) | Target::ByBlock(_) | Target::One => CostModel {
                atomics: requests / f64::from(counters),
                atomics_anywhere: requests,
                ..launched
            },
            // The model executes atomics in workgroup memory one lane after another.
            Target::Private | Target::Dropped => CostModel {
                issues: launched.issues + all,
                barriers: 2.0 * workgroups,
                atomics: if self.target == Target::Private { workgroups } else { 0.0 },
                ..launched
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_agrees_with_counts_by_hand() {
        let counted = |operation, target, repeats| {
            let (workgroup_size, workgroups, stride) = (4, 2, 32);
            let case =
                Contention { operation, target, repeats, workgroup_size, workgroups, stride };
            case.reference().into_iter().step_by(stride as usize).skip(1).collect::<Vec<_>>()
        };
        // Of 8 invocations, the even ones add 1 three times and the odd ones add 2 three times.
        assert_eq!(counted(Operation::Add, Target::InTurn(2), 3), [12, 24]);
        assert_eq!(counted(Operation::Add, Target::ByBlock(2), 3), [18, 18]);
        assert_eq!(counted(Operation::Add, Target::One, 3), [36]);
        assert_eq!(counted(Operation::Add, Target::Private, 3), [36]);
        assert_eq!(counted(Operation::Add, Target::Dropped, 3), [0]);
        // The last invocation of each counter sets the maximum in its third repeat: its index plus two
        // workgroups.
        assert_eq!(counted(Operation::Max, Target::InTurn(4), 3), [12, 13, 14, 15]);
        assert_eq!(counted(Operation::Max, Target::ByBlock(4), 3), [9, 11, 13, 15]);
        assert_eq!(counted(Operation::Max, Target::One, 0), [0]);
    }
}
