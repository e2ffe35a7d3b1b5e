//! The real executor: wgpu.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::adapter::{self, AdapterFacts, ClockKind, Selection};
use super::pipeline::{Pipeline, Pipelines, catching};
use super::timer::{MOST_SPANS, QueryTimer, read_mapped};
use super::{BadSpan, Contents, Executor, GpuError, Span, Timing, Workload};

/// How to open a device.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which adapter.
    pub selection: Selection,
    /// Keep wgpu's injected bounds, division and loop checks.
    pub checked: bool,
    /// Use the host clock even where there are timestamps.
    pub host_clock: bool,
}

/// A submission gathers spans until they are expected to reach this long: far from any watchdog.
const SUBMISSION_S: f64 = 0.1;

/// What a span is taken for before it has been measured.
const UNKNOWN_SPAN_S: f64 = SUBMISSION_S / 8.0;

/// No buffer is smaller.
const HEAD_BYTES: u64 = 16;

/// An opened device with its loaded workloads.
pub struct Hardware {
    device: wgpu::Device,
    queue: wgpu::Queue,
    facts: AdapterFacts,
    pipelines: Pipelines,
    timer: Option<QueryTimer>,
    loaded: Vec<Option<Loaded>>,
    /// Takes a word of every timed pass's output: see `stamped_spans`.
    fence: wgpu::Buffer,
    fault: Arc<Mutex<Option<String>>>,
}

struct Step {
    pipeline: Arc<Pipeline>,
    bind_group: wgpu::BindGroup,
    workgroups: [u32; 2],
}

struct Loaded {
    steps: Vec<Step>,
    timing: Timing,
    zeroed: Vec<wgpu::Buffer>,
    checked: wgpu::Buffer,
    checked_bytes: u64,
    /// Staging and host memory of a timed readback, allocated once.
    staging: Option<(wgpu::Buffer, Vec<u8>)>,
    /// The last span, from which submissions are packed.
    expected_s: f64,
}

