//! The cases that calibrate α, β and γ: messages and additions, timed alone, at the lengths that the predictions need.
//!
//! A message library sends short and long messages in different ways, and arrays of different lengths are in different caches.
//! So β and γ are those of messages as long as the ones that are predicted. α is the time of a message of one word.

use std::collections::BTreeMap;

use super::law;
use super::workload::workload;
use crate::bench::{CaseId, Expr, Plan, Sizing};
use crate::gpu::{Algorithm, Arithmetic, DeviceWork, Exchange, Pattern};
use crate::ranks::longest_part;

/// Largest number of repeats in a sample. The shortest exchanges take less than a microsecond.
const MOST_REPEATS: u32 = 1 << 20;

/// Sizing of cases that repeat whole all-reduces.
pub(super) const REPEATS: Sizing = Sizing::Own { granule: 1, most: MOST_REPEATS };

/// Bytes of a 32-bit float.
pub(super) const WORD_BYTES: u32 = 4;

/// Calibration cases by the regions of an array and the words of a message.
type Cases = BTreeMap<(u32, u32), CaseId>;

/// The calibration cases.
pub(super) struct Alone {
    ranks: u32,
    shifts: Cases,
    ping_pongs: Cases,
    adds: Cases,
    devices: BTreeMap<(&'static str, u32), CaseId>,
}

/// The messages that calibrate α and β.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calibration {
    /// Each rank sends and receives at the same time.
    Shift,
    /// One message at a time.
    PingPong,
}

/// An all-reduce: what it sends, and how its time follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct AllReduce {
    pub(super) algorithm: Algorithm,
    pub(super) arithmetic: Arithmetic,
    pub(super) words: u32,
}

impl AllReduce {
    pub(super) fn bytes(self) -> f64 {
        f64::from(self.words) * f64::from(WORD_BYTES)
    }

    pub(super) fn exchange(self, ranks: u32) -> Exchange {
        let Self { algorithm, arithmetic, words } = self;
        let traffic = law::traffic(algorithm, ranks, words);
        Exchange { pattern: Pattern::AllReduce { algorithm, arithmetic }, words, traffic }
    }
}

/// The parts of the device's work in a step, with their names in case ids.
const WORKS: [(&str, DeviceWork); 3] = [
    ("step", DeviceWork::Step),
    ("upload", DeviceWork::Upload),
    ("read_back", DeviceWork::ReadBack),
];

impl Alone {
    pub(super) fn new(plan: &mut Plan, ranks: u32) -> Self {
        let mut alone = Self {
            ranks,
            shifts: BTreeMap::new(),
            ping_pongs: BTreeMap::new(),
            adds: BTreeMap::new(),
            devices: BTreeMap::new(),
        };
        alone.shift(plan, 1, ranks);
        alone.ping_pong(plan, 1);
        alone
    }

    /// Adds a case. A sample has at least as many repeats as a ring has steps: each step of a ring waits for the latest of all
    /// ranks, so that a ring takes the mean time of a step, and a single step may happen to take less.
    fn add(&self, plan: &mut Plan, id: String, pattern: Pattern, words: u32) -> CaseId {
        let (exchange, ranks) = (Exchange { pattern, words, traffic: None }, self.ranks);
        // A message that goes around the ring passes as many links in one repeat.
        let granule = if pattern == Pattern::PingPong { 2 } else { 2 * (ranks - 1) };
        let sizing = Sizing::Own { granule, most: MOST_REPEATS / granule * granule };
        plan.case(id, sizing, move |repeats| workload(exchange, repeats, ranks))
    }

    fn shift(&mut self, plan: &mut Plan, words: u32, regions: u32) {
        if !self.shifts.contains_key(&(regions, words)) {
            let id = id("shift", words, regions);
            let case = self.add(plan, id, Pattern::Shift { regions }, words);
            grow(plan, case, words, self.shifts.range((regions, 0)..(regions, words)));
            self.shifts.insert((regions, words), case);
        }
    }

    fn ping_pong(&mut self, plan: &mut Plan, words: u32) {
        if !self.ping_pongs.contains_key(&(2, words)) {
            let case = self.add(plan, id("ping_pong", words, 2), Pattern::PingPong, words);
            grow(plan, case, words, self.ping_pongs.range((2, 0)..(2, words)));
            self.ping_pongs.insert((2, words), case);
        }
    }

    fn addition(&mut self, plan: &mut Plan, words: u32, regions: u32) {
        if !self.adds.contains_key(&(regions, words)) {
            let id = id("add", words, regions);
            let case = self.add(plan, id, Pattern::Add { regions }, words);
            grow(plan, case, words, self.adds.range((regions, 0)..(regions, words)));
            self.adds.insert((regions, words), case);
        }
    }

    /// Adds the cases that calibrate the prediction of `reduce`, unless the plan has them already.
    pub(super) fn add_for(&mut self, plan: &mut Plan, reduce: AllReduce) {
        let words = reduce.words;
        match reduce.algorithm {
            Algorithm::Ring => {
                let part = longest_part(words, self.ranks);
                self.shift(plan, part, self.ranks);
                self.ping_pong(plan, part);
                if reduce.arithmetic == Arithmetic::Device {
                    self.device(plan, part);
                } else {
                    self.addition(plan, part, self.ranks);
                }
            }
            Algorithm::Doubling => {
                self.shift(plan, words, 2);
                self.addition(plan, words, 1);
                if !self.ranks.is_power_of_two() {
                    self.ping_pong(plan, words);
                }
            }
            Algorithm::Naive => {
                self.ping_pong(plan, words);
                self.addition(plan, words, 1);
            }
            Algorithm::Library | Algorithm::LibraryRing => (),
        }
    }

