//! Kernel of `overlap`: streams of batches that are uploaded, computed on, or both.

use std::sync::{Arc, LazyLock};

use crate::gpu::{
    Check, Contents, CostModel, DeviceShape, Dispatch, Invariant, Property, Shader, Stream, Timing,
    Upload, UploadPath, UploadSource, Workload,
};
use crate::kernels::chain::step;
use crate::kernels::{module, random_words};

const INVARIANTS: &[Invariant] = &[
    Invariant::new(
        &["work"],
        Property::Loops(2),
        "without the inner loop, the work of a record is not the iterations that the law counts",
    ),
    Invariant::new(
        &["work"],
        Property::ComputesAtLeast(3),
        "an iteration that is dropped or hoisted costs nothing",
    ),
];

/// Returns the WGSL module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> = LazyLock::new(|| {
        module("overlap", include_str!("../../../shaders/overlap.wgsl"), &[], INVARIANTS)
    });
    Arc::clone(&SHADER)
}

/// Invocations per workgroup.
pub const WORKGROUP_SIZE: u32 = 256;
/// Batches per stream.
pub const BATCHES: u32 = 8;
/// Words per record, as in the shader. The shader computes on the first word of each record.
pub const STRIDE: usize = 256;
/// Period of the uploaded data, in words. The period is too long for compression of memory or traffic, and
/// short enough for a fast CPU reference.
const PERIOD: usize = 1 << 14;

/// Contents of the batches of all streams.
#[derive(Debug, Clone)]
pub struct Source {
    words: Arc<[u32]>,
    batch_words: u32,
}

impl Source {
    /// Generates seeded random data for batches of `batch_words` words.
    #[must_use]
    pub fn random(seed: u64, batch_words: u32) -> Self {
        let period = random_words(seed, PERIOD);
        // Batch b starts at word b, so that all batches differ and share one allocation.
        let words = batch_words as usize + BATCHES as usize;
        Self { words: period.iter().copied().cycle().take(words).collect(), batch_words }
    }
}

/// A stream of batches with the work on each batch.
#[derive(Debug, Clone)]
pub struct Batches {
    /// Contents of the batches.
    pub source: Source,
    /// Upload path of the [`BATCHES`] batches.
    pub path: UploadPath,
    /// Part of an upload that the stream performs.
    pub upload: Upload,
    /// Dispatches per batch.
    pub works: u32,
    /// Loop iterations per record.
    pub iterations: u32,
    /// Largest number of batches in flight.
    pub depth: u32,
    /// Workgroups per dispatch.
    pub workgroups: u32,
}

impl Batches {
    /// Returns the workload, timed by the host clock. There is one slot of buffers per batch in flight. The
    /// output is the final content of the slots: the results of the dispatches, or the uploaded words if
    /// `works` is zero.
    #[must_use]
    pub fn workload(self) -> Workload {
        let Self { path, upload, works, depth, iterations, workgroups, .. } = self;
        let words = self.source.batch_words;
        let mut buffers =
            vec![Contents::Uniform(vec![("words", words), ("iterations", iterations)])];
        let mut dispatches = Vec::new();
        let (mut targets, mut outputs) = (Vec::new(), Vec::new());
        for _ in 0..depth {
            targets.push(buffers.len());
            buffers.push(Contents::Zeroed(words as usize));
            outputs.push(buffers.len());
            buffers.push(Contents::Zeroed((workgroups * WORKGROUP_SIZE) as usize));
            dispatches.push(compute(buffers.len() - 2, [words, iterations, workgroups]));
        }
        let checked = if works > 0 { outputs } else { targets.clone() };
        let upload_source = UploadSource { words: Arc::clone(&self.source.words), targets };
        let label =
            format!("stream, {path:?}, {upload:?}, computed on {works} times, {depth} deep");
        let check = Check { buffers: checked, expected: Arc::new(move || self.reference()) };
        let stream = Stream { path, upload, computes: works, batches: BATCHES };
        Workload {
            upload_source: Some(upload_source),
            ..Workload::new(label, dispatches, buffers, check)
        }
        .timed(Timing::Stream(stream))
    }

