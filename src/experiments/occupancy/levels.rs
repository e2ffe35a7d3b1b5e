//! Levels of the memory hierarchy, by the latency of a load in working sets of growing size.

use super::kernel::{Chase, Cycle};
use crate::bench::{CaseId, Context, Expr, Plan, Sizing};
use crate::kernels::MAX_ITERATIONS;
use crate::model::{self, About, figures};

/// Working sets of the sweep over subgroups, in bytes with their labels: one that fits in the cache next to a core, one that fits in a
/// larger cache, and one that is too large for many caches.
pub(super) const SIZES: [(u64, &str); 3] =
    [(16 << 10, "16 KiB"), (256 << 10, "256 KiB"), (64 << 20, "64 MiB")];

/// Sizing of a walk by its number of loads.
pub(super) const OWN: Sizing = Sizing::Own { granule: 64, most: MAX_ITERATIONS };

/// Working sets in bytes with their labels, in ascending order. The largest cache known has 256 MiB.
const WORKING_SETS: [(u64, &str); 9] = [
    (16 << 10, "16 KiB"),
    (64 << 10, "64 KiB"),
    (256 << 10, "256 KiB"),
    (1 << 20, "1 MiB"),
    (4 << 20, "4 MiB"),
    (16 << 20, "16 MiB"),
    (64 << 20, "64 MiB"),
    (256 << 20, "256 MiB"),
    (512 << 20, "512 MiB"),
];
/// Largest working set on a device with few cores, whose caches are those of a CPU.
const LARGEST_ON_FEW_CORES: u64 = 64 << 20;
/// Largest ratio of two latencies on one plateau.
const ALIKE: f64 = 1.15;

/// Returns the size of a buffer as a part of case and metric ids.
pub(super) fn name_of(size: &str) -> String {
    size.replace(' ', "_")
}

/// Returns the declaration of a metric of the working set `size`.
pub(super) fn about(name: &str, label: &str, size: &str, unit: &'static str) -> About {
    let id = format!("{name}.{}", name_of(size));
    About::new(id, format!("{label}, {size} working set"), unit).of_memory()
}

/// Adds the load latency of a single lane for the working sets that the sweep over subgroups leaves out. `floor` is the
/// launch of one lane without a load.
pub(super) fn add_latencies(plan: &mut Plan, context: &Context<'_>, floor: CaseId) {
    let most = context.facts.limits.binding_bytes;
    let most = if context.is_narrow() { most.min(LARGEST_ON_FEW_CORES) } else { most };
    let wanted = WORKING_SETS.into_iter().filter(|set| set.0 <= most && !SIZES.contains(set));
    for (index, (bytes, size)) in wanted.enumerate() {
        let cycle = Cycle::random(bytes, context.seed.wrapping_add((SIZES.len() + index) as u64));
        let is_memory = bytes == WORKING_SETS[WORKING_SETS.len() - 1].0;
        let lane = plan.case(format!("{}.lane", name_of(size)), OWN, move |steps| {
            let chase = Chase { cycle: cycle.clone(), steps, workgroup_size: 1, workgroups: 1 };
            // A load of each link would leave the last part of the largest working set in a cache.
            if is_memory { chase.workload() } else { chase.warmed() }
        });
        let latency: Expr = lane.per_unit_above(floor).positive();
        let metric = about("latency_of_a_lane", "load latency, one lane", size, "s").lower();
        plan.metric(if is_memory { metric.headline() } else { metric }, latency);
    }
}

/// A range of working sets with about the same load latency.
#[derive(Debug, Clone, PartialEq)]
struct Plateau<'a> {
    /// Labels of the smallest and the largest working set.
    sizes: [&'a str; 2],
    /// Latency in the largest working set, in seconds.
    latency_s: f64,
}

/// Returns the plateaus of `latencies`, which are in ascending order of their working sets.
///
/// A working set between two plateaus lies partly in one level and partly in the next. It belongs to none.
fn plateaus<'a>(latencies: &[(&'a str, f64)]) -> Vec<Plateau<'a>> {
    let alike = |a: f64, b: f64| b / a < ALIKE && a / b < ALIKE;
    let mut runs: Vec<&[(&str, f64)]> = Vec::new();
    let mut rest = latencies;
    while let Some(&(_, first)) = rest.first() {
        let (run, others) = rest.split_at(rest.iter().take_while(|of| alike(first, of.1)).count());
        runs.push(run);
        rest = others;
    }
    // The first and the last run may continue beyond what was measured.
    let last = runs.len().saturating_sub(1);
    let mut place = 0;
    runs.retain(|run| {
        let is_end = place == 0 || place == last;
        place += 1;
        is_end || run.len() > 1
    });
    runs.into_iter()
        .map(|run| Plateau {
            sizes: [run[0].0, run[run.len() - 1].0],
            latency_s: run[run.len() - 1].1,
        })
        .collect()
}

/// Returns the text that names the levels.
pub(super) fn diagnose_levels(outcome: &model::Experiment) -> Option<String> {
    let latency = |size: &str| outcome.number(&format!("latency_of_a_lane.{}", name_of(size)));
    let latencies: Vec<(&str, f64)> =
        WORKING_SETS.iter().filter_map(|&(_, size)| Some((size, latency(size)?))).collect();
    // Three working sets cannot show where a level ends.
    if latencies.len() <= SIZES.len() {
        return None;
    }
    let found: Vec<String> = plateaus(&latencies)
        .into_iter()
        .map(|Plateau { sizes: [first, last], latency_s }| {
            let latency = figures::short(latency_s, "s");
            if first == last {
                format!("{latency} at {first}")
            } else {
                format!("{latency} from {first} to {last}")
            }
        })
        .collect();
    Some(format!(
        "Latencies of a load of one lane: {}. One that several working sets share is that of a level of the memory \
         hierarchy. Working sets between them lie in two levels.",
        found.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_working_set_between_two_levels_is_no_level() {
        let latencies =
            [("a", 10.0), ("b", 10.5), ("c", 60.0), ("d", 100.0), ("e", 105.0), ("f", 300.0)];
        let plateau = |sizes, latency_s| Plateau { sizes, latency_s };
        assert_eq!(
            plateaus(&latencies),
            [plateau(["a", "b"], 10.5), plateau(["d", "e"], 105.0), plateau(["f", "f"], 300.0)]
        );
        assert_eq!(plateaus(&latencies[..1]), [plateau(["a", "a"], 10.0)]);
        // A slope has no plateau but its ends.
        let slope = [("a", 100.0), ("b", 120.0), ("c", 144.0), ("d", 173.0)];
        assert_eq!(plateaus(&slope), [plateau(["a", "a"], 100.0), plateau(["d", "d"], 173.0)]);
        assert_eq!(plateaus(&[]), []);
    }
}
