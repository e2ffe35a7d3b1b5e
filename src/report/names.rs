//! Parameters and findings in people's words, and which way is better. What is not named here is shown by its name,
//! and compared by its unit.

use Better::{Higher, Lower, Neither};

/// Which of two figures is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Better {
    /// The larger.
    Higher,
    /// The smaller.
    Lower,
    /// Neither: it describes the device or the choice of work.
    Neither,
}

/// A figure of an experiment.
struct Name {
    experiment: &'static str,
    /// Its name in records, or one end of it up to a dot; the rest stands for `{}`.
    name: &'static str,
    words: &'static str,
    better: Better,
}

const fn name(
    experiment: &'static str,
    name: &'static str,
    better: Better,
    words: &'static str,
) -> Name {
    Name { experiment, name, words, better }
}

/// In the order that a comparison shows them: what the laws are about first, within each experiment.
#[rustfmt::skip]
const NAMES: &[Name] = &[
    name("width", "effective_width", Higher, "lanes in lockstep, W"),
    name("width", "width_by_granularity", Neither, "W by how many lanes take one branch"),
    name("width", "width_by_lanes", Neither, "W by how many lanes a workgroup has"),
    name("width", "reported_width", Neither, "W as the driver or a shader says"),
    name("lanes", "speed_up_at_width", Higher, "speed-up of a full subgroup over one lane"),
    name("lanes", "t_subgroup_step", Lower, "a step of a subgroup"),
    name("divergence", "efficiency", Higher, "η of a {}-way branch"),
    name("divergence", "t_arm_mean", Lower, "an arm of a branch, on average"),
    name("divergence", "t_reach", Lower, "choosing an arm and running none"),
    name("divergence", "arm_spread", Neither, "the dearest arm over the cheapest"),
    name("imbalance", "efficiency_shuffled", Higher, "η of uneven work in random order ({})"),
    name("imbalance", "t_trip", Lower, "a trip of a lane's loop"),
    name("imbalance", "sorting_buys", Neither, "how much faster sorted work is ({})"),
    name("imbalance", "sorting_buys_predicted", Neither, "how much faster sorted work should be ({})"),
    name("imbalance", "longest_over_shortest", Neither, "how uneven the work is ({})"),
    name("select", "t_branch", Lower, "getting to the arms of a branch ({})"),
    name("select", "t_arm_0", Lower, "the first arm under a branch ({})"),
    name("select", "t_arm_1", Lower, "the second arm under a branch ({})"),
    name("select", "t_select", Lower, "choosing without a branch ({})"),
    name("select", "t_straight_0", Lower, "the first arm without a branch ({})"),
    name("select", "t_straight_1", Lower, "the second arm without a branch ({})"),
    name("select", "select_over_branch_at_half", Neither, "selecting over branching, lanes split in half ({})"),
    name("select", "crossover_measured", Neither, "share of lanes from which selecting is faster ({})"),
    name("select", "crossover_predicted", Neither, "share from which it should be ({})"),
    name("select", "short_branch_runs", Neither, "what a branch over four operations is compiled to"),
    name("select", "short_branch_agreed_share", Neither, "what agreeing lanes pay of what divided ones do"),
    name("select", "short_branch_over_select", Neither, "that branch over a select written out"),
    name("amdahl", "hardware_workers", Higher, "many workgroups over one"),
    name("amdahl", "best_speed_up", Higher, "speed-up of work that is {} parallel"),
    name("amdahl", "ceiling", Neither, "its ceiling, 1/(1−f) ({})"),
    name("amdahl", "best_share_of_ceiling", Higher, "share of the ceiling of work that is {} parallel"),
    name("amdahl", "t_job", Lower, "the whole job on one workgroup"),
    name("amdahl", "serial_share", Neither, "what of the job ran alone, f = {}"),
    name("ilp", "latency", Lower, "latency of a step of {}"),
    name("ilp", "t_issue", Lower, "a step of {} behind others that it does not wait for"),
    name("ilp", "best_speed_up", Higher, "what independent chains of {} buy"),
    name("ilp", "schedulers", Higher, "the device over one subgroup at its best, {}"),
    name("ilp", "knee_predicted", Neither, "chains of {} that should hide the latency"),
    name("ilp", "knee_measured", Neither, "chains of {} that do"),
    name("ladder", "alpha", Lower, "α of {}"),
    name("ladder", "half_batch", Lower, "n½ of {}"),
    name("ladder", "t", Lower, "t of {}"),
    name("ladder", "batch_for_90_percent", Neither, "batch for 90 % of peak, {}"),
    name("ladder", "batch_found_for_90_percent", Neither, "smallest batch measured at 90 % of peak, {}"),
    name("ceilings", "read_gb_per_s", Higher, "reading {}"),
    name("ceilings", "write_gb_per_s", Higher, "writing {}"),
    name("ceilings", "copy_gb_per_s", Higher, "copying {}, bytes read and written"),
    name("ceilings", "triad_gb_per_s", Higher, "c = a + 3b of {}, bytes read and written"),
    name("ceilings", "fma_f32_gop_per_s", Higher, "f32 multiplications and additions"),
    name("ceilings", "u32_gop_per_s", Higher, "u32 additions and exclusive ors"),
    name("ceilings", "workgroup_memory_gb_per_s", Higher, "reading workgroup memory"),
    name("ceilings", "atomic_add_gop_per_s", Higher, "atomics on addresses that few lanes share"),
    name("reduction", "best_share_of_ceiling", Higher, "best reduction as a share of reading alone"),
    name("reduction", "best_gb_per_s", Higher, "best reduction of u32"),
    name("reduction", "largest_input", Neither, "the input that those are of"),
    name("reduction", "read_ceiling_gb_per_s", Higher, "reading alone"),
    name("reduction", "best_variant", Neither, "the best reduction's shape"),
    name("reduction", "t_dispatch", Lower, "a dispatch of a chain of them"),
    name("reduction", "t_barrier", Lower, "a barrier of 256 lanes"),
    name("reduction", "t_tree_sequential", Lower, "a tree of 256 lanes, sequential addressing"),
    name("reduction", "t_tree_interleaved", Lower, "a tree of 256 lanes, interleaved addressing"),
    name("reduction", "tree_latency_sequential", Lower, "that tree in an empty machine"),
    name("reduction", "t_subgroup_sum", Lower, "a sum over a subgroup"),
    name("reduction", "t_atomic_u32", Lower, "an atomic of each lane, u32"),
    name("reduction", "t_atomic_f32", Lower, "an atomic of each lane, f32 by compare and swap"),
    name("reduction", "t_atomic_u32_leader", Lower, "an atomic of one lane a subgroup, u32"),
    name("reduction", "t_atomic_f32_leader", Lower, "an atomic of one lane a subgroup, f32"),
    name("contention", "t_serial", Lower, "an atomic {} on one address"),
    name("contention", "t_parallel", Lower, "an atomic {} on an address of its own"),
    name("contention", "t_parallel_by_block", Lower, "the same, neighbours on one address ({})"),
    name("contention", "t_local", Lower, "an atomic {} on a workgroup's counter"),
    name("contention", "privatising_buys", Neither, "how much faster a counter in each workgroup is ({})"),
    name("contention", "privatising_buys_predicted", Neither, "how much faster it should be ({})"),
    name("contention", "knee_predicted", Neither, "counters that should end the waiting ({})"),
    name("contention", "dearest_in_turn", Neither, "few counters in turn over one, at worst ({})"),
    name("contention", "one_address_seen_by_compiler", Neither, "one address known to the compiler over one that is not ({})"),
    name("dependence", "price_of_dependency", Lower, "a dependency between dispatches"),
    name("dependence", "alpha", Lower, "α of a dispatch that waits for another"),
    name("dependence", "alpha_issue", Lower, "α of a dispatch that does not"),
    name("dependence", "t_dispatch", Lower, "work of a dispatch"),
    name("dependence", "dispatches_in_flight", Higher, "small dispatches that run side by side"),
    name("dependence", "slots", Neither, "the same, as the law was told"),
    name("allreduce", "alpha", Lower, "α of a step between {} workers"),
    name("allreduce", "beta", Lower, "β of a step between {} workers"),
    name("allreduce", "share_of_copy_ceiling", Higher, "copying by {} workers over the fastest copy"),
    name("allreduce", "half_latency_measured", Neither, "message that is half latency among {}"),
    name("allreduce", "half_latency_predicted", Neither, "message that should be half latency among {}"),
    name("allreduce", "ring_overtakes_doubling_measured", Neither, "message from which a ring is faster among {}"),
    name("allreduce", "ring_overtakes_doubling_predicted", Neither, "message from which it should be among {}"),
    name("occupancy", "latency_of_a_lane", Lower, "a load of one lane from {}"),
    name("occupancy", "latency", Lower, "a load of a full subgroup from {}"),
    name("occupancy", "t_step", Lower, "a load behind others from {}"),
    name("occupancy", "knee_predicted", Neither, "subgroups that should reach peak, {}"),
    name("occupancy", "knee_measured", Neither, "subgroups that do, {}"),
    name("overlap", "upload_gb_per_s", Higher, "an upload by {}"),
    name("overlap", "hidden_share", Higher, "how much of an upload hides, {} batches under way"),
    name("overlap", "t_upload", Lower, "uploading a batch by {}"),
    name("overlap", "t_compute", Lower, "computing a batch"),
    name("overlap", "t_copy", Lower, "copying a batch within the device"),
    name("overlap", "t_submit_and_wait", Lower, "submitting and waiting"),
];