    fn reference(&self) -> Vec<u32> {
        let words = self.source.batch_words as usize;
        let invocations = (self.workgroups * WORKGROUP_SIZE) as usize;
        let slot = |slot: u32| -> Vec<u32> {
            let last = match self.upload {
                Upload::Whole => Some((BATCHES - 1 - slot) / self.depth * self.depth + slot),
                // Staging of a slot is created with the batch of the same number.
                Upload::Copy => Some(slot),
                Upload::Nothing => None,
            };
            let last = last.map(|last| last as usize);
            if self.works == 0 {
                let batch = last.map(|last| self.source.words[last..last + words].to_vec());
                return batch.unwrap_or_else(|| vec![0; words]);
            }
            // Records repeat with the period of the data, so each distinct record is computed on once.
            let record = |i: usize| last.map_or(0, |last| self.source.words[last + i * STRIDE]);
            let records = (words / STRIDE).min(PERIOD / STRIDE);
            let results: Vec<u32> =
                (0..records).map(|i| steps(record(i), self.iterations)).collect();
            let fold = |folded: u32, i| folded.wrapping_mul(31).wrapping_add(results[i % records]);
            (0..invocations)
                .map(|first| (first..words / STRIDE).step_by(invocations).fold(0, fold))
                .collect()
        };
        (0..self.depth).flat_map(slot).collect()
    }
}

/// Returns `word` after `iterations` steps of the chain.
fn steps(word: u32, iterations: u32) -> u32 {
    (0..iterations).fold(word, |x, _| step(x))
}

/// Builds the dispatch that computes on buffer `batch` and writes its results to the buffer after `batch`.
fn compute(batch: usize, [words, iterations, workgroups]: [u32; 3]) -> Dispatch {
    Dispatch {
        shader: shader(),
        entry: "work",
        constants: vec![("WORKGROUP_SIZE", WORKGROUP_SIZE)],
        bindings: vec![("params", 0), ("batch", batch), ("output", batch + 1)],
        workgroups: [workgroups, 1],
        cost_model: Arc::new(move |shape| CostModel {
            workgroups: f64::from(workgroups),
            subgroups: f64::from(workgroups * WORKGROUP_SIZE.div_ceil(shape.width)),
            issues: issues([words / STRIDE as u32, iterations, workgroups], shape),
            ..CostModel::default()
        }),
    }
}

/// Returns the issue slots of all subgroups.
fn issues([records, iterations, workgroups]: [u32; 3], shape: DeviceShape) -> f64 {
    const SETUP_ISSUES: u32 = 6;
    const RECORD_ISSUES: u32 = 10;
    const ITERATION_ISSUES: u32 = 7;
    let invocations = workgroups * WORKGROUP_SIZE;
    // A device that does not skip inactive lanes issues for all lanes of a subgroup.
    let together = if shape.skips_inactive { shape.issue_width } else { shape.width };
    let rounds: u32 = (0..invocations)
        .step_by(together as usize)
        .map(|first| records.saturating_sub(first).div_ceil(invocations))
        .sum();
    let rounds = rounds * together / shape.issue_width;
    let slots = workgroups * shape.issue_slots(WORKGROUP_SIZE);
    f64::from(slots * SETUP_ISSUES)
        + f64::from(rounds) * f64::from(RECORD_ISSUES + iterations * ITERATION_ISSUES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(upload: Upload, works: u32, depth: u32) -> Batches {
        let source = Source::random(1, 512 * STRIDE as u32);
        let path = UploadPath::MappedStaging;
        Batches { source, path, upload, works, iterations: 2, depth, workgroups: 1 }
    }

    #[test]
    fn the_output_is_the_last_batch_of_each_slot() {
        let three = batches(Upload::Whole, 0, 3);
        let words = &three.source.words;
        // The last of eight batches in slots 0, 1 and 2 are 6, 7 and 5.
        let output = three.reference();
        let all = 512 * STRIDE;
        assert_eq!([output[0], output[all], output[2 * all]], [words[6], words[7], words[5]]);
        assert_eq!(batches(Upload::Copy, 0, 2).reference()[all], words[1]);
        assert!(batches(Upload::Nothing, 0, 2).reference().iter().all(|&word| word == 0));
    }

    #[test]
    fn an_invocation_folds_one_record_per_grid_stride() {
        let one = batches(Upload::Whole, 1, 1);
        let words = &one.source.words;
        let word = |i: usize| steps(words[7 + i * STRIDE], 2);
        let [first, second] = [word(3), word(3 + 256)];
        assert_eq!(one.reference()[3], first.wrapping_mul(31).wrapping_add(second));
    }
}
