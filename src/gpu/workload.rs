//! Workloads: dispatches, the buffers they bind, how they are batched and timed, and their expected output.
//!
//! Shaders of this crate run without bounds checks, so only its own kernels decide which of them binds which buffer.
//! A workload of another crate ([`Workload::checked`]) keeps the checks in all of its shaders.

use std::fmt;
use std::sync::Arc;

use super::{CostModel, DeviceShape, Exchange, Invariant, ShaderFeature};

/// A WGSL module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Shader {
    /// Unique name: the stem of the shader file, followed by a variant if the source is a template.
    pub(crate) name: String,
    /// WGSL source.
    pub(crate) source: String,
    /// Optional features of WGSL that the module uses.
    pub(crate) needs: Vec<ShaderFeature>,
    /// Whether the module keeps wgpu's bounds, division and loop checks on every device. Only shaders of this
    /// crate may run without them.
    pub(crate) checked: bool,
    /// What the machine code of its entry points must be like.
    pub(crate) invariants: Vec<Invariant>,
}

impl Shader {
    /// Creates a module of another crate from WGSL `source`. `name` must be unique among the modules of other
    /// crates in a run.
    ///
    /// The module keeps wgpu's bounds, division and loop checks on every device. Their cost is part of the
    /// measured times.
    #[must_use]
    pub fn new(name: impl Into<String>, source: impl Into<String>) -> Self {
        let source = source.into();
        Self {
            name: name.into(),
            needs: ShaderFeature::ALL
                .into_iter()
                .filter(|feature| source.contains(feature.word()))
                .collect(),
            source,
            checked: true,
            invariants: Vec::new(),
        }
    }

    /// Returns `shader` if it keeps the checks, else a copy that does.
    fn with_checks(shader: &Arc<Self>) -> Arc<Self> {
        if shader.checked {
            return Arc::clone(shader);
        }
        let Self { name, source, needs, invariants, .. } = &**shader;
        Arc::new(Self {
            name: name.clone(),
            source: source.clone(),
            needs: needs.clone(),
            checked: true,
            invariants: invariants.clone(),
        })
    }

    /// Returns the unique name of the module.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the WGSL source.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the optional features of WGSL that the module uses.
    #[must_use]
    pub fn needs(&self) -> &[ShaderFeature] {
        &self.needs
    }

    /// Returns what the machine code of the module's entry points must be like.
    #[must_use]
    pub fn invariants(&self) -> &[Invariant] {
        &self.invariants
    }
}

