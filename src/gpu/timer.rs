//! Timestamp queries: two timestamps per span, resolved together, and validated before use.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::GpuError;
use super::error::one_line;

/// The duration of one sample in seconds, or the reason why the clock did not give a valid duration.
pub type Span = Result<f64, BadSpan>;

/// The reason why two timestamps do not give a valid span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum BadSpan {
    /// A timestamp is zero. The query was resolved too soon, or it was never written.
    #[error("timestamps of zero, as from a query that was never written")]
    Unwritten,
    /// Both timestamps are equal.
    #[error("two equal timestamps, as from a clock that stands still or ticks too rarely")]
    Zero,
    /// The end timestamp is smaller than the begin timestamp, and no usual counter width explains the
    /// difference as a wrap.
    #[error("an end timestamp before its begin timestamp")]
    Negative,
    /// The end timestamp is smaller than the begin timestamp, and a wrap of a counter of a usual width
    /// explains the difference. The API does not report the width, so the span is only a guess and is
    /// rejected.
    #[error("a counter that wrapped around between two timestamps")]
    Wrapped,
    /// Another span that was resolved with this one has the same two timestamps.
    #[error("timestamps that are equal to those of another sample")]
    Duplicated,
}

/// Widths in bits of the counters that drivers expose. Intel's 36-bit counter wraps about once an hour.
const COUNTER_BITS: [u32; 6] = [32, 36, 40, 48, 56, 64];

/// Upper bound of a wrapped span in seconds. A longer difference is a fault and not a wrap.
const MAX_SAMPLE_S: f64 = 2.0;

/// Converts pairs of timestamps that were resolved together to spans. A tick is `period_ns` nanoseconds.
pub(crate) fn decode(pairs: &[[u64; 2]], period_ns: f64) -> Vec<Span> {
    let mut seen: HashMap<[u64; 2], usize> = HashMap::with_capacity(pairs.len());
    for pair in pairs {
        *seen.entry(*pair).or_default() += 1;
    }
    let span = |pair: &[u64; 2]| match decode_one(*pair, period_ns) {
        // Passes run one after another, so at most one of two equal pairs is correct. Both are rejected,
        // since nothing shows which.
        Ok(_) if seen[pair] > 1 => Err(BadSpan::Duplicated),
        span => span,
    };
    pairs.iter().map(span).collect()
}

fn decode_one([begin, end]: [u64; 2], period_ns: f64) -> Span {
    // A division by 1e9 gives the same number as parsing whole nanoseconds from a record. A multiplication by
    // 1e-9 may not.
    let seconds = |ticks: u64| ticks as f64 * period_ns / 1e9;
    if begin == 0 || end == 0 {
        return Err(BadSpan::Unwritten);
    }
    if end == begin {
        return Err(BadSpan::Zero);
    }
    if end > begin {
        return Ok(seconds(end - begin));
    }
    let significant = u64::BITS - begin.leading_zeros();
    let wrapped = COUNTER_BITS
        .into_iter()
        .find(|&bits| bits >= significant)
        .map(|bits| seconds(end.wrapping_sub(begin) & (u64::MAX >> (u64::BITS - bits))));
    Err(if wrapped.is_some_and(|span_s| span_s <= MAX_SAMPLE_S) {
        BadSpan::Wrapped
    } else {
        BadSpan::Negative
    })
}

/// Timestamp queries for up to `capacity` spans, with the buffers to read them back.
///
/// The queries are resolved in a separate submission after the work has completed. Some drivers return zeros
/// for queries that are resolved earlier.
pub(crate) struct QueryTimer {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readback: wgpu::Buffer,
    period_ns: f64,
    capacity: usize,
}

/// Maximum number of spans in one query set: wgpu allows 4096 timestamps, two per span.
pub(crate) const MAX_SPANS: usize = 2048;

impl QueryTimer {
    pub(crate) fn new(device: &wgpu::Device, period_ns: f64, capacity: usize) -> Self {
        let bytes = (capacity * 2 * size_of::<u64>()) as u64;
        let buffer = |label, usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: bytes,
                usage,
                mapped_at_creation: false,
            })
        };
        Self {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: (capacity * 2) as u32,
            }),
            resolved: buffer(
                "resolved timestamps",
                wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            ),
            readback: buffer(
                "timestamp readback",
                wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            ),
            period_ns,
            capacity,
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the timestamp writes that bracket the pass of span `index`.
    ///
    /// The two queries have adjacent indices, because wgpu resets queries by range.
    pub(crate) fn writes(&self, index: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(2 * index as u32),
            end_of_pass_write_index: Some(2 * index as u32 + 1),
        }
    }

    /// Resolves and returns the first `count` spans. The bracketed passes must have completed.
    ///
    /// # Errors
    /// Returns an error if the device fails.
    pub(crate) fn spans(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        count: usize,
    ) -> Result<Vec<Span>, GpuError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.resolve_query_set(&self.queries, 0..2 * count as u32, &self.resolved, 0);
        let bytes = (count * 2 * size_of::<u64>()) as u64;
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.readback, 0, bytes);
        queue.submit([encoder.finish()]);
        let mut timestamps = vec![[0u64; 2]; count];
        read_mapped(device, &self.readback, bytemuck::cast_slice_mut(&mut timestamps))?;
        Ok(decode(&timestamps, self.period_ns))
    }
}

