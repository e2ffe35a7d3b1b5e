//! Profiles a dispatch of a program's own: the program keeps its buffers, its bind groups and its outputs.

use std::collections::BTreeMap;

use warplaw::gpu::{Executor, Hardware, Options, prepare_environment};
use warplaw::profile::{Attach, Attachment, Probed, Request, profile_of_log};

const SHADER: &str = "
@group(0) @binding(0) var<storage, read_write> numbers: array<u32>;

@compute @workgroup_size(64)
fn halve(@builtin(global_invocation_id) id: vec3<u32>) {
    var n = numbers[id.x];
    var steps = 0u;
    while n > 1u {
        n = select(3u * n + 1u, n / 2u, n % 2u == 0u);
        steps++;
    }
    numbers[id.x] = steps;
}
";
const WORKGROUPS: u32 = 256;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    prepare_environment();
    // A program has its own device. This example borrows one.
    let hardware = Hardware::open(&Options::default())?;
    let (device, queue) = hardware.wgpu();
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: None,
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
    let numbers: Vec<u32> = (1..=64 * WORKGROUPS).collect();
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 4 * numbers.len() as u64,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    queue.write_buffer(&buffer, 0, bytemuck::cast_slice(&numbers));
    let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &layout,
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
    });

    // From here on, the profiler: a pipeline with probes takes the place of the program's.
    let has_subgroups = device.features().contains(wgpu::Features::SUBGROUP);
    let probed = Probed::new(SHADER, "halve", has_subgroups)?;
    let attach = Attach {
        probed: &probed,
        constants: &[],
        layouts: &[Some(&layout)],
        workgroups: [WORKGROUPS, 1, 1],
        words: 64,
        budget: 64 << 20,
        seed: 1,
    };
    let attachment = Attachment::new(&attach, device, queue)?;
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
    pass.set_pipeline(attachment.pipeline());
    pass.set_bind_group(0, &bind_group, &[]);
    let (group, log) = attachment.bind_group();
    pass.set_bind_group(group, log, &[]);
    pass.dispatch_workgroups(WORKGROUPS, 1, 1);
    drop(pass);
    queue.submit([encoder.finish()]);

    let request = Request {
        file: "halve.wgsl".to_owned(),
        source: SHADER.to_owned(),
        entry: "halve".to_owned(),
        constants: BTreeMap::new(),
        workgroups: [WORKGROUPS, 1, 1],
        buffers: Vec::new(),
        // A device without subgroup operations does not tell.
        lanes: (!has_subgroups).then_some(32),
        budget: 0,
        seed: 1,
        record: None,
        timed: false,
        accesses: false,
    };
    let log = attachment.read(device, queue)?;
    let profile = profile_of_log(&request, hardware.facts().described(None), &probed, &log)?;
    println!("lanes of a subgroup: {}", profile.subgroup_size.lanes);
    println!("SIMT efficiency: {:.3}", profile.totals.efficiency().unwrap_or(1.0));
    for line in profile.lines.iter().filter(|line| line.totals.lost() > 0) {
        println!("line {}: {} lane slots lost", line.number, line.totals.lost());
    }
    Ok(())
}
