//! The cases that calibrate α and β, timed alone, for each number of workers that are active at the same
//! time.
//!
//! α is the time of a step in which every worker adds one vector of four words. β is the time per byte of a step in
//! which every worker streams a region to another. Both depend on the number of workers, because workers share the
//! device. β also depends on the memory that all workers use together, which may fit a cache. An all-reduce is
//! therefore predicted from steps that use as much memory as it does.

use std::collections::BTreeMap;

use super::extent::{LEAST_STREAMED, STREAMED, most_bytes};
use super::kernel::{Algorithm, AllReduce, Streams, VECTOR, VECTOR_BYTES};
use super::law::{naive_time, recursive_doubling_time, ring_time};
use crate::bench::{CaseId, Context, Expr, Plan, Sizing};
use crate::experiments::ceilings::launch::Loads;
use crate::experiments::ceilings::memory::{Place, memory_case, search_memory};
use crate::kernels::memory::{Memory, Traffic};

/// Sizing of cases that repeat steps. The shortest steps take a few microseconds.
pub(super) const REPEATS: Sizing = Sizing::Own { granule: 1, most: 4096 };

/// The calibration cases, by number of workers.
pub(super) struct Alone {
    /// Upper bound of the memory that all workers use together, in bytes.
    most_bytes: u64,
    /// Steps in which each worker adds one vector.
    steps: BTreeMap<u32, CaseId>,
    /// Steps in which each worker adds one region to another, by workers and bytes of a region.
    adds: BTreeMap<(u32, u32), CaseId>,
    /// Steps in which each worker copies one region to another, by workers and bytes of a region.
    copies: BTreeMap<(u32, u32), CaseId>,
    /// Copies of the same number of bytes in the fastest launch configuration of the device. Only for the
    /// smallest and the largest number of workers.
    fastest_copies: BTreeMap<u32, CaseId>,
}

impl Alone {
    pub(super) fn new(context: &Context<'_>) -> Self {
        Self {
            most_bytes: most_bytes(context),
            steps: BTreeMap::new(),
            adds: BTreeMap::new(),
            copies: BTreeMap::new(),
            fastest_copies: BTreeMap::new(),
        }
    }

    /// Returns the number of bytes that each of `workers` workers streams from one region to another, for `wanted`
    /// bytes.
    fn streamed(&self, workers: u32, wanted: u64) -> u32 {
        let each = self.most_bytes / u64::from(2 * workers);
        let bytes = u32::try_from(wanted.min(each)).unwrap_or(u32::MAX);
        bytes / VECTOR_BYTES * VECTOR_BYTES
    }

    /// Returns the bytes of a region by which `reduce` is predicted. The regions that are read and those that are
    /// written are together as large as the regions of `reduce`.
    fn region_of(&self, reduce: AllReduce) -> u32 {
        let workers = reduce.algorithm.at_once(reduce.workers);
        let each = reduce.bytes() / u64::from(2 * workers);
        self.streamed(workers, each.max(LEAST_STREAMED))
    }

    /// Returns the bytes of a region by which metrics are calculated.
    fn usual(&self, workers: u32) -> u32 {
        self.streamed(workers, STREAMED)
    }

    /// Adds the cases that calibrate α, and β for metrics, with `workers` workers, unless the plan has them already.
    pub(super) fn add(&mut self, plan: &mut Plan, workers: u32, seed: u32) {
        if self.steps.contains_key(&workers) {
            return;
        }
        let step = Streams { add: true, workers, words: VECTOR, seed };
        let step = plan.case(format!("alone.step.{workers}"), REPEATS, move |times| {
            step.workload().repeated(times)
        });
        self.steps.insert(workers, step);
        self.add_streams(plan, workers, self.usual(workers), seed);
    }

    /// Adds the cases that calibrate β for `reduce`, unless the plan has them already.
    pub(super) fn add_reduction(&mut self, plan: &mut Plan, reduce: AllReduce) {
        let workers = reduce.algorithm.at_once(reduce.workers);
        self.add(plan, workers, reduce.seed);
        self.add_streams(plan, workers, self.region_of(reduce), reduce.seed);
    }

    fn add_streams(&mut self, plan: &mut Plan, workers: u32, region: u32, seed: u32) {
        let suffix =
            if region == self.usual(workers) { String::new() } else { format!(".{region}") };
        for (name, add, cases) in [("add", true, &mut self.adds), ("copy", false, &mut self.copies)]
        {
            cases.entry((workers, region)).or_insert_with(|| {
                let streams = Streams { add, workers, words: region / 4, seed };
                plan.case(format!("alone.{name}.{workers}{suffix}"), REPEATS, move |times| {
                    streams.workload().repeated(times)
                })
            });
        }
    }

