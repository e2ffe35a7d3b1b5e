//! Recording on lavapipe: what its lanes decide is what the machine without WGSL decides.

use naga::ShaderStage;
use warplaw::gpu::{Hardware, Options, Selection};
use warplaw::profile::{
    Attach, Attachment, BoundBuffer, Probed, ProfileError, Recorded, Recording,
};

use super::probes::plain;
use super::programs::{LANES, Program, table};
use super::{by_machine, case_of_program};

/// Returns whether the tests on lavapipe are to be skipped, and prints a message if so.
pub(crate) fn is_skipped() -> bool {
    let is_skipped = std::env::var_os("WARPLAW_SKIP_LAVAPIPE").is_some();
    if is_skipped {
        println!("SKIPPED because WARPLAW_SKIP_LAVAPIPE is set");
    }
    is_skipped
}

/// Returns lavapipe, or `None` if the tests on it are to be skipped.
pub(crate) fn lavapipe() -> Option<Hardware> {
    if is_skipped() {
        return None;
    }
    // Another adapter, for the ballots of `cargo test --test profile -- --ignored`.
    let adapter = std::env::var("WARPLAW_TEST_ADAPTER").unwrap_or("llvmpipe".to_owned());
    let selection = Selection { adapter: Some(adapter), backend: Some("vulkan".to_owned()) };
    let hardware = Hardware::open(&Options { selection, ..Options::default() });
    Some(hardware.expect("lavapipe is installed by `sh setup.sh --lavapipe`"))
}

/// Returns the buffers of a random program.
pub(crate) fn buffers(seed: u64) -> Vec<BoundBuffer> {
    let bytes = |words: Vec<u32>| words.into_iter().flat_map(u32::to_le_bytes).collect();
    vec![
        BoundBuffer { group: 0, binding: 0, bytes: bytes(table(seed)) },
        BoundBuffer { group: 0, binding: 1, bytes: bytes(vec![0; LANES]) },
    ]
}

pub(crate) fn recording(probed: &Probed, seed: u64, budget: u64) -> Recording<'_> {
    let (constants, buffers) = (vec![], buffers(seed).into());
    Recording { probed, constants, workgroups: [1; 3], buffers, budget, seed }
}

#[test]
fn lanes_on_lavapipe_decide_what_the_machine_decides() {
    let Some(hardware) = lavapipe() else { return };
    let (device, queue) = hardware.wgpu();
    for seed in 0..60 {
        let program = Program::random(seed);
        let probed =
            Probed::new(&program.wgsl().0, "main", false).unwrap_or_else(|e| panic!("{e}"));
        let Recorded { log, buffers } = recording(&probed, seed, 1 << 20)
            .run(device, queue)
            .unwrap_or_else(|error| panic!("program {seed}: {error}"));
        let (_, expected) = by_machine(&program, &table(seed), 1);
        let mut decisions = log.decisions(0);
        for (lane, expected) in expected.iter().enumerate() {
            for (place, &(outcome, of)) in expected.iter().enumerate() {
                let found = decisions.next(lane, of);
                assert_eq!(found, Ok(outcome), "program {seed}, lane {lane}, decision {place}");
            }
            // FNV-1a, by a word at a time.
            let hashed =
                |hash: u32, &(outcome, _): &(u32, u32)| (hash ^ outcome).wrapping_mul(16_777_619);
            let path = expected.iter().fold(2_166_136_261, hashed);
            assert_eq!(log.paths[lane], path, "program {seed}, lane {lane}");
        }
        // The probes change no output: it is that of the host, which executes the program without them.
        let (without_probes, _) = plain(&case_of_program(seed), 4);
        let [output] = &buffers[..] else { panic!("the program writes one buffer") };
        assert_eq!(output.bytes, without_probes["output"], "program {seed}");
    }
}

