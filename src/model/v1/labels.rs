//! Labels of the figures in records of version 1.
//!
//! The table is frozen: no entry is added or changed.

use crate::model::Better::{self, Higher, Lower, Neither};

/// Label and properties of a figure in records of version 1.
pub(super) struct Label {
    experiment: &'static str,
    /// Name in the record, in which `*` matches any non-empty part.
    name: &'static str,
    pub(super) better: Better,
    pub(super) headline: bool,
    label: &'static str,
}

const fn label(
    experiment: &'static str,
    name: &'static str,
    better: Better,
    headline: bool,
    label: &'static str,
) -> Label {
    Label { experiment, name, better, headline, label }
}

/// The device card contains the figure.
const HEAD: bool = true;
/// The device card does not contain the figure.
const BODY: bool = false;

#[rustfmt::skip]
const LABELS: &[Label] = &[
    label("width", "effective_width", Neither, HEAD, "subgroup width W, found by timing"),
    label("width", "width_by_granularity", Neither, BODY, "subgroup width W, by branch granularity"),
    label("width", "width_by_lanes", Neither, BODY, "subgroup width W, by workgroup size"),
    label("width", "reported_width", Neither, BODY, "subgroup size, reported"),
    label("divergence", "cost_of_*_way_branch", Neither, HEAD, "time of a *-way branch over one path, neighbouring lanes on different paths"),
    label("divergence", "efficiency.*", Higher, BODY, "SIMT efficiency η, *-way branch"),
    label("divergence", "t_arm_mean", Lower, BODY, "time of a branch path alone, mean over paths"),
    label("divergence", "t_reach", Lower, BODY, "time to select a branch path, no path run"),
    label("divergence", "arm_spread", Neither, BODY, "time of the slowest branch path over the fastest"),
    label("imbalance", "efficiency_shuffled.*", Higher, HEAD, "SIMT efficiency η, uneven work in random order, *"),
    label("imbalance", "sorting_buys.*", Neither, HEAD, "speed-up by sorting uneven work, *"),
    label("imbalance", "sorting_buys_predicted.*", Neither, BODY, "speed-up by sorting uneven work, predicted, *"),
    label("imbalance", "longest_over_shortest.*", Neither, BODY, "longest item over shortest item, *"),
    label("imbalance", "t_trip", Lower, BODY, "time per loop iteration of a subgroup"),
    label("select", "select_over_branch_at_half.*", Neither, HEAD, "time of select over branch, lanes split in half, *"),
    label("select", "crossover_measured.*", Neither, BODY, "share of lanes from which select is faster, *"),
    label("select", "crossover_predicted.*", Neither, BODY, "share of lanes from which select is faster, predicted, *"),
    label("select", "short_branch_runs", Neither, HEAD, "compiled form of a branch, four operations per path"),
    label("select", "short_branch_agreed_share", Neither, BODY, "time of a branch with agreeing lanes over divergent lanes, four operations per path"),
    label("select", "short_branch_over_select", Neither, BODY, "time of a branch over an explicit select, divergent lanes, four operations per path"),
    label("select", "t_branch.*", Lower, BODY, "time to choose by branch, *"),
    label("select", "t_arm_0.*", Lower, BODY, "time of path 0 under a branch, *"),
    label("select", "t_arm_1.*", Lower, BODY, "time of path 1 under a branch, *"),
    label("select", "t_select.*", Lower, BODY, "time to choose by select, *"),
    label("select", "t_straight_0.*", Lower, BODY, "time of path 0 without a branch, *"),
    label("select", "t_straight_1.*", Lower, BODY, "time of path 1 without a branch, *"),
    label("amdahl", "hardware_workers", Higher, HEAD, "peak speed-up over one workgroup, fully parallel work"),
    label("amdahl", "best_speed_up.*", Higher, HEAD, "best speed-up, parallel share *"),
    label("amdahl", "ceiling.*", Neither, BODY, "speed-up ceiling 1/(1−f), parallel share *"),
    label("amdahl", "best_share_of_ceiling.*", Higher, BODY, "best speed-up as a share of its ceiling, parallel share *"),
    label("amdahl", "t_job", Lower, BODY, "time of the fully parallel job, one workgroup"),
    label("amdahl", "serial_share.*", Neither, BODY, "serial share of the job's time, parallel share *"),
    label("ilp", "latency.*", Lower, HEAD, "latency of a dependent operation, *"),
    label("ilp", "t_issue.*", Lower, BODY, "issue time of an independent operation, *"),
    label("ilp", "best_speed_up.*", Higher, BODY, "best speed-up by independent chains, *"),
    label("ilp", "schedulers.*", Higher, HEAD, "concurrent subgroups at peak, *"),
    label("ilp", "knee_predicted.*", Neither, BODY, "independent chains that hide the latency, predicted, *"),
    label("ilp", "knee_measured.*", Neither, HEAD, "independent chains that hide the latency, *"),
    label("lanes", "speed_up_at_width", Higher, HEAD, "speed-up of a full subgroup over one lane"),
    label("lanes", "t_subgroup_step", Lower, BODY, "time per loop iteration of a subgroup, amortized over all workgroups"),
    label("batching", "workgroups_per_dispatch.alpha", Lower, HEAD, "dispatch overhead"),
    label("batching", "dispatches_per_pass.alpha", Lower, HEAD, "pass overhead"),
    label("batching", "passes_per_submit.alpha", Lower, HEAD, "submit overhead"),
    label("batching", "submits_per_wait.alpha", Lower, HEAD, "wait overhead"),
    label("batching", "chunks_per_map.alpha", Lower, HEAD, "readback overhead"),
    label("batching", "*.alpha", Lower, BODY, "overhead α, *"),
    label("batching", "*.half_batch", Lower, BODY, "batch size n½ for 50 % of peak, *"),
    label("batching", "*.t", Lower, BODY, "time per item t, *"),
    label("batching", "*.batch_for_90_percent", Neither, BODY, "batch size for 90 % of peak, predicted, *"),
    label("batching", "*.batch_found_for_90_percent", Neither, BODY, "batch size for 90 % of peak, *"),
    label("ceilings", "read_gb_per_s.*", Higher, HEAD, "read bandwidth, * array"),
    label("ceilings", "write_gb_per_s.*", Higher, BODY, "write bandwidth, * array"),
    label("ceilings", "copy_gb_per_s.*", Higher, HEAD, "copy bandwidth, * array, bytes read and written"),
    label("ceilings", "triad_gb_per_s.*", Higher, BODY, "triad bandwidth, * array, bytes read and written"),
    label("ceilings", "fma_f32_gop_per_s", Higher, HEAD, "peak f32 throughput, multiply and add counted as two operations"),
    label("ceilings", "u32_gop_per_s", Higher, HEAD, "peak u32 throughput, add and xor counted as two operations"),
    label("ceilings", "workgroup_memory_gb_per_s", Higher, HEAD, "workgroup memory read bandwidth, no bank conflict"),
    label("ceilings", "atomic_add_gop_per_s", Higher, HEAD, "peak atomic add throughput, 4,096 addresses"),
    label("reduction", "best_gb_per_s", Higher, HEAD, "input bandwidth of the fastest u32 reduction"),
    label("reduction", "best_share_of_ceiling", Higher, BODY, "fastest u32 reduction as a share of read bandwidth"),
    label("reduction", "largest_input", Neither, BODY, "input size of the fastest u32 reduction"),
    label("reduction", "read_ceiling_gb_per_s", Higher, BODY, "read bandwidth, largest reduction input"),
    label("reduction", "best_variant", Neither, HEAD, "fastest u32 reduction with its launch configuration"),
    label("reduction", "t_dispatch", Lower, BODY, "dispatch overhead, empty dispatches in sequence"),
    label("reduction", "t_barrier", Lower, HEAD, "time per barrier of 256 invocations, amortized over a full device"),
    label("reduction", "t_tree_sequential", Lower, BODY, "time per tree of 256 invocations, sequential addressing, full device"),
    label("reduction", "t_tree_interleaved", Lower, BODY, "time per tree of 256 invocations, interleaved addressing, full device"),
    label("reduction", "tree_latency_sequential", Lower, BODY, "tree latency, 256 invocations, sequential addressing, one workgroup"),
    label("reduction", "t_subgroup_sum", Lower, HEAD, "time per subgroup sum, amortized over a full device"),
    label("reduction", "t_atomic_u32", Lower, BODY, "time per atomic add, all lanes on one address, u32"),
    label("reduction", "t_atomic_f32", Lower, BODY, "time per atomic add, all lanes on one address, f32 by compare-and-swap"),
    label("reduction", "t_atomic_u32_leader", Lower, BODY, "time per atomic add, one lane per subgroup on one address, u32"),
    label("reduction", "t_atomic_f32_leader", Lower, BODY, "time per atomic add, one lane per subgroup on one address, f32 by compare-and-swap"),
    label("contention", "t_serial.*", Lower, HEAD, "time per atomic *, all invocations on one address"),
    label("contention", "t_parallel.*", Lower, HEAD, "time per atomic *, one address per invocation"),
    label("contention", "t_parallel_by_block.*", Lower, BODY, "time per atomic *, one address per invocation, assigned by block"),
    label("contention", "t_local.*", Lower, BODY, "time per atomic *, one address per workgroup, in workgroup memory"),
    label("contention", "privatising_buys.*", Neither, HEAD, "speed-up by one counter per workgroup, atomic *"),
    label("contention", "privatising_buys_predicted.*", Neither, BODY, "speed-up by one counter per workgroup, predicted, atomic *"),
    label("contention", "knee_predicted.*", Neither, BODY, "counters needed to end contention, predicted, atomic *"),
    label("contention", "dearest_in_turn.*", Neither, BODY, "time on the slowest round-robin counters over one counter, atomic *"),
    label("contention", "one_address_seen_by_compiler.*", Neither, BODY, "time per atomic *, address known to the compiler over address unknown to it"),
    label("dependence", "price_of_dependency", Lower, HEAD, "cost of a dependency between dispatches"),
    label("dependence", "alpha", Lower, BODY, "dispatch overhead, dependent dispatches"),
    label("dependence", "alpha_issue", Lower, BODY, "dispatch overhead, independent dispatches"),
    label("dependence", "t_dispatch", Lower, BODY, "execution time of a dispatch, overhead excluded"),
    label("dependence", "dispatches_in_flight", Higher, HEAD, "small independent dispatches in flight"),
    label("dependence", "slots", Neither, BODY, "dispatches in flight, as assumed by the law"),
    label("allreduce", "alpha", Lower, HEAD, "all-reduce step latency α, two workgroups"),
    label("allreduce", "beta", Lower, BODY, "all-reduce byte time β, two workgroups"),
    label("allreduce", "alpha.*", Lower, BODY, "all-reduce step latency α, * workgroups"),
    label("allreduce", "beta.*", Lower, BODY, "all-reduce time per byte β, * workgroups"),
    label("allreduce", "share_of_copy_ceiling.*", Higher, BODY, "copy bandwidth of * workgroups as a share of the device's"),
    label("allreduce", "half_latency_measured.*", Neither, BODY, "message size at which half of a ring's time is latency, * workgroups"),
    label("allreduce", "half_latency_predicted.*", Neither, BODY, "message size at which half of a ring's time is latency, predicted, * workgroups"),
    label("allreduce", "ring_overtakes_doubling_measured.*", Neither, HEAD, "message size above which a ring is faster than recursive doubling, * workgroups"),
    label("allreduce", "ring_overtakes_doubling_predicted.*", Neither, BODY, "message size above which a ring is faster than recursive doubling, predicted, * workgroups"),
    label("occupancy", "latency_of_a_lane.*", Lower, HEAD, "load latency, one lane, * working set"),
    label("occupancy", "latency.*", Lower, BODY, "load latency, full subgroup, * working set"),
    label("occupancy", "t_step.*", Lower, BODY, "time per subgroup load at peak, * working set"),
    label("occupancy", "knee_predicted.*", Neither, BODY, "resident subgroups that hide load latency, predicted, * working set"),
    label("occupancy", "knee_measured.*", Neither, HEAD, "resident subgroups that hide load latency, * working set"),
    label("overlap", "upload_gb_per_s.*", Higher, HEAD, "upload bandwidth, *"),
    label("overlap", "hidden_share.*", Higher, BODY, "share of an upload hidden, * batches in flight"),
    label("overlap", "t_upload.*", Lower, BODY, "time to upload a batch, *"),
    label("overlap", "t_compute", Neither, BODY, "time to compute on a batch"),
    label("overlap", "t_copy", Lower, BODY, "time to copy a batch on the device"),
    label("overlap", "t_submit_and_wait", Lower, BODY, "time to submit a batch and wait for it"),
];

