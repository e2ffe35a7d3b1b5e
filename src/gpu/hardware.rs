//! The executor that runs workloads on a GPU through wgpu.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::adapter::{self, AdapterFacts, DeviceLimits, LimitSet, Selection, WantedWorkers};
use super::error::one_line;
use super::host_load::HostLoad;
use super::loading::{HEAD_BYTES, Inputs, Loaded, Loader, Step, for_readback};
use super::pipeline::Pipelines;
use super::timer::{MAX_SPANS, QueryTimer, poll, read_mapped};
use super::{BadSpan, Built, Executor, GpuError, ShaderFeature, Span, Timing, Workload, state};
use crate::model::{ClockKind, DeviceState, DeviceType};

/// Options for opening a device.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Adapter and backend to open.
    pub selection: Selection,
    /// Whether shaders keep the bounds, division and loop checks that wgpu injects.
    pub checked: bool,
    /// Whether the host clock times all samples, even if the device has timestamps.
    pub host_clock: bool,
    /// Limits to request from the adapter.
    pub limits: LimitSet,
    /// Workers of a software device. The choice has an effect only if the program called
    /// [`prepare_environment`](super::prepare_environment), and if no other device is open.
    pub workers: WantedWorkers,
}

/// Maximum expected duration of a submission of several samples, in seconds. It is far below the limit of any
/// watchdog.
const SUBMISSION_S: f64 = 0.1;

/// Assumed duration of a workload before its first sample, in seconds. With this value, the first sample gets
/// a separate submission.
const UNKNOWN_SPAN_S: f64 = SUBMISSION_S;

/// An open device with its loaded workloads.
pub struct Hardware {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    facts: AdapterFacts,
    pipelines: Pipelines,
    inputs: Inputs,
    timer: Option<QueryTimer>,
    pub(super) loaded: Vec<Option<Loaded>>,
    /// Subgroup sizes of the dispatches of the last run whose outputs were read, in order, each once.
    subgroup_sizes: Vec<u32>,
    /// Receives one word of each output of a timed pass. `stamped_spans` explains why.
    fence: wgpu::Buffer,
    /// First error that wgpu has reported since the last wait.
    fault: Arc<Mutex<Option<String>>>,
    host_load: Option<HostLoad>,
    state_source: Option<state::Source>,
    opened: Instant,
}

impl Hardware {
    /// Features that warplaw uses if the device has them.
    pub const OPTIONAL_FEATURES: wgpu::Features = wgpu::Features::TIMESTAMP_QUERY
        .union(wgpu::Features::SUBGROUP)
        .union(wgpu::Features::SHADER_INT64)
        .union(wgpu::Features::SHADER_F16);

