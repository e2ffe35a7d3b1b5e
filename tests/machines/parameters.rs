//! Parameters of simulated machines that experiments find: their true values, and the metrics with the values found.

use warplaw::sim::{Machine, Units};

/// A parameter of a machine.
pub(crate) struct Parameter {
    /// The parameter in words.
    pub(crate) label: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) experiment: &'static str,
    /// Id of the metric that has the value found.
    pub(crate) metric: &'static str,
    /// The true value.
    truth: fn(&Machine) -> f64,
    /// Whether the value found must be the true value exactly.
    pub(crate) exact: bool,
}

impl Parameter {
    /// Returns the true value on `machine`.
    pub(crate) fn truth(&self, machine: &Machine) -> f64 {
        (self.truth)(machine)
    }
}

const fn of(
    (experiment, metric): (&'static str, &'static str),
    (label, unit): (&'static str, &'static str),
    truth: fn(&Machine) -> f64,
) -> Parameter {
    Parameter { label, unit, experiment, metric, truth, exact: false }
}

const fn exactly(
    of_metric: (&'static str, &'static str),
    label: &'static str,
    truth: fn(&Machine) -> f64,
) -> Parameter {
    Parameter { exact: true, ..of(of_metric, (label, "lanes"), truth) }
}

/// Instructions of a loop iteration of four chains, as `tests/lockstep.rs` counts them.
const CHAIN_ISSUES: f64 = 19.0;

/// Instructions of that kernel before and after its loop.
const SETUP_ISSUES: f64 = 16.0;

const KIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * 1024.0;

/// Returns the lanes that take a branch together, as far as time shows: a slot without active lanes takes none.
fn divergence_width(units: &Units) -> f64 {
    f64::from(if units.skips_inactive { units.issue_width } else { units.width })
}

/// Returns the schedulers of all units.
fn schedulers(units: &Units) -> f64 {
    f64::from(units.count * units.schedulers)
}

/// Returns the issue slots of an instruction in a full subgroup.
fn slots(units: &Units) -> f64 {
    f64::from(units.width / units.issue_width)
}

/// Returns the time of a load by a single lane, in seconds.
fn load_s(machine: &Machine, bytes: f64) -> f64 {
    machine.memory.latency_s(bytes, true)
}

/// Returns the bandwidth in gigabytes per second.
fn gb_per_s(machine: &Machine, bytes: f64) -> f64 {
    machine.memory.bandwidth(bytes) / 1e9
}

/// Returns the number of workgroups of 256 invocations that run at the same time without slowing one another down.
fn workers(units: &Units) -> f64 {
    let subgroups = 256 / units.width;
    f64::from(units.count * (units.schedulers / subgroups).max(1))
}

/// Returns the mean time of an atomic request on an address of its own, by the lanes that make one request.
fn atomic_s(machine: &Machine) -> f64 {
    let atomics = &machine.atomics;
    atomics.slice_s / f64::from(atomics.slices)
}