/// Initial contents of a buffer.
#[derive(Debug, Clone)]
pub enum Contents {
    /// A uniform block. Each entry is the name of a member and its 32-bit value, in the order of the members.
    Uniform(Vec<(&'static str, u32)>),
    /// Input data that no dispatch writes. Workloads that share the `Arc` share one device buffer.
    Data(Arc<[u32]>),
    /// Input data that no dispatch writes: the words, this many times. The host keeps them once.
    Repeated(Arc<[u32]>, u32),
    /// A buffer of this many words, all zero. It is cleared again before outputs are checked.
    Zeroed(usize),
    /// A shared scratch buffer, given by its index and the number of words that this workload needs.
    ///
    /// All loaded workloads share one device buffer per index, of the largest size that any of them needs.
    /// A workload cannot rely on its contents: its `prepare` dispatches fill it before outputs are checked.
    Scratch(usize, usize),
}

impl Contents {
    /// Returns the contents of the buffer before the first dispatch, as bytes. A scratch buffer counts as zero. A uniform
    /// block is a multiple of 16 bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let of = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
        match self {
            Self::Uniform(members) => {
                let mut words: Vec<u32> = members.iter().map(|&(_, word)| word).collect();
                words.resize(words.len().next_multiple_of(4), 0);
                of(&words)
            }
            Self::Data(words) => of(words),
            Self::Repeated(words, times) => of(words).repeat(*times as usize),
            Self::Zeroed(words) | Self::Scratch(_, words) => vec![0; 4 * words],
        }
    }

    /// Returns the size of the buffer in 32-bit words.
    #[must_use]
    pub fn words(&self) -> usize {
        match self {
            Self::Uniform(words) => words.len(),
            Self::Data(words) => words.len(),
            Self::Repeated(words, times) => words.len() * *times as usize,
            Self::Zeroed(words) | Self::Scratch(_, words) => *words,
        }
    }
}

/// One dispatch of a compute shader.
#[derive(Clone)]
pub struct Dispatch {
    /// The shader module.
    pub(crate) shader: Arc<Shader>,
    /// The entry point.
    pub(crate) entry: &'static str,
    /// Values of pipeline-overridable constants, by name.
    pub(crate) constants: Vec<(&'static str, u32)>,
    /// Index into [`Workload::buffers`] for each global variable that the entry point may use, by name.
    pub(crate) bindings: Vec<(&'static str, usize)>,
    /// Number of workgroups in x and y.
    pub(crate) workgroups: [u32; 2],
    /// Cost model: returns the work of this dispatch on a device of a given shape.
    ///
    /// The work is counted lane by lane and not derived from a law. The simulated device computes every
    /// duration from the cost model. Sizing uses the cost model to bound the duration of a dispatch that has
    /// not run yet, on hardware too.
    pub(crate) cost_model: Arc<dyn Fn(DeviceShape) -> CostModel + Send + Sync>,
}

impl Dispatch {
    /// Creates a dispatch of `entry` with this many workgroups in x and y, without bindings, constants and costs.
    #[must_use]
    pub fn new(shader: &Arc<Shader>, entry: &'static str, workgroups: [u32; 2]) -> Self {
        Self {
            shader: Arc::clone(shader),
            entry,
            constants: Vec::new(),
            bindings: Vec::new(),
            workgroups,
            cost_model: Arc::new(|_| CostModel::default()),
        }
    }

    /// Binds the global variable `name` of the shader to the buffer at `index` of the workload's buffers.
    #[must_use]
    pub fn bind(mut self, name: &'static str, index: usize) -> Self {
        self.bindings.push((name, index));
        self
    }

    /// Sets the pipeline-overridable constant `name`.
    #[must_use]
    pub fn constant(mut self, name: &'static str, value: u32) -> Self {
        self.constants.push((name, value));
        self
    }

    /// Sets the cost model: the work of the dispatch on a device of the given shape. The sizing of samples uses it as an
    /// upper bound of the time before the first trial, and the simulated device as the time.
    #[must_use]
    pub fn costs(self, model: impl Fn(DeviceShape) -> CostModel + Send + Sync + 'static) -> Self {
        Self { cost_model: Arc::new(model), ..self }
    }

    /// Returns the work on a device of this shape, or of this number of lanes per subgroup.
    #[must_use]
    pub fn costs_at(&self, shape: impl Into<DeviceShape>) -> CostModel {
        (self.cost_model)(shape.into())
    }

    /// Returns the number of workgroups in x and y.
    #[must_use]
    pub fn workgroups(&self) -> [u32; 2] {
        self.workgroups
    }

    /// Returns the shader module.
    #[must_use]
    pub fn shader(&self) -> &Arc<Shader> {
        &self.shader
    }

    /// Returns the name of the entry point.
    #[must_use]
    pub fn entry(&self) -> &'static str {
        self.entry
    }

    /// Returns the indices into [`Workload::buffers`] of the global variables that are bound, by name.
    #[must_use]
    pub fn bindings(&self) -> &[(&'static str, usize)] {
        &self.bindings
    }

    /// Returns the values of the pipeline-overridable constants, by name.
    #[must_use]
    pub fn constants(&self) -> &[(&'static str, u32)] {
        &self.constants
    }
}

impl fmt::Debug for Dispatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{} {:?}", self.shader.name, self.entry, self.workgroups)
    }
}

/// How the dispatches are batched, and which clock times them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// One compute pass that runs the dispatch list `repeats` times. Timestamps bracket the pass, or the host
    /// clock if the device has no timestamps.
    Pass {
        /// Number of times the dispatch list runs.
        repeats: u32,
    },
    /// The host clock brackets everything: encoding, submission and the final wait.
    Host {
        /// Number of times the dispatch list runs in each pass.
        dispatches: u32,
        /// Passes per submission.
        passes: u32,
        /// Submissions per wait.
        submits: u32,
        /// Number of waits.
        waits: u32,
    },
    /// The host clock brackets `maps` readbacks of `words` words each. A readback copies, maps, reads and
    /// unmaps.
    Readback {
        /// Number of readbacks.
        maps: u32,
        /// Words per readback.
        words: u32,
    },
    /// The host clock brackets a stream of batches. The workload must have an [`UploadSource`].
    Stream(Stream),
    /// The host clock times how long a sleeping thread of the host takes to wake up. The device does nothing.
    WakeUps {
        /// Number of times that the thread is woken.
        count: u32,
    },
    /// The host clock of each rank brackets `repeats` exchanges, after all ranks have waited for one another. The longest
    /// time counts.
    Exchange {
        /// What the ranks do in one repeat.
        exchange: Exchange,
        /// Number of repeats.
        repeats: u32,
    },
}

impl Timing {
    /// Returns whether the samples are work of the device, which a watchdog may guard.
    #[must_use]
    pub fn is_of_device(self) -> bool {
        !matches!(self, Self::Exchange { .. } | Self::WakeUps { .. })
    }
}

/// How the host uploads data into a device buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadPath {
    /// `Queue::write_buffer`, for which wgpu allocates the staging memory.
    WriteBuffer,
    /// Staging buffers of warplaw, which stay mapped while the device does not read them.
    MappedStaging,
}

