//! Helpers for experiments that sweep a parameter.

use crate::bench::{CaseId, Sizing};

/// Returns 1, 2, 4, … up to the largest power of two that is at most `last`.
pub(super) fn powers_of_two(last: u32) -> impl Iterator<Item = u32> {
    (0..32).map(|exponent| 1u32 << exponent).take_while(move |&power| power <= last)
}

/// Sizing of cases that repeat a pass over an input. One pass takes from microseconds to a large part of a
/// second.
pub(super) const REPEATS: Sizing = Sizing::Own { granule: 1, most: 512 };

/// Returns the case of a sweep for the parameter value `number`.
///
/// # Panics
/// Panics if the sweep has no case for `number`.
pub(super) fn case_at(cases: &[(u32, CaseId)], number: u32) -> CaseId {
    cases.iter().find(|&&(n, _)| n == number).expect("the sweep has a case for this number").1
}

/// Returns the size of `words` words in the notation of metric ids, such as `64_MiB`.
pub(super) fn size_id(words: u32) -> String {
    match words >> 8 {
        kib if kib < 1024 => format!("{kib}_KiB"),
        kib => format!("{}_MiB", kib >> 10),
    }
}