#[test]
fn what_cannot_be_recorded_is_refused_in_one_line() {
    let Some(hardware) = lavapipe() else { return };
    let (device, queue) = hardware.wgpu();
    let probed =
        Probed::new(&Program::random(1).wgsl().0, "main", false).expect("the program is valid");
    assert_eq!(probed.probed.entry_points[0].stage, ShaderStage::Compute);
    let refused = |recording: Recording<'_>| {
        let error = recording.run(device, queue).expect_err("the recording is refused");
        assert!(!error.to_string().contains('\n'), "{error}");
        error
    };
    let error = refused(Recording { buffers: vec![].into(), ..recording(&probed, 1, 1 << 20) });
    assert!(error.to_string().contains("0.1 `output`"), "{error}");
    let error = refused(recording(&probed, 1, 100));
    assert!(matches!(error, ProfileError::Budget { bytes: 100, .. }), "{error:?}");
}

#[test]
fn a_shader_sees_the_length_that_its_buffer_has() {
    let Some(hardware) = lavapipe() else { return };
    let (device, queue) = hardware.wgpu();
    let source = "@group(0) @binding(0) var<storage, read_write> output: array<u32>;\n\
                  @compute @workgroup_size(1) fn main() { output[0] = arrayLength(&output); }";
    let probed = Probed::new(source, "main", true).expect("the shader is valid");
    let buffers = vec![BoundBuffer { group: 0, binding: 0, bytes: vec![0; 8] }].into();
    let recording = Recording { buffers, ..recording(&probed, 1, 1 << 20) };
    let recorded = recording.run(device, queue).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(recorded.buffers[0].bytes, [2, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_dispatch_of_a_program_s_own_logs_what_a_recording_does() {
    let Some(hardware) = lavapipe() else { return };
    let (device, queue) = hardware.wgpu();
    let source = Program::random(3).wgsl().0;
    let probed = Probed::new(&source, "main", true).unwrap_or_else(|error| panic!("{error}"));
    let recording = recording(&probed, 3, 1 << 20);
    let recorded = recording.run(device, queue).unwrap_or_else(|error| panic!("{error}"));

    let entry = |binding, read_only| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Storage { read_only },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    };
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: None,
        entries: &[entry(0, true), entry(1, false)],
    });
    let buffers: Vec<wgpu::Buffer> = recording
        .buffers
        .iter()
        .map(|bound| {
            let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
            let size = bound.bytes.len() as u64;
            let descriptor =
                wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
            let buffer = device.create_buffer(&descriptor);
            queue.write_buffer(&buffer, 0, &bound.bytes);
            buffer
        })
        .collect();
    let entries: Vec<_> = (0..)
        .zip(&buffers)
        .map(|(binding, of)| wgpu::BindGroupEntry { binding, resource: of.as_entire_binding() })
        .collect();
    let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &layout,
        entries: &entries,
    });
    let layouts = [Some(&layout)];
    let attach = |words| {
        let (constants, budget) = (&[][..], 1 << 20);
        let attach = Attach {
            probed: &probed,
            constants,
            layouts: &layouts,
            workgroups: [1; 3],
            words,
            budget,
            seed: 3,
        };
        let attachment =
            Attachment::new(&attach, device, queue).unwrap_or_else(|error| panic!("{error}"));
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(attachment.pipeline());
        pass.set_bind_group(0, &bind_group, &[]);
        let (group, log) = attachment.bind_group();
        pass.set_bind_group(group, log, &[]);
        pass.dispatch_workgroups(1, 1, 1);
        drop(pass);
        queue.submit([encoder.finish()]);
        attachment.read(device, queue)
    };
    let Err(ProfileError::NoRoom { words }) = attach(1) else { panic!("a word is too little") };
    let log = attach(words).unwrap_or_else(|error| panic!("{error}"));
    let all = |log: &warplaw::profile::Log| {
        let mut decisions = log.decisions(0);
        let of_lane =
            |lane| std::iter::from_fn(|| decisions.next(lane, 2).ok()).collect::<Vec<_>>();
        (0..LANES).map(of_lane).collect::<Vec<_>>()
    };
    assert_eq!(all(&log), all(&recorded.log));
    let of =
        |log: &warplaw::profile::Log| (log.work.clone(), log.paths.clone(), log.leaders.clone());
    assert_eq!(of(&log), of(&recorded.log));
}
