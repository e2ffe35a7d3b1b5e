//! Additions on the device of a rank: received parts are uploaded, and sums are read back.

use std::ops::Range;

use super::schedule::longest_part;
use crate::gpu::{catching, create, read_mapped};
use crate::kernels::add_part;

/// Bytes of a 32-bit float.
const WORD_BYTES: u64 = 4;

/// The device of a rank with the kernel that adds.
pub struct Device {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::ComputePipeline,
    buffers: Option<Buffers>,
}

struct Buffers {
    message: wgpu::Buffer,
    received: wgpu::Buffer,
    staging: wgpu::Buffer,
    /// For each part of the message, what the kernel needs to add to it.
    parts: Vec<(Range<usize>, wgpu::BindGroup)>,
}

impl Device {
    /// Compiles the kernel.
    ///
    /// # Errors
    /// Returns the message of the device if that fails.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Result<Self, String> {
        let pipeline = catching(device, |device| {
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: None,
                source: wgpu::ShaderSource::Wgsl(add_part::shader().source().into()),
            });
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: None,
                layout: None,
                module: &module,
                entry_point: Some(add_part::ENTRY),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            })
        })?;
        Ok(Self { device: device.clone(), queue: queue.clone(), pipeline, buffers: None })
    }

    /// Makes buffers for messages of up to `words` words, and for all of `parts` parts of a message.
    ///
    /// # Errors
    /// Returns the message of the device if they do not fit.
    pub(super) fn prepare(&mut self, words: u32, parts: &[Range<usize>]) -> Result<(), String> {
        use wgpu::BufferUsages as Usage;
        self.buffers = None;
        let bytes = WORD_BYTES * u64::from(words.max(1));
        let pipeline = &self.pipeline;
        let buffers = catching(&self.device, |device| {
            let storage = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
            let message = create(device, bytes, storage);
            let received = create(device, bytes, storage);
            let staging = create(device, bytes, Usage::MAP_READ | Usage::COPY_DST);
            let of_part = |part: &Range<usize>| {
                let params = create(device, 16, Usage::UNIFORM | Usage::COPY_DST);
                let words = [part.start as u32, part.len() as u32, 0, 0];
                self.queue.write_buffer(&params, 0, bytemuck::cast_slice(&words));
                let buffers = [&params, &received, &message];
                let entries = [0, 1, 2].map(|binding| wgpu::BindGroupEntry {
                    binding: binding as u32,
                    resource: buffers[binding].as_entire_binding(),
                });
                let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: None,
                    layout: &pipeline.get_bind_group_layout(0),
                    entries: &entries,
                });
                (part.clone(), bind_group)
            };
            let parts = parts.iter().map(of_part).collect();
            Buffers { message, received, staging, parts }
        })?;
        self.buffers = Some(buffers);
        Ok(())
    }

    fn buffers(&self) -> Result<&Buffers, String> {
        self.buffers.as_ref().ok_or_else(|| "the device has no buffers for messages".to_owned())
    }

    /// Writes `words` to the message, from word `start`, and waits.
    ///
    /// # Errors
    /// Returns the message of the device if it fails.
    pub(super) fn upload(&self, start: usize, words: &[f32]) -> Result<(), String> {
        if words.is_empty() {
            return Ok(());
        }
        let at = WORD_BYTES * start as u64;
        self.queue.write_buffer(&self.buffers()?.message, at, bytemuck::cast_slice(words));
        self.queue.submit([]);
        self.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|error| error.to_string())?;
        Ok(())
    }

    /// Reads words of the message back, from word `start`.
    ///
    /// # Errors
    /// Returns the message of the device if it fails.
    pub(super) fn read_back(&self, start: usize, into: &mut [f32]) -> Result<(), String> {
        let encoder =
            self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        self.copy_back(encoder, start, into)
    }

    /// Uploads `received`, adds it to a part of the message, and reads the sum back.
    ///
    /// # Errors
    /// Returns the message of the device if it fails.
    pub(super) fn step(
        &self,
        part: &Range<usize>,
        received: &[f32],
        into: &mut [f32],
    ) -> Result<(), String> {
        if part.is_empty() {
            return Ok(());
        }
        let buffers = self.buffers()?;
        let (_, bind_group) = buffers
            .parts
            .iter()
            .find(|(known, _)| known == part)
            .ok_or_else(|| format!("no part {part:?} was prepared"))?;
        self.queue.write_buffer(&buffers.received, 0, bytemuck::cast_slice(received));
        let mut encoder =
            self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, bind_group, &[]);
        pass.dispatch_workgroups(add_part::workgroups(part.len() as u32), 1, 1);
        drop(pass);
        self.copy_back(encoder, part.start, into)
    }

    fn copy_back(
        &self,
        mut encoder: wgpu::CommandEncoder,
        start: usize,
        into: &mut [f32],
    ) -> Result<(), String> {
        if into.is_empty() {
            return Ok(());
        }
        let buffers = self.buffers()?;
        let (at, bytes) = (WORD_BYTES * start as u64, WORD_BYTES * into.len() as u64);
        encoder.copy_buffer_to_buffer(&buffers.message, at, &buffers.staging, 0, bytes);
        self.queue.submit([encoder.finish()]);
        read_mapped(&self.device, &buffers.staging, bytemuck::cast_slice_mut(into))
            .map_err(|error| error.to_string())
    }
}

/// Returns the parts of messages of these lengths among `ranks` ranks, and the first part of each length.
pub(super) fn parts_of(lengths: impl IntoIterator<Item = u32>, ranks: u32) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for words in lengths {
        let of_ring = (0..ranks).map(|index| super::schedule::part(words, ranks, index));
        for part in of_ring.chain([0..words as usize, 0..longest_part(words, ranks) as usize]) {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
    }
    parts
}
