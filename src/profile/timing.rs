//! Times of several versions of a dispatch, in turn.

use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::device::{Buffers, Gpu, Program};
use super::error::ProfileError;
use crate::gpu::timer::{QueryTimer, poll};
use crate::gpu::{catching, one_line};
use crate::model::{ClockKind, Median};
use crate::stats::{median, median_interval};

/// A version of a dispatch.
pub(super) struct Version<'a> {
    pub(super) program: &'a Program,
    pub(super) buffers: Vec<&'a Buffers>,
}

/// Rounds: at least so many, and at most.
const ROUNDS: [u32; 2] = [3, 40];
/// Time after which no further round begins.
const ENOUGH: Duration = Duration::from_millis(1500);

/// Samples of versions, in seconds.
pub(super) struct Samples {
    /// The samples of each version, by round.
    pub(super) of: Vec<Vec<f64>>,
    pub(super) rounds: u32,
    pub(super) clock: ClockKind,
}

impl Samples {
    /// Returns the median time of a version.
    pub(super) fn of(&self, version: usize) -> Option<Median> {
        of(&self.of[version])
    }

    /// Returns the median of the ratio of two versions in the same round.
    pub(super) fn ratio(&self, version: usize, over: usize) -> Option<Median> {
        let pairs = self.of[version].iter().zip(&self.of[over]);
        of(&pairs.map(|(a, b)| a / b).collect::<Vec<_>>())
    }
}

fn of(values: &[f64]) -> Option<Median> {
    Some(Median { value: median(values)?, interval: median_interval(values) })
}

/// Times `versions` in rounds, each in another order of `seed`, after a round that does not count. All buffers that a dispatch may
/// write get their contents before each run. There are no samples if the device's clock gives no times.
///
/// # Errors
/// Returns an error if the device fails.
pub(super) fn time(
    gpu: Gpu<'_>,
    workgroups: [u32; 3],
    versions: &[Version<'_>],
    seed: u64,
) -> Result<Samples, ProfileError> {
    let failed = |error: &dyn std::fmt::Display| ProfileError::Device(one_line(&error.to_string()));
    let has_timestamps = gpu.device.features().contains(wgpu::Features::TIMESTAMP_QUERY);
    let period_ns = f64::from(gpu.queue.get_timestamp_period());
    let timer = has_timestamps.then(|| QueryTimer::new(gpu.device, period_ns, versions.len()));
    let mut samples = vec![Vec::new(); versions.len()];
    let began = Instant::now();
    let (mut rounds, mut lost) = (0, 0);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..versions.len()).collect();
    let mut is_warm = false;
    while lost < ROUNDS[1]
        && (rounds < ROUNDS[0] || (rounds < ROUNDS[1] && began.elapsed() < ENOUGH))
    {
        let mut by_host = vec![0.0; versions.len()];
        order.shuffle(&mut rng);
        for &slot in &order {
            let version = &versions[slot];
            let run = |_: &wgpu::Device| {
                let mut encoder = gpu.encoder();
                version.buffers.iter().for_each(|buffers| buffers.reset(&mut encoder));
                if timer.is_none() {
                    // The host clock must not count the copies.
                    gpu.queue.submit([encoder.finish()]);
                    poll(gpu.device, None)?;
                    encoder = gpu.encoder();
                }
                let writes = timer.as_ref().map(|timer| timer.writes(slot));
                let began = Instant::now();
                version.program.encode(&mut encoder, workgroups, writes);
                gpu.queue.submit([encoder.finish()]);
                poll(gpu.device, None)?;
                Ok(began.elapsed().as_secs_f64())
            };
            let taken = catching(gpu.device, run).map_err(ProfileError::Device)?;
            by_host[slot] = taken.map_err(|error: crate::gpu::GpuError| failed(&error))?;
        }
        let spans: Option<Vec<f64>> = match &timer {
            None => Some(by_host),
            Some(timer) => {
                let spans = timer.spans(gpu.device, gpu.queue, versions.len());
                spans.map_err(|error| failed(&error))?.into_iter().map(Result::ok).collect()
            }
        };
        match spans {
            // The first round warms up.
            Some(_) if !is_warm => is_warm = true,
            Some(spans) => {
                samples.iter_mut().zip(spans).for_each(|(of, s)| of.push(s));
                rounds += 1;
            }
            None => lost += 1,
        }
    }
    let clock = if has_timestamps { ClockKind::TimestampQuery } else { ClockKind::Host };
    Ok(Samples { of: samples, rounds, clock })
}
