//! `allreduce`: the workers of one device compute a common sum. Each worker is a workgroup with a region of
//! one buffer.

use std::sync::{Arc, LazyLock};

use crate::gpu::{Check, Contents, CostModel, Dispatch, Invariant, Property, Shader, Workload};
use crate::kernels::{MAX_ITERATIONS, module};

const INVARIANTS: &[Invariant] = &[Invariant::new(
    &["ring_add", "gather", "double", "stream_add", "ring_copy", "scatter", "stream_copy"],
    Property::LoadsInFlight(4),
    "a load that waits for the one before it shows latency and not bandwidth",
)];

/// Returns the WGSL module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("allreduce", include_str!("../../../shaders/allreduce.wgsl"), &[], INVARIANTS)
    });
    Arc::clone(&SHADER)
}

/// 32-bit words that an invocation loads and stores at once.
pub const VECTOR: u32 = 4;
/// Loads of an invocation before it waits, as in the shader.
const LOADS_IN_FLIGHT: u32 = 4;
/// Bytes of a vector.
pub const VECTOR_BYTES: u32 = 4 * VECTOR;

/// Invocations per worker.
pub const WORKGROUP_SIZE: u32 = 256;

/// An all-reduce algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// A reduce-scatter followed by an all-gather. Each worker sends to its neighbour only.
    Ring,
    /// A gather to the first worker followed by a scatter from there, one worker after another.
    Naive,
    /// An exchange of whole regions between partners at doubling distances. The number of workers must be a
    /// power of two.
    Doubling,
}

impl Algorithm {
    /// Returns the number of workers that move bytes in one step.
    #[must_use]
    pub fn at_once(self, workers: u32) -> u32 {
        if self == Self::Naive { 1 } else { workers }
    }
}

/// One all-reduce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllReduce {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Number of workers, at least 2.
    pub workers: u32,
    /// 32-bit words in each worker's region, a multiple of [`VECTOR`].
    pub words: u32,
    /// Seed of the initial words.
    pub seed: u32,
}

impl AllReduce {
    /// Returns the size of all regions in bytes. Recursive doubling needs two sets of regions.
    #[must_use]
    pub fn bytes(self) -> u64 {
        let sets = if self.algorithm == Algorithm::Doubling { 2 } else { 1 };
        sets * u64::from(self.workers) * u64::from(self.words) * 4
    }

    /// Builds the workload: one dispatch per step, in one pass. The output is the final region of every
    /// worker, one after another.
    ///
    /// # Panics
    /// Panics if there are fewer than two workers, or if a region is not a whole number of vectors. Panics for
    /// recursive doubling if the number of workers is not a power of two.
    #[must_use]
    pub fn workload(self) -> Workload {
        assert!(self.workers >= 2, "an all-reduce needs at least two workers");
        let Self { workers, words, .. } = self;
        let (all, moved) = (workers * words, f64::from(words) * 4.0);
        // Every exchange of recursive doubling writes the other set of regions. The output is read from the
        // first set, so an odd number of exchanges starts from the second set.
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
                // In each step every worker sends one chunk, all workers at the same time.
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
                assert!(
                    workers.is_power_of_two(),
                    "recursive doubling needs a power of two of workers"
                );
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

    /// Returns the final region of a worker. The regions of all workers are equal.
    fn reference(self) -> Vec<u32> {
        let initial = |worker: u32, word: u32| first_of(worker * self.words + word, self.seed);
        let sum = |word| (0..self.workers).fold(0u32, |sum, w| sum.wrapping_add(initial(w, word)));
        (0..self.words).map(sum).collect()
    }
}

/// Returns the initial word at index `place` of the regions, as the shader computes it.
fn first_of(place: u32, seed: u32) -> u32 {
    let x = place.wrapping_mul(0x9E37_79B1).wrapping_add(seed);
    let x = (x ^ (x >> 15)).wrapping_mul(0x2C1B_3C6D);
    x ^ (x >> 12)
}

/// One step in which each worker combines a source region with a target region. No two workers share a
/// region.
///
/// With many words the step measures the time per byte. With one vector it measures the latency of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    /// Whether the step adds the source to the target. If false, the step copies the source to the target.
    pub add: bool,
    /// Number of workers.
    pub workers: u32,
    /// 32-bit words in each source region, a multiple of [`VECTOR`].
    pub words: u32,
    /// Seed of the initial words.
    pub seed: u32,
}

