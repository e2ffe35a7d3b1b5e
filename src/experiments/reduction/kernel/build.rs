//! How workloads of reductions are put together.

use std::sync::Arc;

use super::items::Items;
use super::source::shader;
use crate::gpu::{Check, Contents, CostModel, Dispatch, Workload};
use crate::kernels::{LaunchConfig, Number};

/// Lanes in every workgroup whose lanes have an item each.
pub const WORKGROUP_SIZE: u32 = 256;

/// Issued per subgroup around the work itself.
const SETUP_ISSUES: f64 = 10.0;

/// Workgroups for `count` items, one a lane, and their grid.
pub(super) fn workgroups_for(count: u32) -> u32 {
    count.div_ceil(WORKGROUP_SIZE).max(1)
}

fn grid(workgroups: u32) -> [u32; 2] {
    const WIDEST: u32 = 32_768;
    if workgroups <= WIDEST { [workgroups, 1] } else { [WIDEST, workgroups.div_ceil(WIDEST)] }
}

/// Barriers that a tree of [`WORKGROUP_SIZE`] passes which is one of many in a workgroup: one a step, one before its sum is
/// read, and one before the next tree begins.
pub const BARRIERS_OF_A_TREE: u32 = WORKGROUP_SIZE.ilog2() + 2;

/// Workgroups of so many lanes.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub(super) workgroups: u32,
    pub(super) workgroup_size: u32,
}

impl Grid {
    /// Of workgroups whose lanes have an item each.
    pub(super) fn whole(workgroups: u32) -> Self {
        Self { workgroups, workgroup_size: WORKGROUP_SIZE }
    }

    pub(super) fn shared(config: LaunchConfig, count: u32) -> Self {
        Self { workgroups: config.workgroups_for(count), workgroup_size: config.workgroup_size }
    }
}

pub(super) fn trees(grid: Grid, repeats: u32, width: u32, bytes: f64) -> CostModel {
    CostModel {
        barriers: f64::from(grid.workgroups) * f64::from(repeats * grid.workgroup_size.ilog2()),
        ..launch(grid, width, bytes)
    }
}

pub(super) fn launch(
    Grid { workgroups, workgroup_size }: Grid,
    width: u32,
    bytes: f64,
) -> CostModel {
    let subgroups = f64::from(workgroups) * f64::from(workgroup_size.div_ceil(width));
    CostModel {
        workgroups: f64::from(workgroups),
        subgroups,
        issues: subgroups * SETUP_ISSUES,
        bytes,
        ..CostModel::default()
    }
}

/// The uniform block, as in the shader.
#[derive(Clone, Copy)]
pub(super) struct Params {
    pub(super) items: u32,
    pub(super) blocked: bool,
    pub(super) repeats: u32,
    pub(super) every: u32,
}

impl Params {
    pub(super) fn items(items: u32) -> Self {
        Self { items, blocked: false, repeats: 0, every: 1 }
    }

    pub(super) fn shared(items: u32, config: LaunchConfig) -> Self {
        Self { blocked: config.blocked, ..Self::items(items) }
    }
}

/// Collects the buffers and dispatches of a workload; buffer 0 holds the items.
pub(super) struct Builder {
    item: Number,
    config: LaunchConfig,
    pub(super) subgroups: bool,
    buffers: Vec<Contents>,
    dispatches: Vec<Dispatch>,
}

impl Builder {
    pub(super) fn new(items: &Items, config: LaunchConfig) -> Self {
        Self {
            item: items.item,
            config,
            subgroups: false,
            buffers: vec![Contents::Data(Arc::clone(&items.words))],
            dispatches: Vec::new(),
        }
    }

    pub(super) fn zeroed(&mut self, words: usize) -> usize {
        self.buffers.push(Contents::Zeroed(words));
        self.buffers.len() - 1
    }

    /// A dispatch from buffer `source` to buffer `target`.
    pub(super) fn dispatch(
        &mut self,
        entry: &'static str,
        [source, target]: [usize; 2],
        params: Params,
        at: Grid,
        cost_model: impl Fn(u32) -> CostModel + Send + Sync + 'static,
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

    /// A dispatch in which each workgroup sums by a tree.
    pub(super) fn summing(
        &mut self,
        entry: &'static str,
        buffers: [usize; 2],
        params: Params,
        at: Grid,
    ) {
        let bytes = f64::from(params.items) * 4.0;
        self.dispatch(entry, buffers, params, at, move |width| trees(at, 1, width, bytes));
    }

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
    fn grids_beyond_one_dimension_cover_their_workgroups() {
        for workgroups in [1, 32_768, 32_769, 65_536, 262_144] {
            let [x, y] = grid(workgroups);
            assert!(x * y >= workgroups && x <= 65_535 && y <= 65_535);
        }
    }
}