impl Name {
    /// What of a record's name stands for `{}`, if this is its name.
    fn matches<'a>(&self, experiment: &str, full: &'a str) -> Option<&'a str> {
        if experiment != self.experiment {
            return None;
        }
        let rest = |rest: &'a str| (!rest.is_empty()).then_some(rest);
        match full.strip_prefix(self.name) {
            Some("") => Some(""),
            Some(end) => end.strip_prefix('.').and_then(rest),
            None => full.strip_suffix(self.name)?.strip_suffix('.').and_then(rest),
        }
    }

    /// The words with what stands for `{}`.
    fn words(&self, of: &str) -> String {
        let of = spelt(of);
        let of = match (self.experiment, self.name, of.as_str()) {
            // A step between two stands for all where none has been timed among as many.
            ("allreduce", _, "") => "two",
            _ => &of,
        };
        self.words.replace("{}", of)
    }
}

/// `write_buffer.2` as `write buffer, 2`, and `0.99` as it is.
fn spelt(of: &str) -> String {
    let parts: Vec<&str> = of.split('.').collect();
    let is_number = of.parse::<f64>().is_ok();
    (if is_number { of.to_owned() } else { parts.join(", ") }).replace('_', " ")
}

/// What is known of an experiment's figure: its place among the names, which way is better, and its words.
pub(super) fn known(experiment: &str, full: &str) -> Option<(usize, Better, String)> {
    NAMES.iter().enumerate().find_map(|(place, name)| {
        let of = name.matches(experiment, full)?;
        Some((place, name.better, name.words(of)))
    })
}

