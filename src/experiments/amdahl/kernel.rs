//! `amdahl`: a job of two stages, one workgroup and then many, the second dependent on the first.

use std::sync::{Arc, LazyLock};

use crate::gpu::{Check, Contents, Demand, Dispatch, Shader, Workload};
use crate::kernels::chain::{SETUP_ISSUES, TRIP_ISSUES, four_chains};
use crate::kernels::module;

/// The module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> =
        LazyLock::new(|| module("amdahl", include_str!("../../../shaders/amdahl.wgsl"), false));
    Arc::clone(&SHADER)
}

/// Lanes in a workgroup: enough subgroups that one workgroup keeps a compute unit busy.
pub const LANES: u32 = 256;
/// Lanes that start alike, so that a job of millions of steps is checked in a moment.
const DISTINCT: u32 = 32;

/// A job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stages {
    /// Steps that each lane of the first stage's one workgroup takes.
    pub serial_trips: u32,
    /// Steps that each lane of the second stage takes.
    pub parallel_trips: u32,
    /// Workgroups of the second stage.
    pub workers: u32,
    /// Where the lanes start.
    pub seed: u32,
}

impl Stages {
    /// The workload: two dispatches in one pass.
    #[must_use]
    pub fn workload(self) -> Workload {
        let first: Arc<[u32]> = (0..LANES).map(|lane| self.start(lane)).collect();
        Workload::new(
            format!("{self:?}"),
            vec![
                stage([0, 2, 3], 1, self.serial_trips),
                stage([1, 3, 4], self.workers, self.parallel_trips),
            ],
            vec![
                Contents::Uniform(vec![("trips", self.serial_trips)]),
                Contents::Uniform(vec![("trips", self.parallel_trips)]),
                Contents::Data(first),
                Contents::Zeroed(LANES as usize),
                Contents::Zeroed(self.workers as usize * LANES as usize),
            ],
            Check { buffers: vec![4], expected: Arc::new(move || self.twin()) },
        )
    }

    fn start(self, lane: u32) -> u32 {
        (lane % DISTINCT) ^ self.seed
    }

    fn twin(self) -> Vec<u32> {
        (0..DISTINCT)
            .map(|lane| four_chains(self.start(lane), self.serial_trips))
            .map(|x| four_chains(x, self.parallel_trips))
            .collect()
    }
}

fn stage([params, input, output]: [usize; 3], workgroups: u32, trips: u32) -> Dispatch {
    Dispatch {
        shader: shader(),
        entry: "stage",
        constants: vec![("LANES", LANES)],
        bindings: vec![("params", params), ("input", input), ("output", output)],
        workgroups: [workgroups, 1],
        demand: Arc::new(move |width| {
            let subgroups = f64::from(workgroups * LANES.div_ceil(width));
            Demand {
                workgroups: f64::from(workgroups),
                subgroups,
                issues: subgroups * (SETUP_ISSUES + TRIP_ISSUES * f64::from(trips)),
                ..Demand::default()
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_stage_starts_from_the_first() {
        let job = Stages { serial_trips: 1, parallel_trips: 2, workers: 2, seed: 9 };
        let by_hand = four_chains(four_chains(1 ^ 9, 1), 2);
        assert_eq!(job.twin()[1], by_hand);
        assert_ne!(by_hand, four_chains(1 ^ 9, 3), "the stages must not be one");
    }
}
