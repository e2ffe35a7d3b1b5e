//! WGSL to SPIR-V, as `run` translates it on Vulkan: without bounds checks, division checks and loop bounds, and
//! without zeroing of workgroup memory.

use naga::back::spv;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::{AddressSpace, ShaderStage};

use crate::Program;

/// No access is checked.
pub(crate) const UNCHECKED: BoundsCheckPolicies = BoundsCheckPolicies {
    index: BoundsCheckPolicy::Unchecked,
    buffer: BoundsCheckPolicy::Unchecked,
    image_load: BoundsCheckPolicy::Unchecked,
    binding_array: BoundsCheckPolicy::Unchecked,
};

/// A buffer that a program binds in group 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Number of the binding.
    pub index: u32,
    /// Whether the buffer is a uniform block, else it is a storage buffer.
    pub is_uniform: bool,
}

/// A program as SPIR-V.
#[derive(Debug, Clone, PartialEq)]
pub struct Spirv {
    /// The module.
    pub words: Vec<u32>,
    /// Name of the entry point.
    pub entry: String,
    /// Buffers of the module.
    pub bindings: Vec<Binding>,
}

/// Translates a program.
///
/// # Errors
/// Returns the message of naga, for a person to read.
pub fn to_spirv(program: &Program) -> Result<Spirv, String> {
    let (module, info) = program.module(true)?;
    let options = spv::Options {
        lang_version: (1, 6),
        flags: spv::WriterFlags::empty(),
        bounds_check_policies: UNCHECKED,
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        ..spv::Options::default()
    };
    let entry = program.entry.to_owned();
    let pipeline =
        spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: entry.clone() };
    let words =
        spv::write_vec(&module, &info, &options, Some(&pipeline)).map_err(|e| e.to_string())?;
    let bindings = module.global_variables.iter().filter_map(|(_, variable)| {
        let index = variable.binding?.binding;
        Some(Binding { index, is_uniform: variable.space == AddressSpace::Uniform })
    });
    Ok(Spirv { words, entry, bindings: bindings.collect() })
}