impl Hardware {
    /// Opens the adapter that `options` select.
    ///
    /// # Errors
    /// No adapter, none that matches, or one that refuses to open.
    pub fn open(options: &Options) -> Result<Self, GpuError> {
        let adapter = adapter::choose(&options.selection)?;
        let mut facts = AdapterFacts::of(&adapter, !options.host_clock);
        let mut features = wgpu::Features::empty();
        features.set(wgpu::Features::TIMESTAMP_QUERY, facts.has_timestamps());
        features.set(wgpu::Features::SUBGROUP, facts.has_subgroups());
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("warplaw"),
            required_features: features,
            required_limits: adapter.limits(),
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::Performance,
            trace: wgpu::Trace::Off,
        }))
        .map_err(|error| GpuError::Device {
            adapter: facts.name.clone(),
            reason: error.to_string(),
        })?;
        let fault = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&fault);
        // Without a handler wgpu panics; the message is reported by the call that finds it.
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            slot.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error.to_string());
        }));
        facts.shader_checks = options.checked;
        if facts.has_timestamps() {
            facts.period_ns = f64::from(queue.get_timestamp_period());
        }
        let fence = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("fence"),
            size: HEAD_BYTES,
            usage: wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Ok(Self {
            fence,
            pipelines: Pipelines::new(!options.checked),
            device,
            queue,
            facts,
            timer: None,
            loaded: Vec::new(),
            fault,
        })
    }

    fn load_one(
        &mut self,
        workload: &Workload,
        shared: &mut HashMap<*const u32, wgpu::Buffer>,
    ) -> Result<Loaded, String> {
        if workload.needs_subgroups() && !self.facts.has_subgroups() {
            return Err("the adapter offers no subgroup operations".to_owned());
        }
        let device = self.device.clone();
        let buffers = catching(&device, |_| {
            workload
                .buffers
                .iter()
                .map(|contents| self.buffer(contents, shared))
                .collect::<Vec<_>>()
        })?;
        let mut steps = Vec::with_capacity(workload.dispatches.len());
        for dispatch in &workload.dispatches {
            let pipeline = self.pipelines.get(&device, dispatch)?;
            let mut entries = Vec::with_capacity(pipeline.bindings.len());
            for binding in &pipeline.bindings {
                let &(_, buffer) =
                    dispatch.bindings.iter().find(|(name, _)| *name == binding.name).ok_or_else(
                        || format!("{dispatch:?} binds nothing to `{}`", binding.name),
                    )?;
                entries.push(wgpu::BindGroupEntry {
                    binding: binding.index,
                    resource: buffers[buffer].as_entire_binding(),
                });
            }
            let bind_group = catching(&device, |device| {
                device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some(dispatch.entry),
                    layout: &pipeline.pipeline.get_bind_group_layout(0),
                    entries: &entries,
                })
            })?;
            steps.push(Step { pipeline, bind_group, workgroups: dispatch.workgroups });
        }
        let staging = match workload.timing {
            Timing::Readback { words, .. } => {
                let bytes = u64::from(words) * 4;
                let buffer = catching(&device, |device| staging(device, bytes))?;
                Some((buffer, vec![0; bytes as usize]))
            }
            _ => None,
        };
        Ok(Loaded {
            steps,
            timing: workload.timing,
            zeroed: workload
                .buffers
                .iter()
                .zip(&buffers)
                .filter(|(contents, _)| matches!(contents, Contents::Zeroed(_)))
                .map(|(_, buffer)| buffer.clone())
                .collect(),
            checked: buffers[workload.check.buffer].clone(),
            checked_bytes: workload.checked_words() as u64 * 4,
            staging,
            expected_s: UNKNOWN_SPAN_S,
        })
    }

    fn buffer(
        &self,
        contents: &Contents,
        shared: &mut HashMap<*const u32, wgpu::Buffer>,
    ) -> wgpu::Buffer {
        let storage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let create = |bytes: usize, usage| {
            self.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: (bytes as u64).max(HEAD_BYTES),
                usage,
                mapped_at_creation: false,
            })
        };
        match contents {
            Contents::Uniform(words) => {
                let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
                let buffer = create(words.len().next_multiple_of(4) * 4, usage);
                self.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(words));
                buffer
            }
            Contents::Data(words) => shared
                .entry(words.as_ptr())
                .or_insert_with(|| {
                    let buffer = create(words.len() * 4, storage);
                    self.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(words));
                    buffer
                })
                .clone(),
            Contents::Zeroed(words) => create(words * 4, storage),
        }
    }

    fn failed(&self, reason: impl Into<String>) -> GpuError {
        GpuError::Device { adapter: self.facts.name.clone(), reason: reason.into() }
    }

    fn wait(&self) -> Result<(), GpuError> {
        self.device
            .poll(wgpu::PollType::wait_indefinitely())
            .map_err(|error| self.failed(format!("waiting for it: {error}")))?;
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.map_or(Ok(()), |reason| Err(self.failed(reason)))
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    fn workload(&self, index: usize) -> Result<&Loaded, GpuError> {
        self.loaded
            .get(index)
            .and_then(Option::as_ref)
            .ok_or_else(|| self.failed(format!("workload {index} is not loaded")))
    }

    /// Times `index` by the host clock, from before encoding to after the last wait.
    fn host_span(&mut self, index: usize) -> Result<Span, GpuError> {
        if self.loaded[index].as_ref().is_some_and(|loaded| loaded.staging.is_some()) {
            return self.readback_span(index);
        }
        let loaded = self.workload(index)?;
        let (dispatches, passes, submits, waits) = match loaded.timing {
            Timing::Host { dispatches, passes, submits, waits } => {
                (dispatches, passes, submits, waits)
            }
            Timing::Pass { repeats } => (repeats, 1, 1, 1),
            Timing::Readback { .. } => unreachable!("a readback has staging and was timed above"),
        };
        let start = Instant::now();
        for _ in 0..waits {
            for _ in 0..submits {
                let mut encoder = self.encoder();
                for _ in 0..passes {
                    encode_pass(&mut encoder, None, loaded, dispatches);
                }
                self.queue.submit([encoder.finish()]);
            }
            self.wait()?;
        }
        Ok(Ok(start.elapsed().as_secs_f64()))
    }

    fn readback_span(&mut self, index: usize) -> Result<Span, GpuError> {
        let mut loaded = self.loaded[index].take().expect("the caller has seen it");
        let Some((staging, host)) = &mut loaded.staging else {
            unreachable!("the caller has seen the staging buffer")
        };
        let Timing::Readback { maps, .. } = loaded.timing else {
            unreachable!("only readbacks have staging")
        };
        let start = Instant::now();
        for _ in 0..maps {
            let mut encoder = self.encoder();
            encoder.copy_buffer_to_buffer(&loaded.checked, 0, staging, 0, host.len() as u64);
            self.queue.submit([encoder.finish()]);
            read_mapped(&self.device, staging, host)?;
        }
        let span = start.elapsed().as_secs_f64();
        self.loaded[index] = Some(loaded);
        Ok(Ok(span))
    }

    /// Times pass-timed workloads by GPU timestamps, packed into few submissions.
    fn stamped_spans(&mut self, indices: &[usize]) -> Result<Vec<Span>, GpuError> {
        let timer = self.timer.as_ref().expect("loading made the timer");
        let mut encoder = self.encoder();
        let mut pending_s = 0.0;
        let mut before: Option<&wgpu::Buffer> = None;
        for (slot, &index) in indices.iter().enumerate() {
            let loaded = self.workload(index)?;
            let Timing::Pass { repeats } = loaded.timing else {
                unreachable!("the caller keeps host-timed workloads apart")
            };
            if pending_s + loaded.expected_s > SUBMISSION_S && pending_s > 0.0 {
                let full = std::mem::replace(&mut encoder, self.encoder());
                self.queue.submit([full.finish()]);
                self.wait()?;
                pending_s = 0.0;
            }
            pending_s += loaded.expected_s;
            // The pass before must have ended and this one must wait for that: without a buffer in common
            // nothing keeps a dispatch from starting ahead of its own first stamp. A word is copied from
            // the one's output, and the head of the other's is cleared, which also keeps what atomics add
            // up from growing from span to span.
            if let Some(before) = before {
                encoder.copy_buffer_to_buffer(before, 0, &self.fence, 0, 4);
            }
            encoder.clear_buffer(&loaded.checked, 0, Some(HEAD_BYTES));
            encode_pass(&mut encoder, Some(timer.writes(slot)), loaded, repeats);
            before = Some(&loaded.checked);
        }
        self.queue.submit([encoder.finish()]);
        self.wait()?;
        let spans = timer.spans(&self.device, &self.queue, indices.len())?;
        for (&index, span) in indices.iter().zip(&spans) {
            if let (Some(loaded), Ok(s)) = (&mut self.loaded[index], span) {
                loaded.expected_s = *s;
            }
        }
        Ok(spans)
    }
}