    /// Opens the adapter that `options` selects.
    ///
    /// # Errors
    /// Returns an error if there is no adapter, if none matches, or if the device cannot be opened.
    pub fn open(options: &Options) -> Result<Self, GpuError> {
        options.workers.apply();
        let adapter = adapter::choose(&options.selection)?;
        let mut features = adapter.features() & Self::OPTIONAL_FEATURES;
        if options.host_clock {
            features.remove(wgpu::Features::TIMESTAMP_QUERY);
        }
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("warplaw"),
            required_features: features,
            required_limits: options.limits.of(&adapter),
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::Performance,
            trace: wgpu::Trace::Off,
        }))
        .map_err(|error| GpuError::Device {
            adapter: adapter.get_info().name,
            reason: error.to_string(),
        })?;
        Ok(Self::on(&adapter, device, queue, options))
    }

    /// Measures on a device that the program opened itself, with the features and limits that it asked for.
    ///
    /// warplaw uses those of [`Hardware::OPTIONAL_FEATURES`] that the device has. Without timestamp queries it uses
    /// the host clock. It replaces the device's handlers of uncaptured errors and of device loss. Nothing else may
    /// run on the device during a measurement.
    #[must_use]
    pub fn from_device(adapter: &wgpu::Adapter, device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let mut hardware = Self::on(adapter, device, queue, &Options::default());
        // warplaw cannot open the program's device again.
        if let Some(workers) = &mut hardware.facts.workers {
            workers.adjustable = false;
        }
        hardware
    }

    fn on(
        adapter: &wgpu::Adapter,
        device: wgpu::Device,
        queue: wgpu::Queue,
        options: &Options,
    ) -> Self {
        let mut facts = AdapterFacts::of(adapter, device.features());
        facts.limits = DeviceLimits::of(&device.limits());
        facts.limit_set = options.limits;
        let fault = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&fault);
        // Without a handler, wgpu panics on an error. The next wait returns the message.
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            slot.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error.to_string());
        }));
        let slot = Arc::clone(&fault);
        device.set_device_lost_callback(move |_, message| {
            let lost = format!("the device was lost: {}", one_line(&message));
            slot.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(lost);
        });
        facts.shader_checks = options.checked;
        if facts.has_timestamps() {
            facts.set_period(f64::from(queue.get_timestamp_period()));
        }
        let fence = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("fence"),
            size: HEAD_BYTES,
            usage: wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Self {
            fence,
            pipelines: Pipelines::new(!options.checked, facts.has(ShaderFeature::Subgroups)),
            inputs: Inputs::default(),
            device,
            queue,
            state_source: state::Source::of(&facts),
            facts,
            timer: None,
            loaded: Vec::new(),
            subgroup_sizes: Vec::new(),
            fault,
            host_load: HostLoad::new(),
            opened: Instant::now(),
        }
    }

    /// Returns the device and its queue, so that other work can run on them.
    #[must_use]
    pub fn wgpu(&self) -> (&wgpu::Device, &wgpu::Queue) {
        (&self.device, &self.queue)
    }

    /// Encodes one run of loaded workload `index`, as for a sample. The first bytes of each output are
    /// cleared before the run.
    ///
    /// # Errors
    /// Returns an error if no workload `index` is loaded.
    pub fn record(&self, index: usize, encoder: &mut wgpu::CommandEncoder) -> Result<(), GpuError> {
        let loaded = self.workload(index)?;
        loaded.clear_heads(encoder);
        encode_pass(encoder, None, &loaded.steps, 1);
        Ok(())
    }

    pub(super) fn failed(&self, reason: impl Into<String>) -> GpuError {
        GpuError::Device { adapter: self.facts.name.clone(), reason: reason.into() }
    }

    pub(super) fn wait(&self) -> Result<(), GpuError> {
        self.wait_for(None)
    }

    /// Waits for the given submission, or for all submissions if it is `None`.
    ///
    /// # Errors
    /// Returns an error if the wait fails or if wgpu has reported an error since the last wait.
    pub(super) fn wait_for(
        &self,
        submission: Option<wgpu::SubmissionIndex>,
    ) -> Result<(), GpuError> {
        poll(&self.device, submission)?;
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.map_or(Ok(()), |reason| Err(self.failed(reason)))
    }

    pub(super) fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    pub(super) fn workload(&self, index: usize) -> Result<&Loaded, GpuError> {
        self.loaded
            .get(index)
            .and_then(Option::as_ref)
            .ok_or_else(|| self.failed(format!("workload {index} is not loaded")))
    }

    /// Makes the driver compile all loaded pipelines that it has not compiled yet.
    ///
    /// A driver may defer compilation to a pipeline's first dispatch. This call counts that time as building
    /// time and keeps it out of the first sample.
    fn compile(&mut self) -> Result<(), GpuError> {
        let start = Instant::now();
        let mut encoder = self.encoder();
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        let loaded = self.loaded.iter().flatten();
        let steps = loaded.flat_map(Loaded::all_steps);
        let first = steps.filter(|step| step.encode_first(&mut pass)).count();
        drop(pass);
        if first > 0 {
            self.queue.submit([encoder.finish()]);
            self.wait()?;
            self.pipelines.add_compiling(start.elapsed());
        }
        Ok(())
    }

    /// Takes one sample of each workload in `indices` by GPU timestamps, on hardware packed into few submissions.
    fn stamped_spans(&mut self, indices: &[usize]) -> Result<Vec<Span>, GpuError> {
        let timer = self.timer.as_ref().expect("`load` has created the timer");
        // A software device reads commands from memory like other data, and commands that were recorded long ago are no
        // longer in a cache. So it gets each sample in a submission of its own. It has no clock that idles down between them.
        let is_software = self.facts.device_type == DeviceType::Cpu;
        let most_s = if is_software { 0.0 } else { SUBMISSION_S };
        let mut encoder = self.encoder();
        let mut pending_s = 0.0;
        let mut previous: Option<&Loaded> = None;
        for (slot, &index) in indices.iter().enumerate() {
            let loaded = self.workload(index)?;
            let Timing::Pass { repeats } = loaded.timing else {
                unreachable!("the caller times these workloads by the host clock")
            };
            if pending_s + loaded.expected_s > most_s && pending_s > 0.0 {
                let full = std::mem::replace(&mut encoder, self.encoder());
                self.queue.submit([full.finish()]);
                self.wait()?;
                pending_s = 0.0;
            }
            pending_s += loaded.expected_s;
            // This pass must start after the previous pass has ended. Without a shared buffer, nothing
            // prevents a dispatch from starting before its own begin timestamp. Therefore one word is copied
            // from each output of the previous pass, and the first bytes of this pass's outputs are cleared.
            // Clearing also keeps the totals of atomics from growing from sample to sample.
            for (output, _) in previous.iter().flat_map(|previous| &previous.checked) {
                encoder.copy_buffer_to_buffer(output, 0, &self.fence, 0, 4);
            }
            encode_warm_up(&mut encoder, loaded);
            loaded.clear_heads(&mut encoder);
            encode_pass(&mut encoder, Some(timer.writes(slot)), &loaded.steps, repeats);
            previous = Some(loaded);
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

/// Encodes what runs before the timed pass of `loaded`.
pub(super) fn encode_warm_up(encoder: &mut wgpu::CommandEncoder, loaded: &Loaded) {
    if !loaded.warm_up.is_empty() {
        encode_pass(encoder, None, &loaded.warm_up, 1);
    }
}

/// Encodes a compute pass that runs `steps` in order, `repeats` times.
pub(super) fn encode_pass(
    encoder: &mut wgpu::CommandEncoder,
    timestamp_writes: Option<wgpu::ComputePassTimestampWrites<'_>>,
    steps: &[Step],
    repeats: u32,
) {
    let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
    let mut pass = encoder.begin_compute_pass(&descriptor);
    for repeat in 0..repeats {
        for step in steps {
            // One dispatch again and again keeps its pipeline and its bindings.
            if repeat == 0 || steps.len() > 1 {
                step.bind(&mut pass);
            }
            step.dispatch(&mut pass);
        }
    }
}

impl Executor for Hardware {
    fn facts(&self) -> &AdapterFacts {
        &self.facts
    }

    fn elapsed_s(&self) -> f64 {
        self.opened.elapsed().as_secs_f64()
    }

    fn other_load(&mut self) -> Option<f64> {
        self.host_load.as_mut()?.since_last()
    }

    fn state(&self) -> Option<DeviceState> {
        self.state_source.as_ref()?.read()
    }

    fn use_host_clock(&mut self, reason: String) {
        self.facts.clock = ClockKind::Host;
        self.facts.clock_fault = Some(reason);
        self.timer = None;
    }

    fn built(&self) -> Built {
        self.pipelines.built()
    }

    fn load(&mut self, workloads: &[Workload]) -> Result<Vec<Option<String>>, GpuError> {
        self.loaded.clear();
        let Self { device, queue, facts, pipelines, inputs, .. } = self;
        let mut loader = Loader::new(device, queue, facts, pipelines, inputs, workloads);
        let mut refusals = Vec::with_capacity(workloads.len());
        for workload in workloads {
            let (loaded, refusal) = match loader.load(workload, UNKNOWN_SPAN_S) {
                Ok(loaded) => (Some(loaded), None),
                Err(reason) => (None, Some(reason)),
            };
            self.loaded.push(loaded);
            refusals.push(refusal);
        }
        let spans = workloads.len().clamp(64, MAX_SPANS);
        let fits = self.timer.as_ref().is_some_and(|timer| timer.capacity() >= spans);
        if self.facts.clock == ClockKind::TimestampQuery && !fits {
            self.timer = Some(QueryTimer::new(&self.device, self.facts.period_ns, spans));
        }
        // Initial uploads and clears finish here and not during the first sample.
        self.queue.submit([]);
        self.wait()?;
        self.compile()?;
        Ok(refusals)
    }

    fn outputs(&mut self, index: usize) -> Result<Vec<u32>, GpuError> {
        let loaded = self.workload(index)?;
        let mut encoder = self.encoder();
        for buffer in &loaded.zeroed {
            encoder.clear_buffer(buffer, 0, None);
        }
        encode_pass(&mut encoder, None, &loaded.prepare, 1);
        if let Timing::Stream(stream) = loaded.timing {
            self.queue.submit([encoder.finish()]);
            self.stream(index, stream)?;
            encoder = self.encoder();
        } else {
            encode_pass(&mut encoder, None, &loaded.steps, 1);
        }
        let loaded = self.workload(index)?;
        let outputs = loaded.checked.iter().map(|(output, bytes)| (output, *bytes));
        let sizes = loaded.steps.iter().filter_map(|step| step.subgroup_size.as_ref());
        let parts: Vec<_> = outputs.chain(sizes.map(|size| (size, 4))).collect();
        let readback = for_readback(&self.device, parts.iter().map(|(_, bytes)| bytes).sum());
        let mut at = 0;
        for &(buffer, bytes) in &parts {
            encoder.copy_buffer_to_buffer(buffer, 0, &readback, at, bytes);
            at += bytes;
        }
        let checked_words = loaded.checked.iter().map(|(_, bytes)| bytes / 4).sum::<u64>() as usize;
        self.queue.submit([encoder.finish()]);
        let mut words = vec![0u32; (at / 4) as usize];
        read_mapped(&self.device, &readback, bytemuck::cast_slice_mut(&mut words))?;
        self.wait()?;
        // A dispatch without workgroups stores nothing.
        let mut sizes: Vec<u32> = words.drain(checked_words..).filter(|&size| size > 0).collect();
        sizes.sort_unstable();
        sizes.dedup();
        self.subgroup_sizes = sizes;
        Ok(words)
    }

    fn subgroup_sizes(&self) -> &[u32] {
        &self.subgroup_sizes
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

/// These tests run on lavapipe, like `tests/lavapipe`.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::gpu::{Check, Contents, Dispatch, Shader};

    fn lavapipe() -> Option<Hardware> {
        if std::env::var_os("WARPLAW_SKIP_LAVAPIPE").is_some() {
            println!("SKIPPED because WARPLAW_SKIP_LAVAPIPE is set");
            return None;
        }
        let selection =
            Selection { adapter: Some("llvmpipe".to_owned()), backend: Some("vulkan".to_owned()) };
        let options = Options { selection, ..Options::default() };
        Some(Hardware::open(&options).expect("lavapipe is installed by `sh setup.sh --lavapipe`"))
    }

    /// Returns a workload whose shader `source` stores 7 to every element of a buffer of `words` words.
    fn store(source: &str, words: usize) -> Workload {
        let shader = Shader {
            name: format!("store of {words} words, {} bytes of source", source.len()),
            source: source.to_owned(),
            needs: Vec::new(),
            checked: false,
            invariants: Vec::new(),
        };
        let dispatch = Dispatch {
            shader: Arc::new(shader),
            entry: "store",
            constants: Vec::new(),
            bindings: vec![("output", 0)],
            workgroups: [(words / 64).max(1) as u32, 1],
            cost_model: Arc::new(|_| super::super::CostModel::default()),
        };
        let check = Check { buffers: vec![0], expected: Arc::new(|| vec![7]) };
        Workload::new("store", vec![dispatch], vec![Contents::Zeroed(words)], check)
    }

    const STORE: &str = "@group(0) @binding(0) var<storage, read_write> output: array<u32>;
        @compute @workgroup_size(64) fn store(@builtin(global_invocation_id) id: vec3u) {
            output[id.x] = 7u;
        }";

    #[test]
    fn a_shader_of_another_crate_does_not_get_the_unchecked_module_of_the_same_name() {
        let Some(mut hardware) = lavapipe() else { return };
        let own = store(STORE, 64);
        let foreign = Shader::new(own.dispatches[0].shader.name(), STORE.replace('7', "8"));
        let dispatch = Dispatch::new(&Arc::new(foreign), "store", [1, 1]).bind("output", 0);
        let check = Check::new(vec![0], || vec![8]);
        let other = Workload::checked("other", vec![dispatch], vec![Contents::Zeroed(64)], check);
        assert_eq!(hardware.load(&[own, other]).expect("the device works"), [None, None]);
        assert_eq!(hardware.outputs(0).expect("the device works"), [7; 64]);
        assert_eq!(hardware.outputs(1).expect("the device works"), [8; 64]);
    }

    #[test]
    fn a_lost_device_is_an_error_and_not_a_panic() {
        let Some(mut hardware) = lavapipe() else { return };
        let refusals = hardware.load(&[store(STORE, 64)]).expect("the device works");
        assert_eq!(refusals, [None]);
        assert_eq!(hardware.outputs(0).expect("the device works"), [7; 64]);
        hardware.device.destroy();
        for error in [hardware.round(&[0]).map(|_| ()), hardware.outputs(0).map(|_| ())] {
            let message = error.expect_err("the device is lost").to_string();
            assert!(message.contains("llvmpipe") && message.lines().count() == 1, "{message}");
        }
    }

    #[test]
    fn an_invalid_workload_is_refused_with_a_reason_and_the_others_are_loaded() {
        let Some(mut hardware) = lavapipe() else { return };
        let most = hardware.facts().limits.binding_bytes as usize;
        let other_entry = STORE.replace("fn store", "fn other");
        let workloads = [
            store("not WGSL at all", 64),
            store(&other_entry, 64),
            store(STORE, most / 4 + 64),
            store(STORE, 1 << 40),
            store(STORE, 128),
        ];
        let refusals = hardware.load(&workloads).expect("the device survives");
        let (last, refused) = refusals.split_last().expect("there are five workloads");
        assert_eq!(*last, None);
        for refusal in refused {
            let refusal = refusal.as_deref().expect("the workload is refused");
            assert!(!refusal.is_empty() && refusal.lines().count() == 1, "{refusal}");
        }
        assert_eq!(hardware.outputs(4).expect("the device works"), [7; 128]);
    }
}
