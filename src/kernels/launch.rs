//! What kernels share: modules, a launch of one dispatch, and inputs.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::gpu::{Check, Contents, CostModel, Dispatch, Shader, Workload};

/// A module whose name is its file's stem, and a variant after a dot where the file is a template.
pub(crate) fn module(name: &str, source: impl Into<String>, needs_subgroups: bool) -> Arc<Shader> {
    Arc::new(Shader {
        name: name.to_owned(),
        source: source.into(),
        needs_subgroups,
        needs_u64: false,
    })
}

/// Iterations of all its loops together after which some compilers for CPUs stop a lane, without a word.
pub const MAX_ITERATIONS: u32 = 65_535;

/// Numbers that a kernel calculates with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Number {
    /// 32-bit integers, which wrap.
    U32,
    /// 32-bit floats.
    F32,
}

impl Number {
    /// Both.
    pub const ALL: [Self; 2] = [Self::U32, Self::F32];

    /// Its name in WGSL and in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::U32 => "u32",
            Self::F32 => "f32",
        }
    }
}

/// What a kernel must say of a launch beyond how it is bound.
pub(crate) trait Kernel: Send + Sync + 'static {
    /// Its answer: the first words of its output, of which the rest are a repetition.
    fn reference(&self) -> Vec<u32>;
    /// What it asks of lockstep hardware whose subgroups are `width` wide.
    fn cost_model(&self, width: u32) -> CostModel;
}

/// One dispatch in which every lane writes a word of `output`, as most kernels are launched.
pub(crate) struct Launch {
    pub(crate) label: String,
    pub(crate) shader: Arc<Shader>,
    pub(crate) entry: &'static str,
    pub(crate) workgroup_size: u32,
    pub(crate) workgroups: u32,
    /// The words of the uniform block `params` by their names in the shader, in its order.
    pub(crate) params: Vec<(&'static str, u32)>,
    /// A buffer that lanes read, by its name in the shader.
    pub(crate) reads: Option<(&'static str, Arc<[u32]>)>,
}

impl Launch {
    /// The workload of `kernel`, timed as one pass.
    pub(crate) fn of(self, kernel: impl Kernel) -> Workload {
        let kernel = Arc::new(kernel);
        let reference = Arc::clone(&kernel);
        let mut bindings = vec![("params", 0), ("output", 1)];
        let outputs = self.workgroups as usize * self.workgroup_size as usize;
        let mut buffers = vec![Contents::Uniform(self.params), Contents::Zeroed(outputs)];
        if let Some((name, words)) = self.reads {
            bindings.push((name, buffers.len()));
            buffers.push(Contents::Data(words));
        }
        Workload::new(
            self.label,
            vec![Dispatch {
                shader: self.shader,
                entry: self.entry,
                constants: vec![("WORKGROUP_SIZE", self.workgroup_size)],
                bindings,
                workgroups: [self.workgroups, 1],
                cost_model: Arc::new(move |width| kernel.cost_model(width)),
            }],
            buffers,
            Check { buffers: vec![1], expected: Arc::new(move || reference.reference()) },
        )
    }
}

/// What turns a lane's place into that of its word, where `words` are used cyclically.
///
/// # Panics
/// When the words or the lanes of a workgroup are not a power of two, or the words are fewer.
pub(crate) fn cyclic_mask(words: &[u32], workgroup_size: u32) -> u32 {
    assert!(words.len().is_power_of_two(), "words are used by mask");
    assert!(words.len() >= workgroup_size as usize && workgroup_size.is_power_of_two());
    words.len() as u32 - 1
}

/// What `workgroups` workgroups of `workgroup_size` lanes ask that use `words` cyclically, a word a lane, when a
/// subgroup of these words issues so many instructions.
pub(crate) fn cyclic_cost_model(
    words: &[u32],
    [workgroup_size, workgroups, width]: [u32; 3],
    subgroup_issues: impl Fn(&[u32]) -> f64,
) -> CostModel {
    let period = words.len() as f64 / f64::from(workgroup_size);
    let subgroups =
        words.chunks(workgroup_size as usize).flat_map(|words| words.chunks(width as usize));
    let workgroups = f64::from(workgroups);
    CostModel {
        workgroups,
        subgroups: workgroups * f64::from(workgroup_size.div_ceil(width)),
        issues: subgroups.map(subgroup_issues).sum::<f64>() * workgroups / period,
        ..CostModel::default()
    }
}

/// `len` incompressible words.
#[must_use]
pub fn random_words(seed: u64, len: usize) -> Arc<[u32]> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..len).map(|_| rng.random()).collect()
}
