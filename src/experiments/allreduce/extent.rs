//! How many workers agree, on how many bytes.

use super::kernel::{Algorithm, AllReduce};
use crate::bench::Context;

const KIB: u32 = 1 << 10;
pub(super) const MIB: u32 = 1 << 20;
/// Bytes that a worker holds.
pub(super) const SIZES: [u32; 5] = [KIB, 16 * KIB, 256 * KIB, 4 * MIB, 64 * MIB];
/// Bytes that a worker streams to calibrate β.
pub(super) const STREAMED: u32 = 256 * KIB;
/// Memory that all workers together work in, at most.
pub(super) const MAX_BYTES: u64 = 128 << 20;
/// On few cores all-reduces that move more than so many bytes would take most of a sample or more; in full, and for a
/// first look, of which a ring of 16 workers with 256 KiB each is the largest.
const MAX_MOVED_ON_FEW_CORES: [u64; 2] = [16 << 20, 2 * 15 * (256 << 10)];
/// The fewest workers: what `predict` extrapolates from, since they stand least in each other's way.
pub(super) const FEWEST: u32 = 2;

/// Workers and bytes that do not divide, and fewer words than workers.
const UNEVEN: [(u32, u32); 3] = [(3, 16 * KIB), (7, 256 * KIB), (64, 128)];

pub(super) struct Swept {
    pub(super) algorithm: Algorithm,
    pub(super) word: &'static str,
    /// In full, and for a first look.
    workers: [&'static [u32]; 2],
}

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
    /// Numbers of workers.
    pub(super) fn workers(&self, context: &Context<'_>) -> &'static [u32] {
        self.workers[usize::from(!context.profile.dense)]
    }
}

/// Workers and bytes that do not divide, as far as they fit.
pub(super) fn uneven(context: &Context<'_>) -> impl Iterator<Item = (u32, u32)> {
    let most_workers = if context.profile.dense { u32::MAX } else { 16 };
    let fits =
        move |&(p, m): &(u32, u32)| p <= most_workers && fits(context, Algorithm::Ring, p, m);
    UNEVEN.into_iter().filter(fits)
}

/// Whether all-reduces of that size are within the limits of the device and of patience.
pub(super) fn fits(context: &Context<'_>, algorithm: Algorithm, workers: u32, m: u32) -> bool {
    let reduce = AllReduce { algorithm, workers, words: m / 4, seed: 0 };
    let moved = match algorithm {
        Algorithm::Ring | Algorithm::Naive => 2 * u64::from(workers - 1) * u64::from(m),
        Algorithm::Doubling => u64::from(workers.ilog2() * workers) * u64::from(m),
    };
    // The largest is at least verified, among two.
    let largest = algorithm == Algorithm::Ring && workers == FEWEST && context.profile.dense;
    let quick = !context.is_narrow() || largest || moved <= most_moved_on_few_cores(context);
    quick && reduce.bytes() <= most_bytes(context)
}

pub(super) fn most_moved_on_few_cores(context: &Context<'_>) -> u64 {
    MAX_MOVED_ON_FEW_CORES[usize::from(!context.profile.dense)]
}

pub(super) fn most_bytes(context: &Context<'_>) -> u64 {
    MAX_BYTES.min(context.facts.limits.binding_bytes)
}
