//! Loading of workloads: creates their pipelines, buffers and bind groups before any sample is taken.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::params::check_params;
use super::pipeline::{Binding, Pipeline, Pipelines, catching};
use super::size_probe;
use super::{AdapterFacts, Contents, Dispatch, Timing, Upload, UploadPath, Workload};

/// Minimum size of a buffer in bytes, and the number of bytes at the start of an output that are cleared
/// before each timed pass.
pub(super) const HEAD_BYTES: u64 = 16;

/// Usages of the storage buffers.
const STORAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::COPY_DST);

/// A dispatch that is ready to be encoded.
pub(super) struct Step {
    pipeline: Rc<Pipeline>,
    bind_group: wgpu::BindGroup,
    workgroups: [u32; 2],
    /// Receives the subgroup size, if the kernel stores it. Dispatches that shared the buffer would wait for each
    /// other.
    pub(super) subgroup_size: Option<wgpu::Buffer>,
}

impl Step {
    /// Binds the pipeline and the buffers for the dispatches that follow.
    pub(super) fn bind(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.set_pipeline(&self.pipeline.pipeline);
        pass.set_bind_group(0, &self.bind_group, &[]);
    }

    /// Encodes the dispatch. The pipeline and the buffers must be [bound](Self::bind).
    pub(super) fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>) {
        let [x, y] = self.workgroups;
        pass.dispatch_workgroups(x, y, 1);
    }

    /// Encodes a dispatch of zero workgroups if the pipeline has not been dispatched before.
    ///
    /// Returns `true` if the dispatch was encoded.
    pub(super) fn encode_first(&self, pass: &mut wgpu::ComputePass<'_>) -> bool {
        let is_first = !self.pipeline.is_compiled.replace(true);
        if is_first {
            self.bind(pass);
            pass.dispatch_workgroups(0, 0, 1);
        }
        is_first
    }
}

/// A workload on the device.
pub(super) struct Loaded {
    pub(super) steps: Vec<Step>,
    pub(super) prepare: Vec<Step>,
    pub(super) warm_up: Vec<Step>,
    pub(super) timing: Timing,
    pub(super) zeroed: Vec<wgpu::Buffer>,
    /// The output buffers, each with the number of bytes that belong to this workload. A shared buffer may be
    /// larger.
    pub(super) checked: Vec<(wgpu::Buffer, u64)>,
    /// Staging buffer and host memory of a timed readback.
    pub(super) readback: Option<(wgpu::Buffer, Vec<u8>)>,
    pub(super) uploads: Option<Uploads>,
    /// Duration of the last sample in seconds, or an assumed duration before the first sample. Submissions
    /// are packed by this duration.
    pub(super) expected_s: f64,
}

impl Loaded {
    /// Returns every step, timed or not.
    pub(super) fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.prepare.iter().chain(&self.warm_up).chain(&self.steps)
    }

    /// Clears the first [`HEAD_BYTES`] of every output. Atomics accumulate their totals there.
    pub(super) fn clear_heads(&self, encoder: &mut wgpu::CommandEncoder) {
        for (output, _) in &self.checked {
            encoder.clear_buffer(output, 0, Some(HEAD_BYTES));
        }
    }
}

/// The data and buffers of a stream's uploads.
pub(super) struct Uploads {
    pub(super) words: Arc<[u32]>,
    pub(super) batch_words: usize,
    /// For each batch in flight, the target buffer and, if warplaw manages the staging memory, a staging
    /// buffer.
    pub(super) slots: Vec<(wgpu::Buffer, Option<wgpu::Buffer>)>,
}

impl Uploads {
    /// Returns the bytes of batch `batch`.
    pub(super) fn batch(&self, batch: usize) -> &[u8] {
        bytemuck::cast_slice(&self.words[batch..batch + self.batch_words])
    }
}

/// Address of input data on the host, and how often the data is repeated on the device.
type InputId = (*const u32, u32);

/// Input data on the device.
///
/// A buffer is kept for as long as consecutive sets of workloads need its data.
#[derive(Default)]
pub(super) struct Inputs(HashMap<InputId, (Arc<[u32]>, wgpu::Buffer)>);

impl Inputs {
    /// Drops the buffers that none of `workloads` reads.
    fn keep_for(&mut self, workloads: &[Workload]) {
        let data = workloads.iter().flat_map(|workload| &workload.buffers);
        let needed: HashSet<InputId> = data
            .filter_map(|contents| match contents {
                Contents::Data(words) => Some((words.as_ptr(), 1)),
                Contents::Repeated(words, times) => Some((words.as_ptr(), *times)),
                _ => None,
            })
            .collect();
        self.0.retain(|id, _| needed.contains(id));
    }
}

