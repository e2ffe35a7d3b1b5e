//! Seeds: of a run, and of each experiment's random choices in it.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A seed nobody chose.
#[must_use]
pub fn seed_from_time() -> u64 {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64);
    // Short enough to type back on a command line and exact in every JSON reader.
    ChaCha8Rng::seed_from_u64(nanos).random_range(0..1 << 32)
}

/// The seed of an experiment's choices in a run of `seed`, which do not depend on which others run.
#[must_use]
pub fn seed_of(seed: u64, id: &str) -> u64 {
    id.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}
