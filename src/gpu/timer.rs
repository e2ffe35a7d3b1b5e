//! Timestamps: two to a span, resolved in bulk, trusted not at all.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::GpuError;
use super::error::one_line;

/// A span in seconds, or why there is none.
pub type Span = Result<f64, BadSpan>;

/// Why two timestamps do not make a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum BadSpan {
    /// A stamp of zero: the query was resolved too soon, or never written.
    #[error("stamps that are zero, as of a query that was never written")]
    Unwritten,
    /// The stamps are equal.
    #[error("two stamps that are equal, as of a clock that stands still or ticks too rarely")]
    Zero,
    /// The end lies before the beginning and no counter width explains it as a wrap.
    #[error("an end before its beginning")]
    Negative,
    /// The end lies before the beginning by what a counter of a usual width would wrap to. How wide it is
    /// cannot be asked, so the span is likely and not known.
    #[error("a counter that wrapped around between two stamps")]
    Wrapped,
    /// Another span of the same submission has the same two stamps.
    #[error("stamps that another span has too")]
    Duplicated,
}

/// Widths, in bits, of the counters that drivers expose; Intel's 36 bits wrap every hour or so.
const COUNTER_BITS: [u32; 6] = [32, 36, 40, 48, 56, 64];

/// No wrapped span is longer than this; a difference beyond it is no wrap but a fault.
const MAX_SAMPLE_S: f64 = 2.0;

/// The spans of pairs of stamps, of ticks of `period_ns` nanoseconds, that came back together.
pub(crate) fn decode(pairs: &[[u64; 2]], period_ns: f64) -> Vec<Span> {
    let mut seen: HashMap<[u64; 2], usize> = HashMap::with_capacity(pairs.len());
    for pair in pairs {
        *seen.entry(*pair).or_default() += 1;
    }
    let span = |pair: &[u64; 2]| match decode_one(*pair, period_ns) {
        // Passes follow one another: which of two alike is the true one cannot be told.
        Ok(_) if seen[pair] > 1 => Err(BadSpan::Duplicated),
        span => span,
    };
    pairs.iter().map(span).collect()
}

fn decode_one([begin, end]: [u64; 2], period_ns: f64) -> Span {
    // Divided, so that whole nanoseconds are the numbers that records read back.
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

/// Timestamp queries for up to `capacity` spans, with the buffers that bring them back.
///
/// Spans are resolved in a submission of their own, after the work has completed: resolved sooner, some
/// drivers return zeros.
pub(crate) struct QueryTimer {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readback: wgpu::Buffer,
    period_ns: f64,
    capacity: usize,
}

/// wgpu's largest query set holds 4096 stamps.
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
                label: Some("spans"),
                ty: wgpu::QueryType::Timestamp,
                count: (capacity * 2) as u32,
            }),
            resolved: buffer(
                "resolved stamps",
                wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            ),
            readback: buffer("stamps", wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
            period_ns,
            capacity,
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// What brackets the pass of span `index`. Its two stamps are adjacent, as wgpu resets the range.
    pub(crate) fn writes(&self, index: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(2 * index as u32),
            end_of_pass_write_index: Some(2 * index as u32 + 1),
        }
    }

    /// The first `count` spans, for passes that have completed.
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
        let mut stamps = vec![[0u64; 2]; count];
        read_mapped(device, &self.readback, bytemuck::cast_slice_mut(&mut stamps))?;
        Ok(decode(&stamps, self.period_ns))
    }
}

/// A device that has not answered by then never will: no submission is expected to take two seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for the given submission, or for all.
pub(crate) fn poll(
    device: &wgpu::Device,
    submission_index: Option<wgpu::SubmissionIndex>,
) -> Result<(), GpuError> {
    let adapter = || device.adapter_info().name;
    let until = wgpu::PollType::Wait { submission_index, timeout: Some(PATIENCE) };
    // A device that is lost while it is waited for makes wgpu panic.
    match catch_unwind(AssertUnwindSafe(|| device.poll(until))) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(wgpu::PollError::Timeout)) => {
            Err(GpuError::Hung { adapter: adapter(), seconds: PATIENCE.as_secs() })
        }
        Ok(Err(error)) => {
            Err(GpuError::Device { adapter: adapter(), reason: format!("waiting for it: {error}") })
        }
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map_or("it was lost", String::as_str);
            Err(GpuError::Device { adapter: adapter(), reason: one_line(said) })
        }
    }
}

/// Waits for the queue, maps `buffer` and copies its first bytes into `into`.
pub(crate) fn read_mapped(
    device: &wgpu::Device,
    buffer: &wgpu::Buffer,
    into: &mut [u8],
) -> Result<(), GpuError> {
    let failed = |reason: String| GpuError::Device { adapter: device.adapter_info().name, reason };
    let slice = buffer.slice(..into.len() as u64);
    let (sender, receiver) = std::sync::mpsc::channel();
    slice.map_async(wgpu::MapMode::Read, move |result| {
        // The receiver outlives the wait below; a lost message is reported there.
        let _ = sender.send(result);
    });
    poll(device, None)?;
    receiver
        .recv()
        .map_err(|_| failed("a buffer mapping was never answered".to_owned()))?
        .map_err(|error| failed(format!("mapping a buffer: {error}")))?;
    let view = slice.get_mapped_range().map_err(|error| failed(format!("mapping: {error}")))?;
    into.copy_from_slice(&view);
    drop(view);
    buffer.unmap();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_spans() {
        let decode = |begin, end, period_ns| decode_one([begin, end], period_ns);
        assert_eq!(decode(1_000, 3_000, 0.5), Ok(2_000.0 * 0.5 / 1e9));
        assert_eq!(decode(0, 0, 1.0), Err(BadSpan::Unwritten));
        assert_eq!(decode(7, 7, 1.0), Err(BadSpan::Zero));
        assert_eq!(decode(3_000_000_000_000, 2_000, 1.0), Err(BadSpan::Negative));
        assert_eq!(decode(1_000, 990, 1.0), Err(BadSpan::Negative));
    }

    #[test]
    fn a_counter_that_wraps_is_told_from_one_that_runs_backwards() {
        let top = 1u64 << 36;
        assert_eq!(decode_one([top - 40, 60], 10.0), Err(BadSpan::Wrapped));
        assert_eq!(decode_one([u64::MAX - 40, 59], 1.0), Err(BadSpan::Wrapped));
        assert_eq!(decode_one([60, top - 40], 10.0), Ok((top - 100) as f64 * 10.0 / 1e9));
    }

    #[test]
    fn spans_with_the_same_stamps_are_none_of_them_believed() {
        let spans = decode(&[[5, 9], [10, 14], [5, 9], [0, 0], [0, 0]], 1e9);
        assert_eq!(spans[1], Ok(4.0));
        assert_eq!([spans[0], spans[2]], [Err(BadSpan::Duplicated); 2]);
        assert_eq!([spans[3], spans[4]], [Err(BadSpan::Unwritten); 2]);
    }
}
