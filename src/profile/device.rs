//! A dispatch on the device: its buffers, and the pipelines that run on them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use naga::valid::ModuleInfo;
use naga::{AddressSpace, GlobalVariable, Handle, Module, StorageAccess};

use super::error::ProfileError;
use crate::gpu::{catching, create, for_readback, one_line, read_mapped};

/// A buffer that a shader binds, with its contents before the dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundBuffer {
    /// Bind group.
    pub group: u32,
    /// Binding in the group.
    pub binding: u32,
    /// Contents. The length must be a multiple of 4.
    pub bytes: Vec<u8>,
}

/// Group and binding of a buffer.
pub(super) type Place = (u32, u32);
/// The contents of buffers.
pub(super) type Contents = Vec<(Place, Vec<u8>)>;

/// Returns the most bytes of a storage buffer that a shader binds.
pub(super) fn most_bytes(device: &wgpu::Device) -> u64 {
    let limits = device.limits();
    limits.max_buffer_size.min(limits.max_storage_buffer_binding_size)
}

/// Checks that a device can dispatch so many workgroups.
///
/// # Errors
/// Returns an error if there are too many along an axis.
pub fn check_workgroups(device: &wgpu::Device, workgroups: [u32; 3]) -> Result<(), ProfileError> {
    let most = device.limits().max_compute_workgroups_per_dimension;
    let is_too_many = workgroups.iter().any(|&count| count > most);
    if is_too_many { Err(ProfileError::TooManyWorkgroups { most }) } else { Ok(()) }
}

/// A variable that an entry point binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) variable: Handle<GlobalVariable>,
    pub(super) place: Place,
    /// Group, binding and name, as messages have them.
    pub(super) name: String,
    /// Whether the entry point may write it.
    pub(super) is_written: bool,
}

/// Returns the variables that the entry point `entry` binds.
pub(super) fn bound_by(module: &Module, info: &ModuleInfo, entry: &str) -> Vec<Bound> {
    let index = module.entry_points.iter().position(|point| point.name == entry);
    let of_entry = info.get_entry_point(index.expect("the module has the entry point"));
    let used = module.global_variables.iter().filter(|(handle, _)| !of_entry[*handle].is_empty());
    let bound = used.filter_map(|(handle, variable)| {
        let binding = variable.binding?;
        let name = variable.name.as_deref().unwrap_or("?");
        let is_written = matches!(variable.space, AddressSpace::Storage { access } if access.contains(StorageAccess::STORE));
        Some(Bound {
            variable: handle,
            place: (binding.group, binding.binding),
            name: format!("{}.{} `{name}`", binding.group, binding.binding),
            is_written,
        })
    });
    bound.collect()
}

/// A device with its queue.
#[derive(Clone, Copy)]
pub(super) struct Gpu<'a> {
    pub(super) device: &'a wgpu::Device,
    pub(super) queue: &'a wgpu::Queue,
}

impl Gpu<'_> {
    pub(super) fn encoder(self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }
}

/// A buffer on the device.
struct OnDevice {
    place: Place,
    buffer: wgpu::Buffer,
    /// Its contents before the dispatch, for a buffer that the dispatch may write.
    initial: Option<wgpu::Buffer>,
    bytes: u64,
}

impl OnDevice {
    fn entry(&self) -> wgpu::BindGroupEntry<'_> {
        wgpu::BindGroupEntry {
            binding: self.place.1,
            // A shader asks for the length, which is that of the contents.
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &self.buffer,
                offset: 0,
                size: wgpu::BufferSize::new(self.bytes),
            }),
        }
    }
}

/// The buffers of a dispatch on the device.
pub(super) struct Buffers(Vec<OnDevice>);

