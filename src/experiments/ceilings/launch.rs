//! The launch configurations that autotuning tries.

use crate::bench::{Axis, Context};
use crate::gpu::ShaderFeature;
use crate::kernels::{LaunchConfig, Load};

/// The types of loads that autotuning tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loads {
    /// All that the device has.
    All,
    /// Those that WebGPU has in browsers too: none of 64-bit integers.
    Portable,
}

impl Loads {
    /// Returns the name of a search among these loads.
    pub(crate) fn name(self, of: &str) -> String {
        match self {
            Self::All => of.to_owned(),
            Self::Portable => format!("{of}.portable"),
        }
    }
}

/// Note of a figure whose loads are of 64-bit integers.
pub(crate) const NATIVE: &str = "loads of 64-bit integers, which only native programs have";

/// Returns the axes of a [`LaunchConfig`]. A sparse sweep has few options, because the driver takes a while
/// to compile each one.
pub(crate) fn axes(context: &Context<'_>, loads: Loads) -> Vec<Axis> {
    let (narrow, dense) = (context.is_narrow(), context.profile.dense);
    let has_u64 = loads == Loads::All && context.facts.has(ShaderFeature::U64);
    let loads = Load::ALL.iter().filter(|load| has_u64 || !load.is_u64());
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
        // Before the size of the grid: each order has another size that suits it.
        Axis::words(["strided", "blocked"], 0),
        Axis::numbers("workgroups", workgroups.iter().copied(), start),
        Axis::numbers("invocations", workgroup_sizes(context, workgroup_size), 256),
        Axis::numbers("loads in flight", loads_in_flight.iter().copied(), 1),
    ]
}

/// Returns the elements of `sizes` that the device supports as workgroup sizes.
pub(crate) fn workgroup_sizes(context: &Context<'_>, sizes: &[u32]) -> Vec<u32> {
    let most = context.facts.limits.max_workgroup_size;
    sizes.iter().copied().filter(|&size| size <= most).collect()
}

/// Returns the workgroup sizes to try for a kernel with few other launch parameters.
pub(crate) fn workgroup_sizes_alone(context: &Context<'_>) -> Vec<u32> {
    let narrow_and_sparse = context.is_narrow() && !context.profile.dense;
    let sizes: &[u32] = if narrow_and_sparse { &[256, 1024] } else { &[64, 128, 256, 512, 1024] };
    workgroup_sizes(context, sizes)
}

/// Returns the index of `load` in [`Load::ALL`].
fn position(load: Load) -> u32 {
    Load::ALL.iter().position(|&other| other == load).expect("`Load::ALL` has every load") as u32
}

/// Returns the launch configuration given by one option for each axis of [`axes`].
pub(crate) fn config(options: &[u32]) -> LaunchConfig {
    let &[load, blocked, workgroups, workgroup_size, loads_in_flight] = options else {
        unreachable!("there is one option per axis")
    };
    LaunchConfig {
        workgroup_size,
        load: Load::ALL[load as usize],
        loads_in_flight,
        workgroups,
        blocked: blocked != 0,
    }
}
