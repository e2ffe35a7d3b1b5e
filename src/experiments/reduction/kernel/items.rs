//! The items that the reductions sum.

use std::sync::Arc;

use crate::gpu::Contents;
use crate::kernels::{Load, Number, random_words};

/// Conversions between integers and the bits of an item.
impl Number {
    /// Returns the bits of the item with the value `value`.
    pub(super) fn bits(self, value: i64) -> u32 {
        match self {
            Self::U32 => value as u32,
            Self::F32 => (value as f32).to_bits(),
        }
    }

    /// Returns the value of the item with the bits `bits`.
    pub(super) fn value(self, bits: u32) -> i64 {
        match self {
            Self::U32 => i64::from(bits as i32),
            Self::F32 => f32::from_bits(bits) as i64,
        }
    }
}

/// Items in memory and their prefix sums.
#[derive(Debug, Clone)]
pub struct Items {
    /// Type of the items.
    pub item: Number,
    /// Bits of the items, padded with zeros to a multiple of the largest load.
    pub words: Arc<[u32]>,
    /// Prefix sums: `sums[n]` is the sum of the first n items.
    pub(super) sums: Arc<[i32]>,
}

impl Items {
    /// Generates `count` random items from `seed`.
    #[must_use]
    pub fn random(item: Number, count: u32, seed: u64) -> Self {
        // Between −1023 and 1023, so that sums are exact in f32 too.
        let item_of = |word: u32| ((u64::from(word) * 2047) >> 32) as i32 - 1023;
        let mut values: Vec<i32> =
            random_words(seed, count as usize).iter().map(|&word| item_of(word)).collect();
        values.resize(count.next_multiple_of(Load::MAX_WORDS) as usize, 0);
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

    /// Returns a placeholder for kernels that read no items.
    pub(super) fn none(item: Number) -> Self {
        Self { item, words: Arc::new([0; 4]), sums: Arc::new([0]) }
    }

    /// Returns the buffer of `count` items. More items than there are repeat them.
    ///
    /// # Panics
    /// Panics if `count` is larger than the number of items and no multiple of it.
    pub(super) fn contents(&self, count: u32) -> Contents {
        let words = Arc::clone(&self.words);
        let times = count.div_ceil(self.words.len() as u32);
        if times <= 1 {
            return Contents::Data(words);
        }
        assert!(count.is_multiple_of(self.words.len() as u32), "items are repeated as a whole");
        Contents::Repeated(words, times)
    }

    /// Returns the bits of the sum of the first `count` items. More items than there are repeat them.
    pub(super) fn sum_bits(&self, count: u32) -> u32 {
        let all = self.sums.len() - 1;
        let (times, rest) = (count as usize / all, count as usize % all);
        let sum = times as i64 * i64::from(self.sums[all]) + i64::from(self.sums[rest]);
        self.item.bits(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_repeated_items_is_a_multiple() {
        let items = Items::random(Number::U32, 64, 1);
        let sum = |count| items.sum_bits(count) as i32;
        assert_eq!([sum(64), sum(192)], [items.sums[64], 3 * items.sums[64]]);
        assert_eq!(sum(130), 2 * items.sums[64] + items.sums[2]);
        assert_eq!(items.contents(192).words(), 192);
        assert_eq!(items.contents(63).words(), 64);
    }

    #[test]
    fn no_partial_sum_of_the_largest_input_leaves_the_exact_range_of_f32() {
        let items = Items::random(Number::F32, 1 << 24, 1);
        assert!(items.sums.iter().all(|sum| sum.unsigned_abs() < 1 << 24));
    }
}
