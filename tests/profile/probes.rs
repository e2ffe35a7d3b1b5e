//! Probes, executed on the host: they log what lanes decide, and change no output.

use std::collections::BTreeMap;

use naga::valid::{Capabilities, ModuleInfo, ShaderStages, SubgroupOperationSet};
use naga::valid::{ValidationFlags, Validator};
use naga::{Module, ShaderStage, back::pipeline_constants::process_overrides};
use warplaw::gpu::{Dispatch, Workload};
use warplaw::model::{Line, Totals};
use warplaw::profile::{Log, LogLayout, Probed};
use warplaw::simt::{Arrangement, Buffers, Grid, Issued, Replay};

/// A dispatch as both the profiler and a grid need it.
pub(crate) struct Case {
    pub(crate) source: String,
    pub(crate) entry: String,
    pub(crate) constants: Vec<(String, f64)>,
    pub(crate) workgroups: [u32; 3],
    pub(crate) lanes: u32,
    pub(crate) buffers: Buffers,
}

pub(crate) fn specialized(module: &Module, case: &Case) -> (Module, ModuleInfo) {
    let info = Validator::new(ValidationFlags::all(), Capabilities::all())
        .subgroup_stages(ShaderStages::COMPUTE)
        .subgroup_operations(SubgroupOperationSet::all())
        .validate(module)
        .expect("the module is valid");
    let entry = Some((ShaderStage::Compute, case.entry.as_str()));
    let constants = case.constants.iter().cloned().collect();
    let (module, info) =
        process_overrides(module, &info, entry, &constants).expect("the constants are right");
    (module.into_owned(), info.into_owned())
}

/// Runs the shader without probes, at `width` lanes. Returns its buffers and what its subgroups issued.
pub(crate) fn plain(case: &Case, width: u32) -> (Buffers, Vec<Vec<Issued>>) {
    let module = naga::front::wgsl::parse_str(&case.source).expect("the shader is valid");
    let (module, info) = specialized(&module, case);
    let (entry, workgroups) = (case.entry.as_str(), case.workgroups);
    let grid = Grid { module: &module, info: &info, entry, workgroups, width };
    let mut buffers = case.buffers.clone();
    let issued = grid.run(&mut buffers).unwrap_or_else(|error| panic!("{error}"));
    (buffers, issued)
}

/// Runs a shader with probes. Returns its log and its buffers.
pub(crate) fn recorded(case: &Case, probed: &Probed) -> (Log, Buffers) {
    let (module, info) = specialized(&probed.probed, case);
    let workgroups: u32 = case.workgroups.iter().product();
    let layout = LogLayout::new(workgroups, case.lanes, 256, (0..workgroups).collect())
        .expect("the log is small");
    let mut buffers = case.buffers.clone();
    let bytes = layout.contents().into_iter().flat_map(u32::to_le_bytes).collect();
    buffers.insert("warplaw_log".to_owned(), bytes);
    // The width of the execution plays no part in what lanes decide.
    let entry = case.entry.as_str();
    let grid = Grid { module: &module, info: &info, entry, workgroups: case.workgroups, width: 4 };
    grid.run(&mut buffers).unwrap_or_else(|error| panic!("{error}"));
    let bytes = buffers.remove("warplaw_log").expect("the log comes back");
    let words: Vec<u32> = bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect();
    (layout.read(&words).unwrap_or_else(|error| panic!("{error}")), buffers)
}

/// Profiles all workgroups of a case on the host, and checks the profile at `width` lanes against an execution without
/// probes. Returns what its subgroups did on each line.
pub(crate) fn check(case: &Case, width: u32) -> Vec<Line> {
    let probed = Probed::new(&case.source, &case.entry, false).unwrap_or_else(|e| panic!("{e}"));
    let (log, buffers) = recorded(case, &probed);
    let entry = case.entry.as_str();
    let (expected, issued) = plain(case, width);
    assert_eq!(buffers, expected, "the outputs with probes");
    let (module, info) = specialized(&probed.module, case);
    let replay = Replay::new(&module, &info, entry).expect("the shader has the entry point");
    let mut replay = replay.counting_at(&[width]);
    for workgroup in log.workgroups().collect::<Vec<_>>() {
        let mut decisions = log.decisions(workgroup);
        replay
            .workgroup(&Arrangement::flat(case.lanes, width), |lane, outcomes| {
                decisions.next(lane, outcomes)
            })
            .unwrap_or_else(|error| panic!("workgroup {workgroup}: {error}"));
        assert_eq!(decisions.finish(), Ok(()), "workgroup {workgroup}");
    }
    let mut replayed = Totals::default();
    for statement in replay.statements() {
        let each = statement.instructions.iter().map(|i| i.count).sum();
        replayed.add(each, statement.of_one());
    }
    let issued = || issued.iter().flatten();
    let executed =
        (issued().map(Issued::all).sum::<u64>(), issued().map(|of| of.lanes).sum::<u64>());
    assert_eq!(
        (replayed.issues, replayed.lanes),
        executed,
        "what subgroups of {width} lanes issue"
    );
    let work: u64 = log.work.iter().map(|&work| u64::from(work)).sum();
    assert_eq!(work, replayed.lanes, "the work of all invocations");
    let lines = probed.lines(replay.statements(), |_| None);
    let mut total = Totals::default();
    lines.iter().for_each(|line| total.add(1, line.totals));
    assert_eq!(total, replayed, "what the lines issue together");
    let counted = replay.into_counted();
    let mut by_path = Totals::default();
    counted.paths.values().for_each(|path| by_path.add(1, *path));
    assert_eq!(by_path, replayed, "what the call paths issue together");
    assert_eq!(counted.widths[&width], replayed, "the totals at the same width");
    let last = case.source.lines().count() as u32;
    assert!(lines.iter().all(|line| line.number <= last && line.totals.lanes <= line.totals.slots));
    lines
}

/// Returns a dispatch of a workload as a case.
pub(crate) fn case_of(workload: &Workload, dispatch: &Dispatch) -> Case {
    let constants: BTreeMap<&str, u32> = dispatch.constants().iter().copied().collect();
    let [x, y] = dispatch.workgroups();
    Case {
        source: dispatch.shader().source().to_owned(),
        entry: dispatch.entry().to_owned(),
        constants: constants.iter().map(|(name, v)| ((*name).to_owned(), f64::from(*v))).collect(),
        workgroups: [x, y, 1],
        lanes: constants.get("WORKGROUP_SIZE").copied().expect("a kernel has a workgroup size"),
        buffers: dispatch
            .bindings()
            .iter()
            .map(|&(name, index)| (name.to_owned(), workload.buffers()[index].bytes()))
            .collect(),
    }
}
