//! Timestamps: two to a span, resolved in bulk, trusted not at all.

use super::GpuError;

/// A span in seconds, or why there is none.
pub type Span = Result<f64, BadSpan>;

/// Why two timestamps do not make a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSpan {
    /// Both stamps zero: the query was resolved too soon, or never written.
    #[error("stamps are zero")]
    Unwritten,
    /// The stamps are equal.
    #[error("span is zero")]
    Zero,
    /// The end lies before the beginning and no counter width explains it as a wrap.
    #[error("span is negative")]
    Negative,
}

/// Widths, in bits, of the counters that drivers expose; Intel's 36 bits wrap every hour or so.
const COUNTER_BITS: [u32; 6] = [32, 36, 40, 48, 56, 64];

/// No span is longer than this; a wrapped difference beyond it is no wrap but a fault.
const LONGEST_SPAN_S: f64 = 2.0;

/// Seconds from `begin` to `end`, both in ticks of `period_ns` nanoseconds.
///
/// A wrapped counter is recognised by the smallest usual counter width that holds both stamps.
///
/// # Errors
/// [`BadSpan`] when the stamps cannot be a span.
pub(super) fn decode(begin: u64, end: u64, period_ns: f64) -> Span {
    let seconds = |ticks: u64| ticks as f64 * period_ns * 1e-9;
    if begin == 0 && end == 0 {
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
    wrapped.filter(|&s| s <= LONGEST_SPAN_S).ok_or(BadSpan::Negative)
}

/// Timestamp queries for up to `capacity` spans, with the buffers that bring them back.
///
/// Spans are resolved in a submission of their own, after the work has completed: resolved sooner, some
/// drivers return zeros.
pub(super) struct QueryTimer {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readback: wgpu::Buffer,
    period_ns: f64,
    capacity: usize,
}

/// wgpu's largest query set holds 4096 stamps.
pub(super) const MOST_SPANS: usize = 2048;

impl QueryTimer {
    pub(super) fn new(device: &wgpu::Device, period_ns: f64, capacity: usize) -> Self {
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

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// What brackets the pass of span `index`. Its two stamps are adjacent, as wgpu resets the range.
    pub(super) fn writes(&self, index: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(2 * index as u32),
            end_of_pass_write_index: Some(2 * index as u32 + 1),
        }
    }

    /// The first `count` spans, for passes that have completed.
    pub(super) fn spans(
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
        let mut stamps = vec![0u64; 2 * count];
        read_mapped(device, &self.readback, bytemuck::cast_slice_mut(&mut stamps))?;
        Ok(stamps.chunks_exact(2).map(|s| decode(s[0], s[1], self.period_ns)).collect())
    }
}

/// Waits for the queue, maps `buffer` and copies its first bytes into `into`.
pub(super) fn read_mapped(
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
    device
        .poll(wgpu::PollType::wait_indefinitely())
        .map_err(|error| failed(format!("waiting for it: {error}")))?;
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
        assert_eq!(decode(1_000, 3_000, 0.5), Ok(2_000.0 * 0.5 * 1e-9));
        assert_eq!(decode(0, 0, 1.0), Err(BadSpan::Unwritten));
        assert_eq!(decode(7, 7, 1.0), Err(BadSpan::Zero));
        assert_eq!(decode(3_000_000_000_000, 2_000, 1.0), Err(BadSpan::Negative));
        assert_eq!(decode(1_000, 990, 1.0), Err(BadSpan::Negative));
    }

    #[test]
    fn a_36_bit_counter_may_wrap() {
        let top = 1u64 << 36;
        assert_eq!(decode(top - 40, 60, 10.0), Ok(100.0 * 10.0 * 1e-9));
        assert_eq!(decode(u64::MAX - 40, 59, 1.0), Ok(100.0 * 1e-9));
    }
}
