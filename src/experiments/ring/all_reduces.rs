//! The all-reduces of a plan, with the points by which the law is judged.

use std::collections::BTreeMap;

use super::alone::{AllReduce, Alone, Calibration, REPEATS, WORD_BYTES};
use super::swept::{BY_PING_PONG, RING, Swept, UNEVEN};
use super::workload::workload;
use crate::bench::{CaseId, Expr, Plan, SeriesId};
use crate::gpu::{Algorithm, Arithmetic, Ranks};

/// Bytes of a message that no message library sends before the receiver is ready for it. Open MPI's limit is 64 KiB for TCP and
/// lower for shared memory.
const RENDEZVOUS_BYTES: f64 = 256.0 * 1024.0;

/// The all-reduces of a plan.
pub(super) struct AllReduces<'a> {
    pub(super) plan: Plan,
    pub(super) alone: Alone,
    pub(super) ranks: &'a Ranks,
    /// Measured all-reduces, by name of the algorithm and by bytes.
    pub(super) cases: BTreeMap<(&'static str, u32), (AllReduce, CaseId)>,
}

impl<'a> AllReduces<'a> {
    pub(super) fn new(mut plan: Plan, ranks: &'a Ranks) -> Self {
        let alone = Alone::new(&mut plan, ranks.count);
        Self { plan, alone, ranks, cases: BTreeMap::new() }
    }

    pub(super) fn name(&self, series: &str) -> String {
        format!("{series}{} ranks", self.ranks.count)
    }

    fn series(&mut self, name: &str) -> SeriesId {
        let name = self.name(name);
        self.plan.series(name, ("bytes", ""), "s")
    }

    fn case(&mut self, word: &'static str, reduce: AllReduce) -> CaseId {
        self.alone.add_for(&mut self.plan, reduce);
        let (count, bytes) = (self.ranks.count, reduce.words * WORD_BYTES);
        let exchange = reduce.exchange(count);
        let case = self.plan.case(format!("{word}.{bytes}"), REPEATS, move |repeats| {
            workload(exchange, repeats, count)
        });
        self.cases.insert((word, bytes), (reduce, case));
        case
    }

    /// Adds an algorithm at several message sizes. Those of the library are shown and not judged, since no law says how it
    /// sums.
    pub(super) fn sweep(&mut self, swept: &Swept, sizes: &[u32]) {
        let series = self.series(swept.series);
        let by_ping_pong = (swept.series == RING).then(|| self.series(BY_PING_PONG));
        let mut smaller: Option<(u32, CaseId)> = None;
        for &bytes in sizes {
            let Swept { algorithm, arithmetic, word, .. } = *swept;
            let reduce = AllReduce { algorithm, arithmetic, words: bytes / WORD_BYTES };
            let case = self.case(word, reduce);
            if let Some((before, smaller)) = smaller.replace((bytes, case)) {
                self.plan.grows_from(case, smaller, f64::from(bytes) / f64::from(before));
            }
            let (m, measured) = (f64::from(bytes), case.per_unit());
            let predicted = self.alone.predicted(reduce, Calibration::Shift);
            match algorithm {
                Algorithm::Library => {
                    let best = Expr::min_known(
                        [Some(predicted), self.doubling(bytes)].into_iter().flatten(),
                    );
                    self.plan.show(series, m, measured, best);
                }
                Algorithm::LibraryRing => self.plan.show(series, m, measured, predicted),
                Algorithm::Ring | Algorithm::Doubling | Algorithm::Naive => {
                    if self.is_claimed(reduce) {
                        self.plan.judge(series, m, measured, predicted);
                    } else {
                        self.plan.show(series, m, measured, predicted);
                    }
                }
            }
            if let Some(series) = by_ping_pong {
                let predicted = self.alone.predicted(reduce, Calibration::PingPong);
                self.plan.show(series, m, case.per_unit(), predicted);
            }
        }
    }

    /// Returns whether the law claims the time of an all-reduce.
    fn is_claimed(&self, reduce: AllReduce) -> bool {
        match reduce.algorithm {
            // Every step waits for the slowest link, as in the shift that calibrates it.
            Algorithm::Ring => true,
            Algorithm::Doubling => !self.ranks.links_differ,
            // All ranks send to the first one at once. A short message is on its way before the first rank is ready for it, so
            // that latencies overlap. A long one waits.
            Algorithm::Naive => {
                let one_after_another = self.ranks.count == 2 || reduce.bytes() >= RENDEZVOUS_BYTES;
                one_after_another && !self.ranks.links_differ
            }
            Algorithm::Library | Algorithm::LibraryRing => false,
        }
    }

    /// Returns the predicted seconds of recursive doubling, if the plan has its parameters.
    pub(super) fn doubling(&self, bytes: u32) -> Option<Expr> {
        let (reduce, _) = self.cases.get(&("doubling", bytes))?;
        Some(self.alone.predicted(*reduce, Calibration::Shift))
    }

    pub(super) fn add_uneven(&mut self) {
        let series = self.series("ring, uneven parts, ");
        for words in UNEVEN {
            let reduce =
                AllReduce { algorithm: Algorithm::Ring, arithmetic: Arithmetic::Host, words };
            let case = self.case("ring", reduce);
            let predicted = self.alone.predicted(reduce, Calibration::Shift);
            self.plan.judge(series, reduce.bytes(), case.per_unit(), predicted);
        }
    }

    /// Returns the measured rings of the sweep, by bytes.
    pub(super) fn rings(&self) -> Vec<(u32, CaseId)> {
        let is_even = |bytes: u32| !UNEVEN.contains(&(bytes / WORD_BYTES));
        let of_ring = self.cases.iter().filter(|((word, _), _)| *word == "ring");
        of_ring
            .map(|(&(_, bytes), &(_, case))| (bytes, case))
            .filter(|&(bytes, _)| is_even(bytes))
            .collect()
    }
}
