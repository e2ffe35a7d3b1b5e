//! Building blocks of the reduction workloads.

use std::sync::Arc;

use super::items::Items;
use super::source::shader;
use crate::gpu::{Check, Contents, CostModel, DeviceShape, Dispatch, Workload};
use crate::kernels::{LaunchConfig, Number};

/// Invocations per workgroup in variants with one item per invocation.
pub const WORKGROUP_SIZE: u32 = 256;

/// Instructions per subgroup in addition to the coordination.
const SETUP_ISSUES: f64 = 10.0;

/// Returns the number of workgroups for `count` items with one item per invocation, at least 1.
pub(super) fn workgroups_for(count: u32) -> u32 {
    count.div_ceil(WORKGROUP_SIZE).max(1)
}

/// Returns the workgroups in x and y of a dispatch with at least `workgroups` workgroups. Large grids need
/// two dimensions because the device limits each dimension.
fn grid(workgroups: u32) -> [u32; 2] {
    const WIDEST: u32 = 32_768;
    if workgroups <= WIDEST { [workgroups, 1] } else { [WIDEST, workgroups.div_ceil(WIDEST)] }
}

/// Barriers per tree of [`WORKGROUP_SIZE`] invocations if a workgroup sums several trees: one per step, one
/// before the sum is read, and one before the next tree starts.
pub const BARRIERS_OF_A_TREE: u32 = WORKGROUP_SIZE.ilog2() + 2;

/// The number of workgroups in a dispatch and their size.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub(super) workgroups: u32,
    pub(super) workgroup_size: u32,
}

impl Grid {
    /// Returns a grid with one item per invocation.
    pub(super) fn whole(workgroups: u32) -> Self {
        Self { workgroups, workgroup_size: WORKGROUP_SIZE }
    }

    /// Returns the grid of `config` for `count` items that the invocations share.
    pub(super) fn shared(config: LaunchConfig, count: u32) -> Self {
        Self { workgroups: config.workgroups_for(count), workgroup_size: config.workgroup_size }
    }
}

/// Returns the cost model of a dispatch in which each workgroup sums `repeats` trees. `bytes` are the bytes
/// read.
pub(super) fn trees(grid: Grid, repeats: u32, shape: DeviceShape, bytes: f64) -> CostModel {
    CostModel {
        barriers: f64::from(grid.workgroups) * f64::from(repeats * grid.workgroup_size.ilog2()),
        ..launch(grid, shape, bytes)
    }
}

/// Returns the cost model of a dispatch without coordination. `bytes` are the bytes read. Waits for loads do not limit the
/// dispatch.
pub(super) fn launch(
    Grid { workgroups, workgroup_size }: Grid,
    shape: DeviceShape,
    bytes: f64,
) -> CostModel {
    let slots = f64::from(workgroups) * f64::from(shape.issue_slots(workgroup_size));
    CostModel {
        workgroups: f64::from(workgroups),
        subgroups: f64::from(workgroups) * f64::from(workgroup_size.div_ceil(shape.width)),
        issues: slots * SETUP_ISSUES,
        bytes,
        footprint: bytes,
        ..CostModel::default()
    }
}

/// The uniform block of the shader.
#[derive(Clone, Copy)]
pub(super) struct Params {
    pub(super) items: u32,
    pub(super) blocked: bool,
    pub(super) repeats: u32,
    pub(super) every: u32,
}

impl Params {
    /// Returns the parameters of a kernel with one item per invocation.
    pub(super) fn items(items: u32) -> Self {
        Self { items, blocked: false, repeats: 0, every: 1 }
    }

    /// Returns the parameters of a kernel whose invocations share the items.
    pub(super) fn shared(items: u32, config: LaunchConfig) -> Self {
        Self { blocked: config.blocked, ..Self::items(items) }
    }
}

/// Collects the buffers and dispatches of a workload. Buffer 0 contains the items.
pub(super) struct Builder {
    item: Number,
    config: LaunchConfig,
    /// Whether the dispatches use the module with subgroup operations.
    pub(super) subgroups: bool,
    buffers: Vec<Contents>,
    dispatches: Vec<Dispatch>,
}

impl Builder {
    /// Begins a workload on the first `count` items.
    pub(super) fn new(items: &Items, count: u32, config: LaunchConfig) -> Self {
        Self {
            item: items.item,
            config,
            subgroups: false,
            buffers: vec![items.contents(count)],
            dispatches: Vec::new(),
        }
    }

    /// Adds a buffer of `words` zeros and returns its index.
    pub(super) fn zeroed(&mut self, words: usize) -> usize {
        self.buffers.push(Contents::Zeroed(words));
        self.buffers.len() - 1
    }

    /// Adds a dispatch that reads buffer `source` and writes buffer `target`.
    pub(super) fn dispatch(
        &mut self,
        entry: &'static str,
        [source, target]: [usize; 2],
        params: Params,
        at: Grid,
        cost_model: impl Fn(DeviceShape) -> CostModel + Send + Sync + 'static,
    ) {
        let Params { items, blocked, repeats, every } = params;
        self.buffers.push(Contents::Uniform(vec![
            ("items", items),
            ("blocked", u32::from(blocked)),
            ("repeats", repeats),
            ("every", every),
        ]));
        self.dispatches.push(Dispatch {
            shader: shader(self.subgroups, self.item, self.config),
            entry,
            constants: vec![("WORKGROUP_SIZE", at.workgroup_size)],
            bindings: vec![
                ("params", self.buffers.len() - 1),
                ("items", source),
                ("loads", source),
                ("total", target),
                ("partials", target),
            ],
            workgroups: grid(at.workgroups),
            cost_model: Arc::new(cost_model),
        });
    }

    /// Adds a dispatch in which each workgroup sums its items by a tree. The first of `buffers` is the
    /// source, the second the target.
    pub(super) fn summing(
        &mut self,
        entry: &'static str,
        buffers: [usize; 2],
        params: Params,
        at: Grid,
    ) {
        let bytes = f64::from(params.items) * 4.0;
        self.dispatch(entry, buffers, params, at, move |shape| trees(at, 1, shape, bytes));
    }

    /// Builds the workload. Its output is the buffer with index `checked`, and `expected` returns the
    /// expected words.
    pub(super) fn finish(
        self,
        label: &str,
        checked: usize,
        expected: impl Fn() -> Vec<u32> + Send + Sync + 'static,
    ) -> Workload {
        Workload::new(
            format!("{label} {}", self.item.as_str()),
            self.dispatches,
            self.buffers,
            Check { buffers: vec![checked], expected: Arc::new(expected) },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_in_two_dimensions_covers_all_workgroups() {
        for workgroups in [1, 32_768, 32_769, 65_536, 262_144] {
            let [x, y] = grid(workgroups);
            assert!(x * y >= workgroups && x <= 65_535 && y <= 65_535);
        }
    }
}
