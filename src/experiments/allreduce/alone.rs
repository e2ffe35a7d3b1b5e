//! What every prediction rests on: a step, and a byte of a step, by how many workers take it at once.

use std::collections::BTreeMap;

use super::super::ceilings::{memory_case, search_memory};
use super::{STREAMED, TRAIN, at_once, most_bytes};
use crate::kernels::allreduce::{Algorithm, Streams};
use crate::kernels::memory::{Memory, Traffic};
use crate::laws::ring::{naive_time, recursive_doubling_time, ring_time};
use crate::measure::{CaseId, Context, Plan, Spans};

/// What every prediction rests on, by workers.
pub(super) struct Alone {
    /// Memory that all workers together may work in.
    most_bytes: u64,
    pub(super) steps: BTreeMap<u32, CaseId>,
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
            plan.case(format!("alone.{name}.{workers}"), TRAIN, move |times| {
                streams.workload().train(times)
            })
        };
        self.steps.insert(workers, streams("step", true, 1));
        self.adds.insert(workers, streams("add", true, streamed / 4));
        self.copies.insert(workers, streams("copy", false, streamed / 4));
    }

    /// What the fewest and the most workers that were added copy, copied by the whole device.
    pub(super) fn add_ceilings(&mut self, plan: &mut Plan, context: &Context<'_>) {
        let (seed, tuned) = (context.seed as u32, search_memory(plan, context, Traffic::Copy));
        let ends = [self.copies.first_key_value(), self.copies.last_key_value()];
        for workers in ends.map(|end| end.map(|(&workers, _)| workers)).into_iter().flatten() {
            let words = workers * self.streamed(workers) / 4;
            let name = format!("alone.copy_fastest.{workers}");
            let case = memory_case(plan, name, TRAIN, &tuned, move |shape| Memory {
                traffic: Traffic::Copy,
                words,
                shape,
                seed,
                idle: false,
            });
            self.fastest_copies.insert(workers, case);
        }
    }

    /// Numbers of workers for which the fastest copy is known.
    pub(super) fn with_ceilings(&self) -> impl Iterator<Item = u32> {
        self.fastest_copies.keys().copied()
    }

    /// What so many workers copy in a second, over what the whole device does of as many bytes.
    pub(super) fn share_of_copy(&self, spans: &Spans<'_>, workers: u32) -> f64 {
        spans.unit(self.fastest_copies[&workers]) / spans.unit(self.copies[&workers])
    }

    /// Seconds of a step in which next to nothing is sent.
    pub(super) fn alpha(&self, spans: &Spans<'_>, workers: u32) -> f64 {
        spans.unit(self.steps[&workers])
    }

    /// Seconds per byte that each worker adds to its own.
    fn beta_add(&self, spans: &Spans<'_>, workers: u32) -> f64 {
        self.beta(spans, self.adds[&workers], workers)
    }

    /// The same for bytes of which half are added and half replaced, as by the ring.
    pub(super) fn beta_mean(&self, spans: &Spans<'_>, workers: u32) -> f64 {
        let copy = self.beta(spans, self.copies[&workers], workers);
        (self.beta_add(spans, workers) + copy) / 2.0
    }

    fn beta(&self, spans: &Spans<'_>, case: CaseId, workers: u32) -> f64 {
        (spans.unit(case) - self.alpha(spans, workers)) / f64::from(self.streamed(workers))
    }

    /// Seconds for one all-reduce of `m` bytes among `p` workers.
    pub(super) fn predicted(&self, spans: &Spans<'_>, algorithm: Algorithm, p: u32, m: f64) -> f64 {
        let at_once = at_once(algorithm, p);
        let alpha = self.alpha(spans, at_once);
        let mean = self.beta_mean(spans, at_once);
        let p = f64::from(p);
        match algorithm {
            Algorithm::Ring => ring_time(p, m, alpha, mean),
            Algorithm::Naive => naive_time(p, m, alpha, mean),
            Algorithm::Doubling => {
                recursive_doubling_time(p, m, alpha, self.beta_add(spans, at_once))
            }
        }
    }

    /// Bytes at which half of the ring's time is latency.
    pub(super) fn half_latency(&self, spans: &Spans<'_>, p: u32) -> f64 {
        f64::from(p) * self.alpha(spans, p) / self.beta_mean(spans, p)
    }

    /// Bytes from which on the ring overtakes doubling: where two straight lines cross.
    pub(super) fn crossover(&self, spans: &Spans<'_>, p: u32) -> f64 {
        let behind = |m: f64| {
            self.predicted(spans, Algorithm::Ring, p, m)
                - self.predicted(spans, Algorithm::Doubling, p, m)
        };
        let (at_nothing, gained) = (behind(0.0), behind(0.0) - behind(1.0));
        if at_nothing > 0.0 && gained > 0.0 { at_nothing / gained } else { f64::NAN }
    }
}
