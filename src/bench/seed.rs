//! Seeds of runs and of the random choices of each experiment.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Returns a seed from the current time, for a run without a given seed.
#[must_use]
pub fn seed_from_time() -> u64 {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64);
    // Below 2^32, a seed is short enough to type on a command line and exact in every JSON reader.
    ChaCha8Rng::seed_from_u64(nanos).random_range(0..1 << 32)
}

/// Returns the seed of experiment `id` in a run with `seed`. It does not depend on which other experiments
/// run.
#[must_use]
pub fn seed_of(seed: u64, id: &str) -> u64 {
    id.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}
