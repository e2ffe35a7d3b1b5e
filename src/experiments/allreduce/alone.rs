//! The cases that calibrate α and β, timed alone, for each number of workers that are active at the same
//! time.
//!
//! α is the time of a step in which every worker adds one word. β is the time per byte of a step in which
//! every worker streams a large region. Both depend on the number of workers, because workers share the
//! device.

use std::collections::BTreeMap;

use super::extent::{STREAMED, most_bytes};
use super::kernel::{Algorithm, Streams};
use super::law::{naive_time, recursive_doubling_time, ring_time};
use crate::bench::{CaseId, Context, Expr, Plan, Sizing};
use crate::experiments::ceilings::memory::{memory_case, search_memory};
use crate::kernels::memory::{Memory, Traffic};

/// Sizing of cases that repeat steps. The shortest steps take a few microseconds.
pub(super) const REPEATS: Sizing = Sizing::Own { granule: 1, most: 4096 };

/// The calibration cases, by number of workers.
pub(super) struct Alone {
    /// Upper bound of the memory that all workers use together, in bytes.
    most_bytes: u64,
    /// Steps in which each worker adds one word.
    steps: BTreeMap<u32, CaseId>,
    /// Steps in which each worker adds one region to another.
    adds: BTreeMap<u32, CaseId>,
    /// Steps in which each worker copies one region to another.
    copies: BTreeMap<u32, CaseId>,
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

    /// Returns the number of bytes that each of `workers` workers streams from one region to another.
    fn streamed(&self, workers: u32) -> u32 {
        let each = self.most_bytes / u64::from(2 * workers);
        u32::try_from(each).unwrap_or(STREAMED).min(STREAMED) / 4 * 4
    }

    /// Adds the calibration cases of `workers` workers, unless the plan has them already.
    pub(super) fn add(&mut self, plan: &mut Plan, workers: u32, seed: u32) {
        if self.steps.contains_key(&workers) {
            return;
        }
        let streamed = self.streamed(workers);
        let mut streams = |name: &str, add: bool, words: u32| {
            let streams = Streams { add, workers, words, seed };
            plan.case(format!("alone.{name}.{workers}"), REPEATS, move |times| {
                streams.workload().repeated(times)
            })
        };
        self.steps.insert(workers, streams("step", true, 1));
        self.adds.insert(workers, streams("add", true, streamed / 4));
        self.copies.insert(workers, streams("copy", false, streamed / 4));
    }

    /// Adds the copies by the whole device, for the smallest and the largest number of workers added so far.
    pub(super) fn add_ceilings(&mut self, plan: &mut Plan, context: &Context<'_>) {
        let (seed, config) = (context.seed as u32, search_memory(context, Traffic::Copy));
        let ends = [self.copies.first_key_value(), self.copies.last_key_value()];
        for workers in ends.map(|end| end.map(|(&workers, _)| workers)).into_iter().flatten() {
            let words = workers * self.streamed(workers) / 4;
            let memory = Memory { traffic: Traffic::Copy, words, config, seed, idle: false };
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
        self.fastest_copies[&workers].per_unit() / self.copies[&workers].per_unit()
    }

    /// Returns α in seconds: the time of a step in which each worker adds one word.
    pub(super) fn alpha(&self, workers: u32) -> Expr {
        self.steps[&workers].per_unit()
    }

    /// Returns β of a step that adds, in seconds per byte of each worker.
    fn beta_add(&self, workers: u32) -> Expr {
        self.beta(self.adds[&workers], workers)
    }

    /// Returns the mean β of a step that adds and a step that copies, in seconds per byte of each worker.
    /// Half of the steps of a ring add and the other half copy.
    pub(super) fn beta_mean(&self, workers: u32) -> Expr {
        (self.beta_add(workers) + self.beta(self.copies[&workers], workers)) / 2.0
    }

    /// Returns the seconds of `case` beyond α, per byte that each worker streams.
    fn beta(&self, case: CaseId, workers: u32) -> Expr {
        (case.per_unit() - self.alpha(workers)) / f64::from(self.streamed(workers))
    }

    /// Returns the predicted seconds of one all-reduce of `m` bytes among `p` workers.
    pub(super) fn predicted(&self, algorithm: Algorithm, p: u32, m: f64) -> Expr {
        let at_once = algorithm.at_once(p);
        let alpha = self.alpha(at_once);
        let p = f64::from(p);
        match algorithm {
            Algorithm::Ring => {
                Expr::call("ring_time", [alpha, self.beta_mean(at_once)], move |[alpha, beta]| {
                    ring_time(p, m, alpha, beta)
                })
            }
            Algorithm::Naive => {
                Expr::call("naive_time", [alpha, self.beta_mean(at_once)], move |[alpha, beta]| {
                    naive_time(p, m, alpha, beta)
                })
            }
            Algorithm::Doubling => Expr::call(
                "recursive_doubling_time",
                [alpha, self.beta_add(at_once)],
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
            self.predicted(Algorithm::Ring, p, m) - self.predicted(Algorithm::Doubling, p, m)
        };
        let excess_at_zero = excess(0.0);
        let gain_per_byte = &excess_at_zero - excess(1.0);
        excess_at_zero.positive() / gain_per_byte.positive()
    }
}