/// Time after which a device that has not finished counts as hung. No submission is planned to take 2 s.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for the given submission, or for all submissions if it is `None`.
///
/// # Errors
/// Returns an error if the device does not finish in time or is lost.
pub(crate) fn poll(
    device: &wgpu::Device,
    submission_index: Option<wgpu::SubmissionIndex>,
) -> Result<(), GpuError> {
    let adapter = || device.adapter_info().name;
    let until = wgpu::PollType::Wait { submission_index, timeout: Some(PATIENCE) };
    // wgpu panics if the device is lost during the wait.
    match catch_unwind(AssertUnwindSafe(|| device.poll(until))) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(wgpu::PollError::Timeout)) => {
            Err(GpuError::Hung { adapter: adapter(), seconds: PATIENCE.as_secs() })
        }
        Ok(Err(error)) => Err(GpuError::Device {
            adapter: adapter(),
            reason: format!("waiting for a submission: {error}"),
        }),
        Err(panic) => {
            let message =
                panic.downcast_ref::<String>().map_or("the device was lost", String::as_str);
            Err(GpuError::Device { adapter: adapter(), reason: one_line(message) })
        }
    }
}

/// Waits for all submissions, maps `buffer` and copies its first `into.len()` bytes to `into`.
///
/// # Errors
/// Returns an error if the device fails or the buffer cannot be mapped.
pub(crate) fn read_mapped(
    device: &wgpu::Device,
    buffer: &wgpu::Buffer,
    into: &mut [u8],
) -> Result<(), GpuError> {
    let failed = |reason: String| GpuError::Device { adapter: device.adapter_info().name, reason };
    let slice = buffer.slice(..into.len() as u64);
    let (sender, receiver) = std::sync::mpsc::channel();
    slice.map_async(wgpu::MapMode::Read, move |result| {
        // The receiver lives until after the wait. The call to `recv` reports a missing message.
        let _ = sender.send(result);
    });
    poll(device, None)?;
    receiver
        .recv()
        .map_err(|_| failed("the callback of a buffer mapping was never called".to_owned()))?
        .map_err(|error| failed(format!("mapping a buffer: {error}")))?;
    let view = slice
        .get_mapped_range()
        .map_err(|error| failed(format!("reading a mapped buffer: {error}")))?;
    into.copy_from_slice(&view);
    drop(view);
    buffer.unmap();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_decode_to_the_expected_spans() {
        let decode = |begin, end, period_ns| decode_one([begin, end], period_ns);
        assert_eq!(decode(1_000, 3_000, 0.5), Ok(2_000.0 * 0.5 / 1e9));
        assert_eq!(decode(0, 0, 1.0), Err(BadSpan::Unwritten));
        assert_eq!(decode(7, 7, 1.0), Err(BadSpan::Zero));
        assert_eq!(decode(3_000_000_000_000, 2_000, 1.0), Err(BadSpan::Negative));
        assert_eq!(decode(1_000, 990, 1.0), Err(BadSpan::Negative));
    }

    #[test]
    fn a_wrapped_counter_is_distinguished_from_a_negative_span() {
        let top = 1u64 << 36;
        assert_eq!(decode_one([top - 40, 60], 10.0), Err(BadSpan::Wrapped));
        assert_eq!(decode_one([u64::MAX - 40, 59], 1.0), Err(BadSpan::Wrapped));
        assert_eq!(decode_one([60, top - 40], 10.0), Ok((top - 100) as f64 * 10.0 / 1e9));
    }

    #[test]
    fn all_spans_with_equal_timestamps_are_rejected() {
        let spans = decode(&[[5, 9], [10, 14], [5, 9], [0, 0], [0, 0]], 1e9);
        assert_eq!(spans[1], Ok(4.0));
        assert_eq!([spans[0], spans[2]], [Err(BadSpan::Duplicated); 2]);
        assert_eq!([spans[3], spans[4]], [Err(BadSpan::Unwritten); 2]);
    }
}