impl Buffers {
    /// Uploads `buffers`. Those that `is_written` names get their contents again before each run.
    ///
    /// # Errors
    /// Returns an error if the device refuses a buffer.
    pub(super) fn new(
        gpu: Gpu<'_>,
        buffers: &[BoundBuffer],
        is_written: impl Fn(Place) -> bool,
    ) -> Result<Self, ProfileError> {
        let upload = |bytes: &[u8]| {
            let usage = wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::UNIFORM
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST;
            // The buffer may be longer than its contents: 16 bytes at least.
            let length = (bytes.len() as u64).next_multiple_of(4).max(16);
            let buffer = create(gpu.device, length, usage);
            gpu.queue.write_buffer(&buffer, 0, bytes);
            buffer
        };
        let most = most_bytes(gpu.device);
        if let Some(large) = buffers.iter().find(|of| of.bytes.len() as u64 > most) {
            let place = format!("{}.{}", large.group, large.binding);
            return Err(ProfileError::LargeBuffer { place, bytes: large.bytes.len() as u64, most });
        }
        let all = catching(gpu.device, |_| {
            let of_one = |bound: &BoundBuffer| {
                let place = (bound.group, bound.binding);
                OnDevice {
                    place,
                    buffer: upload(&bound.bytes),
                    initial: is_written(place).then(|| upload(&bound.bytes)),
                    bytes: bound.bytes.len() as u64,
                }
            };
            buffers.iter().map(of_one).collect()
        });
        all.map(Self).map_err(ProfileError::Device)
    }

    /// Uploads one buffer of 32-bit words, which keeps what a dispatch writes.
    ///
    /// # Errors
    /// Returns an error if the device refuses the buffer.
    pub(super) fn of_words(gpu: Gpu<'_>, group: u32, words: &[u32]) -> Result<Self, ProfileError> {
        let bytes = bytemuck::cast_slice(words).to_vec();
        Self::new(gpu, &[BoundBuffer { group, binding: 0, bytes }], |_| false)
    }

    /// Reads the buffer of 32-bit words.
    ///
    /// # Errors
    /// Returns an error if the device fails.
    pub(super) fn words(&self, gpu: Gpu<'_>) -> Result<Vec<u32>, ProfileError> {
        Ok(bytemuck::pod_collect_to_vec(&self.contents(gpu, 0)?))
    }

    /// Returns the entries of all buffers for a bind group.
    pub(super) fn entries(&self) -> Vec<wgpu::BindGroupEntry<'_>> {
        self.0.iter().map(OnDevice::entry).collect()
    }

    /// Gives every buffer that the dispatch may write its contents before the dispatch.
    pub(super) fn reset(&self, encoder: &mut wgpu::CommandEncoder) {
        for of in &self.0 {
            if let Some(initial) = &of.initial {
                encoder.copy_buffer_to_buffer(initial, 0, &of.buffer, 0, initial.size());
            }
        }
    }

    /// Reads the buffers that the dispatch may write, in their order.
    ///
    /// # Errors
    /// Returns an error if the device fails.
    pub(super) fn read(&self, gpu: Gpu<'_>) -> Result<Contents, ProfileError> {
        let is_written = |index: &usize| self.0[*index].initial.is_some();
        let read = |index: usize| Ok((self.0[index].place, self.contents(gpu, index)?));
        (0..self.0.len()).filter(is_written).map(read).collect()
    }

    /// Reads the buffer with this index.
    ///
    /// # Errors
    /// Returns an error if the device fails.
    fn contents(&self, gpu: Gpu<'_>, index: usize) -> Result<Vec<u8>, ProfileError> {
        let of = &self.0[index];
        let mut bytes = vec![0; of.bytes as usize];
        if !bytes.is_empty() {
            let staging = catching(gpu.device, |device| {
                let staging = for_readback(device, of.buffer.size());
                let mut encoder = gpu.encoder();
                encoder.copy_buffer_to_buffer(&of.buffer, 0, &staging, 0, of.buffer.size());
                gpu.queue.submit([encoder.finish()]);
                staging
            });
            let staging = staging.map_err(ProfileError::Device)?;
            read_mapped(gpu.device, &staging, &mut bytes)
                .map_err(|error| ProfileError::Device(one_line(&error.to_string())))?;
        }
        Ok(bytes)
    }
}

