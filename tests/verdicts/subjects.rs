//! Simulated devices with the experiments that measure them, and whether the law holds there.

use warplaw::gpu::{Contents, Workload};
use warplaw::sim::{Machine, Simulator};

use crate::sim::params;

/// Reported lanes per subgroup.
pub(crate) const WIDTH: u32 = 8;

/// A device, the experiment that measures it, and whether the law holds on it.
pub(crate) struct Subject {
    pub(crate) device: &'static str,
    pub(crate) experiment: &'static str,
    make: Make,
    /// Whether the law holds. `None` if only the measured width is checked.
    pub(crate) lawful: Option<bool>,
}

/// How a device is built.
enum Make {
    As(fn(Machine) -> Simulator),
    /// A device that slows every workload for which the predicate is true by the factor.
    Slower(f64, fn(&Workload) -> bool),
}

impl Subject {
    /// Builds the device on a machine.
    pub(crate) fn build(&self, machine: Machine) -> Simulator {
        match self.make {
            Make::As(make) => make(machine),
            Make::Slower(factor, which) => {
                Simulator::new(machine).distorting(move |workload, span_s| {
                    if which(workload) { factor * span_s } else { span_s }
                })
            }
        }
    }
}

/// An experiment on a device that obeys its law.
const fn obeys(experiment: &'static str) -> Subject {
    let make = Make::As(Simulator::new);
    Subject { device: "lawful", experiment, make, lawful: Some(true) }
}

/// An experiment on a device that breaks its law.
const fn breaks(
    experiment: &'static str,
    device: &'static str,
    make: fn(Machine) -> Simulator,
) -> Subject {
    Subject { device, experiment, make: Make::As(make), lawful: Some(false) }
}

/// An experiment on a device that breaks its law, because some workloads take `factor` times as long.
const fn slows(
    experiment: &'static str,
    device: &'static str,
    factor: f64,
    which: fn(&Workload) -> bool,
) -> Subject {
    Subject { device, experiment, make: Make::Slower(factor, which), lawful: Some(false) }
}

/// Returns whether the label of the workload contains each of the words.
fn named<const N: usize>(workload: &Workload, words: [&str; N]) -> bool {
    words.iter().all(|word| workload.label().contains(word))
}

/// Builds a device whose subgroups have half of the reported lanes.
fn half_as_wide(machine: Machine) -> Simulator {
    Simulator::new(machine.with(|machine| machine.units.width /= 2))
}

/// Returns the selectors of a workload: the path of each invocation. Other workloads have none.
fn selectors(workload: &Workload) -> &[u32] {
    let selectors = workload.buffers().iter().find_map(|contents| match contents {
        Contents::Data(words) if words.iter().all(|&path| path < 64) => Some(&words[..]),
        _ => None,
    });
    selectors.unwrap_or_default()
}

/// Returns the number of distinct values.
fn distinct(values: &[u32]) -> usize {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.dedup();
    values.len()
}

/// Returns the number of distinct paths that the first subgroup takes, or 0 for a workload without selectors.
fn paths(workload: &Workload) -> usize {
    let selectors = selectors(workload);
    distinct(&selectors[..selectors.len().min(WIDTH as usize)])
}

/// Builds a device that merges paths in pairs, so that half of the paths remain.
fn paths_merged_in_pairs(machine: Machine) -> Simulator {
    Simulator::new(machine).distorting(|workload, span_s| {
        let paths = paths(workload).max(1);
        span_s * paths.div_ceil(2) as f64 / paths as f64
    })
}

/// Builds a device on which each workgroup of a dispatch, up to 200, adds one dispatch overhead.
fn alpha_that_grows(machine: Machine) -> Simulator {
    let dispatch_s = machine.queue.dispatch_s;
    Simulator::new(machine).distorting(move |workload, span_s| {
        let workgroups = workload.dispatches()[0].workgroups()[0];
        // Only the cases of this level have 32 iterations. No other level and no control has them.
        let of_the_level = params(workload).get(1) == Some(&32);
        let more = if of_the_level { f64::from(workgroups.min(200)) } else { 0.0 };
        span_s + more * dispatch_s
    })
}

