//! What declarations of sweeps share.

use crate::bench::{CaseId, Sizing};

/// 1, 2, 4 … up to and including `last` where it is a power of two.
pub(super) fn powers_of_two(last: u32) -> impl Iterator<Item = u32> {
    (0..32).map(|exponent| 1u32 << exponent).take_while(move |&power| power <= last)
}

/// Of whole passes over an input, which are anything from microseconds to a large part of a second.
pub(super) const REPEATS: Sizing = Sizing::Own { granule: 1, most: 512 };

/// The case of a sweep at `number`.
///
/// # Panics
/// When the sweep has no such case.
pub(super) fn case_at(cases: &[(u32, CaseId)], number: u32) -> CaseId {
    cases.iter().find(|&&(n, _)| n == number).expect("every number of a sweep has its case").1
}
