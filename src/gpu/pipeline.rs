//! Compilation of WGSL to compute pipelines. Each pipeline is built once.
//!
//! Bindings are reflected from the WGSL source, so that Rust code does not repeat binding numbers.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use naga::ShaderStage;
use naga::back::pipeline_constants::process_overrides;
use naga::valid::{
    Capabilities, ModuleInfo, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator,
};

use super::error::one_line;
use super::{Dispatch, Shader, size_probe, unchecked};

/// The reason why a device refuses a workload whose buffers do not fit its memory. Every executor gives this reason, so
/// that it can be told from a refusal that shows a fault.
pub(crate) const OUT_OF_MEMORY: &str = "out of memory";

/// Number of pipelines built since the device was opened, and the time spent on them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Built {
    /// Number of pipelines.
    pub pipelines: u64,
    /// Seconds spent on building the pipelines. This includes compilation that a driver defers to the first
    /// dispatch, as far as a dispatch of zero workgroups triggers it.
    pub seconds: f64,
}

/// A global variable of the shader that an entry point uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) name: String,
    pub(super) index: u32,
}

pub(super) struct Reflected {
    module: naga::Module,
    info: ModuleInfo,
}

impl Shader {
    /// Returns the module as a run gives it to wgpu. If `stores_size`, the first invocation of a dispatch stores the
    /// subgroup size, which needs subgroup operations.
    ///
    /// # Errors
    /// Returns a one-line message if the source is not valid.
    pub fn module(&self, stores_size: bool) -> Result<naga::Module, String> {
        let mut module = naga::front::wgsl::parse_str(&self.source).map_err(|error| {
            format!("{}: {}", self.name, one_line(&error.emit_to_string(&self.source)))
        })?;
        if stores_size {
            size_probe::add_to(&mut module);
        }
        Ok(module)
    }

    /// Returns the module as one pipeline executes it: with the values of the pipeline-overridable constants, and what
    /// naga's validator found.
    ///
    /// # Errors
    /// Returns a one-line message if the source or a constant is not valid.
    pub fn specialized(
        &self,
        stores_size: bool,
        entry: &str,
        constants: &[(&str, u32)],
    ) -> Result<(naga::Module, ModuleInfo), String> {
        let message = |error: String| format!("{}: {}", self.name, one_line(&error));
        let module = self.module(stores_size)?;
        let info = validator().validate(&module).map_err(|error| message(error.to_string()))?;
        let value = |&(name, value): &(&str, u32)| (name.to_owned(), f64::from(value));
        let constants = constants.iter().map(value).collect();
        let entry = Some((ShaderStage::Compute, entry));
        let (module, info) = process_overrides(&module, &info, entry, &constants)
            .map_err(|error| message(error.to_string()))?;
        Ok((module.into_owned(), info.into_owned()))
    }
}

impl Reflected {
    pub(super) fn new(shader: &Shader, stores_size: bool) -> Result<Self, String> {
        let message = |error: String| format!("{}: {}", shader.name, one_line(&error));
        let module = shader.module(stores_size)?;
        let info = Validator::new(ValidationFlags::all(), Capabilities::all())
            .validate(&module)
            .map_err(|error| message(error.emit_to_string(&shader.source)))?;
        Ok(Self { module, info })
    }

    /// Returns the bindings that `entry` uses. The automatic pipeline layout has exactly these bindings.
    pub(super) fn bindings(&self, entry: &str) -> Result<Vec<Binding>, String> {
        let position = self
            .module
            .entry_points
            .iter()
            .position(|point| point.name == entry)
            .ok_or_else(|| format!("no entry point `{entry}`"))?;
        let uses = self.info.get_entry_point(position);
        Ok(self
            .module
            .global_variables
            .iter()
            .filter(|(handle, _)| !uses[*handle].is_empty())
            .filter_map(|(_, global)| {
                Some(Binding { name: global.name.clone()?, index: global.binding?.binding })
            })
            .collect())
    }
}

/// Name of a module, and whether it keeps wgpu's checks on every device. A module of another crate may have the name of
/// one of this crate, and must not be run without checks in its place.
type ModuleKey = (String, bool);

/// Module, entry point and constants.
type Key = (ModuleKey, &'static str, Vec<(&'static str, u32)>);

fn module_key(shader: &Shader) -> ModuleKey {
    (shader.name.clone(), shader.checked)
}

/// Cache of modules and pipelines. The key of a pipeline is its module, entry point and constants.
pub(super) struct Pipelines {
    trusted: bool,
    stores_sizes: bool,
    modules: HashMap<ModuleKey, (wgpu::ShaderModule, Reflected)>,
    built: HashMap<Key, Rc<Pipeline>>,
    /// Time spent on building and compiling the pipelines.
    building: Duration,
}

pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) bindings: Vec<Binding>,
    /// Whether the pipeline has had a dispatch of zero workgroups, which triggers deferred compilation.
    pub(super) is_compiled: Cell<bool>,
}

impl Pipelines {
    /// Creates an empty cache. If `trusted`, shaders have no bounds, division and loop checks. If `stores_sizes`, the
    /// kernels of this crate store the subgroup size that they run with.
    pub(super) fn new(trusted: bool, stores_sizes: bool) -> Self {
        Self {
            trusted,
            stores_sizes,
            modules: HashMap::new(),
            built: HashMap::new(),
            building: Duration::ZERO,
        }
    }

    /// Returns the number of pipelines and the time spent on them.
    pub(super) fn built(&self) -> Built {
        Built { pipelines: self.built.len() as u64, seconds: self.building.as_secs_f64() }
    }

    /// Adds the time that the driver spent on compiling at the first dispatches.
    pub(super) fn add_compiling(&mut self, duration: Duration) {
        self.building += duration;
    }

    /// Returns the pipeline of `dispatch`, and builds it if the cache does not contain it.
    ///
    /// # Errors
    /// Returns a one-line message if the shader or the pipeline is not valid.
    pub(super) fn get(
        &mut self,
        device: &wgpu::Device,
        dispatch: &Dispatch,
    ) -> Result<Rc<Pipeline>, String> {
        let key = (module_key(&dispatch.shader), dispatch.entry, dispatch.constants.clone());
        if let Some(pipeline) = self.built.get(&key) {
            return Ok(Rc::clone(pipeline));
        }
        let start = Instant::now();
        let pipeline = self.build(device, dispatch);
        self.building += start.elapsed();
        let pipeline = Rc::new(pipeline?);
        self.built.insert(key, Rc::clone(&pipeline));
        Ok(pipeline)
    }

    fn build(&mut self, device: &wgpu::Device, dispatch: &Dispatch) -> Result<Pipeline, String> {
        let (module, reflected) = self.module(device, &dispatch.shader)?;
        let bindings = reflected.bindings(dispatch.entry)?;
        let constants: Vec<(&str, f64)> =
            dispatch.constants.iter().map(|&(name, value)| (name, f64::from(value))).collect();
        let pipeline = catching(device, |device| {
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(dispatch.entry),
                layout: None,
                module,
                entry_point: Some(dispatch.entry),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &constants,
                    // Every kernel writes its workgroup memory before reading it.
                    zero_initialize_workgroup_memory: false,
                },
                cache: None,
            })
        })?;
        Ok(Pipeline { pipeline, bindings, is_compiled: Cell::new(false) })
    }

    fn module(
        &mut self,
        device: &wgpu::Device,
        shader: &Shader,
    ) -> Result<&(wgpu::ShaderModule, Reflected), String> {
        let key = module_key(shader);
        if !self.modules.contains_key(&key) {
            let reflected = Reflected::new(shader, self.stores_sizes && !shader.checked)?;
            let descriptor = || wgpu::ShaderModuleDescriptor {
                label: Some(&shader.name),
                source: wgpu::ShaderSource::Naga(Cow::Owned(reflected.module.clone())),
            };
            let module = catching(device, |device| {
                if self.trusted && !shader.checked {
                    unchecked::shader_module(device, descriptor())
                } else {
                    device.create_shader_module(descriptor())
                }
            })?;
            self.modules.insert(key.clone(), (module, reflected));
        }
        Ok(&self.modules[&key])
    }
}

/// Returns a validator that allows everything that a compute shader can have.
pub(crate) fn validator() -> Validator {
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
    validator
        .subgroup_stages(ShaderStages::COMPUTE)
        .subgroup_operations(SubgroupOperationSet::all());
    validator
}

/// Runs `make` and returns its result.
///
/// # Errors
/// Returns the first error that wgpu reports during `make`, in one line; [`OUT_OF_MEMORY`] if memory is the reason.
pub(crate) fn catching<T>(
    device: &wgpu::Device,
    make: impl FnOnce(&wgpu::Device) -> T,
) -> Result<T, String> {
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let made = make(device);
    let errors = [pollster::block_on(internal.pop()), pollster::block_on(validation.pop())];
    let too_large = pollster::block_on(memory.pop()).map(|_| OUT_OF_MEMORY.to_owned());
    match errors.into_iter().flatten().next() {
        Some(error) => Err(one_line(&error.to_string())),
        None => too_large.map_or(Ok(made), Err),
    }
}