/// Loads a set of workloads. They share pipelines, input data and scratch buffers.
pub(super) struct Loader<'a> {
    device: &'a wgpu::Device,
    queue: &'a wgpu::Queue,
    facts: &'a AdapterFacts,
    pipelines: &'a mut Pipelines,
    inputs: &'a mut Inputs,
    /// The scratch buffers, by index.
    scratch: HashMap<usize, wgpu::Buffer>,
    /// Size of each scratch buffer in words, by index.
    scratch_words: HashMap<usize, usize>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(
        device: &'a wgpu::Device,
        queue: &'a wgpu::Queue,
        facts: &'a AdapterFacts,
        pipelines: &'a mut Pipelines,
        inputs: &'a mut Inputs,
        workloads: &[Workload],
    ) -> Self {
        inputs.keep_for(workloads);
        let mut scratch_words: HashMap<usize, usize> = HashMap::new();
        for contents in workloads.iter().flat_map(|workload| &workload.buffers) {
            if let Contents::Scratch(index, words) = *contents {
                let size = scratch_words.entry(index).or_default();
                *size = words.max(*size);
            }
        }
        Self { device, queue, facts, pipelines, inputs, scratch: HashMap::new(), scratch_words }
    }

    /// Loads one workload. `expected_s` is the assumed duration of its first sample in seconds.
    ///
    /// # Errors
    /// Returns the reason why the workload cannot run, in one line.
    pub(super) fn load(&mut self, workload: &Workload, expected_s: f64) -> Result<Loaded, String> {
        if let Some(missing) = workload.needs().find(|&feature| !self.facts.has(feature)) {
            return Err(missing.missing());
        }
        check_params(workload)?;
        let device = self.device;
        let buffers = catching(device, |_| {
            workload.buffers.iter().map(|contents| self.buffer(contents)).collect::<Vec<_>>()
        })?;
        let readback = match workload.timing {
            Timing::Readback { words, .. } => {
                let bytes = u64::from(words) * 4;
                let buffer = catching(device, |device| for_readback(device, bytes))?;
                Some((buffer, vec![0; bytes as usize]))
            }
            _ => None,
        };
        let bytes = |contents: &Contents| contents.words() as u64 * 4;
        let zeroed = workload.buffers.iter().zip(&buffers);
        let checked = &workload.check.buffers;
        Ok(Loaded {
            steps: self.steps(&workload.dispatches, &buffers)?,
            prepare: self.steps(&workload.prepare, &buffers)?,
            warm_up: self.steps(&workload.warm_up, &buffers)?,
            timing: workload.timing,
            zeroed: zeroed
                .filter(|(contents, _)| matches!(contents, Contents::Zeroed(_)))
                .map(|(_, buffer)| buffer.clone())
                .collect(),
            checked: checked
                .iter()
                .map(|&at| (buffers[at].clone(), bytes(&workload.buffers[at])))
                .collect(),
            readback,
            uploads: self.uploads(workload, &buffers)?,
            expected_s,
        })
    }

    fn steps(
        &mut self,
        dispatches: &[Dispatch],
        buffers: &[wgpu::Buffer],
    ) -> Result<Vec<Step>, String> {
        dispatches.iter().map(|dispatch| self.step(dispatch, buffers)).collect()
    }

    fn step(&mut self, dispatch: &Dispatch, buffers: &[wgpu::Buffer]) -> Result<Step, String> {
        let pipeline = self.pipelines.get(self.device, dispatch)?;
        let mut entries = Vec::with_capacity(pipeline.bindings.len());
        let is_size = |binding: &&Binding| binding.name == size_probe::VARIABLE;
        let size = pipeline.bindings.iter().find(is_size).map(|binding| binding.index);
        let subgroup_size = size.map(|_| create(self.device, HEAD_BYTES, STORAGE));
        if let (Some(binding), Some(buffer)) = (size, &subgroup_size) {
            let resource = buffer.as_entire_binding();
            entries.push(wgpu::BindGroupEntry { binding, resource });
        }
        for binding in pipeline.bindings.iter().filter(|binding| !is_size(binding)) {
            let &(_, buffer) = dispatch
                .bindings
                .iter()
                .find(|(name, _)| *name == binding.name)
                .ok_or_else(|| format!("{dispatch:?} binds no buffer to `{}`", binding.name))?;
            entries.push(wgpu::BindGroupEntry {
                binding: binding.index,
                resource: buffers[buffer].as_entire_binding(),
            });
        }
        let bind_group = catching(self.device, |device| {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(dispatch.entry),
                layout: &pipeline.pipeline.get_bind_group_layout(0),
                entries: &entries,
            })
        })?;
        Ok(Step { pipeline, bind_group, workgroups: dispatch.workgroups, subgroup_size })
    }

    fn buffer(&mut self, contents: &Contents) -> wgpu::Buffer {
        let device = self.device;
        let create = |words: usize, usage| {
            let bytes = (words as u64 * 4).max(HEAD_BYTES);
            create(device, bytes, usage)
        };
        match contents {
            Contents::Uniform(words) => {
                let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
                let buffer = create(words.len().next_multiple_of(4), usage);
                let words: Vec<u32> = words.iter().map(|&(_, word)| word).collect();
                self.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(&words));
                buffer
            }
            Contents::Data(words) => self
                .inputs
                .0
                .entry((words.as_ptr(), 1))
                .or_insert_with(|| {
                    let buffer = create(words.len(), STORAGE);
                    self.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(words));
                    (Arc::clone(words), buffer)
                })
                .1
                .clone(),
            Contents::Repeated(words, times) => self.repeated(words, *times),
            Contents::Zeroed(words) => create(*words, STORAGE),
            Contents::Scratch(index, _) => self
                .scratch
                .entry(*index)
                .or_insert_with(|| create(self.scratch_words[index], STORAGE))
                .clone(),
        }
    }

    /// Returns a buffer that contains `words` `times` times. The words are uploaded once.
    fn repeated(&mut self, words: &Arc<[u32]>, times: u32) -> wgpu::Buffer {
        let id = (words.as_ptr(), times);
        if let Some((_, buffer)) = self.inputs.0.get(&id) {
            return buffer.clone();
        }
        let once = self.buffer(&Contents::Data(Arc::clone(words)));
        let bytes = words.len() as u64 * 4;
        let buffer = create(self.device, bytes * u64::from(times), STORAGE);
        let mut encoder =
            self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for part in 0..u64::from(times) {
            encoder.copy_buffer_to_buffer(&once, 0, &buffer, part * bytes, bytes);
        }
        self.queue.submit([encoder.finish()]);
        self.inputs.0.insert(id, (Arc::clone(words), buffer.clone()));
        buffer
    }

    fn uploads(
        &self,
        workload: &Workload,
        buffers: &[wgpu::Buffer],
    ) -> Result<Option<Uploads>, String> {
        let (Timing::Stream(stream), Some(upload_source)) =
            (workload.timing, &workload.upload_source)
        else {
            return Ok(None);
        };
        let batch_words = workload.buffers[upload_source.targets[0]].words();
        let mut uploads =
            Uploads { words: Arc::clone(&upload_source.words), batch_words, slots: Vec::new() };
        for (slot, &target) in upload_source.targets.iter().enumerate() {
            let staging = match (stream.path, stream.upload) {
                (UploadPath::WriteBuffer, _) | (_, Upload::Nothing) => None,
                (UploadPath::MappedStaging, upload) => {
                    let words = uploads.batch(slot);
                    let staging = catching(self.device, |device| for_upload(device, words))?;
                    if upload == Upload::Copy {
                        staging.unmap();
                    }
                    Some(staging)
                }
            };
            uploads.slots.push((buffers[target].clone(), staging));
        }
        Ok(Some(uploads))
    }
}

pub(crate) fn create(device: &wgpu::Device, bytes: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: bytes,
        usage,
        mapped_at_creation: false,
    })
}

/// Creates a buffer that the host can map for reading.
pub(crate) fn for_readback(device: &wgpu::Device, bytes: u64) -> wgpu::Buffer {
    create(device, bytes, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST)
}

/// Creates a buffer that the host can map for writing. The buffer contains `bytes` and is still mapped.
fn for_upload(device: &wgpu::Device, bytes: &[u8]) -> wgpu::Buffer {
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: bytes.len() as u64,
        usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: true,
    });
    // The caller's error scope reports a failed creation, for which no range is mapped.
    if let Ok(mut view) = buffer.slice(..).get_mapped_range_mut() {
        view.copy_from_slice(bytes);
    }
    buffer
}
