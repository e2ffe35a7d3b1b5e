//! Peak read bandwidth of workgroup memory, by the vector size of the loads.

use super::kernel::{VECTORS, WorkgroupMemory};
use super::launch::workgroup_sizes_alone;
use crate::bench::{Axis, Context, Expr, Plan, Search, Sizing, Work};
use crate::model::About;

/// Largest number of workgroups.
const MOST: u32 = 32_768;

/// Adds the bandwidth of loads of each vector size, in the workgroup size that autotuning finds fastest for it. A sparse
/// sweep has only the largest vectors.
pub(super) fn add_workgroup_memory(plan: &mut Plan, context: &Context<'_>) {
    let vectors = if context.profile.dense { &VECTORS[..] } else { &VECTORS[VECTORS.len() - 1..] };
    let rates: Vec<Expr> =
        vectors.iter().map(|&vector| bytes_per_s(plan, context, vector)).collect();
    let about = |id: &str, label: String| About::new(id, label, "GB/s").higher();
    let label = "workgroup memory read bandwidth, no bank conflict";
    plan.metric(
        about("workgroup_memory_gb_per_s", label.to_owned()).headline(),
        Expr::max_known(rates.iter().cloned()) * 1e-9,
    );
    if vectors.len() > 1 {
        for (vector, rate) in vectors.iter().zip(rates) {
            let id = format!("workgroup_memory_gb_per_s.vec{vector}");
            plan.metric(about(&id, format!("{label}, {} B per load", 4 * vector)), rate * 1e-9);
        }
    }
}

/// Adds the case of loads of `vector` words. Returns the bytes that it reads per second.
fn bytes_per_s(plan: &mut Plan, context: &Context<'_>, vector: u32) -> Expr {
    let seed = context.seed as u32;
    // A device with few cores runs the invocations of a workgroup one after another and needs less work per
    // sample.
    let (iterations, granule) = if context.is_narrow() { (32, 2) } else { (256, 64) };
    let of = move |workgroup_size, workgroups| WorkgroupMemory {
        iterations,
        workgroup_size,
        workgroups,
        vector,
        seed,
    };
    let name = format!("workgroup_memory.vec{vector}");
    let axes = vec![Axis::numbers("invocations", workgroup_sizes_alone(context), 256)];
    let search = Search::new(&name, "B", axes, granule..=MOST, move |options, workgroups| {
        let memory = of(options[0], workgroups);
        Some(Work { workload: memory.workload(), units: memory.bytes() })
    });
    let workgroup_size = context.tune(&search)[0];
    let own = Sizing::Own { granule, most: MOST };
    let case = plan.case(name, own, move |n| of(workgroup_size, n).workload());
    of(workgroup_size, 1).bytes() / case.per_unit()
}
