//! `allreduce`: workers within one device agree on a sum, each a workgroup with a region of one buffer.

use std::sync::{Arc, LazyLock};

use crate::gpu::{Check, Contents, CostModel, Dispatch, Shader, Workload};
use crate::kernels::{MAX_ITERATIONS, module};

/// The module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("allreduce", include_str!("../../../shaders/allreduce.wgsl"), false)
    });
    Arc::clone(&SHADER)
}

/// Lanes of a worker.
pub const WORKGROUP_SIZE: u32 = 256;

/// How the workers agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Reduce-scatter and then all-gather, from neighbour to neighbour.
    Ring,
    /// All to the first worker and back, one after another.
    Naive,
    /// Partners at doubling distance exchange all they have; for a power of two of workers.
    Doubling,
}

impl Algorithm {
    /// Workers that move bytes in a step.
    #[must_use]
    pub fn at_once(self, workers: u32) -> u32 {
        if self == Self::Naive { 1 } else { workers }
    }
}

/// One all-reduce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllReduce {
    /// How.
    pub algorithm: Algorithm,
    /// Workers, at least two.
    pub workers: u32,
    /// Words that each holds.
    pub words: u32,
    /// Of what they hold.
    pub seed: u32,
}

impl AllReduce {
    /// Bytes of memory that it works in.
    #[must_use]
    pub fn bytes(self) -> u64 {
        let sets = if self.algorithm == Algorithm::Doubling { 2 } else { 1 };
        sets * u64::from(self.workers) * u64::from(self.words) * 4
    }

    /// The workload: a dispatch for each step, in one pass. Its output is what every worker holds in the
    /// end, one after another.
    ///
    /// # Panics
    /// For fewer than two workers, and for recursive doubling among other than a power of two.
    #[must_use]
    pub fn workload(self) -> Workload {
        assert!(self.workers >= 2, "one worker has nobody to agree with");
        let Self { workers, words, .. } = self;
        let (all, moved) = (workers * words, f64::from(words) * 4.0);
        // What is left after an odd number of exchanges lies in the other set of regions.
        let doublings = workers.ilog2();
        let first = match self.algorithm {
            Algorithm::Doubling => doublings % 2 * all,
            Algorithm::Ring | Algorithm::Naive => 0,
        };
        let mut build = Builder::new(self);
        build.prepare(first);
        let senders = f64::from(workers);
        match self.algorithm {
            Algorithm::Ring => {
                // Each sends a chunk, and all of them at once.
                let step = Step { workers, bytes_each: moved / senders, ..Step::default() };
                for index in 0..workers - 1 {
                    build.step("ring_add", Step { index, ..step });
                }
                for index in 0..workers - 1 {
                    build.step("ring_copy", Step { index, ..step });
                }
            }
            Algorithm::Naive => {
                let step = Step { workers: 1, bytes_each: moved, ..Step::default() };
                for index in 1..workers {
                    build.step("gather", Step { index, ..step });
                }
                for index in 1..workers {
                    build.step("scatter", Step { index, ..step });
                }
            }
            Algorithm::Doubling => {
                assert!(workers.is_power_of_two(), "partners come in pairs");
                for index in 0..doublings {
                    let source = (first + index % 2 * all) % (2 * all);
                    let target = all - source;
                    let step = Step { workers, bytes_each: moved, index, source, target };
                    build.step("double", step);
                }
            }
        }
        build.finish(format!("{self:?}"), Arc::new(move || self.reference()))
    }

    /// What every worker holds in the end.
    fn reference(self) -> Vec<u32> {
        let held = |worker: u32, word: u32| first_of(worker * self.words + word, self.seed);
        let sum = |word| (0..self.workers).fold(0u32, |sum, w| sum.wrapping_add(held(w, word)));
        (0..self.words).map(sum).collect()
    }
}

/// What place `place` holds at first, as in the shader.
fn first_of(place: u32, seed: u32) -> u32 {
    let x = place.wrapping_mul(0x9E37_79B1).wrapping_add(seed);
    let x = (x ^ (x >> 15)).wrapping_mul(0x2C1B_3C6D);
    x ^ (x >> 12)
}

/// One step of all workers at once, each with a region and another that is no other worker's: with many
/// words the price of a byte, with one that of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    /// Whether they add the one to the other or replace it.
    pub add: bool,
    /// Workers.
    pub workers: u32,
    /// Words that each reads.
    pub words: u32,
    /// Of what they hold.
    pub seed: u32,
}

