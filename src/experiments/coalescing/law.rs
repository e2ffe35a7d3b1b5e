//! Coalescing: a subgroup's load is served line by line.
//!
//! # Formula
//! T = max(t_i, n·t_l): a load takes its turn to issue, or the lines that it touches, whichever is longer.
//! Lanes that load words s apart touch n = max(1, W·min(s·4 / L, 1)) lines from the beginning of one; of lanes that draw one of R words each,
//! E\[n\] = N·(1 − (1 − 1/N)^W) with N = 4·R / L lines to draw from.
//!
//! - W: lanes in a subgroup, W ≥ 1
//! - s: words from one lane's word to the next one's, s > 0
//! - L: bytes in a line, the unit in which memory is moved
//! - n: lines that a subgroup's load touches, n ≥ 1
//! - t_i: seconds to issue a load whose line is there already
//! - t_l: seconds for a line, the device full of loads
//!
//! Valid while no line is needed twice with others between, and for words of 4 bytes.
//!
//! # Source
//! The rule of coalescing in NVIDIA, "CUDA C++ Best Practices Guide", section "Coalesced access to global memory"; the
//! expectation is that of W balls in N boxes, boxes that are not empty.

/// Bytes in a word.
pub const WORD: f64 = 4.0;

/// Lines that a subgroup of `width` lanes touches with words `stride` apart, from the beginning of a line.
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

/// Lines that a subgroup touches whose lanes each draw one of `words` words, on average.
///
/// ```
/// use warplaw::experiments::coalescing::law::lines_drawn;
/// // Two lanes and two lines: they meet half of the time.
/// assert_eq!(lines_drawn(2.0, 64.0, 128.0), 1.5);
/// ```
#[must_use]
pub fn lines_drawn(width: f64, words: f64, line_bytes: f64) -> f64 {
    let lines = (words * WORD / line_bytes).max(1.0);
    lines * (1.0 - (1.0 - 1.0 / lines).powf(width))
}

/// Seconds for a subgroup's load that touches so many lines.
///
/// ```
/// use warplaw::experiments::coalescing::law::load_time;
/// assert_eq!(load_time(2e-9, 1e-9, 1.0), 2e-9);
/// assert_eq!(load_time(2e-9, 1e-9, 8.0), 8e-9);
/// ```
#[must_use]
pub fn load_time(issue_s: f64, line_s: f64, lines: f64) -> f64 {
    issue_s.max(lines * line_s)
}