/// Compiles the entry point `entry` of `module`. Without a layout, the pipeline gets that of the shader.
pub(super) fn compile(
    device: &wgpu::Device,
    module: &Module,
    entry: &str,
    constants: &[(String, f64)],
    layout: Option<&wgpu::PipelineLayout>,
) -> wgpu::ComputePipeline {
    let constants: Vec<(&str, f64)> =
        constants.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("profiled"),
        source: wgpu::ShaderSource::Naga(Cow::Owned(module.clone())),
    });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some("profiled"),
        layout,
        module: &module,
        entry_point: Some(entry),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &constants,
            ..wgpu::PipelineCompilationOptions::default()
        },
        cache: None,
    })
}

/// A pipeline with its bind groups.
pub(super) struct Program {
    pipeline: wgpu::ComputePipeline,
    groups: Vec<(u32, wgpu::BindGroup)>,
}

impl Program {
    /// Compiles the entry point `entry` of `module`, and binds it to `buffers`.
    ///
    /// # Errors
    /// Returns an error if a buffer is missing, or if the device refuses the shader.
    pub(super) fn new(
        gpu: Gpu<'_>,
        (module, info): (&Module, &ModuleInfo),
        entry: &str,
        constants: &[(String, f64)],
        buffers: &[&Buffers],
    ) -> Result<Self, ProfileError> {
        let bound = bound_by(module, info, entry);
        let all: Vec<&OnDevice> = buffers.iter().flat_map(|buffers| &buffers.0).collect();
        let is_missing = |bound: &&Bound| !all.iter().any(|of| of.place == bound.place);
        let missing: Vec<String> =
            bound.iter().filter(is_missing).map(|bound| bound.name.clone()).collect();
        if !missing.is_empty() {
            return Err(ProfileError::Missing(missing));
        }
        let used: BTreeSet<Place> = bound.iter().map(|bound| bound.place).collect();
        let build = |device: &wgpu::Device| {
            let pipeline = compile(device, module, entry, constants, None);
            let groups: BTreeSet<u32> = used.iter().map(|&(group, _)| group).collect();
            let bind = |group: u32| {
                let is_in = |of: &&&OnDevice| of.place.0 == group && used.contains(&of.place);
                let entries: Vec<wgpu::BindGroupEntry<'_>> =
                    all.iter().filter(is_in).map(|of| of.entry()).collect();
                let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: None,
                    layout: &pipeline.get_bind_group_layout(group),
                    entries: &entries,
                });
                (group, bind_group)
            };
            let groups = groups.into_iter().map(bind).collect();
            Self { pipeline, groups }
        };
        catching(gpu.device, build).map_err(ProfileError::Device)
    }

    /// Encodes a pass with one dispatch.
    pub(super) fn encode(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        [x, y, z]: [u32; 3],
        timestamp_writes: Option<wgpu::ComputePassTimestampWrites<'_>>,
    ) {
        let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
        let mut pass = encoder.begin_compute_pass(&descriptor);
        pass.set_pipeline(&self.pipeline);
        for (group, bind_group) in &self.groups {
            pass.set_bind_group(*group, bind_group, &[]);
        }
        pass.dispatch_workgroups(x, y, z);
    }

    /// Runs the dispatch once on buffers with their contents before it.
    ///
    /// # Errors
    /// Returns an error if the device refuses the dispatch.
    pub(super) fn run(
        &self,
        gpu: Gpu<'_>,
        workgroups: [u32; 3],
        buffers: &[&Buffers],
    ) -> Result<(), ProfileError> {
        let run = |_: &wgpu::Device| {
            let mut encoder = gpu.encoder();
            buffers.iter().for_each(|buffers| buffers.reset(&mut encoder));
            self.encode(&mut encoder, workgroups, None);
            gpu.queue.submit([encoder.finish()]);
        };
        catching(gpu.device, run).map_err(ProfileError::Device)
    }
}