/// All parameters. A record has a metric only where the experiment could measure it.
pub(crate) const PARAMETERS: &[Parameter] = &[
    exactly(("width", "effective_width"), "lanes that share a flow of control", |m| {
        divergence_width(&m.units)
    }),
    exactly(("width", "width_by_lanes"), "lanes issued together", |m| {
        f64::from(m.units.issue_width)
    }),
    of(("divergence", "cost_of_2_way_branch"), ("2-way branch over one path", "x"), |_| 2.0),
    of(("imbalance", "t_trip"), ("loop iteration of a subgroup", "s"), |m| {
        // One subgroup per workgroup, which is a narrow one where the compiler has the choice.
        let slots = divergence_width(&m.units) / f64::from(m.units.issue_width);
        CHAIN_ISSUES * m.units.issue_s * slots / schedulers(&m.units)
    }),
    of(("ceilings", "mad_u32_gop_per_s"), ("peak u32 multiply-add throughput", "Gop/s"), |m| {
        let lanes = f64::from(m.units.width) / slots(&m.units);
        let issue_s = (1.0 + m.units.multiply_slots) * m.units.issue_s;
        2.0 * lanes * schedulers(&m.units) / issue_s / 1e9
    }),
    of(("coalescing", "sector_bytes"), ("part of a line that is moved", "B"), |m| {
        f64::from(m.memory.sector_bytes)
    }),
    of(("ilp", "latency.f32"), ("latency of a dependent f32 operation", "s"), |m| {
        m.units.latency_s
    }),
    of(("ilp", "latency.u32"), ("latency of two dependent u32 operations", "s"), |m| {
        2.0 * m.units.latency_s
    }),
    of(("ilp", "schedulers.f32"), ("schedulers", ""), |m| schedulers(&m.units)),
    of(("amdahl", "hardware_workers"), ("workers", ""), |m| workers(&m.units)),
    of(("ceilings", "fma_f32_gop_per_s"), ("peak f32 throughput", "Gop/s"), |m| {
        let lanes = f64::from(m.units.width) / slots(&m.units);
        2.0 * lanes * schedulers(&m.units) / m.units.issue_s / 1e9
    }),
    of(("occupancy", "latency_of_a_lane.16_KiB"), ("load latency, 16 KiB", "s"), |m| {
        load_s(m, 16.0 * KIB)
    }),
    of(("occupancy", "latency_of_a_lane.256_KiB"), ("load latency, 256 KiB", "s"), |m| {
        load_s(m, 256.0 * KIB)
    }),
    of(("occupancy", "latency_of_a_lane.64_MiB"), ("load latency, 64 MiB", "s"), |m| {
        load_s(m, 64.0 * MIB)
    }),
    of(("occupancy", "latency_of_a_lane.4_MiB"), ("load latency, 4 MiB", "s"), |m| {
        load_s(m, 4.0 * MIB)
    }),
    of(("occupancy", "latency_of_a_lane.512_MiB"), ("load latency, 512 MiB", "s"), |m| {
        load_s(m, 512.0 * MIB)
    }),
    of(("ceilings", "read_gb_per_s.256_KiB"), ("bandwidth, 256 KiB", "GB/s"), |m| {
        gb_per_s(m, 256.0 * KIB)
    }),
    of(("ceilings", "read_gb_per_s.4_MiB"), ("bandwidth, 4 MiB", "GB/s"), |m| {
        gb_per_s(m, 4.0 * MIB)
    }),
    of(("ceilings", "read_gb_per_s.16_MiB"), ("bandwidth, 16 MiB", "GB/s"), |m| {
        gb_per_s(m, 16.0 * MIB)
    }),
    of(("ceilings", "read_gb_per_s.64_MiB"), ("bandwidth, 64 MiB", "GB/s"), |m| {
        gb_per_s(m, 64.0 * MIB)
    }),
    of(("ceilings", "read_gb_per_s.128_MiB"), ("bandwidth, 128 MiB", "GB/s"), |m| {
        gb_per_s(m, 128.0 * MIB)
    }),
    of(("ceilings", "read_gb_per_s.256_MiB"), ("bandwidth, 256 MiB", "GB/s"), |m| {
        gb_per_s(m, 256.0 * MIB)
    }),
    of(("ceilings", "read_gb_per_s.1024_MiB"), ("bandwidth, 1 GiB", "GB/s"), |m| {
        gb_per_s(m, 1024.0 * MIB)
    }),
    of(("reduction", "read_ceiling_gb_per_s.512_MiB"), ("bandwidth, 512 MiB", "GB/s"), |m| {
        gb_per_s(m, 512.0 * MIB)
    }),
    of(("contention", "t_request.add"), ("atomic request, one address", "s"), |m| {
        m.atomics.address_s
    }),
    of(("contention", "t_parallel.add"), ("atomic of a lane, many addresses", "s"), atomic_s),
    of(("batching", "workgroups_per_dispatch.alpha"), ("dispatch overhead", "s"), |m| {
        m.queue.dispatch_s
    }),
    of(("batching", "chunks_per_map.alpha"), ("readback overhead", "s"), |m| m.queue.map_s),
    of(("batching", "host_wake_up"), ("wake-up of a host thread", "s"), |m| m.queue.wake_up_s),
    of(("batching", "loop.dispatch"), ("dispatch in a loop of 256", "s"), |m| m.queue.dispatch_s),
    of(("batching", "round_trip"), ("round trip of submission and wait", "s"), |m| {
        let queue = &m.queue;
        queue.pass_s + queue.submit_s + queue.dispatch_s + queue.wait_s
    }),
    of(
        ("batching", "workgroups_per_dispatch.half_batch"),
        ("batch size n½ of a dispatch", ""),
        |m| {
            // Workgroups of 64 invocations, which run 32 iterations each.
            let subgroups = f64::from(64u32.div_ceil(m.units.width));
            let item_s = (subgroups
                * slots(&m.units)
                * (CHAIN_ISSUES * 32.0 + SETUP_ISSUES)
                * m.units.issue_s
                / schedulers(&m.units))
            .max(m.units.workgroup_s);
            m.queue.dispatch_s / item_s
        },
    ),
    of(("dependence", "alpha"), ("overhead of a dependent dispatch", "s"), |m| m.queue.dispatch_s),
    of(("dependence", "alpha_issue"), ("overhead of an independent dispatch", "s"), |m| {
        m.queue.issue_dispatch_s
    }),
    of(("dependence", "slots"), ("dispatches at a time", ""), |m| m.queue.slots as f64),
    of(("allreduce", "alpha"), ("latency of an all-reduce step", "s"), |m| m.queue.dispatch_s),
];
