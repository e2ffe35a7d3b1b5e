//! What every prediction rests on: a step, and a byte of a step, by how many workers take it at once.

use std::collections::BTreeMap;

use super::extent::{STREAMED, most_bytes};
use super::kernel::{Algorithm, Streams};
use super::law::{naive_time, recursive_doubling_time, ring_time};
use crate::bench::{CaseId, Context, Expr, Plan, Sizing};
use crate::experiments::ceilings::memory::{memory_case, search_memory};
use crate::kernels::memory::{Memory, Traffic};

/// Of steps, the shortest of which are a few microseconds.
pub(super) const REPEATS: Sizing = Sizing::Own { granule: 1, most: 4096 };

/// What every prediction rests on, by workers.
pub(super) struct Alone {
    /// Memory that all workers together may work in.
    most_bytes: u64,
    steps: BTreeMap<u32, CaseId>,
    adds: BTreeMap<u32, CaseId>,
    copies: BTreeMap<u32, CaseId>,
    /// Copying as many bytes at the fastest, for the fewest and the most of them.
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

    /// Bytes that each of so many workers streams, from one region to another.
    fn streamed(&self, workers: u32) -> u32 {
        let each = self.most_bytes / u64::from(2 * workers);
        u32::try_from(each).unwrap_or(STREAMED).min(STREAMED) / 4 * 4
    }

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

    /// What the fewest and the most workers that were added copy, copied by the whole device.
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

    /// Numbers of workers that were added.
    pub(super) fn workers(&self) -> impl Iterator<Item = u32> {
        self.steps.keys().copied()
    }

    /// Numbers of workers for which the fastest copy is known.
    pub(super) fn with_ceilings(&self) -> impl Iterator<Item = u32> {
        self.fastest_copies.keys().copied()
    }

    /// What so many workers copy in a second, over what the whole device does of as many bytes.
    pub(super) fn share_of_copy(&self, workers: u32) -> Expr {
        self.fastest_copies[&workers].per_unit() / self.copies[&workers].per_unit()
    }

    /// Seconds of a step in which next to nothing is sent.
    pub(super) fn alpha(&self, workers: u32) -> Expr {
        self.steps[&workers].per_unit()
    }

    /// Seconds per byte that each worker adds to its own.
    fn beta_add(&self, workers: u32) -> Expr {
        self.beta(self.adds[&workers], workers)
    }

    /// The same for bytes of which half are added and half replaced, as by the ring.
    pub(super) fn beta_mean(&self, workers: u32) -> Expr {
        (self.beta_add(workers) + self.beta(self.copies[&workers], workers)) / 2.0
    }

    fn beta(&self, case: CaseId, workers: u32) -> Expr {
        (case.per_unit() - self.alpha(workers)) / f64::from(self.streamed(workers))
    }

    /// Seconds for one all-reduce of `m` bytes among `p` workers.
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

    /// Bytes at which half of the ring's time is latency.
    pub(super) fn half_latency(&self, p: u32) -> Expr {
        f64::from(p) * self.alpha(p) / self.beta_mean(p)
    }

    /// Bytes from which on the ring overtakes doubling: where two straight lines cross.
    pub(super) fn crossover(&self, p: u32) -> Expr {
        let behind = |m: f64| {
            self.predicted(Algorithm::Ring, p, m) - self.predicted(Algorithm::Doubling, p, m)
        };
        let at_nothing = behind(0.0);
        let gained = &at_nothing - behind(1.0);
        at_nothing.positive() / gained.positive()
    }
}
