//! What is summed.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::kernels::{Load, Number};

/// Whole numbers as items.
impl Number {
    pub(super) fn bits(self, value: i64) -> u32 {
        match self {
            Self::U32 => value as u32,
            Self::F32 => (value as f32).to_bits(),
        }
    }

    pub(super) fn value(self, bits: u32) -> i64 {
        match self {
            Self::U32 => i64::from(bits as i32),
            Self::F32 => f32::from_bits(bits) as i64,
        }
    }
}

/// Items in memory with their sums by length.
#[derive(Debug, Clone)]
pub struct Items {
    /// Their type.
    pub item: Number,
    /// Their bits, padded to a multiple of the largest load.
    pub words: Arc<[u32]>,
    /// `sums[n]` is the sum of the first n.
    pub(super) sums: Arc<[i32]>,
}

impl Items {
    /// `count` random items.
    #[must_use]
    pub fn random(item: Number, count: u32, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let values: Vec<i32> = (0..count.next_multiple_of(Load::MAX_WORDS))
            .map(|i| if i < count { rng.random_range(-1023..=1023) } else { 0 })
            .collect();
        let mut sum = 0;
        let sums = std::iter::once(0)
            .chain(values.iter().map(|value| {
                sum += value;
                sum
            }))
            .collect();
        let words = values.iter().map(|&value| item.bits(i64::from(value))).collect();
        Self { item, words, sums }
    }

    /// For kernels that read none.
    pub(super) fn none(item: Number) -> Self {
        Self { item, words: Arc::new([0; 4]), sums: Arc::new([0]) }
    }

    pub(super) fn sum_bits(&self, count: u32) -> u32 {
        self.item.bits(i64::from(self.sums[count as usize]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_partial_sum_of_the_largest_input_leaves_the_exact_range_of_f32() {
        let items = Items::random(Number::F32, 1 << 24, 1);
        assert!(items.sums.iter().all(|sum| sum.unsigned_abs() < 1 << 24));
    }
}