impl Label {
    /// Returns the part of `name` that `*` matches, or `None` if this entry does not match.
    ///
    /// Returns an empty part if the entry contains no `*`.
    fn part<'a>(&self, experiment: &str, name: &'a str) -> Option<&'a str> {
        if experiment == self.experiment { matched(self.name, name) } else { None }
    }
}

/// Returns the part of `name` that the `*` of `pattern` matches, or `None` if the pattern does not match.
///
/// Returns an empty part if the pattern contains no `*`.
pub(super) fn matched<'a>(pattern: &str, name: &'a str) -> Option<&'a str> {
    match pattern.split_once('*') {
        None => (name == pattern).then_some(""),
        Some((before, after)) => {
            let part = name.strip_prefix(before)?.strip_suffix(after)?;
            (!part.is_empty()).then_some(part)
        }
    }
}

/// Formats a part of a name for a label: `write_buffer.2` as `write buffer, 2`, and a number unchanged.
fn spelt(part: &str) -> String {
    if part.parse::<f64>().is_ok() {
        return part.to_owned();
    }
    let text = part.split('.').collect::<Vec<_>>().join(", ").replace('_', " ");
    text.replace(" trips", " iterations per path")
}

/// Returns the position of a figure in the table. The main figures of an experiment have the first positions.
pub(super) fn place(experiment: &str, name: &str) -> usize {
    LABELS.iter().position(|label| label.part(experiment, name).is_some()).unwrap_or(LABELS.len())
}

