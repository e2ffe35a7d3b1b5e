//! Recording of a program's own dispatch.

use std::borrow::Cow;

use super::device::{Gpu, most_bytes};
use super::error::ProfileError;
use super::log::{Log, LogLayout};
use super::probes::Probed;
use super::record::check_group;
use super::replaying::Specialized;
use crate::gpu::{catching, create, for_readback, one_line, read_mapped};

/// How a program's dispatch is recorded.
#[derive(Debug, Clone)]
pub struct Attach<'a> {
    /// The shader.
    pub probed: &'a Probed,
    /// Values of pipeline-overridable constants, by name.
    pub constants: &'a [(String, f64)],
    /// The layouts of the program's bind groups, by group.
    pub layouts: &'a [Option<&'a wgpu::BindGroupLayout>],
    /// Number of workgroups in x, y and z.
    pub workgroups: [u32; 3],
    /// Words for the decisions of each invocation. If they do not suffice, [`Attachment::read`] tells how many do.
    pub words: u32,
    /// Most bytes of the log.
    pub budget: u64,
    /// Seed of the sample of workgroups.
    pub seed: u64,
}

/// A pipeline that takes the place of a program's own for one dispatch, with a bind group more. The program binds its own
/// groups as always, and its buffers receive what they always do.
pub struct Attachment {
    pipeline: wgpu::ComputePipeline,
    group: u32,
    bind_group: wgpu::BindGroup,
    buffer: wgpu::Buffer,
    layout: LogLayout,
}

impl Attachment {
    /// Compiles the shader with probes for the program's layouts.
    ///
    /// # Errors
    /// Returns an error if the layouts do not leave the group of the log free, if the budget does not suffice for a workgroup,
    /// or if the device refuses the shader.
    pub fn new(
        attach: &Attach<'_>,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
    ) -> Result<Self, ProfileError> {
        let Attach { probed, constants, layouts, workgroups, words, budget, seed } = attach;
        let size = Specialized::new(probed, constants)?.point().workgroup_size;
        let lanes = size.iter().product();
        let budget = (*budget).min(most_bytes(device));
        let layout = LogLayout::sampled(*workgroups, lanes, *words, (budget, *seed))?;
        let group = probed.group;
        check_group(device, group)?;
        if layouts.get(group as usize).is_some_and(Option::is_some) {
            return Err(ProfileError::Unsupported(format!(
                "layouts that use bind group {group}, which the shader does not"
            )));
        }
        let contents = layout.contents();
        let build = |device: &wgpu::Device| {
            let of_log = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some("log"),
                entries: &[wgpu::BindGroupLayoutEntry {
                    binding: 0,
                    visibility: wgpu::ShaderStages::COMPUTE,
                    ty: wgpu::BindingType::Buffer {
                        ty: wgpu::BufferBindingType::Storage { read_only: false },
                        has_dynamic_offset: false,
                        min_binding_size: None,
                    },
                    count: None,
                }],
            });
            let mut all = layouts.to_vec();
            all.resize(all.len().max(group as usize + 1), None);
            all[group as usize] = Some(&of_log);
            let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("profiled"),
                bind_group_layouts: &all,
                immediate_size: 0,
            });
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some("profiled"),
                source: wgpu::ShaderSource::Naga(Cow::Owned(probed.probed.clone())),
            });
            let constants: Vec<(&str, f64)> =
                constants.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some("profiled"),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some(&probed.entry),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &constants,
                    ..wgpu::PipelineCompilationOptions::default()
                },
                cache: None,
            });
            let usage = wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_SRC
                | wgpu::BufferUsages::COPY_DST;
            let buffer = create(device, 4 * contents.len() as u64, usage);
            queue.write_buffer(&buffer, 0, bytemuck::cast_slice(&contents));
            let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("log"),
                layout: &of_log,
                entries: &[wgpu::BindGroupEntry {
                    binding: 0,
                    resource: buffer.as_entire_binding(),
                }],
            });
            (pipeline, bind_group, buffer)
        };
        let (pipeline, bind_group, buffer) =
            catching(device, build).map_err(ProfileError::Device)?;
        Ok(Self { pipeline, group, bind_group, buffer, layout })
    }

    /// Returns the pipeline, to be set in the place of the program's own.
    #[must_use]
    pub fn pipeline(&self) -> &wgpu::ComputePipeline {
        &self.pipeline
    }

    /// Returns the index and the bind group of the log, to be set beside the program's own groups.
    #[must_use]
    pub fn bind_group(&self) -> (u32, &wgpu::BindGroup) {
        (self.group, &self.bind_group)
    }

    /// Waits for the dispatch and reads what its invocations decided.
    ///
    /// # Errors
    /// Returns an error if an invocation had no room for its decisions, with the number of words that it needs, or if the device
    /// fails.
    pub fn read(&self, device: &wgpu::Device, queue: &wgpu::Queue) -> Result<Log, ProfileError> {
        let gpu = Gpu { device, queue };
        let staging = catching(device, |device| {
            let staging = for_readback(device, self.buffer.size());
            let mut encoder = gpu.encoder();
            encoder.copy_buffer_to_buffer(&self.buffer, 0, &staging, 0, self.buffer.size());
            queue.submit([encoder.finish()]);
            staging
        });
        let staging = staging.map_err(ProfileError::Device)?;
        let mut words = vec![0u32; self.layout.contents().len()];
        read_mapped(device, &staging, bytemuck::cast_slice_mut(&mut words))
            .map_err(|error| ProfileError::Device(one_line(&error.to_string())))?;
        self.layout.read(&words)
    }
}
