//! What the lanes of `select` choose.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::experiments::divergence::law::at_least_one;

/// Words of 32 choices each.
pub(super) const WORDS: u32 = 1024;
/// Draws from which the one nearest its expectation is taken.
const DRAWS: usize = 64;

/// The choices of lanes by probability, each drawn once for all cases that want it.
pub(super) struct Words {
    pub(super) width: u32,
    pub(super) seed: u64,
    drawn: BTreeMap<u64, Arc<[u32]>>,
}

impl Words {
    /// For subgroups of `width` lanes, a power of two.
    pub(super) fn new(width: u32, seed: u64) -> Self {
        Self { width, seed, drawn: BTreeMap::new() }
    }

    /// Bits that are 1 with probability `q`.
    pub(super) fn of(&mut self, q: f64) -> Arc<[u32]> {
        let draw = || draw(q, self.width, self.seed);
        Arc::clone(self.drawn.entry(q.to_bits()).or_insert_with(draw))
    }
}

/// Bits that are 1 with probability `q`: of many draws the one whose subgroups take the paths most nearly
/// as often as expected, since a sample holds few subgroups.
fn draw(q: f64, width: u32, seed: u64) -> Arc<[u32]> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ q.to_bits());
    let wide = f64::from(width);
    let miss = |words: &Arc<[u32]>| {
        let subgroups = words.chunks(width as usize);
        let all = f64::from(32 * WORDS / width);
        let taken = |bits: fn(&[u32]) -> u32| {
            f64::from(subgroups.clone().map(|words| bits(words).count_ones()).sum::<u32>()) / all
        };
        let one = taken(|words| words.iter().fold(0, |any, word| any | word));
        let zero = taken(|words| words.iter().fold(0, |any, word| any | !word));
        (one - at_least_one(q, wide)).abs() + (zero - at_least_one(1.0 - q, wide)).abs()
    };
    let mut one = || -> Arc<[u32]> {
        let mut word = || (0..32).fold(0, |word, _| word << 1 | u32::from(rng.random_bool(q)));
        (0..WORDS).map(|_| word()).collect()
    };
    let draws: Vec<_> = (0..DRAWS).map(|_| one()).collect();
    draws.into_iter().min_by(|a, b| miss(a).total_cmp(&miss(b))).expect("there are draws")
}