    /// Adds the copies by the whole device, for the smallest and the largest number of workers added so far.
    pub(super) fn add_ceilings(&mut self, plan: &mut Plan, context: &Context<'_>) {
        let (seed, config) = (
            context.seed as u32,
            search_memory(context, Traffic::Copy, Loads::All, Place::OfASample),
        );
        let ends = [self.steps.first_key_value(), self.steps.last_key_value()];
        for workers in ends.map(|end| end.map(|(&workers, _)| workers)).into_iter().flatten() {
            let words = workers * self.usual(workers) / 4;
            let memory = Memory { traffic: Traffic::Copy, words, config, seed, sweeps: 1 };
            let name = format!("alone.copy_fastest.{workers}");
            let case = memory_case(plan, name, REPEATS, memory);
            self.fastest_copies.insert(workers, case);
        }
    }

    /// Returns the numbers of workers that have calibration cases.
    pub(super) fn workers(&self) -> impl Iterator<Item = u32> {
        self.steps.keys().copied()
    }

    /// Returns the numbers of workers that have a copy by the whole device.
    pub(super) fn with_ceilings(&self) -> impl Iterator<Item = u32> {
        self.fastest_copies.keys().copied()
    }

    /// Returns the copy bandwidth of `workers` workers divided by the copy bandwidth of the whole device.
    /// Both copies move the same number of bytes.
    pub(super) fn share_of_copy(&self, workers: u32) -> Expr {
        self.fastest_copies[&workers].per_unit()
            / self.copies[&(workers, self.usual(workers))].per_unit()
    }

    /// Returns α in seconds: the time of a step in which each worker adds one vector.
    pub(super) fn alpha(&self, workers: u32) -> Expr {
        self.steps[&workers].per_unit()
    }

    /// Returns β of a step that adds, in seconds per byte of each worker, from regions of `region` bytes.
    fn beta_add(&self, workers: u32, region: u32) -> Expr {
        self.beta(self.adds[&(workers, region)], workers, region)
    }

    /// Returns the mean β of a step that adds and a step that copies, in seconds per byte of each worker.
    /// Half of the steps of a ring add and the other half copy.
    fn beta_of(&self, workers: u32, region: u32) -> Expr {
        let copy = self.beta(self.copies[&(workers, region)], workers, region);
        (self.beta_add(workers, region) + copy) / 2.0
    }

    /// Returns the mean β of a step that adds and a step that copies, from regions of the usual size.
    pub(super) fn beta_mean(&self, workers: u32) -> Expr {
        self.beta_of(workers, self.usual(workers))
    }

    /// Returns the seconds of `case` beyond α, per byte that each worker streams.
    fn beta(&self, case: CaseId, workers: u32, region: u32) -> Expr {
        (case.per_unit() - self.alpha(workers)) / f64::from(region)
    }

    /// Returns the predicted seconds of `reduce`.
    pub(super) fn predicted(&self, reduce: AllReduce) -> Expr {
        let at = [reduce.workers, self.region_of(reduce)];
        self.time(reduce.algorithm, at, f64::from(reduce.words) * 4.0)
    }

    /// Returns the seconds of one all-reduce of `m` bytes among `p` workers by the law, with β from regions of `region`
    /// bytes.
    fn time(&self, algorithm: Algorithm, [p, region]: [u32; 2], m: f64) -> Expr {
        let at_once = algorithm.at_once(p);
        let (alpha, beta) = (self.alpha(at_once), || self.beta_of(at_once, region));
        let p = f64::from(p);
        match algorithm {
            Algorithm::Ring => Expr::call("ring_time", [alpha, beta()], move |[alpha, beta]| {
                ring_time(p, m, alpha, beta)
            }),
            Algorithm::Naive => Expr::call("naive_time", [alpha, beta()], move |[alpha, beta]| {
                naive_time(p, m, alpha, beta)
            }),
            Algorithm::Doubling => Expr::call(
                "recursive_doubling_time",
                [alpha, self.beta_add(at_once, region)],
                move |[alpha, beta]| recursive_doubling_time(p, m, alpha, beta),
            ),
        }
    }

    /// Returns the predicted message size in bytes at which half of a ring's time is latency.
    pub(super) fn half_latency(&self, p: u32) -> Expr {
        f64::from(p) * self.alpha(p) / self.beta_mean(p)
    }

    /// Returns the predicted message size in bytes above which a ring is faster than recursive doubling.
    ///
    /// Both times are linear in the message size, so the size is the intersection of two straight lines. The
    /// figure is unknown if the lines do not cross at a positive size.
    pub(super) fn crossover(&self, p: u32) -> Expr {
        let excess = |m: f64| {
            let at = [p, self.usual(p)];
            self.time(Algorithm::Ring, at, m) - self.time(Algorithm::Doubling, at, m)
        };
        let excess_at_zero = excess(0.0);
        let gain_per_byte = &excess_at_zero - excess(1.0);
        excess_at_zero.positive() / gain_per_byte.positive()
    }
}