/// All subjects. Each experiment is measured on a lawful device and on at least one that breaks its law: everywhere,
/// in one series, or at one point of the sweep alone.
pub(crate) const SUBJECTS: &[Subject] = &[
    obeys("width"),
    Subject { lawful: None, ..breaks("width", "width half of reported", half_as_wide) },
    slows("width", "workgroups of 32 slower by 30 %", 1.3, |w| {
        named(w, ["Chain", "workgroup_size: 32,"])
    }),
    // Workgroup size alone then finds half of the width, as on a device that issues subgroups in parts.
    slows("width", "workgroups of 8 slower by 80 %", 1.8, |w| {
        named(w, ["Chain", "workgroup_size: 8,"])
    }),
    obeys("divergence"),
    // The errors are inside the tolerance of 5 %, just outside it, and far outside it.
    Subject {
        lawful: Some(true),
        ..slows("divergence", "k-way cost 3 % higher", 1.03, |w| paths(w) > 1)
    },
    slows("divergence", "k-way cost 7 % higher", 1.07, |w| paths(w) > 1),
    slows("divergence", "k-way cost 10 % higher", 1.1, |w| paths(w) > 1),
    slows("divergence", "4 paths slower by 15 %", 1.15, |w| paths(w) == 4),
    slows("divergence", "coherent branches slower by 15 %", 1.15, |w| {
        paths(w) == 1 && distinct(selectors(w)) > 1
    }),
    // A branch with two paths takes 0.6 times the time of both.
    slows("divergence", "two paths compiled to a select", 0.6, |w| paths(w) == 2),
    breaks("divergence", "paths merged in pairs", paths_merged_in_pairs),
    breaks("divergence", "width half of reported", half_as_wide),
    obeys("imbalance"),
    breaks("imbalance", "width half of reported", half_as_wide),
    obeys("select"),
    slows("select", "selects slower by 40 %", 1.4, |w| named(w, ["select_long, 32"])),
    obeys("coalescing"),
    slows("coalescing", "offset stride of 8 words slower by 50 %", 1.5, |w| {
        named(w, ["Strided { stride: 8, offset: 1 }"])
    }),
    obeys("amdahl"),
    slows("amdahl", "mixed jobs on 16 workers slower by 30 %", 1.3, |w| {
        let one_stage =
            named(w, ["serial_iterations: 0,"]) || named(w, ["parallel_iterations: 0,"]);
        named(w, ["Stages", "workers: 16,"]) && !one_stage
    }),
    obeys("ilp"),
    slows("ilp", "3 chains of u32 slower by 30 %", 1.3, |w| named(w, ["step: U32, chains: 3,"])),
    obeys("lanes"),
    breaks("lanes", "width half of reported", half_as_wide),
    slows("lanes", "4 active lanes slower by 20 %", 1.2, |w| named(w, ["active: 4,"])),
    obeys("batching"),
    breaks("batching", "α grows with batch", alpha_that_grows),
    obeys("ceilings"),
    slows("ceilings", "sums of arrays slower by 60 %", 1.6, |w| named(w, ["sum"])),
    obeys("reduction"),
    slows("reduction", "two passes over 4,194,304 u32 take 4 times as long", 4.0, |w| {
        named(w, ["two_pass of 4194304 u32"])
    }),
    obeys("contention"),
    slows("contention", "additions on 8 round-robin counters slower by 30 %", 1.3, |w| {
        named(w, ["operation: Add, target: InTurn(8)"])
    }),
    // The error is just outside the tolerance of 10 %, at one point of 26.
    slows("contention", "maxima on 32 counters by block slower by 15 %", 1.15, |w| {
        named(w, ["operation: Max, target: ByBlock(32)"])
    }),
    obeys("dependence"),
    slows("dependence", "16 dependent dispatches slower by 50 %", 1.5, |w| {
        named(w, ["sharing: Results, dispatches: 16,"])
    }),
    obeys("allreduce"),
    slows("allreduce", "rings of 2 workers with 256 KiB take twice as long", 2.0, |w| {
        named(w, ["algorithm: Ring, workers: 2, words: 65536,"])
    }),
    obeys("ring"),
    slows("ring", "rings of 256 KiB slower by 40 %", 1.4, |w| {
        let is_ring = w.label().contains("algorithm: Ring, arithmetic: Host");
        is_ring && w.label().ends_with(" 65536 words")
    }),
    obeys("occupancy"),
    slows("occupancy", "16 subgroups in 256 KiB slower by 30 %", 1.3, |w| {
        named(w, ["16 × 8 invocations along 2048 links"])
    }),
    obeys("overlap"),
    slows("overlap", "staged uploads do not overlap", 1.5, |w| {
        named(w, ["MappedStaging, Whole, computed on 1 times, 2 deep"])
    }),
];