impl Streams {
    /// The workload: one step.
    #[must_use]
    pub fn workload(self) -> Workload {
        let Self { add, workers, words, seed } = self;
        let all = workers * words;
        // Regions of sources and then of targets, filled as one.
        let both = AllReduce { algorithm: Algorithm::Naive, workers: 2 * workers, words, seed };
        let mut build = Builder::new(both);
        build.prepare(0);
        let bytes_each = f64::from(words) * 4.0;
        let step = Step { workers, bytes_each, target: all, ..Step::default() };
        build.step(if add { "stream_add" } else { "stream_copy" }, step);
        let reference = move || {
            let target = |i: u32| if add { first_of(all + i, seed) } else { 0 };
            let sums = (0..all).map(|i| first_of(i, seed).wrapping_add(target(i)));
            (0..all).map(|i| first_of(i, seed)).chain(sums).collect()
        };
        build.finish(format!("{self:?}"), Arc::new(reference))
    }
}

/// One step of all workers.
#[derive(Clone, Copy, Default)]
struct Step {
    /// Those at work in it.
    workers: u32,
    /// Bytes that each of them sends.
    bytes_each: f64,
    index: u32,
    source: u32,
    target: u32,
}

/// Collects the steps of a workload; buffer 0 holds the regions.
struct Builder {
    of: AllReduce,
    buffers: Vec<Contents>,
    prepare: Vec<Dispatch>,
    steps: Vec<Dispatch>,
}

impl Builder {
    fn new(of: AllReduce) -> Self {
        let words = (of.bytes() / 4) as usize;
        let buffers = vec![Contents::Scratch(0, words)];
        Self { of, buffers, prepare: Vec::new(), steps: Vec::new() }
    }

    /// Fills the regions that begin at word `first`.
    fn prepare(&mut self, first: u32) {
        let words = self.of.workers * self.of.words;
        let workers = words.div_ceil(64 * WORKGROUP_SIZE).min(4096);
        debug_assert!(words / (workers * WORKGROUP_SIZE) < MAX_ITERATIONS);
        let fill = self.dispatch("fill", Step { workers, source: first, ..Step::default() });
        self.prepare.push(fill);
    }

    fn step(&mut self, entry: &'static str, step: Step) {
        let dispatch = self.dispatch(entry, step);
        self.steps.push(dispatch);
    }

    fn dispatch(&mut self, entry: &'static str, step: Step) -> Dispatch {
        let Step { workers, bytes_each, index, source, target } = step;
        let AllReduce { workers: all, words, seed, .. } = self.of;
        self.buffers.push(Contents::Uniform(vec![
            ("workers", all),
            ("words", words),
            ("step", index),
            ("source", source),
            ("sink", target),
            ("seed", seed),
        ]));
        Dispatch {
            shader: shader(),
            entry,
            constants: vec![("WORKGROUP_SIZE", WORKGROUP_SIZE)],
            bindings: vec![("params", self.buffers.len() - 1), ("data", 0)],
            workgroups: [workers, 1],
            cost_model: Arc::new(move |width| CostModel {
                workgroups: f64::from(workers),
                subgroups: f64::from(workers * WORKGROUP_SIZE.div_ceil(width)),
                streamed: bytes_each,
                ..CostModel::default()
            }),
        }
    }

    fn finish(self, label: String, expected: Arc<dyn Fn() -> Vec<u32> + Send + Sync>) -> Workload {
        let mut buffers = self.buffers;
        // The first set of regions, of which doubling has two.
        buffers.push(Contents::Scratch(0, self.of.workers as usize * self.of.words as usize));
        let check = Check { buffers: vec![buffers.len() - 1], expected };
        Workload { prepare: self.prepare, ..Workload::new(label, self.steps, buffers, check) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_as_many_as_the_law_counts() {
        let steps = |algorithm, workers| {
            AllReduce { algorithm, workers, words: 8, seed: 1 }.workload().dispatches.len()
        };
        assert_eq!(steps(Algorithm::Ring, 5), 8);
        assert_eq!(steps(Algorithm::Naive, 5), 8);
        assert_eq!(steps(Algorithm::Doubling, 16), 4);
    }

    #[test]
    fn the_reference_is_the_sum_of_all_inputs() {
        let sum =
            AllReduce { algorithm: Algorithm::Ring, workers: 3, words: 2, seed: 7 }.reference();
        let by_hand = first_of(1, 7).wrapping_add(first_of(3, 7)).wrapping_add(first_of(5, 7));
        assert_eq!((sum.len(), sum[1]), (2, by_hand));
    }

    #[test]
    fn doubling_ends_in_the_regions_that_are_checked() {
        for workers in [2, 4, 8, 16] {
            let workload =
                AllReduce { algorithm: Algorithm::Doubling, workers, words: 4, seed: 1 }.workload();
            let last = workload.dispatches.last().expect("there are steps");
            let Contents::Uniform(params) = &workload.buffers[last.bindings[0].1] else {
                panic!("params are a uniform block")
            };
            assert_eq!(params[4], ("sink", 0), "{workers} workers");
        }
    }
}