    fn device(&mut self, plan: &mut Plan, words: u32) {
        for (name, work) in WORKS {
            if !self.devices.contains_key(&(name, words)) {
                let id = format!("device.{name}.{words}");
                let case = self.add(plan, id, Pattern::Device(work), words);
                self.devices.insert((name, words), case);
            }
        }
    }

    /// Returns the seconds of one message of `words` words.
    fn message(&self, by: Calibration, words: u32, regions: u32) -> Expr {
        match by {
            Calibration::Shift => self.shifts[&(regions, words)].per_unit(),
            Calibration::PingPong => {
                self.ping_pongs[&(2, words)].per_unit() / f64::from(self.ranks)
            }
        }
    }

    /// Returns α in seconds: the time of a message of one word.
    pub(super) fn alpha(&self, by: Calibration) -> Expr {
        self.message(by, 1, self.ranks)
    }

    /// Returns β in seconds per byte, of messages of `words` words.
    fn beta(&self, by: Calibration, words: u32, regions: u32) -> Expr {
        if words <= 1 {
            return Expr::from(0.0);
        }
        (self.message(by, words, regions) - self.alpha(by)) / bytes(words)
    }

    /// Returns β of the parts of a ring of `words` words.
    pub(super) fn beta_of_parts(&self, by: Calibration, words: u32) -> Expr {
        self.beta(by, longest_part(words, self.ranks), self.ranks)
    }

    /// Returns γ of the parts of a ring of `words` words, in seconds per byte.
    pub(super) fn gamma_of_parts(&self, words: u32) -> Expr {
        let part = longest_part(words, self.ranks);
        self.adds[&(self.ranks, part)].per_unit() / bytes(part)
    }

    /// Returns the seconds for which the device works on parts of a ring of `words` words, until that of the slower neighbour has
    /// done so too; `name` is one of [`WORKS`].
    pub(super) fn device_of_parts(&self, name: &'static str, words: u32) -> Expr {
        let part = longest_part(words, self.ranks);
        self.devices[&(name, part)].per_unit() - self.alpha(Calibration::Shift)
    }

    /// Returns the predicted seconds of a ring of `words` words without its additions.
    fn ring_messages(&self, by: Calibration, words: u32) -> Expr {
        let (p, m) = (f64::from(self.ranks), bytes(words));
        let of = [self.alpha(by), self.beta_of_parts(by, words)];
        Expr::call("ring_time", of, move |[alpha, beta]| law::ring_time(p, m, [alpha, beta, 0.0]))
    }

    /// Returns the predicted seconds of `reduce`. `by` calibrates the messages of a ring.
    pub(super) fn predicted(&self, reduce: AllReduce, by: Calibration) -> Expr {
        let (p, m, words) = (f64::from(self.ranks), reduce.bytes(), reduce.words);
        let ping_pong =
            || [self.alpha(Calibration::PingPong), self.beta(Calibration::PingPong, words, 2)];
        match (reduce.algorithm, reduce.arithmetic) {
            (Algorithm::Ring, Arithmetic::Device) => {
                let of = |name| self.device_of_parts(name, words);
                let steps = f64::from(self.ranks - 1);
                let device = of("read_back") + steps * (of("step") + of("upload"));
                self.ring_messages(by, words) + device
            }
            (Algorithm::Naive, _) => {
                let [alpha, beta] = ping_pong();
                let gamma = self.gamma_of_whole(words);
                Expr::call("naive_time", [alpha, beta, gamma], move |[alpha, beta, gamma]| {
                    law::naive_time(p, m, [alpha, beta], gamma)
                })
            }
            (Algorithm::Doubling, _) => {
                let both =
                    [self.alpha(Calibration::Shift), self.beta(Calibration::Shift, words, 2)];
                let [alpha, beta] = both;
                let [alpha_1, beta_1] = if self.ranks.is_power_of_two() {
                    [0.0, 0.0].map(Expr::from)
                } else {
                    ping_pong()
                };
                let of = [alpha, beta, self.gamma_of_whole(words), alpha_1, beta_1];
                Expr::call("doubling_time", of, move |[alpha, beta, gamma, alpha_1, beta_1]| {
                    law::doubling_time(p, m, [alpha, beta, gamma], [alpha_1, beta_1])
                })
            }
            (Algorithm::Ring | Algorithm::Library | Algorithm::LibraryRing, _) => {
                let of =
                    [self.alpha(by), self.beta_of_parts(by, words), self.gamma_of_parts(words)];
                Expr::call("ring_time", of, move |of| law::ring_time(p, m, of))
            }
        }
    }

    fn gamma_of_whole(&self, words: u32) -> Expr {
        self.adds[&(1, words)].per_unit() / bytes(words)
    }
}

/// Tells the plan how much longer a message of `words` words takes than the longest of the shorter ones, so that it is not tried
/// if that one shows that it takes too long.
fn grow<'a>(
    plan: &mut Plan,
    case: CaseId,
    words: u32,
    shorter: impl DoubleEndedIterator<Item = (&'a (u32, u32), &'a CaseId)>,
) {
    // A message of one word takes as long as one of many: it says nothing.
    if let Some((&(_, fewer), &longest)) = shorter.rev().find(|((_, fewer), _)| *fewer > 1) {
        plan.grows_from(case, longest, f64::from(words) / f64::from(fewer));
    }
}

fn bytes(words: u32) -> f64 {
    f64::from(words) * f64::from(WORD_BYTES)
}

/// Returns the id of a case. Two regions are usual and not named.
fn id(name: &str, words: u32, regions: u32) -> String {
    let suffix = if regions == 2 { String::new() } else { format!(".{regions}") };
    format!("{name}.{}{suffix}", u64::from(words) * u64::from(WORD_BYTES))
}
