//! Verification: compares every element of an output with its CPU reference.

use std::fmt;

/// The first wrong element of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// The rank that has the output, if several processes run together.
    pub rank: Option<u32>,
    /// Index of the element.
    pub index: usize,
    /// Value that the device wrote.
    pub got: u32,
    /// Value that the CPU reference computes.
    pub expected: u32,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rank, index, got, expected } = self;
        let of_rank = rank.map_or_else(String::new, |rank| format!(" of rank {rank}"));
        write!(
            f,
            "output[{index}]{of_rank} is {got:#010x}, but its CPU reference is {expected:#010x}"
        )
    }
}

/// Compares `outputs` with `expected`, which is repeated cyclically.
///
/// Outputs shorter than `expected` are a mismatch, and so is an empty `expected`.
///
/// # Errors
/// Returns the first mismatch.
pub(super) fn compare(outputs: &[u32], expected: &[u32]) -> Result<(), Mismatch> {
    if outputs.len() < expected.len() || expected.is_empty() {
        let index = outputs.len();
        return Err(Mismatch {
            rank: None,
            index,
            got: 0,
            expected: expected.get(index).copied().unwrap_or(0),
        });
    }
    for (block, chunk) in outputs.chunks(expected.len()).enumerate() {
        if let Some(at) = chunk.iter().zip(expected).position(|(got, want)| got != want) {
            let index = block * expected.len() + at;
            return Err(Mismatch { rank: None, index, got: chunk[at], expected: expected[at] });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_single_wrong_element_is_found() {
        let expected = [1, 2, 3];
        let good = [1, 2, 3, 1, 2, 3, 1];
        assert_eq!(compare(&good, &expected), Ok(()));
        for index in 0..good.len() {
            let mut bad = good;
            bad[index] ^= 0x8000_0000;
            let mismatch = compare(&bad, &expected).unwrap_err();
            assert_eq!((mismatch.index, mismatch.expected), (index, good[index]));
        }
    }

    #[test]
    fn a_short_output_and_an_empty_reference_are_mismatches() {
        assert!(compare(&[1, 2], &[1, 2, 3]).is_err());
        assert!(compare(&[1, 2], &[]).is_err());
        assert!(compare(&[], &[]).is_err());
    }
}