/// Which parts of an upload are executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload {
    /// Both parts: the host writes the staging memory, and the device copies it.
    Whole,
    /// Only the copy by the device. The staging memory already contains the data.
    Copy,
    /// No part.
    Nothing,
}

/// A stream of batches. Each batch is uploaded, processed and waited for; the host clock brackets the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// How batches are uploaded to the device.
    pub path: UploadPath,
    /// Which parts of each upload are executed.
    pub upload: Upload,
    /// Number of times the dispatch of a batch runs.
    pub computes: u32,
    /// Number of batches.
    pub batches: u32,
}

/// The data that a stream uploads, and the target buffers.
///
/// Batch `b` and its dispatch use target `b % targets.len()`. The host waits for a batch before the stream
/// uses its target again.
#[derive(Debug, Clone)]
pub struct UploadSource {
    /// Data of all batches. Batch `b` starts at word `b` and is as long as a target buffer.
    pub(crate) words: Arc<[u32]>,
    /// Indices into [`Workload::buffers`], one for each batch that may be in flight at the same time.
    pub(crate) targets: Vec<usize>,
}

/// The expected output of a workload.
#[derive(Clone)]
pub struct Check {
    /// Indices into [`Workload::buffers`]. The output is the concatenation of these buffers.
    pub(crate) buffers: Vec<usize>,
    /// The CPU reference: returns the expected words, which repeat cyclically to the length of the output.
    pub(crate) expected: Arc<dyn Fn() -> Vec<u32> + Send + Sync>,
}

/// All data that an executor needs to run, verify and time one case.
#[derive(Clone)]
pub struct Workload {
    /// Name of the workload in messages.
    pub(crate) label: String,
    /// Dispatches that run once before outputs are checked. They are never timed.
    pub(crate) prepare: Vec<Dispatch>,
    /// Dispatches that run before each timed pass, so that the caches contain what they would after a long run. They are
    /// never timed.
    pub(crate) warm_up: Vec<Dispatch>,
    /// The dispatch list, in execution order.
    pub(crate) dispatches: Vec<Dispatch>,
    /// The buffers that the dispatches bind.
    pub(crate) buffers: Vec<Contents>,
    /// How the dispatches are batched and timed.
    pub(crate) timing: Timing,
    /// The expected output.
    pub(crate) check: Check,
    /// The data to upload, for a workload timed as a [`Stream`].
    pub(crate) upload_source: Option<UploadSource>,
}