fn staging(device: &wgpu::Device, bytes: u64) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("staging"),
        size: bytes,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

fn encode_pass(
    encoder: &mut wgpu::CommandEncoder,
    timestamp_writes: Option<wgpu::ComputePassTimestampWrites<'_>>,
    loaded: &Loaded,
    repeats: u32,
) {
    let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
    let mut pass = encoder.begin_compute_pass(&descriptor);
    for _ in 0..repeats {
        for step in &loaded.steps {
            pass.set_pipeline(&step.pipeline.pipeline);
            pass.set_bind_group(0, &step.bind_group, &[]);
            pass.dispatch_workgroups(step.workgroups[0], step.workgroups[1], 1);
        }
    }
}

impl Executor for Hardware {
    fn facts(&self) -> &AdapterFacts {
        &self.facts
    }

    fn load(&mut self, workloads: &[Workload]) -> Result<Vec<Option<String>>, GpuError> {
        self.loaded.clear();
        let mut shared = HashMap::new();
        let mut refusals = Vec::with_capacity(workloads.len());
        for workload in workloads {
            match self.load_one(workload, &mut shared) {
                Ok(loaded) => {
                    self.loaded.push(Some(loaded));
                    refusals.push(None);
                }
                Err(reason) => {
                    self.loaded.push(None);
                    refusals.push(Some(reason));
                }
            }
        }
        let spans = workloads.len().clamp(64, MOST_SPANS);
        let roomy = self.timer.as_ref().is_some_and(|timer| timer.capacity() >= spans);
        if self.facts.clock == ClockKind::TimestampQuery && !roomy {
            self.timer = Some(QueryTimer::new(&self.device, self.facts.period_ns, spans));
        }
        // Uploads and clears finish here and not in the first span.
        self.queue.submit([]);
        self.wait()?;
        Ok(refusals)
    }

    fn outputs(&mut self, index: usize) -> Result<Vec<u32>, GpuError> {
        let loaded = self.workload(index)?;
        let mut encoder = self.encoder();
        for buffer in &loaded.zeroed {
            encoder.clear_buffer(buffer, 0, None);
        }
        encode_pass(&mut encoder, None, loaded, 1);
        let staging = staging(&self.device, loaded.checked_bytes);
        encoder.copy_buffer_to_buffer(&loaded.checked, 0, &staging, 0, loaded.checked_bytes);
        self.queue.submit([encoder.finish()]);
        let mut words = vec![0u32; (loaded.checked_bytes / 4) as usize];
        read_mapped(&self.device, &staging, bytemuck::cast_slice_mut(&mut words))?;
        self.wait()?;
        Ok(words)
    }

    fn round(&mut self, order: &[usize]) -> Result<Vec<Span>, GpuError> {
        let mut spans = vec![Err(BadSpan::Unwritten); order.len()];
        let (mut stamped, mut slots) = (Vec::new(), Vec::new());
        for (slot, &index) in order.iter().enumerate() {
            let in_a_pass = matches!(self.workload(index)?.timing, Timing::Pass { .. });
            if in_a_pass && self.timer.is_some() {
                stamped.push(index);
                slots.push(slot);
            } else {
                spans[slot] = self.host_span(index)?;
            }
        }
        let capacity = self.timer.as_ref().map_or(1, QueryTimer::capacity);
        for (indices, slots) in stamped.chunks(capacity).zip(slots.chunks(capacity)) {
            for (&slot, span) in slots.iter().zip(self.stamped_spans(indices)?) {
                spans[slot] = span;
            }
        }
        Ok(spans)
    }
}
