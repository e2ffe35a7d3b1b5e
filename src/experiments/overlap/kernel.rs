//! `overlap`: batches that are uploaded, worked on, or both.

use std::sync::{Arc, LazyLock};

use crate::gpu::{
    Check, Contents, CostModel, Dispatch, Shader, Stream, Timing, Upload, UploadPath, UploadSource,
    Workload,
};
use crate::kernels::chain::step;
use crate::kernels::{module, random_words};

/// The module.
#[must_use]
pub fn shader() -> Arc<Shader> {
    static SHADER: LazyLock<Arc<Shader>> =
        LazyLock::new(|| module("overlap", include_str!("../../../shaders/overlap.wgsl"), false));
    Arc::clone(&SHADER)
}

/// Lanes in a workgroup.
pub const WORKGROUP_SIZE: u32 = 256;
/// Batches of a stream.
pub const BATCHES: u32 = 8;
/// Words of a record, of which one is worked on, as in the shader.
pub const STRIDE: usize = 256;
/// Words after which what is uploaded repeats: too many for what compresses memory or traffic, and few
/// enough that what comes of each is known at once.
const PERIOD: usize = 1 << 14;
/// Issued for each step of each word.
const STEP_ISSUES: f64 = 4.0;

/// What the batches of all streams hold.
#[derive(Debug, Clone)]
pub struct Source {
    words: Arc<[u32]>,
    batch_words: u32,
}

impl Source {
    /// Random words for batches of so many.
    #[must_use]
    pub fn random(seed: u64, batch_words: u32) -> Self {
        let period = random_words(seed, PERIOD);
        // Batch b begins with the b-th word, so that no two are alike and all share their memory.
        let words = batch_words as usize + BATCHES as usize;
        Self { words: period.iter().copied().cycle().take(words).collect(), batch_words }
    }
}

/// A stream and what is done with its batches.
#[derive(Debug, Clone)]
pub struct Batches {
    /// What is uploaded.
    pub source: Source,
    /// By which path; the number of batches is [`BATCHES`].
    pub path: UploadPath,
    /// What of an upload is done.
    pub upload: Upload,
    /// How often each batch is worked on.
    pub works: u32,
    /// Steps for each word.
    pub iterations: u32,
    /// Batches that may be under way at once.
    pub depth: u32,
    /// Workgroups of a dispatch.
    pub workgroups: u32,
}

impl Batches {
    /// The workload, timed by the host. Its output is what is left of the last batches, those that are
    /// uploaded and, if they are worked on, what comes of them.
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
            dispatches.push(work(buffers.len() - 2, [words, iterations, workgroups]));
        }
        let checked = if works > 0 { outputs } else { targets.clone() };
        let upload_source = UploadSource { words: Arc::clone(&self.source.words), targets };
        let label = format!("stream, {path:?}, {upload:?}, worked on {works} times, {depth} deep");
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
        let lanes = (self.workgroups * WORKGROUP_SIZE) as usize;
        let slot = |slot: u32| -> Vec<u32> {
            let last = match self.upload {
                Upload::Whole => Some((BATCHES - 1 - slot) / self.depth * self.depth + slot),
                Upload::Copy => Some(slot),
                Upload::Nothing => None,
            };
            let last = last.map(|last| last as usize);
            if self.works == 0 {
                let batch = last.map(|last| self.source.words[last..last + words].to_vec());
                return batch.unwrap_or_else(|| vec![0; words]);
            }
            // Records repeat with what is uploaded, and each is worked on once.
            let record = |i: usize| last.map_or(0, |last| self.source.words[last + i * STRIDE]);
            let records = (words / STRIDE).min(PERIOD / STRIDE);
            let worked: Vec<u32> =
                (0..records).map(|i| steps(record(i), self.iterations)).collect();
            let fold = |folded: u32, i| folded.wrapping_mul(31).wrapping_add(worked[i % records]);
            (0..lanes).map(|lane| (lane..words / STRIDE).step_by(lanes).fold(0, fold)).collect()
        };
        (0..self.depth).flat_map(slot).collect()
    }
}

/// What comes of a word.
fn steps(word: u32, iterations: u32) -> u32 {
    (0..iterations).fold(word, |x, _| step(x))
}

fn work(batch: usize, [words, iterations, workgroups]: [u32; 3]) -> Dispatch {
    Dispatch {
        shader: shader(),
        entry: "work",
        constants: vec![("WORKGROUP_SIZE", WORKGROUP_SIZE)],
        bindings: vec![("params", 0), ("batch", batch), ("output", batch + 1)],
        workgroups: [workgroups, 1],
        cost_model: Arc::new(move |width| CostModel {
            workgroups: f64::from(workgroups),
            subgroups: f64::from(workgroups * WORKGROUP_SIZE.div_ceil(width)),
            issues: f64::from(words / STRIDE as u32) / f64::from(width)
                * f64::from(iterations)
                * STEP_ISSUES,
            ..CostModel::default()
        }),
    }
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
    fn what_is_left_is_the_last_batch_of_each_slot() {
        let three = batches(Upload::Whole, 0, 3);
        let words = &three.source.words;
        // Of eight batches in three slots the last are 6, 7 and 5.
        let left = three.reference();
        let all = 512 * STRIDE;
        assert_eq!([left[0], left[all], left[2 * all]], [words[6], words[7], words[5]]);
        assert_eq!(batches(Upload::Copy, 0, 2).reference()[all], words[1]);
        assert!(batches(Upload::Nothing, 0, 2).reference().iter().all(|&word| word == 0));
    }

    #[test]
    fn a_lane_folds_every_so_many_th_word() {
        let one = batches(Upload::Whole, 1, 1);
        let words = &one.source.words;
        let word = |i: usize| steps(words[7 + i * STRIDE], 2);
        let [first, second] = [word(3), word(3 + 256)];
        assert_eq!(one.reference()[3], first.wrapping_mul(31).wrapping_add(second));
    }
}
