//! What is run: dispatches over buffers, how they are batched, and the answer they must give.
//!
//! Fields can be read from anywhere but set by this crate alone: shaders run without bounds checks, so
//! what binds which buffer to which shader is for `kernels` to say.

use std::fmt;
use std::sync::Arc;

/// A WGSL module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Shader {
    /// Unique name: the file's stem, and a variant where the source is a template.
    pub(crate) name: String,
    /// WGSL source.
    pub(crate) source: String,
    /// Whether the module uses subgroup builtins.
    pub(crate) needs_subgroups: bool,
    /// Whether it calculates with integers of 64 bits.
    pub(crate) needs_u64: bool,
}

impl Shader {
    /// Its unique name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its WGSL.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it uses subgroup builtins.
    #[must_use]
    pub fn needs_subgroups(&self) -> bool {
        self.needs_subgroups
    }
}

/// What a buffer holds when the workload is loaded.
#[derive(Debug, Clone)]
pub enum Contents {
    /// A uniform block of words with the names of the members that they are, in their order.
    Uniform(Vec<(&'static str, u32)>),
    /// Read-only or initial data. Workloads that share the allocation share the device buffer.
    Data(Arc<[u32]>),
    /// This many zeroed words; zeroed again before outputs are checked.
    Zeroed(usize),
    /// A place and this many words that hold whatever was left there: all workloads share one device buffer for
    /// each place, as large as the largest asks, and prepare it before their outputs are checked.
    Scratch(usize, usize),
}

impl Contents {
    /// How many words.
    #[must_use]
    pub fn words(&self) -> usize {
        match self {
            Self::Uniform(words) => words.len(),
            Self::Data(words) => words.len(),
            Self::Zeroed(words) | Self::Scratch(_, words) => *words,
        }
    }
}

/// One dispatch.
#[derive(Clone)]
pub struct Dispatch {
    /// The module.
    pub(crate) shader: Arc<Shader>,
    /// Its entry point.
    pub(crate) entry: &'static str,
    /// Pipeline-overridable constants by name.
    pub(crate) constants: Vec<(&'static str, u32)>,
    /// For each global of the shader that the entry point may use, an index into [`Workload::buffers`].
    pub(crate) bindings: Vec<(&'static str, usize)>,
    /// Workgroups in x and y.
    pub(crate) workgroups: [u32; 2],
    /// What this dispatch asks of a lockstep machine with the given subgroup width, counted lane by lane and not taken
    /// from a law: all that the simulated device knows of time, and what sizing bounds untried dispatches by, on hardware
    /// too.
    pub(crate) cost_model: Arc<dyn Fn(u32) -> CostModel + Send + Sync>,
}

impl Dispatch {
    /// Workgroups in x and y.
    #[must_use]
    pub fn workgroups(&self) -> [u32; 2] {
        self.workgroups
    }
}

impl fmt::Debug for Dispatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{} {:?}", self.shader.name, self.entry, self.workgroups)
    }
}

/// Work counted for who must know before it is run, summed over a dispatch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CostModel {
    /// Workgroups launched.
    pub workgroups: f64,
    /// Subgroups launched.
    pub subgroups: f64,
    /// Instructions issued, summed over subgroups.
    pub issues: f64,
    /// Instructions of the longest dependent chain in a subgroup, summed over subgroups that follow one
    /// another; zero where enough goes side by side to hide all latency.
    pub dependent: f64,
    /// Barrier steps, summed over workgroups.
    pub barriers: f64,
    /// Atomic operations on the busiest address.
    pub atomics: f64,
    /// Atomic operations on all addresses together.
    pub atomics_anywhere: f64,
    /// Bytes read.
    pub bytes: f64,
    /// Bytes that each workgroup streams, where all do so at once and none slows another down.
    pub streamed: f64,
    /// Loads of a subgroup, summed over subgroups.
    pub loads: f64,
    /// Loads of the longest chain in which each waits for the one before, however many chains go side by
    /// side.
    pub load_chain: f64,
}

/// How the dispatches are batched and which clock brackets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// One pass that runs the dispatch list `repeats` times, bracketed by timestamps (or by the host
    /// clock where there are none).
    Pass {
        /// Times the dispatch list runs.
        repeats: u32,
    },
    /// The host clock around everything: encoding, submission and the final wait.
    Host {
        /// Times the dispatch list runs in a pass.
        dispatches: u32,
        /// Passes in a submission.
        passes: u32,
        /// Submissions before a wait.
        submits: u32,
        /// Waits.
        waits: u32,
    },
    /// The host clock around `maps` readbacks of `words` words each: copy, map, read, unmap.
    Readback {
        /// Readbacks.
        maps: u32,
        /// Words in each.
        words: u32,
    },
    /// The host clock around a stream of batches; the workload must have a [`UploadSource`].
    Stream(Stream),
}