impl Check {
    /// Creates the check of the buffers at these indices. `reference` computes their words one after another on the
    /// CPU; if it returns fewer words than the buffers have, the words repeat.
    #[must_use]
    pub fn new(
        buffers: Vec<usize>,
        reference: impl Fn() -> Vec<u32> + Send + Sync + 'static,
    ) -> Self {
        Self { buffers, expected: Arc::new(reference) }
    }
}

impl Workload {
    /// Creates a workload of another crate: one pass of `dispatches` over `buffers`.
    ///
    /// All shaders keep wgpu's bounds, division and loop checks, because only this crate knows the indices of its
    /// own kernels.
    #[must_use]
    pub fn checked(
        label: impl Into<String>,
        dispatches: Vec<Dispatch>,
        buffers: Vec<Contents>,
        check: Check,
    ) -> Self {
        let checked = |dispatch: Dispatch| Dispatch {
            shader: Shader::with_checks(&dispatch.shader),
            ..dispatch
        };
        Self::new(label, dispatches.into_iter().map(checked).collect(), buffers, check)
    }

    /// Creates a workload that runs `dispatches` in one pass.
    pub(crate) fn new(
        label: impl Into<String>,
        dispatches: Vec<Dispatch>,
        buffers: Vec<Contents>,
        check: Check,
    ) -> Self {
        Self {
            label: label.into(),
            prepare: Vec::new(),
            warm_up: Vec::new(),
            dispatches,
            buffers,
            timing: Timing::Pass { repeats: 1 },
            check,
            upload_source: None,
        }
    }

    /// Returns the name of the workload in messages.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the dispatches that run before outputs are checked, and are never timed.
    #[must_use]
    pub fn prepare(&self) -> &[Dispatch] {
        &self.prepare
    }

    /// Returns the dispatches that run before each timed pass, and are never timed.
    #[must_use]
    pub fn warm_up(&self) -> &[Dispatch] {
        &self.warm_up
    }

    /// Returns every dispatch, timed or not.
    pub fn all_dispatches(&self) -> impl Iterator<Item = &Dispatch> {
        self.prepare.iter().chain(&self.warm_up).chain(&self.dispatches)
    }

    /// Returns the dispatch list in execution order.
    #[must_use]
    pub fn dispatches(&self) -> &[Dispatch] {
        &self.dispatches
    }

    /// Returns the buffers that the dispatches bind.
    #[must_use]
    pub fn buffers(&self) -> &[Contents] {
        &self.buffers
    }

    /// Computes the CPU reference. Its words repeat cyclically to the length of the output.
    #[must_use]
    pub fn expected(&self) -> Vec<u32> {
        (self.check.expected)()
    }

    /// Returns the optional features of WGSL that the dispatches use.
    pub fn needs(&self) -> impl Iterator<Item = ShaderFeature> {
        self.dispatches.iter().flat_map(|dispatch| &dispatch.shader.needs).copied()
    }

    /// Returns the same workload with another timing.
    #[must_use]
    pub fn timed(self, timing: Timing) -> Self {
        Self { timing, ..self }
    }

    /// Returns the same workload as one pass that runs the dispatch list `repeats` times.
    #[must_use]
    pub fn repeated(self, repeats: u32) -> Self {
        self.timed(Timing::Pass { repeats })
    }

    /// Returns the number of words in the output, over all checked buffers.
    #[must_use]
    pub fn checked_words(&self) -> usize {
        self.check.buffers.iter().map(|&buffer| self.buffers[buffer].words()).sum()
    }
}
