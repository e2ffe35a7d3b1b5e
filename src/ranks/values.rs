//! The values that ranks send, and their sums.
//!
//! Each value is a small whole number, so that a sum of 32-bit floats is exact in any order.

use std::sync::LazyLock;

/// Number of words after which the values repeat: a prime, so that a message at a wrong place has wrong values.
pub const PERIOD: usize = 8191;

/// Largest number of ranks whose sums are exact: the sum of 15 · 16 for each of them is below 2²⁴.
pub const MOST_RANKS: u32 = 65_536;

/// The pattern: whole numbers from 1 to 15.
static PATTERN: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let mixed = |word: u32| (word.wrapping_mul(0x9E37_79B1) >> 20) % 15;
    (0..PERIOD as u32).map(|word| (1 + mixed(word)) as f32).collect()
});

/// Returns what all words of an array are, `times` the pattern, as one period.
#[must_use]
pub fn values(times: u32) -> Vec<f32> {
    PATTERN.iter().map(|value| value * times as f32).collect()
}

/// Returns how many times the pattern a rank contributes.
#[must_use]
pub fn contribution(rank: u32) -> u32 {
    1 + rank % 16
}

/// Returns how many times the pattern the sum over `ranks` ranks is.
#[must_use]
pub fn sum(ranks: u32) -> u32 {
    (0..ranks).map(contribution).sum()
}

/// Fills an array with `times` the pattern.
pub(super) fn fill(array: &mut [f32], times: u32) {
    let values = values(times);
    array.chunks_mut(PERIOD).for_each(|part| part.copy_from_slice(&values[..part.len()]));
}

/// Returns the first word that differs from `times` the pattern: its index, its value and the expected value.
pub(super) fn first_wrong(array: &[f32], times: u32) -> Option<(usize, f32, f32)> {
    let values = values(times);
    let mut pairs = array.iter().zip(values.iter().cycle()).enumerate();
    pairs
        .find(|(_, (found, expected))| found.to_bits() != expected.to_bits())
        .map(|(index, (&found, &expected))| (index, found, expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_the_most_ranks_are_exact_and_a_wrong_word_is_found() {
        assert!(15 * sum(MOST_RANKS) < 1 << 24);
        let mut array = vec![0.0; 3 * PERIOD + 7];
        fill(&mut array, 5);
        assert_eq!(first_wrong(&array, 5), None);
        assert!(first_wrong(&array[10..], 5).is_some());
        array[2 * PERIOD + 3] += 1.0;
        let wrong = first_wrong(&array, 5).expect("a word is wrong");
        assert_eq!((wrong.0, wrong.1), (2 * PERIOD + 3, wrong.2 + 1.0));
    }

    #[test]
    fn neighbouring_values_differ_mostly() {
        let values = values(1);
        let equal = values.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert!(equal < values.len() / 8, "{equal}");
        assert!(values.iter().all(|value| (1.0..=15.0).contains(value)));
    }
}
