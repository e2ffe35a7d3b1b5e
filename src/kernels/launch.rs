//! Code that all kernels share: shader modules, launches of one dispatch, and random input data.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::gpu::{
    Check, Contents, CostModel, DeviceShape, Dispatch, Invariant, Shader, ShaderFeature, Workload,
};

/// Creates a shader module that uses the optional features `needs` of WGSL, and whose machine code has `invariants`.
///
/// `name` is the stem of the shader file. A template adds a dot and the variant.
pub(crate) fn module(
    name: &str,
    source: impl Into<String>,
    needs: &[ShaderFeature],
    invariants: &[Invariant],
) -> Arc<Shader> {
    Arc::new(Shader {
        name: name.to_owned(),
        source: source.into(),
        needs: needs.to_vec(),
        checked: false,
        invariants: invariants.to_vec(),
    })
}

/// Maximum number of loop iterations of an invocation, summed over its loops.
///
/// Some compilers for CPUs end an invocation after this number of iterations without reporting an error.
pub const MAX_ITERATIONS: u32 = 65_535;

/// The number type of a kernel's arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Number {
    /// 32-bit unsigned integers with wrapping arithmetic.
    U32,
    /// 32-bit floating-point numbers.
    F32,
}

impl Number {
    /// Both types.
    pub const ALL: [Self; 2] = [Self::U32, Self::F32];

    /// Returns the name of the type in WGSL and in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::U32 => "u32",
            Self::F32 => "f32",
        }
    }
}

/// The CPU reference and the cost model of a kernel.
pub(crate) trait Kernel: Send + Sync + 'static {
    /// Returns the expected output. It repeats cyclically to the length of the output buffer.
    fn reference(&self) -> Vec<u32>;
    /// Returns the work of one dispatch on a device of this shape.
    fn cost_model(&self, shape: DeviceShape) -> CostModel;
}

/// A workload of one dispatch in which every invocation writes one word of `output`.
pub(crate) struct Launch {
    pub(crate) label: String,
    pub(crate) shader: Arc<Shader>,
    pub(crate) entry: &'static str,
    pub(crate) workgroup_size: u32,
    pub(crate) workgroups: u32,
    /// The members of the uniform block `params`: their names and values, in the order of the shader.
    pub(crate) params: Vec<(&'static str, u32)>,
    /// An input buffer: its name in the shader and its contents.
    pub(crate) reads: Option<(&'static str, Arc<[u32]>)>,
}

impl Launch {
    /// Returns the workload of `kernel`, timed as one pass.
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
                cost_model: Arc::new(move |shape| kernel.cost_model(shape)),
            }],
            buffers,
            Check { buffers: vec![1], expected: Arc::new(move || reference.reference()) },
        )
    }
}

/// Returns the mask that maps the index of an invocation in the grid to the index of its word.
///
/// Invocations use `words` cyclically, one word each.
///
/// # Panics
/// Panics if the number of words or `workgroup_size` is not a power of two, or if there are fewer words than
/// invocations in a workgroup.
pub(crate) fn cyclic_mask(words: &[u32], workgroup_size: u32) -> u32 {
    assert!(words.len().is_power_of_two(), "the number of words is a power of two");
    assert!(words.len() >= workgroup_size as usize && workgroup_size.is_power_of_two());
    words.len() as u32 - 1
}

/// Returns the work of a dispatch whose invocations use `words` cyclically, one word each.
///
/// `subgroup_issues` returns the number of instructions that a subgroup with the given words issues.
pub(crate) fn cyclic_cost_model(
    words: &[u32],
    [workgroup_size, workgroups]: [u32; 2],
    shape: DeviceShape,
    subgroup_issues: impl Fn(&[u32]) -> f64,
) -> CostModel {
    let of_a_workgroup =
        words.chunks(workgroup_size as usize).flat_map(|words| words.chunks(shape.width as usize));
    let uneven: Arc<[f64]> = of_a_workgroup.map(subgroup_issues).collect();
    let subgroups = f64::from(workgroups) * f64::from(workgroup_size.div_ceil(shape.width));
    CostModel {
        workgroups: f64::from(workgroups),
        subgroups,
        issues: uneven.iter().sum::<f64>() * subgroups / uneven.len() as f64,
        uneven: Some(uneven),
        ..CostModel::default()
    }
}

/// Returns `len` random words, which cannot be compressed.
#[must_use]
pub fn random_words(seed: u64, len: usize) -> Arc<[u32]> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut words = vec![0; len];
    rng.fill(&mut words[..]);
    words.into()
}