/// What a figure of an experiment is, in words, where that is known.
pub(super) fn words(experiment: &str, full: &str) -> Option<String> {
    known(experiment, full).map(|(_, _, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_either_end_and_no_other() {
        assert_eq!(words("ladder", "items_per_lane.t").as_deref(), Some("t of items per lane"));
        assert_eq!(
            words("occupancy", "latency.64_MiB").as_deref(),
            Some("a load of a full subgroup from 64 MiB")
        );
        assert_eq!(words("allreduce", "alpha").as_deref(), Some("α of a step between two workers"));
        assert_eq!(
            words("allreduce", "alpha.16").as_deref(),
            Some("α of a step between 16 workers")
        );
        let hidden = words("overlap", "hidden_share.write_buffer.2");
        assert_eq!(
            hidden.as_deref(),
            Some("how much of an upload hides, write buffer, 2 batches under way")
        );
        let speed_up = words("amdahl", "best_speed_up.0.99");
        assert_eq!(speed_up.as_deref(), Some("speed-up of work that is 0.99 parallel"));
        for (experiment, name) in
            [("ladder", "list"), ("lanes", "alpha"), ("dependence", "alphabet"), ("ladder", ".t")]
        {
            assert_eq!(words(experiment, name), None, "{experiment} {name}");
        }
    }
}
