//! Recording: a shader with probes runs on the GPU with the user's data.

use std::borrow::Cow;
use std::collections::BTreeSet;

use naga::ShaderStage;
use naga::back::pipeline_constants::process_overrides;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::error::ProfileError;
use super::log::{Log, LogLayout};
use super::probes::Probed;
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

/// A dispatch to record.
#[derive(Debug, Clone)]
pub struct Recording<'a> {
    /// The shader.
    pub probed: &'a Probed,
    /// Values of pipeline-overridable constants, by name.
    pub constants: Vec<(String, f64)>,
    /// Number of workgroups in x, y and z.
    pub workgroups: [u32; 3],
    /// The buffers.
    pub buffers: Vec<BoundBuffer>,
    /// Most bytes of the log.
    pub budget: u64,
    /// Seed of the sample of workgroups.
    pub seed: u64,
}

/// What a dispatch did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// What its invocations decided.
    pub log: Log,
    /// The contents of the buffers after the dispatch, in the order of [`Recording::buffers`].
    pub buffers: Vec<Vec<u8>>,
}

/// Words of a log that are tried first. Few shaders decide more often.
const WORDS: u32 = 16;

impl Recording<'_> {
    /// Runs the dispatch. If the decisions of an invocation do not fit its log, the dispatch runs again with longer logs,
    /// and of fewer workgroups if they exceed the budget.
    ///
    /// # Errors
    /// Returns an error if a buffer is missing, if the budget does not suffice for a single workgroup, or if the device
    /// refuses the shader or fails.
    pub fn run(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
    ) -> Result<Recorded, ProfileError> {
        let lanes = self.lanes()?;
        let used = self.used()?;
        let pipeline =
            catching(device, |device| self.pipeline(device)).map_err(ProfileError::Device)?;
        let mut words = WORDS;
        loop {
            let layout = self.layout(lanes, words)?;
            let (buffers, log) = self.once(device, queue, &pipeline, &used, &layout.contents())?;
            match layout.read(&log) {
                Err(ProfileError::NoRoom { words: needed }) if needed > words => words = needed,
                read => return read.map(|log| Recorded { log, buffers }),
            }
        }
    }

    /// Returns the invocations of a workgroup.
    fn lanes(&self) -> Result<u32, ProfileError> {
        let Probed { module, info, entry, .. } = self.probed;
        let constants = self.constants.iter().cloned().collect();
        let stage = Some((ShaderStage::Compute, entry.as_str()));
        let (module, _) = process_overrides(module, info, stage, &constants)
            .map_err(|error| ProfileError::Constants(one_line(&error.to_string())))?;
        let point = module.entry_points.iter().find(|point| point.name == *entry);
        let size = point.map_or([1; 3], |point| point.workgroup_size).map(u64::from);
        u32::try_from(size.iter().product::<u64>()).map_err(|_| ProfileError::TooLarge)
    }

    /// Returns the bindings that the shader with probes uses.
    fn used(&self) -> Result<BTreeSet<(u32, u32)>, ProfileError> {
        let Probed { probed: module, probed_info, group: of_log, .. } = self.probed;
        let of_entry = probed_info.get_entry_point(0);
        let mut used = BTreeSet::new();
        let mut missing = Vec::new();
        for (handle, variable) in module.global_variables.iter() {
            let Some(binding) = variable.binding.filter(|_| !of_entry[handle].is_empty()) else {
                continue;
            };
            let place = (binding.group, binding.binding);
            used.insert(place);
            let is_given = self.buffers.iter().any(|given| (given.group, given.binding) == place);
            if !is_given && binding.group != *of_log {
                let name = variable.name.as_deref().unwrap_or("?");
                missing.push(format!("{}.{} `{name}`", binding.group, binding.binding));
            }
        }
        if missing.is_empty() { Ok(used) } else { Err(ProfileError::Missing(missing)) }
    }

    /// Returns a layout with logs of `words` words, for a random sample of workgroups that is as large as the budget allows.
    fn layout(&self, lanes: u32, words: u32) -> Result<LogLayout, ProfileError> {
        let [x, y, z] = self.workgroups.map(u128::from);
        let workgroups = u32::try_from(x * y * z).map_err(|_| ProfileError::TooLarge)?;
        let without = LogLayout::new(workgroups, lanes, words, vec![])?;
        let bytes = 4 * without.len().unwrap_or(u64::MAX / 4);
        let each = u64::from(lanes) * u64::from(words) * 4;
        let most = self.budget.saturating_sub(bytes) / each.max(1);
        if most == 0 {
            return Err(ProfileError::Budget { bytes: self.budget, needed: bytes + each });
        }
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut order: Vec<u32> = (0..workgroups).collect();
        let (sampled, _) = order.partial_shuffle(&mut rng, most.min(workgroups.into()) as usize);
        LogLayout::new(workgroups, lanes, words, sampled.to_vec())
    }

    fn pipeline(&self, device: &wgpu::Device) -> wgpu::ComputePipeline {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("profiled"),
            source: wgpu::ShaderSource::Naga(Cow::Owned(self.probed.probed.clone())),
        });
        let constants: Vec<(&str, f64)> =
            self.constants.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("profiled"),
            layout: None,
            module: &module,
            entry_point: Some(&self.probed.entry),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                ..wgpu::PipelineCompilationOptions::default()
            },
            cache: None,
        })
    }

    /// Runs the dispatch once. Returns the contents of the buffers and the words of the log.
    fn once(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        pipeline: &wgpu::ComputePipeline,
        used: &BTreeSet<(u32, u32)>,
        log: &[u32],
    ) -> Result<(Vec<Vec<u8>>, Vec<u32>), ProfileError> {
        let log = BoundBuffer {
            group: self.probed.group,
            binding: 0,
            bytes: bytemuck::cast_slice(log).to_vec(),
        };
        let all: Vec<&BoundBuffer> = self.buffers.iter().chain([&log]).collect();
        let submit = |device: &wgpu::Device| self.submit(device, queue, pipeline, used, &all);
        let staging = catching(device, submit).map_err(ProfileError::Device)?;
        let read = |(buffer, bound): (&wgpu::Buffer, &&BoundBuffer)| {
            let mut bytes = vec![0; bound.bytes.len()];
            if bytes.is_empty() {
                return Ok(bytes);
            }
            read_mapped(device, buffer, &mut bytes)
                .map_err(|error| ProfileError::Device(one_line(&error.to_string())))?;
            Ok(bytes)
        };
        let mut contents: Vec<Vec<u8>> =
            staging.iter().zip(&all).map(read).collect::<Result<_, ProfileError>>()?;
        let log = contents.pop().unwrap_or_default();
        Ok((contents, bytemuck::pod_collect_to_vec(&log)))
    }

    /// Submits the dispatch with the buffers `all`. Returns the buffers from which the host reads what they contain then.
    fn submit(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        pipeline: &wgpu::ComputePipeline,
        used: &BTreeSet<(u32, u32)>,
        all: &[&BoundBuffer],
    ) -> Vec<wgpu::Buffer> {
        let on_device: Vec<wgpu::Buffer> =
            all.iter().map(|buffer| upload(device, queue, &buffer.bytes)).collect();
        let groups: BTreeSet<u32> = used.iter().map(|&(group, _)| group).collect();
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(pipeline);
        for group in groups {
            let entries: Vec<wgpu::BindGroupEntry<'_>> = all
                .iter()
                .zip(&on_device)
                .filter(|(bound, _)| bound.group == group && used.contains(&(group, bound.binding)))
                .map(|(bound, buffer)| wgpu::BindGroupEntry {
                    binding: bound.binding,
                    // The buffer may be longer than its contents, and a shader asks for the length.
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer,
                        offset: 0,
                        size: wgpu::BufferSize::new(bound.bytes.len() as u64),
                    }),
                })
                .collect();
            let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &pipeline.get_bind_group_layout(group),
                entries: &entries,
            });
            pass.set_bind_group(group, &bind_group, &[]);
        }
        let [x, y, z] = self.workgroups;
        pass.dispatch_workgroups(x, y, z);
        drop(pass);
        let staging = on_device
            .iter()
            .map(|buffer| {
                let staging = for_readback(device, buffer.size());
                encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
                staging
            })
            .collect();
        queue.submit([encoder.finish()]);
        staging
    }
}

/// Returns a buffer with these contents, at least 16 bytes.
fn upload(device: &wgpu::Device, queue: &wgpu::Queue, bytes: &[u8]) -> wgpu::Buffer {
    let usage = wgpu::BufferUsages::STORAGE
        | wgpu::BufferUsages::UNIFORM
        | wgpu::BufferUsages::COPY_SRC
        | wgpu::BufferUsages::COPY_DST;
    let buffer = create(device, (bytes.len() as u64).next_multiple_of(4).max(16), usage);
    queue.write_buffer(&buffer, 0, bytes);
    buffer
}