/// Returns the label of a figure and its table entry, or `None` if the table does not contain the figure.
pub(super) fn find(experiment: &str, name: &str) -> Option<(String, &'static Label)> {
    LABELS.iter().find_map(|label| {
        let part = label.part(experiment, name)?;
        Some((label.label.replace('*', &spelt(part)), label))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_with_their_part_and_no_other() {
        let found = |experiment, name| find(experiment, name).map(|(label, _)| label);
        assert_eq!(
            found("batching", "items_per_lane.t").as_deref(),
            Some("time per item t, items per lane")
        );
        assert_eq!(
            found("occupancy", "latency.64_MiB").as_deref(),
            Some("load latency, full subgroup, 64 MiB working set")
        );
        assert_eq!(
            found("amdahl", "best_speed_up.0.99").as_deref(),
            Some("best speed-up, parallel share 0.99")
        );
        assert_eq!(
            found("divergence", "cost_of_4_way_branch").as_deref(),
            Some("time of a 4-way branch over one path, neighbouring lanes on different paths")
        );
        for (experiment, name) in [
            ("batching", "list"),
            ("lanes", "alpha"),
            ("dependence", "alphabet"),
            ("batching", ".t"),
        ] {
            assert_eq!(found(experiment, name), None, "{experiment} {name}");
        }
    }
}
