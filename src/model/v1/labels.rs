//! The one frozen table of labels: what records 1.x hold, which did not say so themselves. Nothing is added here.

use crate::model::Better::{self, Higher, Lower, Neither};

/// What is known of a figure of records 1.x.
pub(super) struct Label {
    experiment: &'static str,
    /// Its name, in which `*` stands for any part.
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

const HEAD: bool = true;
const BODY: bool = false;

#[rustfmt::skip]
const LABELS: &[Label] = &[
    label("width", "effective_width", Neither, HEAD, "lanes in lockstep, W"),
    label("width", "width_by_granularity", Neither, BODY, "W by branch granularity"),
    label("width", "width_by_lanes", Neither, BODY, "W by workgroup size"),
    label("width", "reported_width", Neither, BODY, "subgroup size, reported"),
    label("divergence", "cost_of_*_way_branch", Neither, HEAD, "*-way branch over one path, neighbouring lanes apart"),
    label("divergence", "efficiency.*", Higher, BODY, "SIMT efficiency η, *-way branch"),
    label("divergence", "t_arm_mean", Lower, BODY, "time of a branch path, mean"),
    label("divergence", "t_reach", Lower, BODY, "time to select a branch path, none run"),
    label("divergence", "arm_spread", Neither, BODY, "slowest branch path over the fastest"),
    label("imbalance", "efficiency_shuffled.*", Higher, HEAD, "SIMT efficiency η of uneven work in random order, *"),
    label("imbalance", "sorting_buys.*", Neither, HEAD, "speed-up by sorting uneven work, *"),
    label("imbalance", "sorting_buys_predicted.*", Neither, BODY, "speed-up by sorting uneven work, predicted, *"),
    label("imbalance", "longest_over_shortest.*", Neither, BODY, "longest over shortest item, *"),
    label("imbalance", "t_trip", Lower, BODY, "time of a loop iteration of a subgroup"),
    label("select", "select_over_branch_at_half.*", Neither, HEAD, "time of select over branch, lanes split in half, paths of *"),
    label("select", "crossover_measured.*", Neither, BODY, "share of lanes from which select is faster, paths of *"),
    label("select", "crossover_predicted.*", Neither, BODY, "share of lanes from which select is faster, predicted, paths of *"),
    label("select", "short_branch_runs", Neither, HEAD, "compiled form of a branch over four operations"),
    label("select", "short_branch_agreed_share", Neither, BODY, "that branch where lanes agree over where they do not"),
    label("select", "short_branch_over_select", Neither, BODY, "that branch over a select written out"),
    label("select", "t_branch.*", Lower, BODY, "time to reach a branch path, paths of *"),
    label("select", "t_arm_0.*", Lower, BODY, "time of the first path under a branch, paths of *"),
    label("select", "t_arm_1.*", Lower, BODY, "time of the second path under a branch, paths of *"),
    label("select", "t_select.*", Lower, BODY, "time of a select, paths of *"),
    label("select", "t_straight_0.*", Lower, BODY, "time of the first path without a branch, paths of *"),
    label("select", "t_straight_1.*", Lower, BODY, "time of the second path without a branch, paths of *"),
    label("amdahl", "hardware_workers", Higher, HEAD, "speed-up of all workgroups over one, parallel work"),
    label("amdahl", "best_speed_up.*", Higher, HEAD, "best speed-up, parallel share *"),
    label("amdahl", "ceiling.*", Neither, BODY, "speed-up ceiling 1/(1−f), parallel share *"),
    label("amdahl", "best_share_of_ceiling.*", Higher, BODY, "best speed-up over its ceiling, parallel share *"),
    label("amdahl", "t_job", Lower, BODY, "time of the whole job on one workgroup"),
    label("amdahl", "serial_share.*", Neither, BODY, "serial share as measured, parallel share *"),
    label("ilp", "latency.*", Lower, HEAD, "instruction latency, *"),
    label("ilp", "t_issue.*", Lower, BODY, "issue time of an independent step, *"),
    label("ilp", "best_speed_up.*", Higher, BODY, "best speed-up by independent chains, *"),
    label("ilp", "schedulers.*", Higher, HEAD, "concurrent subgroups at peak, *"),
    label("ilp", "knee_predicted.*", Neither, BODY, "independent chains that hide the latency, predicted, *"),
    label("ilp", "knee_measured.*", Neither, HEAD, "independent chains that hide the latency, *"),
    label("lanes", "speed_up_at_width", Higher, HEAD, "speed-up of a full subgroup over one lane"),
    label("lanes", "t_subgroup_step", Lower, BODY, "time of a step of a subgroup"),
    label("batching", "workgroups_per_dispatch.alpha", Lower, HEAD, "dispatch overhead"),
    label("batching", "dispatches_per_pass.alpha", Lower, HEAD, "pass overhead"),
    label("batching", "passes_per_submit.alpha", Lower, HEAD, "submit overhead"),
    label("batching", "submits_per_wait.alpha", Lower, HEAD, "wait overhead"),
    label("batching", "chunks_per_map.alpha", Lower, HEAD, "readback overhead"),
    label("batching", "*.alpha", Lower, BODY, "overhead α, *"),
    label("batching", "*.half_batch", Lower, BODY, "batch for half of peak n½, *"),
    label("batching", "*.t", Lower, BODY, "time of an item, *"),
    label("batching", "*.batch_for_90_percent", Neither, BODY, "batch for 90 % of peak, predicted, *"),
    label("batching", "*.batch_found_for_90_percent", Neither, BODY, "batch for 90 % of peak, *"),
    label("ceilings", "read_gb_per_s.*", Higher, HEAD, "read bandwidth, * array"),
    label("ceilings", "write_gb_per_s.*", Higher, BODY, "write bandwidth, * array"),
    label("ceilings", "copy_gb_per_s.*", Higher, HEAD, "copy bandwidth, * array, bytes read and written"),
    label("ceilings", "triad_gb_per_s.*", Higher, BODY, "triad bandwidth, * array, bytes read and written"),
    label("ceilings", "fma_f32_gop_per_s", Higher, HEAD, "peak f32 throughput, multiply and add counted as two"),
    label("ceilings", "u32_gop_per_s", Higher, HEAD, "peak u32 throughput, add and xor counted as two"),
    label("ceilings", "workgroup_memory_gb_per_s", Higher, HEAD, "workgroup memory read bandwidth, no bank conflict"),
    label("ceilings", "atomic_add_gop_per_s", Higher, HEAD, "peak atomic throughput, few lanes per address"),
    label("reduction", "best_gb_per_s", Higher, HEAD, "best u32 reduction, bytes read"),
    label("reduction", "best_share_of_ceiling", Higher, BODY, "best u32 reduction over reading alone"),
    label("reduction", "largest_input", Neither, BODY, "input of the best reduction"),
    label("reduction", "read_ceiling_gb_per_s", Higher, BODY, "read bandwidth, same input"),
    label("reduction", "best_variant", Neither, HEAD, "launch configuration of the best reduction"),
    label("reduction", "t_dispatch", Lower, BODY, "dispatch overhead, chain of dispatches"),
    label("reduction", "t_barrier", Lower, HEAD, "barrier of 256 invocations, amortized over a full device"),
    label("reduction", "t_tree_sequential", Lower, BODY, "tree of 256 invocations, sequential addressing, full device"),
    label("reduction", "t_tree_interleaved", Lower, BODY, "tree of 256 invocations, interleaved addressing, full device"),
    label("reduction", "tree_latency_sequential", Lower, BODY, "tree of 256 invocations, one workgroup"),
    label("reduction", "t_subgroup_sum", Lower, HEAD, "subgroup sum, amortized over a full device"),
    label("reduction", "t_atomic_u32", Lower, BODY, "atomic of every lane on one address, u32"),
    label("reduction", "t_atomic_f32", Lower, BODY, "atomic of every lane on one address, f32 by compare and swap"),
    label("reduction", "t_atomic_u32_leader", Lower, BODY, "atomic of one lane per subgroup on one address, u32"),
    label("reduction", "t_atomic_f32_leader", Lower, BODY, "atomic of one lane per subgroup on one address, f32"),
    label("contention", "t_serial.*", Lower, HEAD, "atomic * on one address"),
    label("contention", "t_parallel.*", Lower, HEAD, "atomic * on an address of its own"),
    label("contention", "t_parallel_by_block.*", Lower, BODY, "atomic * on an address of its own, assigned by block"),
    label("contention", "t_local.*", Lower, BODY, "atomic * in workgroup memory"),
    label("contention", "privatising_buys.*", Neither, HEAD, "speed-up by one counter per workgroup, atomic *"),
    label("contention", "privatising_buys_predicted.*", Neither, BODY, "speed-up by one counter per workgroup, predicted, atomic *"),
    label("contention", "knee_predicted.*", Neither, BODY, "counters that end contention, predicted, atomic *"),
    label("contention", "dearest_in_turn.*", Neither, BODY, "slowest interleaved counters over one counter, atomic *"),
    label("contention", "one_address_seen_by_compiler.*", Neither, BODY, "atomic * on an address known to the compiler over one that is not"),
    label("dependence", "price_of_dependency", Lower, HEAD, "cost of a dependency between dispatches"),
    label("dependence", "alpha", Lower, BODY, "dispatch overhead, dependent"),
    label("dependence", "alpha_issue", Lower, BODY, "dispatch overhead, independent"),
    label("dependence", "t_dispatch", Lower, BODY, "execution time of a dispatch"),
    label("dependence", "dispatches_in_flight", Higher, HEAD, "small independent dispatches in flight"),
    label("dependence", "slots", Neither, BODY, "dispatches in flight that the law assumes"),
    label("allreduce", "alpha", Lower, HEAD, "all-reduce step latency α, two workgroups"),
    label("allreduce", "beta", Lower, BODY, "all-reduce byte time β, two workgroups"),
    label("allreduce", "alpha.*", Lower, BODY, "all-reduce step latency α, * workgroups"),
    label("allreduce", "beta.*", Lower, BODY, "all-reduce byte time β, * workgroups"),
    label("allreduce", "share_of_copy_ceiling.*", Higher, BODY, "copy bandwidth of * workgroups over the device's"),
    label("allreduce", "half_latency_measured.*", Neither, BODY, "message size of half latency, * workgroups"),
    label("allreduce", "half_latency_predicted.*", Neither, BODY, "message size of half latency, predicted, * workgroups"),
    label("allreduce", "ring_overtakes_doubling_measured.*", Neither, HEAD, "message size from which a ring beats recursive doubling, * workgroups"),
    label("allreduce", "ring_overtakes_doubling_predicted.*", Neither, BODY, "message size from which a ring beats recursive doubling, predicted, * workgroups"),
    label("occupancy", "latency_of_a_lane.*", Lower, HEAD, "load latency, one lane, * working set"),
    label("occupancy", "latency.*", Lower, BODY, "load latency, full subgroup, * working set"),
    label("occupancy", "t_step.*", Lower, BODY, "time of a subgroup load at peak, * working set"),
    label("occupancy", "knee_predicted.*", Neither, BODY, "resident subgroups that hide load latency, predicted, * working set"),
    label("occupancy", "knee_measured.*", Neither, HEAD, "resident subgroups that hide load latency, * working set"),
    label("overlap", "upload_gb_per_s.*", Higher, HEAD, "upload bandwidth, *"),
    label("overlap", "hidden_share.*", Higher, BODY, "share of an upload hidden, * batches in flight"),
    label("overlap", "t_upload.*", Lower, BODY, "time to upload a batch, *"),
    label("overlap", "t_compute", Lower, BODY, "time to compute a batch"),
    label("overlap", "t_copy", Lower, BODY, "time to copy a batch on the device"),
    label("overlap", "t_submit_and_wait", Lower, BODY, "time to submit and wait"),
];

impl Label {
    /// The part of a record's name that `*` stands for, if this is its label.
    fn part<'a>(&self, experiment: &str, name: &'a str) -> Option<&'a str> {
        if experiment != self.experiment {
            return None;
        }
        match self.name.split_once('*') {
            None => (name == self.name).then_some(""),
            Some((before, after)) => {
                let part = name.strip_prefix(before)?.strip_suffix(after)?;
                (!part.is_empty()).then_some(part)
            }
        }
    }
}

/// `write_buffer.2` as `write buffer, 2`, and `0.99` as it is.
fn spelt(part: &str) -> String {
    if part.parse::<f64>().is_ok() {
        return part.to_owned();
    }
    part.split('.').collect::<Vec<_>>().join(", ").replace('_', " ")
}

/// Where a figure stands among those of its experiment: what the law is about first.
pub(super) fn place(experiment: &str, name: &str) -> usize {
    LABELS.iter().position(|label| label.part(experiment, name).is_some()).unwrap_or(LABELS.len())
}

/// The label of an experiment's figure and what else is known of it.
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
            Some("time of an item, items per lane")
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
            Some("4-way branch over one path, neighbouring lanes apart")
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
