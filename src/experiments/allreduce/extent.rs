//! The numbers of workers and the message sizes that the experiment sweeps.

use super::kernel::{Algorithm, AllReduce};
use crate::bench::Context;

const KIB: u32 = 1 << 10;
pub(super) const MIB: u32 = 1 << 20;
/// Message sizes: bytes in each worker's region.
const SIZES: [u32; 5] = [KIB, 16 * KIB, 256 * KIB, 4 * MIB, 64 * MIB];
/// Bytes that each worker streams to calibrate β for metrics, unless all workers together have too little memory.
pub(super) const STREAMED: u64 = 256 << 10;
/// Bytes that each worker streams at least to calibrate β. A step with far fewer takes little longer than α. The
/// smallest messages are all latency.
pub(super) const LEAST_STREAMED: u64 = 8 << 10;
/// Upper bound of the memory that all workers use together, in bytes.
pub(super) const MAX_BYTES: u64 = 128 << 20;
/// Upper bounds of the bytes that one all-reduce moves on a device with few cores. Larger all-reduces would
/// take most of a sample or longer.
///
/// The first bound applies to dense sweeps, the second to sparse ones. The second is the traffic of a ring of
/// 16 workers with 256 KiB each, the largest all-reduce of a sparse sweep on such a device.
const MAX_MOVED_ON_FEW_CORES: [u64; 2] = [16 << 20, 2 * 15 * (256 << 10)];
/// Smallest number of workers. `warplaw predict` extrapolates from this number, because few workers slow each
/// other down least.
pub(super) const FEWEST: u32 = 2;

/// Workers and message sizes in bytes that give a ring chunks of different lengths: the number of workers
/// does not divide the number of vectors, or there are fewer vectors than workers.
const UNEVEN: [(u32, u32); 3] = [(3, 16 * KIB), (7, 256 * KIB), (64, 128)];

/// An algorithm and the numbers of workers that the sweep covers.
pub(super) struct Swept {
    pub(super) algorithm: Algorithm,
    /// Name of the algorithm in series and case ids.
    pub(super) word: &'static str,
    /// Numbers of workers in a dense sweep and in a sparse sweep.
    workers: [&'static [u32]; 2],
}

/// The algorithms that the experiment measures.
pub(super) const SWEPT: [Swept; 3] = [
    Swept { algorithm: Algorithm::Ring, word: "ring", workers: [&[2, 4, 8, 16, 32, 64], &[2, 16]] },
    Swept { algorithm: Algorithm::Naive, word: "naive", workers: [&[4, 16], &[4]] },
    Swept {
        algorithm: Algorithm::Doubling,
        word: "doubling",
        workers: [&[2, 4, 16, 64], &[2, 16]],
    },
];

impl Swept {
    /// Returns the numbers of workers for the density of the profile's sweeps.
    pub(super) fn workers(&self, context: &Context<'_>) -> &'static [u32] {
        self.workers[usize::from(!context.profile.dense)]
    }

    /// Returns the message sizes in bytes among `p` workers.
    pub(super) fn sizes(&self, context: &Context<'_>, p: u32) -> impl Iterator<Item = u32> {
        SIZES.into_iter().filter(move |&m| fits(context, self.algorithm, p, m))
    }
}

/// Returns the entries of [`UNEVEN`] that are within the limits of the device and of the profile.
pub(super) fn uneven(context: &Context<'_>) -> impl Iterator<Item = (u32, u32)> {
    let most_workers = if context.profile.dense { u32::MAX } else { 16 };
    let fits =
        move |&(p, m): &(u32, u32)| p <= most_workers && fits(context, Algorithm::Ring, p, m);
    UNEVEN.into_iter().filter(fits)
}

/// Returns whether an all-reduce of `m` bytes among `workers` workers fits in the device's memory and in a
/// sample.
fn fits(context: &Context<'_>, algorithm: Algorithm, workers: u32, m: u32) -> bool {
    let reduce = AllReduce { algorithm, workers, words: m / 4, seed: 0 };
    let moved = match algorithm {
        Algorithm::Ring | Algorithm::Naive => 2 * u64::from(workers - 1) * u64::from(m),
        Algorithm::Doubling => u64::from(workers.ilog2() * workers) * u64::from(m),
    };
    // A dense sweep keeps the ring of two workers at every size, so that the largest message is at least
    // verified.
    let exempt = algorithm == Algorithm::Ring && workers == FEWEST && context.profile.dense;
    let quick = !context.is_narrow() || exempt || moved <= most_moved_on_few_cores(context);
    quick && reduce.bytes() <= most_bytes(context)
}

/// Returns the upper bound of the bytes that one all-reduce moves on a device with few cores.
pub(super) fn most_moved_on_few_cores(context: &Context<'_>) -> u64 {
    MAX_MOVED_ON_FEW_CORES[usize::from(!context.profile.dense)]
}

/// Returns the upper bound of the memory that all workers use together on this device, in bytes.
pub(super) fn most_bytes(context: &Context<'_>) -> u64 {
    MAX_BYTES.min(context.facts.limits.binding_bytes)
}
