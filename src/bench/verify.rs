//! Every element of every output against its CPU reference.

use std::collections::BTreeMap;
use std::fmt;

use crate::gpu::{BadSpan, Executor, GpuError, Workload};
use crate::model::Case;

/// The first element that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// Which element.
    pub index: usize,
    /// What the device wrote.
    pub got: u32,
    /// What the twin computes.
    pub expected: u32,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, got, expected } = self;
        write!(f, "output[{index}] is {got:#010x}, its CPU reference gives {expected:#010x}")
    }
}

/// A case after verification.
pub(super) struct Checked {
    pub(super) case: Case,
    /// Whether its output was compared and found wrong.
    pub(super) mismatched: bool,
    /// Whether the device would not load it.
    pub(super) refused: bool,
    /// Whether it is short by nature.
    pub(super) is_floor: bool,
    /// Spans that the clock gave and that are none, by what was wrong with them.
    pub(super) bad: BTreeMap<BadSpan, usize>,
}

/// Compares `outputs` with `expected`, which is repeated cyclically. An output shorter than the twin's
/// or none at all is a mismatch.
///
/// # Errors
/// The first mismatch.
pub fn compare(outputs: &[u32], expected: &[u32]) -> Result<(), Mismatch> {
    if outputs.len() < expected.len() || expected.is_empty() {
        let index = outputs.len();
        return Err(Mismatch {
            index,
            got: 0,
            expected: expected.get(index).copied().unwrap_or(0),
        });
    }
    for (block, chunk) in outputs.chunks(expected.len()).enumerate() {
        if let Some(at) = chunk.iter().zip(expected).position(|(got, want)| got != want) {
            let index = block * expected.len() + at;
            return Err(Mismatch { index, got: chunk[at], expected: expected[at] });
        }
    }
    Ok(())
}

/// Runs loaded workload `index` and compares every element.
pub(super) fn verify(
    executor: &mut dyn Executor,
    index: usize,
    workload: &Workload,
) -> Result<Result<(), Mismatch>, GpuError> {
    let outputs = executor.outputs(index)?;
    Ok(compare(&outputs, &workload.expected()))
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
    fn too_short_an_output_and_an_empty_reference_are_mismatches() {
        assert!(compare(&[1, 2], &[1, 2, 3]).is_err());
        assert!(compare(&[1, 2], &[]).is_err());
        assert!(compare(&[], &[]).is_err());
    }
}
