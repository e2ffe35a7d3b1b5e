//! From WGSL to pipelines, each built once. Bindings are reflected from the source, never retyped.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};

use super::error::one_line;
use super::{Dispatch, Shader, unchecked};

/// Pipelines, each compiled once for as long as the device is open.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Built {
    /// How many.
    pub pipelines: u64,
    /// Seconds that took, with what the driver leaves to a first dispatch, as far as one of no workgroups shows it.
    pub seconds: f64,
}

/// A global of the shader that an entry point uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) name: String,
    pub(super) index: u32,
}

pub(super) struct Reflected {
    module: naga::Module,
    info: ModuleInfo,
}

impl Reflected {
    pub(super) fn new(shader: &Shader) -> Result<Self, String> {
        let say = |error: String| format!("{}: {}", shader.name, one_line(&error));
        let module = naga::front::wgsl::parse_str(&shader.source)
            .map_err(|error| say(error.emit_to_string(&shader.source)))?;
        let info = Validator::new(ValidationFlags::all(), Capabilities::all())
            .validate(&module)
            .map_err(|error| say(error.emit_to_string(&shader.source)))?;
        Ok(Self { module, info })
    }

    /// The bindings that `entry` uses: exactly those of its automatic layout.
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

type Key = (String, &'static str, Vec<(&'static str, u32)>);

/// Built pipelines, by module, entry point and constants.
pub(super) struct Pipelines {
    trusted: bool,
    modules: HashMap<String, (wgpu::ShaderModule, Reflected)>,
    built: HashMap<Key, Rc<Pipeline>>,
    /// What building and compiling them took.
    building: Duration,
}

pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) bindings: Vec<Binding>,
    /// Whether the driver has been made to compile all of it.
    pub(super) is_compiled: Cell<bool>,
}

impl Pipelines {
    /// With `trusted`, wgpu's bounds, division and loop checks are left out.
    pub(super) fn new(trusted: bool) -> Self {
        Self { trusted, modules: HashMap::new(), built: HashMap::new(), building: Duration::ZERO }
    }

    /// How many there are and what building them took.
    pub(super) fn built(&self) -> Built {
        Built { pipelines: self.built.len() as u64, seconds: self.building.as_secs_f64() }
    }

    /// Counts what compiling took beyond building.
    pub(super) fn add_compiling(&mut self, took: Duration) {
        self.building += took;
    }

    pub(super) fn get(
        &mut self,
        device: &wgpu::Device,
        dispatch: &Dispatch,
    ) -> Result<Rc<Pipeline>, String> {
        let key = (dispatch.shader.name.clone(), dispatch.entry, dispatch.constants.clone());
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
                    // Every kernel writes its workgroup memory before it reads it.
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
        if !self.modules.contains_key(&shader.name) {
            let reflected = Reflected::new(shader)?;
            let descriptor = || wgpu::ShaderModuleDescriptor {
                label: Some(&shader.name),
                source: wgpu::ShaderSource::Wgsl(shader.source.as_str().into()),
            };
            let module = catching(device, |device| {
                if self.trusted {
                    unchecked::shader_module(device, descriptor())
                } else {
                    device.create_shader_module(descriptor())
                }
            })?;
            self.modules.insert(shader.name.clone(), (module, reflected));
        }
        Ok(&self.modules[&shader.name])
    }
}

/// Runs `make` and turns what wgpu has against it into one line.
pub(super) fn catching<T>(
    device: &wgpu::Device,
    make: impl FnOnce(&wgpu::Device) -> T,
) -> Result<T, String> {
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let made = make(device);
    let errors = [
        pollster::block_on(internal.pop()),
        pollster::block_on(validation.pop()),
        pollster::block_on(memory.pop()),
    ];
    match errors.into_iter().flatten().next() {
        Some(error) => Err(one_line(&error.to_string())),
        None => Ok(made),
    }
}
