//! What a search for a kernel's shape chooses among.

use crate::bench::{Axis, Context};
use crate::kernels::{Load, MOST_ITERATIONS, Shape};

/// The axes of a [`Shape`]: few options at a glance, as each takes a driver's compiler a while.
pub(crate) fn axes(context: &Context<'_>) -> Vec<Axis> {
    let (narrow, dense) = (context.is_narrow(), context.profile.dense);
    let pairs = context.facts.has_pairs();
    let loads = Load::ALL.iter().filter(|load| pairs || !load.is_of_pairs());
    let lanes: &[u32] = match (narrow, dense) {
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
    let ahead = if dense || !narrow { &Shape::AHEAD[..] } else { &[1] };
    vec![
        Axis::words(loads.map(|load| load.word()), position(Load::Vec4)),
        Axis::numbers("workgroups", workgroups.iter().copied(), start),
        Axis::numbers("lanes", lanes_of(context, lanes), 256),
        Axis::words(["strided", "blocked"], 0),
        Axis::numbers("ahead", ahead.iter().copied(), 1),
    ]
}

/// Those of `lanes` that a workgroup may have.
pub(crate) fn lanes_of(context: &Context<'_>, lanes: &[u32]) -> Vec<u32> {
    let most = context.facts.limits.workgroup_lanes;
    lanes.iter().copied().filter(|&lanes| lanes <= most).collect()
}

/// Lanes of a workgroup that are tried where a kernel's shape has little else.
pub(crate) fn lanes_alone(context: &Context<'_>) -> Vec<u32> {
    let narrow_glance = context.is_narrow() && !context.profile.dense;
    lanes_of(context, if narrow_glance { &[256, 1024] } else { &[64, 128, 256, 512, 1024] })
}

fn position(load: Load) -> u32 {
    Load::ALL.iter().position(|&other| other == load).expect("all are there") as u32
}

/// The shape that options of those axes stand for.
pub(crate) fn shape(options: &[u32]) -> Shape {
    let &[load, workgroups, lanes, blocked, ahead] = options else {
        unreachable!("as many options as axes")
    };
    Shape { lanes, load: Load::ALL[load as usize], ahead, workgroups, blocked: blocked != 0 }
}

/// Whether lanes get through so many words within the trips that every compiler grants.
pub(crate) fn is_within_trips(shape: Shape, words: u32) -> bool {
    shape.trips(words) < MOST_ITERATIONS
}