impl Streams {
    /// Builds the workload: one step. The output is all source regions followed by all target regions.
    ///
    /// # Panics
    /// Panics if a region is not a whole number of vectors.
    #[must_use]
    pub fn workload(self) -> Workload {
        let Self { add, workers, words, seed } = self;
        let all = workers * words;
        // The source regions precede the target regions. One dispatch fills both.
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

/// Parameters of one step.
#[derive(Clone, Copy, Default)]
struct Step {
    /// Workers that move bytes in this step.
    workers: u32,
    /// Bytes that each of these workers sends.
    bytes_each: f64,
    /// Value of the shader parameter `step`: the number of the step, or the worker that the step serves.
    index: u32,
    /// Index of the first word of the regions that the step reads.
    source: u32,
    /// Index of the first word of the regions that the step writes.
    target: u32,
}

/// Collects the dispatches of a workload. Buffer 0 contains the regions.
struct Builder {
    of: AllReduce,
    buffers: Vec<Contents>,
    prepare: Vec<Dispatch>,
    steps: Vec<Dispatch>,
}

impl Builder {
    fn new(of: AllReduce) -> Self {
        assert!(of.words.is_multiple_of(VECTOR), "a region is a whole number of vectors");
        let words = (of.bytes() / 4) as usize;
        let buffers = vec![Contents::Scratch(0, words)];
        Self { of, buffers, prepare: Vec::new(), steps: Vec::new() }
    }

    /// Adds an untimed dispatch that fills the regions starting at word `first`.
    fn prepare(&mut self, first: u32) {
        let vectors = self.of.workers * self.of.words / VECTOR;
        let workers = vectors.div_ceil(64 * WORKGROUP_SIZE).min(4096);
        debug_assert!(vectors / (workers * WORKGROUP_SIZE) < MAX_ITERATIONS);
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
        // Recursive doubling reads one set of regions and writes the other.
        let footprint = self.of.bytes() as f64;
        // A step that copies reads and writes every byte that it sends. One that adds reads the sum so far too.
        let copies = ["ring_copy", "scatter", "stream_copy", "fill"].contains(&entry);
        let moved = if copies { 2.0 } else { 3.0 };
        self.buffers.push(Contents::Uniform(vec![
            ("workers", all),
            ("vectors", words / VECTOR),
            ("chunk", (words / VECTOR).div_ceil(all)),
            ("step", index),
            ("source", source / VECTOR),
            ("sink", target / VECTOR),
            ("seed", seed),
        ]));
        Dispatch {
            shader: shader(),
            entry,
            constants: vec![("WORKGROUP_SIZE", WORKGROUP_SIZE)],
            bindings: vec![("params", self.buffers.len() - 1), ("data", 0)],
            workgroups: [workers, 1],
            cost_model: Arc::new(move |shape| CostModel {
                workgroups: f64::from(workers),
                subgroups: f64::from(workers * WORKGROUP_SIZE.div_ceil(shape.width)),
                bytes: f64::from(workers) * bytes_each * moved,
                footprint,
                bytes_in_flight: f64::from(WORKGROUP_SIZE * VECTOR_BYTES * LOADS_IN_FLIGHT) * moved,
                ..CostModel::default()
            }),
        }
    }

    fn finish(self, label: String, expected: Arc<dyn Fn() -> Vec<u32> + Send + Sync>) -> Workload {
        let mut buffers = self.buffers;
        // The output is the first set of regions. Recursive doubling has a second set, which is not checked.
        buffers.push(Contents::Scratch(0, self.of.workers as usize * self.of.words as usize));
        let check = Check { buffers: vec![buffers.len() - 1], expected };
        Workload { prepare: self.prepare, ..Workload::new(label, self.steps, buffers, check) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_steps_matches_the_law() {
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
            AllReduce { algorithm: Algorithm::Ring, workers: 3, words: 4, seed: 7 }.reference();
        let by_hand = first_of(1, 7).wrapping_add(first_of(5, 7)).wrapping_add(first_of(9, 7));
        assert_eq!((sum.len(), sum[1]), (4, by_hand));
    }

    #[test]
    fn doubling_ends_in_the_regions_that_are_checked() {
        for workers in [2, 4, 8, 16] {
            let workload =
                AllReduce { algorithm: Algorithm::Doubling, workers, words: 4, seed: 1 }.workload();
            let last = workload.dispatches.last().expect("the workload has steps");
            let Contents::Uniform(params) = &workload.buffers[last.bindings[0].1] else {
                panic!("the first binding is the uniform block")
            };
            assert_eq!(params[5], ("sink", 0), "{workers} workers");
        }
    }
}
