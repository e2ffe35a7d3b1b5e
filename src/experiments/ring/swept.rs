//! The algorithms and the message sizes that the experiment measures.

use crate::gpu::{Algorithm, Arithmetic};

pub(super) const KIB: u32 = 1 << 10;
const MIB: u32 = 1 << 20;

/// Begins of the names of series.
pub(super) const RING: &str = "ring, ";
pub(super) const BY_PING_PONG: &str = "ring by ping-pong, ";

/// An algorithm, and the bytes of the messages that are measured: in a dense sweep and in a sparse one.
pub(super) struct Swept {
    pub(super) algorithm: Algorithm,
    pub(super) arithmetic: Arithmetic,
    /// Name in case ids.
    pub(super) word: &'static str,
    /// Name in series, before the number of ranks.
    pub(super) series: &'static str,
    pub(super) sizes: [&'static [u32]; 2],
}

/// Message sizes of rings, in bytes.
const SIZES: [&[u32]; 2] = [
    &[KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB],
    &[KIB, 16 * KIB, 256 * KIB, 4 * MIB],
];
/// Message sizes of algorithms that send whole messages, in bytes.
const WHOLE_SIZES: [&[u32]; 2] = [&[KIB, 16 * KIB, 256 * KIB, 4 * MIB], &[KIB, 256 * KIB]];
/// Message sizes of rings whose additions the device does, in bytes.
const DEVICE_SIZES: [&[u32]; 2] = [&[16 * KIB, 256 * KIB, 4 * MIB], &[256 * KIB]];
/// Message sizes in words that few numbers of ranks divide, and one of fewer words than ranks.
pub(super) const UNEVEN: [u32; 3] = [1, 10_007, 262_147];

pub(super) const SWEPT: [Swept; 6] = [
    Swept {
        algorithm: Algorithm::Ring,
        arithmetic: Arithmetic::Host,
        word: "ring",
        series: RING,
        sizes: SIZES,
    },
    Swept {
        algorithm: Algorithm::Doubling,
        arithmetic: Arithmetic::Host,
        word: "doubling",
        series: "recursive doubling, ",
        sizes: WHOLE_SIZES,
    },
    Swept {
        algorithm: Algorithm::Naive,
        arithmetic: Arithmetic::Host,
        word: "naive",
        series: "naive, ",
        sizes: WHOLE_SIZES,
    },
    Swept {
        algorithm: Algorithm::Library,
        arithmetic: Arithmetic::Host,
        word: "library",
        series: "the library's own, ",
        sizes: SIZES,
    },
    Swept {
        algorithm: Algorithm::LibraryRing,
        arithmetic: Arithmetic::Host,
        word: "library_ring",
        series: "the library's ring, ",
        sizes: SIZES,
    },
    Swept {
        algorithm: Algorithm::Ring,
        arithmetic: Arithmetic::Device,
        word: "device",
        series: "ring, additions on the device, ",
        sizes: DEVICE_SIZES,
    },
];
