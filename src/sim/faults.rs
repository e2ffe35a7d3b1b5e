//! Faults of a simulated GPU: wrong timestamps and failures of the device.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A fault of the timestamps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StampFault {
    /// This share of the spans, from 0 to 1, has timestamps of zero. The spans are drawn at random.
    Lost(f64),
    /// Every end timestamp is before its begin timestamp.
    Negative,
    /// The counter has `bits` bits and first wraps around `after_s` seconds after the device was opened.
    Wrapped {
        /// Width of the counter in bits.
        bits: u32,
        /// Seconds until the first wrap.
        after_s: f64,
    },
    /// The counter advances in steps of this many nanoseconds.
    Coarse(f64),
    /// All spans of a round have the timestamps of its first span.
    Duplicated,
    /// The counter does not advance.
    Frozen,
    /// Every span is multiplied by this factor.
    Scaled(f64),
}

/// Returns the timestamps of spans that ran one after another in one submission, with the fault applied.
///
/// A span is given by its begin and its duration, both in seconds. A tick is `period_ns` nanoseconds.
pub(super) fn stamps(
    fault: Option<StampFault>,
    spans: &[(f64, f64)],
    period_ns: f64,
    rng: &mut ChaCha8Rng,
) -> Vec<[u64; 2]> {
    // The counter is not zero when the device is opened.
    const START: u64 = 1 << 40;
    let ticks = |s: f64| (s * 1e9 / period_ns).round() as u64;
    let pair = |&(begin_s, span_s): &(f64, f64)| {
        let begin = ticks(begin_s);
        [begin, begin + ticks(span_s).max(1)]
    };
    let pairs = spans.iter().map(pair);
    let offset = |[begin, end]: [u64; 2]| [START + begin, START + end];
    match fault {
        None => pairs.map(offset).collect(),
        Some(StampFault::Lost(share)) => {
            pairs.map(|pair| if rng.random_bool(share) { [0, 0] } else { offset(pair) }).collect()
        }
        Some(StampFault::Negative) => pairs.map(offset).map(|[begin, end]| [end, begin]).collect(),
        Some(StampFault::Wrapped { bits, after_s }) => {
            let top = 1u64 << bits;
            let start = top - ticks(after_s) % top;
            pairs.map(|pair| pair.map(|tick| (start + tick) % top)).collect()
        }
        Some(StampFault::Coarse(step_ns)) => {
            let step = ((step_ns / period_ns).round() as u64).max(1);
            pairs.map(offset).map(|pair| pair.map(|tick| tick / step * step)).collect()
        }
        Some(StampFault::Duplicated) => {
            let first = spans.first().map(pair).map(offset);
            first.into_iter().cycle().take(spans.len()).collect()
        }
        Some(StampFault::Frozen) => vec![[START; 2]; spans.len()],
        Some(StampFault::Scaled(times)) => pairs
            .map(|[begin, end]| [begin, begin + ((end - begin) as f64 * times) as u64])
            .collect(),
    }
}

/// A failure of the device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DeviceFault {
    /// The device is lost permanently this many seconds after it was opened.
    LostAfter(f64),
    /// The device never finishes work that is submitted later than this many seconds after it was opened.
    HangsAfter(f64),
    /// The device has no memory for a buffer of more than this many bytes.
    OutOfMemory(u64),
    /// The driver does not compile shaders whose name starts with this text.
    Uncompilable(&'static str),
    /// Validation rejects every dispatch of shaders whose name starts with this text.
    Invalid(&'static str),
}
