//! What a search for a kernel's shape chooses among.

use crate::bench::{Axis, Context};
use crate::kernels::{LaunchConfig, Load, MAX_ITERATIONS};

/// The axes of a [`LaunchConfig`]: few options at a glance, as each takes a driver's compiler a while.
pub(crate) fn axes(context: &Context<'_>) -> Vec<Axis> {
    let (narrow, dense) = (context.is_narrow(), context.profile.dense);
    let pairs = context.facts.has_u64();
    let loads = Load::ALL.iter().filter(|load| pairs || !load.is_u64());
    let workgroup_size: &[u32] = match (narrow, dense) {
        (true, true) => &[16, 64, 256],
        (true, false) => &[256],
        (false, true) => &[64, 128, 256, 512, 1024],
        (false, false) => &[128, 256, 512],
    };
    let (workgroups, start): (&[u32], u32) = match (narrow, dense) {
        (true, true) => (&[8, 16, 32, 128], 16),
        (true, false) => (&[16, 128], 16),
        (false, true) => (&[128, 512, 2048, 8192, 32_768], 2048),
        (false, false) => (&[512, 2048, 8192], 2048),
    };
    let loads_in_flight = if dense || !narrow { &LaunchConfig::LOADS_IN_FLIGHT[..] } else { &[1] };
    vec![
        Axis::words(loads.map(|load| load.as_str()), position(Load::Vec4)),
        Axis::numbers("workgroups", workgroups.iter().copied(), start),
        Axis::numbers("invocations", workgroup_sizes(context, workgroup_size), 256),
        Axis::words(["strided", "blocked"], 0),
        Axis::numbers("loads in flight", loads_in_flight.iter().copied(), 1),
    ]
}

/// Those of `workgroup_size` that a workgroup may have.
pub(crate) fn workgroup_sizes(context: &Context<'_>, workgroup_size: &[u32]) -> Vec<u32> {
    let most = context.facts.limits.max_workgroup_size;
    workgroup_size.iter().copied().filter(|&workgroup_size| workgroup_size <= most).collect()
}

/// Lanes of a workgroup that are tried where a kernel's shape has little else.
pub(crate) fn workgroup_sizes_alone(context: &Context<'_>) -> Vec<u32> {
    let narrow_glance = context.is_narrow() && !context.profile.dense;
    workgroup_sizes(context, if narrow_glance { &[256, 1024] } else { &[64, 128, 256, 512, 1024] })
}

fn position(load: Load) -> u32 {
    Load::ALL.iter().position(|&other| other == load).expect("all are there") as u32
}

/// The shape that options of those axes stand for.
pub(crate) fn config(options: &[u32]) -> LaunchConfig {
    let &[load, workgroups, workgroup_size, blocked, loads_in_flight] = options else {
        unreachable!("as many options as axes")
    };
    LaunchConfig {
        workgroup_size,
        load: Load::ALL[load as usize],
        loads_in_flight,
        workgroups,
        blocked: blocked != 0,
    }
}

/// Whether lanes get through so many words within the trips that every compiler grants.
pub(crate) fn is_within_iteration_limit(config: LaunchConfig, words: u32) -> bool {
    config.iterations(words) < MAX_ITERATIONS
}
