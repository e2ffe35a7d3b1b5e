//! `contention`: atomics on one counter, on many, and on one in workgroup memory.

use std::sync::{Arc, LazyLock};

use crate::gpu::{Check, Contents, CostModel, Dispatch, Shader, Workload};
use crate::kernels::module;

/// The module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("contention", include_str!("../../../shaders/contention.wgsl"), false)
    });
    Arc::clone(&SHADER)
}

/// Words from one counter to the next, as in the shader.
const STRIDE: usize = 32;
/// Issued per subgroup around its atomics.
const SETUP_ISSUES: f64 = 10.0;

/// What is done atomically.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Integer addition.
    Add,
    /// Integer maximum.
    Max,
}

impl Operation {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Add, Self::Max];

    /// Its name in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Max => "max",
        }
    }
}

/// Which counter a lane turns to. Numbers of counters are powers of two, and no more than lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Lane after lane the next of so many.
    InTurn(u32),
    /// Of so many each belongs to as many lanes that follow one another.
    ByBlock(u32),
    /// The one there is, so that a compiler can see that all lanes agree.
    One,
    /// The workgroup's own, added to the one there is at the end.
    Private,
    /// The workgroup's own, and dropped.
    Dropped,
}

/// One dispatch of atomics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contention {
    /// What they do.
    pub operation: Operation,
    /// Where.
    pub target: Target,
    /// Atomics of each lane.
    pub repeats: u32,
    /// Lanes in a workgroup, a power of two.
    pub workgroup_size: u32,
    /// Workgroups, a power of two.
    pub workgroups: u32,
}

impl Contention {
    /// The workload, timed as one pass. Its output is the counters.
    ///
    /// # Panics
    /// When the counters are not a power of two or more than the lanes.
    #[must_use]
    pub fn workload(self) -> Workload {
        let counters = self.counters();
        assert!(counters.is_power_of_two() && counters <= self.all_lanes());
        let combine = u32::from(self.target != Target::Dropped);
        Workload::new(
            format!("{self:?}"),
            vec![Dispatch {
                shader: shader(),
                entry: self.entry(),
                constants: vec![("WORKGROUP_SIZE", self.workgroup_size)],
                bindings: vec![("params", 0), ("counters", 1)],
                workgroups: [self.workgroups, 1],
                cost_model: Arc::new(move |width| self.cost_model(width)),
            }],
            vec![
                Contents::Uniform(vec![
                    ("repeats", self.repeats),
                    ("mask", counters - 1),
                    ("shift", self.shift()),
                    ("combine", combine),
                ]),
                Contents::Zeroed((1 + counters as usize) * STRIDE),
            ],
            Check { buffers: vec![1], expected: Arc::new(move || self.reference()) },
        )
    }

    fn all_lanes(self) -> u32 {
        self.workgroups * self.workgroup_size
    }

    fn counters(self) -> u32 {
        match self.target {
            Target::InTurn(counters) | Target::ByBlock(counters) => counters,
            Target::One | Target::Private | Target::Dropped => 1,
        }
    }

    fn shift(self) -> u32 {
        match self.target {
            Target::ByBlock(counters) => (self.all_lanes() / counters).ilog2(),
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
        let mut words = vec![0; (1 + counters as usize) * STRIDE];
        let lanes = if self.target == Target::Dropped { 0 } else { self.all_lanes() };
        if self.repeats == 0 {
            return words;
        }
        for lane in 0..lanes {
            let counter = (lane >> self.shift()) & (counters - 1);
            let counter = &mut words[(1 + counter as usize) * STRIDE];
            *counter = match self.operation {
                Operation::Add => counter.wrapping_add(self.repeats.wrapping_mul(1 + (lane & 1))),
                Operation::Max => (*counter).max(lane + (self.repeats - 1) * self.workgroup_size),
            };
        }
        words
    }

    fn cost_model(self, width: u32) -> CostModel {
        let workgroups = f64::from(self.workgroups);
        let subgroups = workgroups * f64::from(self.workgroup_size.div_ceil(width));
        let all = f64::from(self.all_lanes()) * f64::from(self.repeats);
        let launched = CostModel {
            workgroups,
            subgroups,
            issues: subgroups * SETUP_ISSUES,
            ..CostModel::default()
        };
        match self.target {
            Target::InTurn(_) | Target::ByBlock(_) | Target::One => CostModel {
                atomics: all / f64::from(self.counters()),
                atomics_anywhere: all,
                ..launched
            },
            // In workgroup memory a lane after the other.
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
    fn the_references_count_by_hand() {
        let counted = |operation, target, repeats| {
            let case = Contention { operation, target, repeats, workgroup_size: 4, workgroups: 2 };
            case.reference().into_iter().step_by(STRIDE).skip(1).collect::<Vec<_>>()
        };
        // 8 lanes: the even ones add 1 three times, the odd ones 2 three times.
        assert_eq!(counted(Operation::Add, Target::InTurn(2), 3), [12, 24]);
        assert_eq!(counted(Operation::Add, Target::ByBlock(2), 3), [18, 18]);
        assert_eq!(counted(Operation::Add, Target::One, 3), [36]);
        assert_eq!(counted(Operation::Add, Target::Private, 3), [36]);
        assert_eq!(counted(Operation::Add, Target::Dropped, 3), [0]);
        // The last lane on each counter in its third step, two workgroups' lanes beyond its own.
        assert_eq!(counted(Operation::Max, Target::InTurn(4), 3), [12, 13, 14, 15]);
        assert_eq!(counted(Operation::Max, Target::ByBlock(4), 3), [9, 11, 13, 15]);
        assert_eq!(counted(Operation::Max, Target::One, 0), [0]);
    }
}
