//! What may be wrong with a machine: its clock's stamps, and the device itself.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// How the stamps of a clock come to be wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StampFault {
    /// So many in a hundred queries come back zero.
    Lost(f64),
    /// Ends come before beginnings.
    Negative,
    /// The counter has so many bits, and wraps around `after_s` seconds from the start.
    Wrapped {
        /// Bits.
        bits: u32,
        /// When it first wraps.
        after_s: f64,
    },
    /// The counter moves by so many nanoseconds at a time.
    Coarse(f64),
    /// All queries of a submission come back with the stamps of its first.
    Duplicated,
    /// The counter stands still.
    Frozen,
    /// Spans are this many times as long as they truly are.
    Scaled(f64),
}

/// The stamps of spans that ran one after another in one submission, as the fault makes them.
pub(super) fn stamps(
    fault: Option<StampFault>,
    spans: &[(f64, f64)],
    period_ns: f64,
    rng: &mut ChaCha8Rng,
) -> Vec<[u64; 2]> {
    // The counter has been running for a while when the device is opened.
    const SINCE: u64 = 1 << 40;
    let ticks = |s: f64| (s * 1e9 / period_ns).round() as u64;
    let pair = |&(begin_s, span_s): &(f64, f64)| {
        let begin = ticks(begin_s);
        [begin, begin + ticks(span_s).max(1)]
    };
    let pairs = spans.iter().map(pair);
    let since = |[begin, end]: [u64; 2]| [SINCE + begin, SINCE + end];
    match fault {
        None => pairs.map(since).collect(),
        Some(StampFault::Lost(share)) => {
            pairs.map(|pair| if rng.random_bool(share) { [0, 0] } else { since(pair) }).collect()
        }
        Some(StampFault::Negative) => pairs.map(since).map(|[begin, end]| [end, begin]).collect(),
        Some(StampFault::Wrapped { bits, after_s }) => {
            let top = 1u64 << bits;
            let start = top - ticks(after_s) % top;
            pairs.map(|pair| pair.map(|tick| (start + tick) % top)).collect()
        }
        Some(StampFault::Coarse(step_ns)) => {
            let step = ((step_ns / period_ns).round() as u64).max(1);
            pairs.map(since).map(|pair| pair.map(|tick| tick / step * step)).collect()
        }
        Some(StampFault::Duplicated) => {
            let first = spans.first().map(pair).map(since);
            first.into_iter().cycle().take(spans.len()).collect()
        }
        Some(StampFault::Frozen) => vec![[SINCE; 2]; spans.len()],
        Some(StampFault::Scaled(times)) => pairs
            .map(|[begin, end]| [begin, begin + ((end - begin) as f64 * times) as u64])
            .collect(),
    }
}

/// How a device fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DeviceFault {
    /// It is lost, for good, so many seconds after it was opened.
    LostAfter(f64),
    /// What it is given so many seconds after it was opened is never done.
    HangsAfter(f64),
    /// It has no memory for a buffer of more bytes.
    OutOfMemory(u64),
    /// Its driver does not compile the shader of this name.
    Uncompilable(&'static str),
    /// Validation has something against every dispatch of the shader of this name.
    Invalid(&'static str),
}
