//! Times loops of launches with wgpu alone, as a check of the experiment `batching`: no sizing, no rounds, no estimates.
//!
//! Prints the median of 31 repetitions for each loop, in microseconds per launch. `batching` measures the same loops as
//! `loop.dispatch`, `loop.pass`, `loop.submit` and `round_trip`. On lavapipe, set `LP_NUM_THREADS=0` as the experiment
//! does, which needs one worker.
//!
//! `cargo run --release --example plain_loops [NAME OF THE ADAPTER]`

use std::error::Error;
use std::time::Instant;

const REPETITIONS: usize = 31;

fn main() -> Result<(), Box<dyn Error>> {
    let wanted = std::env::args().nth(1).unwrap_or_default().to_lowercase();
    let instance =
        wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let adapter = adapters
        .into_iter()
        .find(|adapter| adapter.get_info().name.to_lowercase().contains(&wanted))
        .ok_or("no adapter has this name")?;
    let features = wgpu::Features::TIMESTAMP_QUERY & adapter.features();
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        required_features: features,
        ..wgpu::DeviceDescriptor::default()
    }))?;
    let gpu = Gpu::new(&device, &queue);
    println!("{}", adapter.get_info().name);

    if features.is_empty() {
        println!("dispatch, loop of 256 in one pass:      no timestamps");
    } else {
        show("dispatch, loop of 256 in one pass", 256, || gpu.stamped_dispatches(256));
    }
    show("pass, loop of 64 in one submission", 64, || timed(|| gpu.submit(64)).and_wait(&gpu));
    show("submission, loop of 32 before one wait", 32, || {
        timed(|| (0..32).for_each(|_| gpu.submit(1))).and_wait(&gpu)
    });
    show("round trip, loop of 32", 32, || {
        timed(|| {
            for _ in 0..32 {
                gpu.submit(1);
                gpu.wait();
            }
        })
        .seconds()
    });
    Ok(())
}

/// A clock that has run since the begin of a loop.
struct Running(Instant);

/// Runs `work` and returns the running clock.
fn timed(work: impl FnOnce()) -> Running {
    let start = Instant::now();
    work();
    Running(start)
}

impl Running {
    fn and_wait(self, gpu: &Gpu<'_>) -> f64 {
        gpu.wait();
        self.seconds()
    }

    fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Prints the median of a loop of `n` launches, per launch.
fn show(what: &str, n: u32, seconds: impl Fn() -> f64) {
    // The first repetitions warm up.
    let mut times: Vec<f64> = (0..REPETITIONS + 3).map(|_| seconds()).skip(3).collect();
    times.sort_by(f64::total_cmp);
    let us = 1e6 / f64::from(n);
    let at = |share: usize| us * times[share * (times.len() - 1) / 10];
    println!("{:39} {:8.3} µs [{:.3}, {:.3}]", format!("{what}:"), at(5), at(1), at(9));
}

/// An empty compute pipeline with a buffer that every dispatch may write, so that one waits for another.
struct Gpu<'a> {
    device: &'a wgpu::Device,
    queue: &'a wgpu::Queue,
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
}

impl<'a> Gpu<'a> {
    fn new(device: &'a wgpu::Device, queue: &'a wgpu::Queue) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl(
                "@group(0) @binding(0) var<uniform> never: u32;
                @group(0) @binding(1) var<storage, read_write> output: array<u32>;
                @compute @workgroup_size(1)
                fn empty() {
                    if never != 0u { output[0] = 1u; }
                }"
                .into(),
            ),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: Some("empty"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let buffer = |usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: 16,
                usage,
                mapped_at_creation: false,
            })
        };
        let buffers = [buffer(wgpu::BufferUsages::UNIFORM), buffer(wgpu::BufferUsages::STORAGE)];
        let entries: Vec<wgpu::BindGroupEntry<'_>> = (0..)
            .zip(&buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        Self { device, queue, pipeline, bind_group }
    }

    /// Adds a pass of `dispatches` dispatches.
    fn pass(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        dispatches: u32,
        stamps: Option<wgpu::ComputePassTimestampWrites<'_>>,
    ) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: None,
            timestamp_writes: stamps,
        });
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bind_group, &[]);
        for _ in 0..dispatches {
            pass.dispatch_workgroups(1, 1, 1);
        }
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    /// Submits `passes` passes of one dispatch.
    fn submit(&self, passes: u32) {
        let mut encoder = self.encoder();
        for _ in 0..passes {
            self.pass(&mut encoder, 1, None);
        }
        self.queue.submit([encoder.finish()]);
    }

    fn wait(&self) {
        self.device.poll(wgpu::PollType::wait_indefinitely()).expect("the device works");
    }

    /// Returns the seconds of a pass of `dispatches` dispatches, by timestamps.
    fn stamped_dispatches(&self, dispatches: u32) -> f64 {
        let set = self.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: None,
            ty: wgpu::QueryType::Timestamp,
            count: 2,
        });
        let buffer = |usage| {
            self.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: 16,
                usage,
                mapped_at_creation: false,
            })
        };
        let resolved = buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC);
        let readable = buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
        let mut encoder = self.encoder();
        let stamps = wgpu::ComputePassTimestampWrites {
            query_set: &set,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        };
        self.pass(&mut encoder, dispatches, Some(stamps));
        self.queue.submit([encoder.finish()]);
        // Some drivers resolve zeros unless the pass has ended.
        self.wait();
        let mut encoder = self.encoder();
        encoder.resolve_query_set(&set, 0..2, &resolved, 0);
        encoder.copy_buffer_to_buffer(&resolved, 0, &readable, 0, 16);
        self.queue.submit([encoder.finish()]);
        readable.map_async(wgpu::MapMode::Read, .., |_| ());
        self.wait();
        let bytes = readable.get_mapped_range(..).expect("the buffer is mapped");
        let stamps: &[u64] = bytemuck::cast_slice(&bytes);
        stamps[1].wrapping_sub(stamps[0]) as f64
            * f64::from(self.queue.get_timestamp_period())
            * 1e-9
    }
}