/// How words get from the host into a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadPath {
    /// `Queue::write_buffer`, which finds its own staging memory.
    WriteBuffer,
    /// Staging buffers that stay mapped while the device does not read them.
    MappedStaging,
}

/// What of an upload is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload {
    /// All of it.
    Whole,
    /// The device's part alone: it copies what staging holds already.
    Copy,
    /// Nothing.
    Nothing,
}

/// A stream of batches, of which each is uploaded, computed on and waited for; the host's clock around all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// How batches get to the device.
    pub path: UploadPath,
    /// What of an upload is done.
    pub upload: Upload,
    /// How often the batch's dispatch is run.
    pub computes: u32,
    /// Batches.
    pub batches: u32,
}

/// What a stream uploads, and where to. Batch b goes to target b modulo their number, and so does its
/// dispatch; it is waited for before that target is used again.
#[derive(Debug, Clone)]
pub struct UploadSource {
    /// Batch b is as many of these as its target holds, from the b-th on.
    pub(crate) words: Arc<[u32]>,
    /// Indices into [`Workload::buffers`], one for each batch that may be under way at once.
    pub(crate) targets: Vec<usize>,
}

/// The answer a workload must give.
#[derive(Clone)]
pub struct Check {
    /// Indices into [`Workload::buffers`]: their words one after another are the output.
    pub(crate) buffers: Vec<usize>,
    /// The CPU twin: the output's words, repeated cyclically to the output's length.
    pub(crate) expected: Arc<dyn Fn() -> Vec<u32> + Send + Sync>,
}

/// Everything the executor needs to run, check and time one case.
#[derive(Clone)]
pub struct Workload {
    /// For messages.
    pub(crate) label: String,
    /// Dispatched once before outputs are checked, and never timed.
    pub(crate) prepare: Vec<Dispatch>,
    /// Dispatched in order.
    pub(crate) dispatches: Vec<Dispatch>,
    /// Buffers that the dispatches bind.
    pub(crate) buffers: Vec<Contents>,
    /// How it is batched and timed.
    pub(crate) timing: Timing,
    /// Its answer.
    pub(crate) check: Check,
    /// What is uploaded, if it is a stream.
    pub(crate) upload_source: Option<UploadSource>,
}

impl Workload {
    /// One pass of `dispatches`.
    pub(crate) fn new(
        label: impl Into<String>,
        dispatches: Vec<Dispatch>,
        buffers: Vec<Contents>,
        check: Check,
    ) -> Self {
        Self {
            label: label.into(),
            prepare: Vec::new(),
            dispatches,
            buffers,
            timing: Timing::Pass { repeats: 1 },
            check,
            upload_source: None,
        }
    }

    /// What it is, for messages.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its dispatches in order.
    #[must_use]
    pub fn dispatches(&self) -> &[Dispatch] {
        &self.dispatches
    }

    /// The buffers that its dispatches bind.
    #[must_use]
    pub fn buffers(&self) -> &[Contents] {
        &self.buffers
    }

    /// Its CPU twin's answer, to be repeated cyclically to the length of its output.
    #[must_use]
    pub fn expected(&self) -> Vec<u32> {
        (self.check.expected)()
    }

    /// Whether a dispatch uses subgroup builtins.
    #[must_use]
    pub fn needs_subgroups(&self) -> bool {
        self.dispatches.iter().any(|dispatch| dispatch.shader.needs_subgroups)
    }

    /// Whether a dispatch calculates with integers of 64 bits.
    #[must_use]
    pub fn needs_u64(&self) -> bool {
        self.dispatches.iter().any(|dispatch| dispatch.shader.needs_u64)
    }

    /// The same work under another timing.
    #[must_use]
    pub fn timed(self, timing: Timing) -> Self {
        Self { timing, ..self }
    }

    /// One pass in which the dispatch list runs `repeats` times.
    #[must_use]
    pub fn repeated(self, repeats: u32) -> Self {
        self.timed(Timing::Pass { repeats })
    }

    /// Words in the output, all of its buffers together.
    #[must_use]
    pub fn checked_words(&self) -> usize {
        self.check.buffers.iter().map(|&buffer| self.buffers[buffer].words()).sum()
    }
}
