//! Coalescing: the device serves a subgroup load line by line.
//!
//! # Formula
//! T = max(t_i, n·t_l, m·t_s): a load takes the time to issue it, the time of the lines that it touches, or the time of the
//! sectors that it touches, whichever is longest. A sector is the part of a line that a device moves.
//!
//! - Strided: lanes load words at a distance of s words, and the first word starts a line. The subgroup
//!   touches n = max(1, W·min(4·s / L, 1)) lines.
//! - Random: each lane draws one of R words, which are in N = 4·R / L lines. The subgroup touches
//!   E\[n\] = N·(1 − (1 − 1/N)^W) lines on average.
//!
//! Symbols:
//! - W: lanes per subgroup, W ≥ 1
//! - s: distance between the words of neighbouring lanes, in words, s > 0
//! - L: bytes per line, the unit of memory transfers
//! - n: lines that a subgroup load touches, n ≥ 1
//! - t_i: seconds to issue a load whose line is already in the cache
//! - t_l: seconds per line, on a device saturated with loads
//! - m: sectors that a subgroup load touches, counted like lines; n if the device moves whole lines
//! - t_s: seconds per sector, on a device saturated with loads
//!
//! The law applies to words of 4 bytes, and while no load needs a line again after loads of other lines.
//!
//! # Source
//! The coalescing rule is from NVIDIA, "CUDA C++ Best Practices Guide", section "Coalesced access to global
//! memory". The expectation is that of the classical occupancy problem: W balls fall into N boxes, and the
//! non-empty boxes are counted.

/// Bytes per word.
pub const WORD: f64 = 4.0;

/// Returns the number of lines that a subgroup of `width` lanes touches with a stride of `stride` words, from
/// the start of a line.
///
/// ```
/// use warplaw::experiments::coalescing::law::lines_of_stride;
/// assert_eq!(lines_of_stride(32.0, 1.0, 128.0), 1.0);
/// assert_eq!(lines_of_stride(32.0, 2.0, 32.0), 8.0);
/// assert_eq!(lines_of_stride(32.0, 64.0, 128.0), 32.0);
/// assert_eq!(lines_of_stride(4.0, 1.0, 64.0), 1.0);
/// ```
#[must_use]
pub fn lines_of_stride(width: f64, stride: f64, line_bytes: f64) -> f64 {
    (width * (stride * WORD / line_bytes).min(1.0)).max(1.0)
}

/// Returns the mean number of lines that a subgroup touches if each lane draws one of `words` words at
/// random.
///
/// ```
/// use warplaw::experiments::coalescing::law::lines_drawn;
/// // Two lanes draw from two lines. Half of the time, both lanes draw the same line.
/// assert_eq!(lines_drawn(2.0, 64.0, 128.0), 1.5);
/// ```
#[must_use]
pub fn lines_drawn(width: f64, words: f64, line_bytes: f64) -> f64 {
    let lines = (words * WORD / line_bytes).max(1.0);
    lines * (1.0 - (1.0 - 1.0 / lines).powf(width))
}

/// Lines or sectors that a load touches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transfer {
    /// How many there are.
    pub count: f64,
    /// Seconds of each.
    pub each_s: f64,
}

/// Returns the seconds for a subgroup load that takes `issue_s` to issue and touches these lines and sectors.
///
/// ```
/// use warplaw::experiments::coalescing::law::{Transfer, load_time};
/// let lines = |count| Transfer { count, each_s: 1e-9 };
/// assert_eq!(load_time(2e-9, [lines(1.0)]), 2e-9);
/// assert_eq!(load_time(2e-9, [lines(8.0)]), 8e-9);
/// // Four sectors of each line take longer than the lines.
/// assert_eq!(load_time(2e-9, [lines(8.0), Transfer { count: 32.0, each_s: 0.5e-9 }]), 16e-9);
/// ```
#[must_use]
pub fn load_time<const N: usize>(issue_s: f64, transfers: [Transfer; N]) -> f64 {
    transfers.into_iter().map(|each| each.count * each.each_s).fold(issue_s, f64::max)
}
