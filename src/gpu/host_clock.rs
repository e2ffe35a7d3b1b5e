//! Samples timed by the host clock, for work that timestamps cannot bracket and for devices without
//! timestamps.

use std::collections::VecDeque;
use std::time::Instant;

use super::hardware::{Hardware, encode_pass, encode_warm_up};
use super::timer::read_mapped;
use super::wake_up::wake_ups_s;
use super::{GpuError, Span, Stream, Timing, Upload};

impl Hardware {
    /// Times workload `index` by the host clock, from the start of encoding to the end of the last wait.
    pub(super) fn host_span(&mut self, index: usize) -> Result<Span, GpuError> {
        let loaded = self.workload(index)?;
        let timing = loaded.timing;
        if !loaded.warm_up.is_empty() {
            let mut encoder = self.encoder();
            encode_warm_up(&mut encoder, loaded);
            self.queue.submit([encoder.finish()]);
            self.wait()?;
        }
        let start = Instant::now();
        match timing {
            Timing::Pass { repeats } => self.batches(index, [repeats, 1, 1, 1])?,
            Timing::Host { dispatches, passes, submits, waits } => {
                self.batches(index, [dispatches, passes, submits, waits])?;
            }
            Timing::Readback { maps, .. } => self.readbacks(index, maps)?,
            Timing::Stream(stream) => self.stream(index, stream)?,
            Timing::WakeUps { count } => {
                let woken = wake_ups_s(count);
                return woken
                    .map(Ok)
                    .map_err(|error| self.failed(format!("a thread of the host: {error}")));
            }
            Timing::Exchange { .. } => return Err(self.failed("an exchange needs several ranks")),
        }
        Ok(Ok(start.elapsed().as_secs_f64()))
    }

    fn batches(
        &self,
        index: usize,
        [dispatches, passes, submits, waits]: [u32; 4],
    ) -> Result<(), GpuError> {
        let loaded = self.workload(index)?;
        for _ in 0..waits {
            for _ in 0..submits {
                let mut encoder = self.encoder();
                for _ in 0..passes {
                    encode_pass(&mut encoder, None, &loaded.steps, dispatches);
                }
                self.queue.submit([encoder.finish()]);
            }
            self.wait()?;
        }
        Ok(())
    }

    fn readbacks(&mut self, index: usize, maps: u32) -> Result<(), GpuError> {
        // `take` ends the borrow of `self.loaded`, so that the host memory can be written below.
        let readback = self.loaded[index].as_mut().and_then(|loaded| loaded.readback.take());
        let (staging, mut host) = readback
            .ok_or_else(|| self.failed(format!("workload {index} has no readback buffer")))?;
        for _ in 0..maps {
            let mut encoder = self.encoder();
            let (source, _) = &self.workload(index)?.checked[0];
            encoder.copy_buffer_to_buffer(source, 0, &staging, 0, host.len() as u64);
            self.queue.submit([encoder.finish()]);
            read_mapped(&self.device, &staging, &mut host)?;
        }
        if let Some(loaded) = &mut self.loaded[index] {
            loaded.readback = Some((staging, host));
        }
        Ok(())
    }

    /// Runs a stream. Each batch is uploaded and processed. The host waits for a batch before the stream uses
    /// its slot again.
    pub(super) fn stream(&self, index: usize, stream: Stream) -> Result<(), GpuError> {
        let loaded = self.workload(index)?;
        let uploads = loaded
            .uploads
            .as_ref()
            .ok_or_else(|| self.failed(format!("workload {index} has no upload source")))?;
        let depth = uploads.slots.len();
        let mut in_flight = VecDeque::with_capacity(depth);
        for batch in 0..stream.batches as usize {
            if in_flight.len() == depth {
                self.wait_for(in_flight.pop_front())?;
            }
            let (target, staging) = &uploads.slots[batch % depth];
            let mut encoder = self.encoder();
            match (stream.upload, staging) {
                (Upload::Nothing, _) => (),
                (Upload::Whole, None) => {
                    self.queue.write_buffer(target, 0, uploads.batch(batch));
                }
                (Upload::Copy, None) => {
                    return Err(self.failed("`Upload::Copy` needs `UploadPath::MappedStaging`"));
                }
                (upload, Some(staging)) => {
                    if upload == Upload::Whole {
                        self.fill(staging, uploads.batch(batch))?;
                    }
                    encoder.copy_buffer_to_buffer(staging, 0, target, 0, staging.size());
                }
            }
            if stream.computes > 0 {
                let slot = batch % depth;
                encode_pass(&mut encoder, None, &loaded.steps[slot..=slot], stream.computes);
            }
            in_flight.push_back(self.queue.submit([encoder.finish()]));
            if let (Upload::Whole, Some(staging)) = (stream.upload, staging) {
                // The wait for this batch completes the mapping. An error appears when `fill` asks for the
                // mapped range.
                staging.map_async(wgpu::MapMode::Write, .., |_| ());
            }
        }
        self.wait()
    }

    fn fill(&self, staging: &wgpu::Buffer, bytes: &[u8]) -> Result<(), GpuError> {
        let mut view = staging
            .get_mapped_range_mut(..)
            .map_err(|error| self.failed(format!("writing a mapped staging buffer: {error}")))?;
        view.copy_from_slice(bytes);
        drop(view);
        staging.unmap();
        Ok(())
    }
}
