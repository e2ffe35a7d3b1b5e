//! Costs of instructions, from a record of the device.

use super::makespan::Issue;
use crate::model::Record;
use crate::simt::{Counted, Executed, Kind};

/// Invocations of the workgroup whose barrier the experiment `reduction` times.
const BARRIER_LANES: f64 = 256.0;

/// Costs of instructions on a device: seconds of an instruction of a subgroup at the full throughput of the device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// By kind.
    each_s: [f64; Kind::ALL.len()],
    /// Schedulers, and seconds from one instruction of a subgroup to the next one that depends on it.
    concurrency: Option<[f64; 2]>,
    /// Seconds of an empty dispatch.
    empty_s: f64,
}

impl Costs {
    /// Takes the costs for subgroups of `lanes` lanes from a record. Loads and stores cost their share of the bandwidth of
    /// reading from `footprint` bytes, each lane a word, as if they were coalesced.
    ///
    /// The suite does not measure divisions, roots and transcendental functions: they cost as much as an addition.
    ///
    /// # Errors
    /// Returns the id of the first metric that the record lacks.
    pub fn from_record(record: &Record, lanes: u32, footprint: u64) -> Result<Self, String> {
        let lanes = f64::from(lanes);
        let metric = |experiment: &str, id: &str| {
            let of = record.experiments.iter().find(|of| of.id == experiment);
            of.and_then(|of| of.number(id)).ok_or_else(|| format!("{experiment}.{id}"))
        };
        let throughput = |id: &str| metric("ceilings", id).map(|giga| giga * 1e9);
        let fma = 2.0 * lanes / throughput("fma_f32_gop_per_s")?;
        let integer = lanes / throughput("u32_gop_per_s")?;
        // Records before version 2.4 of the format have no multiply-adds of integers.
        let multiply = throughput("mad_u32_gop_per_s").map_or(integer, |ops| 2.0 * lanes / ops);
        let word = 4.0 * lanes;
        let memory = word / (bandwidth(record, footprint)? * 1e9);
        let shared = word / (metric("ceilings", "workgroup_memory_gb_per_s")? * 1e9);
        let atomic = lanes / throughput("atomic_add_gop_per_s")?;
        let barrier = metric("reduction", "t_barrier").map(|s| s * lanes / BARRIER_LANES);
        let subgroup = metric("reduction", "t_subgroup_sum");
        let each_s = Kind::ALL.map(|kind| match kind {
            Kind::Integer | Kind::Branch => integer,
            Kind::Multiply => multiply,
            Kind::Float | Kind::Special => fma,
            Kind::Load | Kind::Store => memory,
            Kind::Shared => shared,
            Kind::Atomic => atomic,
            // A device without subgroup operations executes none, and a record may have left out barriers.
            Kind::Subgroup => subgroup.clone().unwrap_or(shared),
            Kind::Barrier => barrier.clone().unwrap_or(shared),
        });
        let concurrency = [metric("ilp", "schedulers.f32"), metric("ilp", "latency.f32")];
        let concurrency = match concurrency {
            [Ok(schedulers), Ok(latency_s)] => Some([schedulers, latency_s]),
            _ => None,
        };
        let empty_s = record.clock.empty_span_ns.unwrap_or(0.0) * 1e-9;
        Ok(Self { each_s, concurrency, empty_s })
    }

    /// Returns the seconds of an instruction of a subgroup.
    #[must_use]
    pub fn of(&self, kind: Kind) -> f64 {
        self.each_s[kind as usize]
    }

    /// Returns the seconds of instructions at the full throughput of the device.
    #[must_use]
    pub fn issue_s(&self, statements: &[Executed]) -> f64 {
        let of = |statement: &Executed| -> f64 {
            let each = statement.instructions.iter().map(|of| of.count as f64 * self.of(of.kind));
            each.sum::<f64>() * statement.executions as f64
        };
        statements.iter().map(of).sum()
    }

    /// Returns the seconds of the instructions of the longest subgroup, each of which waits for the one before. `None` if the
    /// record has no latency.
    #[must_use]
    pub fn longest_s(&self, counted: &Counted) -> Option<f64> {
        self.concurrency.map(|[_, latency_s]| counted.longest() as f64 * latency_s)
    }

    /// Predicts the seconds of a dispatch, of which `counted` is `share`: by Little's law, from the throughput and the latency of
    /// instructions. Without a latency, the device always issues at full throughput.
    #[must_use]
    pub fn time_s(&self, counted: &Counted, share: f64) -> f64 {
        let issue_s = self.issue_s(&counted.statements) / share;
        let lengths: Vec<u64> = counted.lengths.iter().flatten().copied().collect();
        let all: u64 = lengths.iter().sum();
        let executing_s = match self.concurrency {
            Some([schedulers, latency_s]) if all > 0 => {
                // A part of the subgroups has as large a part of the schedulers.
                let schedulers = (schedulers * share).round().max(1.0);
                let issue_s = issue_s / all as f64 * schedulers;
                Issue { schedulers: schedulers as usize, issue_s, latency_s }.time_s(&lengths)
            }
            _ => issue_s,
        };
        self.empty_s + executing_s
    }
}

/// Returns the read bandwidth in GB/s of the smallest working set that holds `footprint` bytes, or else of the largest one.
fn bandwidth(record: &Record, footprint: u64) -> Result<f64, String> {
    const PREFIX: &str = "read_gb_per_s.";
    let ceilings = record.experiments.iter().find(|experiment| experiment.id == "ceilings");
    let metrics = ceilings.into_iter().flat_map(|experiment| &experiment.metrics);
    let sized = metrics.filter_map(|metric| {
        let mib: u64 = metric.id.strip_prefix(PREFIX)?.strip_suffix("_MiB")?.parse().ok()?;
        Some((mib << 20, metric.value?))
    });
    let mut sized: Vec<(u64, f64)> = sized.collect();
    sized.sort_by_key(|(bytes, _)| *bytes);
    let holding = sized.iter().find(|(bytes, _)| *bytes >= footprint).or(sized.last());
    holding.map(|(_, bandwidth)| *bandwidth).ok_or_else(|| format!("ceilings.{PREFIX}*"))
}
