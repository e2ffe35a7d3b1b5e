//! Random choices of the lanes in `select`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::experiments::divergence::law::at_least_one;

/// Number of words, with 32 choices each.
pub(super) const WORDS: u32 = 1024;
/// Number of draws per probability. [`draw`] keeps the draw nearest to the expectation.
const DRAWS: usize = 64;

/// Choices of the lanes by probability. All cases with the same probability share one draw.
pub(super) struct Words {
    /// Lanes per subgroup.
    pub(super) width: u32,
    /// Seed of the draws.
    pub(super) seed: u64,
    drawn: BTreeMap<u64, Arc<[u32]>>,
}

impl Words {
    /// Creates an empty set of draws for subgroups of `width` lanes, a power of two.
    pub(super) fn new(width: u32, seed: u64) -> Self {
        Self { width, seed, drawn: BTreeMap::new() }
    }

    /// Returns words whose bits are 1 with probability `q`.
    pub(super) fn of(&mut self, q: f64) -> Arc<[u32]> {
        let draw = || draw(q, self.width, self.seed);
        Arc::clone(self.drawn.entry(q.to_bits()).or_insert_with(draw))
    }
}

/// Draws words whose bits are 1 with probability `q`. Of [`DRAWS`] draws, the function returns the draw whose
/// subgroups take each path at a frequency nearest to the expectation, because a sample contains few
/// subgroups.
fn draw(q: f64, width: u32, seed: u64) -> Arc<[u32]> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ q.to_bits());
    let wide = f64::from(width);
    let error = |words: &Arc<[u32]>| {
        let subgroups = words.chunks(width as usize);
        let all = f64::from(32 * WORDS / width);
        let taken = |bits: fn(&[u32]) -> u32| {
            f64::from(subgroups.clone().map(|words| bits(words).count_ones()).sum::<u32>()) / all
        };
        let one = taken(|words| words.iter().fold(0, |any, word| any | word));
        let zero = taken(|words| words.iter().fold(0, |any, word| any | !word));
        (one - at_least_one(q, wide)).abs() + (zero - at_least_one(1.0 - q, wide)).abs()
    };
    let mut draw_once = || -> Arc<[u32]> {
        let mut word = || (0..32).fold(0, |word, _| word << 1 | u32::from(rng.random_bool(q)));
        (0..WORDS).map(|_| word()).collect()
    };
    let draws: Vec<_> = (0..DRAWS).map(|_| draw_once()).collect();
    draws.into_iter().min_by(|a, b| error(a).total_cmp(&error(b))).expect("DRAWS is not zero")
}
