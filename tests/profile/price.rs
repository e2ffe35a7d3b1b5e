//! Costs of instructions, and the time that they predict, against figures of a record worked out by hand.

use std::path::{Path, PathBuf};

use naga::valid::{Capabilities, ValidationFlags, Validator};
use warplaw::model::{Record, read};
use warplaw::profile::Costs;
use warplaw::simt::{Arrangement, Counted, Kind, Replay};

/// Returns the record of the H200, and its file.
pub(crate) fn record() -> (PathBuf, Record) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/nvidia-h200");
    let files = std::fs::read_dir(folder).expect("the record is there");
    let paths = files.map(|file| file.expect("the record is there").path());
    let json = |path: &PathBuf| path.extension().is_some_and(|of| of == "json");
    let path = paths.into_iter().find(json).expect("the record is there");
    let record = read(&path).expect("it is readable");
    (path, record)
}

pub(crate) fn metric(record: &Record, experiment: &str, id: &str) -> f64 {
    let of = record.experiments.iter().find(|of| of.id == experiment);
    of.and_then(|of| of.number(id)).unwrap_or_else(|| panic!("{experiment}.{id}"))
}

fn near(found: f64, expected: f64) {
    assert!((found / expected - 1.0).abs() < 1e-9, "{found} and not {expected}");
}

#[test]
fn costs_are_those_of_the_metrics() {
    let (_, record) = record();
    let of = |id| metric(&record, "ceilings", id);
    let costs = Costs::from_record(&record, 32, 3 << 20).expect("the record has all metrics");
    // A multiply-add counts as two operations of each of 32 lanes.
    near(costs.of(Kind::Float), 64.0 / (of("fma_f32_gop_per_s") * 1e9));
    near(costs.of(Kind::Integer), 32.0 / (of("u32_gop_per_s") * 1e9));
    near(costs.of(Kind::Multiply), 64.0 / (of("mad_u32_gop_per_s") * 1e9));
    // A word of each lane, from the smallest working set that holds 3 MiB.
    near(costs.of(Kind::Load), 128.0 / (of("read_gb_per_s.4_MiB") * 1e9));
    near(costs.of(Kind::Atomic), 32.0 / (of("atomic_add_gop_per_s") * 1e9));
    near(costs.of(Kind::Barrier), metric(&record, "reduction", "t_barrier") * 32.0 / 256.0);
    let far = Costs::from_record(&record, 32, 1 << 40).expect("the record has all metrics");
    near(far.of(Kind::Load), 128.0 / (of("read_gb_per_s.1024_MiB") * 1e9));
    let mut lacking = record.clone();
    lacking.experiments.retain(|experiment| experiment.id != "ceilings");
    assert_eq!(Costs::from_record(&lacking, 32, 0), Err("ceilings.fma_f32_gop_per_s".to_owned()));
}

/// Replays workgroups of 32 lanes that execute 1,000 additions each.
fn additions(workgroups: u32) -> Counted {
    let body = "n += 3u; ".repeat(1000);
    let source = format!(
        "@group(0) @binding(0) var<storage, read_write> output: array<u32>;
        @compute @workgroup_size(32) fn main(@builtin(global_invocation_id) id: vec3u) {{
            var n = id.x; {body} output[id.x] = n; }}"
    );
    let module = naga::front::wgsl::parse_str(&source).expect("the shader is valid");
    let validated = Validator::new(ValidationFlags::all(), Capabilities::all()).validate(&module);
    let info = validated.expect("the shader is valid");
    let mut replay = Replay::new(&module, &info, "main").expect("the shader has `main`");
    for _ in 0..workgroups {
        let decide = |_, _| -> Result<u32, ()> { panic!("the shader decides nothing") };
        replay.workgroup(&Arrangement::flat(32, 32), decide).expect("it decides nothing");
    }
    replay.into_counted()
}

#[test]
fn a_dispatch_takes_its_latency_if_it_is_small_and_its_throughput_if_it_is_large() {
    let (_, record) = record();
    let costs = Costs::from_record(&record, 32, 0).expect("the record has all metrics");
    let empty_s = record.clock.empty_span_ns.expect("the record has it") * 1e-9;
    let latency_s = metric(&record, "ilp", "latency.f32");
    let schedulers = metric(&record, "ilp", "schedulers.f32").round();
    // 1,000 additions and a store.
    let one = additions(1);
    assert_eq!((one.longest(), one.lengths.clone()), (1001, vec![vec![1001]]));
    near(costs.time_s(&one, 1.0), empty_s + 1001.0 * latency_s);
    // A hundred subgroups on each scheduler issue at full throughput.
    let many = additions(100 * schedulers as u32);
    near(costs.issue_s(&many.statements), {
        let each = 1000.0 * costs.of(Kind::Integer) + costs.of(Kind::Store);
        each * 100.0 * schedulers
    });
    near(costs.time_s(&many, 1.0), empty_s + costs.issue_s(&many.statements));
    // If they are a fifth of a dispatch, it takes five times as long.
    let fifth = costs.time_s(&many, 0.2) - empty_s;
    assert!((fifth / (5.0 * costs.issue_s(&many.statements)) - 1.0).abs() < 0.01, "{fifth}");
}
