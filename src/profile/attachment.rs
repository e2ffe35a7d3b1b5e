//! Recording of a program's own dispatch.

use super::device::{Buffers, Gpu, compile, most_bytes};
use super::error::ProfileError;
use super::log::{Log, LogLayout};
use super::probes::Probed;
use super::record::check_group;
use super::replaying::Specialized;
use crate::gpu::catching;

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
    log: Buffers,
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
        let lanes = Specialized::new(probed, constants)?.lanes()?;
        let budget = (*budget).min(most_bytes(device));
        let layout = LogLayout::sampled(*workgroups, lanes, *words, (budget, *seed))?;
        let group = probed.group;
        check_group(device, group)?;
        if layouts.get(group as usize).is_some_and(Option::is_some) {
            return Err(ProfileError::Unsupported(format!(
                "layouts that use bind group {group}, which the shader does not"
            )));
        }
        let log = Buffers::of_words(Gpu { device, queue }, group, &layout.contents())?;
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
            let pipeline =
                compile(device, &probed.probed, &probed.entry, constants, Some(&pipeline_layout));
            let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("log"),
                layout: &of_log,
                entries: &log.entries(),
            });
            (pipeline, bind_group)
        };
        let (pipeline, bind_group) = catching(device, build).map_err(ProfileError::Device)?;
        Ok(Self { pipeline, group, bind_group, log, layout })
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
        self.layout.read(&self.log.words(Gpu { device, queue })?)
    }
}
