//! How workloads of reductions are put together.

use std::sync::Arc;

use super::items::Items;
use super::source::shader;
use crate::gpu::{Check, Contents, Demand, Dispatch, Workload};
use crate::kernels::{Number, Shape};

/// Lanes in every workgroup whose lanes have an item each.
pub const LANES: u32 = 256;

/// Issued per subgroup around the work itself.
const SETUP_ISSUES: f64 = 10.0;

/// Workgroups for `count` items, one a lane, and their grid.
pub(super) fn workgroups_for(count: u32) -> u32 {
    count.div_ceil(LANES).max(1)
}

fn grid(workgroups: u32) -> [u32; 2] {
    const WIDEST: u32 = 32_768;
    if workgroups <= WIDEST { [workgroups, 1] } else { [WIDEST, workgroups.div_ceil(WIDEST)] }
}

/// Barriers that a tree of [`LANES`] passes which is one of many in a workgroup: one a step, one before its sum is
/// read, and one before the next tree begins.
pub const BARRIERS_OF_A_TREE: u32 = LANES.ilog2() + 2;

/// Workgroups of so many lanes.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub(super) workgroups: u32,
    pub(super) lanes: u32,
}

impl Grid {
    /// Of workgroups whose lanes have an item each.
    pub(super) fn whole(workgroups: u32) -> Self {
        Self { workgroups, lanes: LANES }
    }

    pub(super) fn shared(shape: Shape, count: u32) -> Self {
        Self { workgroups: shape.workgroups_for(count), lanes: shape.lanes }
    }
}

pub(super) fn trees(grid: Grid, repeats: u32, width: u32, bytes: f64) -> Demand {
    Demand {
        barriers: f64::from(grid.workgroups) * f64::from(repeats * grid.lanes.ilog2()),
        ..launch(grid, width, bytes)
    }
}

pub(super) fn launch(Grid { workgroups, lanes }: Grid, width: u32, bytes: f64) -> Demand {
    let subgroups = f64::from(workgroups) * f64::from(lanes.div_ceil(width));
    Demand {
        workgroups: f64::from(workgroups),
        subgroups,
        issues: subgroups * SETUP_ISSUES,
        bytes,
        ..Demand::default()
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

    pub(super) fn shared(items: u32, shape: Shape) -> Self {
        Self { blocked: shape.blocked, ..Self::items(items) }
    }
}

/// Collects the buffers and dispatches of a workload; buffer 0 holds the items.
pub(super) struct Builder {
    item: Number,
    shape: Shape,
    pub(super) subgroups: bool,
    buffers: Vec<Contents>,
    dispatches: Vec<Dispatch>,
}

impl Builder {
    pub(super) fn new(items: &Items, shape: Shape) -> Self {
        Self {
            item: items.item,
            shape,
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
        demand: impl Fn(u32) -> Demand + Send + Sync + 'static,
    ) {
        let Params { items, blocked, repeats, every } = params;
        self.buffers.push(Contents::Uniform(vec![
            ("items", items),
            ("blocked", u32::from(blocked)),
            ("repeats", repeats),
            ("every", every),
        ]));
        self.dispatches.push(Dispatch {
            shader: shader(self.subgroups, self.item, self.shape),
            entry,
            constants: vec![("LANES", at.lanes)],
            bindings: vec![
                ("params", self.buffers.len() - 1),
                ("items", source),
                ("loads", source),
                ("total", target),
                ("partials", target),
            ],
            workgroups: grid(at.workgroups),
            demand: Arc::new(demand),
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
            format!("{label} {}", self.item.word()),
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
