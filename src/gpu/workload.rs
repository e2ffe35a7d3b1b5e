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
    /// A uniform block of words.
    Uniform(Vec<u32>),
    /// Read-only or initial data. Workloads that share the allocation share the device buffer.
    Data(Arc<[u32]>),
    /// This many zeroed words; zeroed again before outputs are checked.
    Zeroed(usize),
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
    /// What this dispatch asks of a lockstep machine with the given subgroup width: the fake executor's
    /// only source of time, counted lane by lane and not taken from a law.
    pub(crate) demand: Arc<dyn Fn(u32) -> Demand + Send + Sync>,
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

/// Work counted for the fake executor, summed over a dispatch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Demand {
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
    /// Atomic operations on one address.
    pub atomics: f64,
    /// Bytes read.
    pub bytes: f64,
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
}

/// The answer a workload must give.
#[derive(Clone)]
pub struct Check {
    /// Index into [`Workload::buffers`].
    pub(crate) buffer: usize,
    /// The CPU twin: the buffer's words, repeated cyclically to the buffer's length.
    pub(crate) expected: Arc<dyn Fn() -> Vec<u32> + Send + Sync>,
}

/// Everything the executor needs to run, check and time one case.
#[derive(Clone)]
pub struct Workload {
    /// For messages.
    pub(crate) label: String,
    /// Dispatched in order.
    pub(crate) dispatches: Vec<Dispatch>,
    /// Buffers that the dispatches bind.
    pub(crate) buffers: Vec<Contents>,
    /// How it is batched and timed.
    pub(crate) timing: Timing,
    /// Its answer.
    pub(crate) check: Check,
}

impl Workload {
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

    /// The same work under another timing.
    #[must_use]
    pub fn timed(self, timing: Timing) -> Self {
        Self { timing, ..self }
    }

    /// One pass in which the dispatch list runs `repeats` times.
    #[must_use]
    pub fn train(self, repeats: u32) -> Self {
        self.timed(Timing::Pass { repeats })
    }

    /// Words in the buffer that the answer is read from.
    #[must_use]
    pub fn checked_words(&self) -> usize {
        match &self.buffers[self.check.buffer] {
            Contents::Uniform(words) => words.len(),
            Contents::Data(words) => words.len(),
            Contents::Zeroed(words) => *words,
        }
    }
}
