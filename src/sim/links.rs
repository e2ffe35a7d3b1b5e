//! Links between simulated ranks, and the time of an exchange over them.
//!
//! Each rank has a clock. A message leaves when its sender and its receiver are both ready, and a step of a rank ends when its
//! messages have arrived. So the time of an algorithm follows from its schedule, and not from a formula.

use std::collections::{BTreeMap, VecDeque};

use crate::gpu::{Algorithm, Arithmetic, DeviceWork, Exchange, Pattern};
use crate::ranks::{Step, longest_part, schedules};

/// The ranks that run together, and the links between them. All times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Links {
    /// Number of ranks.
    pub ranks: u32,
    /// From the moment when both ends are ready to the arrival of an empty message.
    pub message_s: f64,
    /// A byte of a message.
    pub byte_s: f64,
    /// Factor by which a byte takes longer if an end of the message sends and receives at the same time.
    pub bidirectional_factor: f64,
    /// Adding a byte on the host.
    pub add_byte_s: f64,
    /// Length in bytes below which the message library doubles recursively instead of using a ring.
    pub library_ring_bytes: u32,
}

/// Bytes of a 32-bit float.
const WORD_BYTES: f64 = 4.0;

/// When ranks were ready for messages: the step and the time of each, in order.
type Posts = VecDeque<(usize, f64)>;

/// A rank on its way through its schedule.
#[derive(Clone, Default)]
struct Progress {
    /// The step that it is in.
    at: usize,
    /// When it began this step; `None` before it has told the others.
    posted_s: Option<f64>,
    now_s: f64,
    /// When its messages of this step have arrived.
    sent_s: Option<f64>,
    received_s: Option<f64>,
}

impl Links {
    /// Returns the seconds of one repeat of `exchange`. `work_s` gives those of a part of a step on the device, for words of a
    /// message.
    pub(super) fn exchange_s(
        &self,
        exchange: Exchange,
        work_s: impl Fn(DeviceWork, u32) -> f64,
    ) -> f64 {
        let bytes = |words: u32| WORD_BYTES * f64::from(words);
        match exchange.pattern {
            Pattern::Nothing => 0.0,
            Pattern::Add { .. } => bytes(exchange.words) * self.add_byte_s,
            Pattern::Device(work) => {
                let wait =
                    Exchange { pattern: Pattern::Shift { regions: 2 }, words: 1, ..exchange };
                work_s(work, exchange.words) + self.messages_s(wait, Arithmetic::Host)
            }
            Pattern::AllReduce { algorithm, arithmetic } => {
                let algorithm = match algorithm {
                    Algorithm::LibraryRing => Algorithm::Ring,
                    Algorithm::Library
                        if bytes(exchange.words) < f64::from(self.library_ring_bytes) =>
                    {
                        Algorithm::Doubling
                    }
                    Algorithm::Library => Algorithm::Ring,
                    own => own,
                };
                let pattern = Pattern::AllReduce { algorithm, arithmetic };
                let messages_s = self.messages_s(Exchange { pattern, ..exchange }, arithmetic);
                match arithmetic {
                    Arithmetic::Host => messages_s,
                    Arithmetic::Device => messages_s + self.device_s(exchange, work_s),
                }
            }
            Pattern::PingPong | Pattern::Shift { .. } => {
                self.messages_s(exchange, Arithmetic::Host)
            }
        }
    }

    /// Returns the seconds for which each rank uses its device in a ring.
    fn device_s(&self, exchange: Exchange, work_s: impl Fn(DeviceWork, u32) -> f64) -> f64 {
        let of = |work| work_s(work, longest_part(exchange.words, self.ranks));
        let steps = f64::from(self.ranks - 1);
        of(DeviceWork::ReadBack) + steps * (of(DeviceWork::Step) + of(DeviceWork::Upload))
    }

    /// Returns the seconds until the last rank has completed its schedule.
    fn messages_s(&self, exchange: Exchange, arithmetic: Arithmetic) -> f64 {
        let steps: Vec<Vec<Step>> = (0..self.ranks)
            .map(|rank| schedules(exchange, self.ranks, rank).swap_remove(0))
            .collect();
        let mut ranks = vec![Progress::default(); steps.len()];
        // For each pair, when the sender was ready for the messages that no receiver has taken, and for the receivers likewise.
        let mut ready: BTreeMap<(u32, u32), [Posts; 2]> = BTreeMap::new();
        let mut is_moving = true;
        while is_moving {
            is_moving = false;
            for rank in 0..ranks.len() {
                let Some(step) = steps[rank].get(ranks[rank].at) else { continue };
                let of = &mut ranks[rank];
                if of.posted_s.is_none() {
                    of.posted_s = Some(of.now_s);
                    let post = (of.at, of.now_s);
                    if let Some(send) = &step.send {
                        ready.entry((rank as u32, send.peer)).or_default()[0].push_back(post);
                    }
                    if let Some(receive) = &step.receive {
                        ready.entry((receive.peer, rank as u32)).or_default()[1].push_back(post);
                    }
                    is_moving = true;
                }
            }
            for (&(from, to), [senders, receivers]) in &mut ready {
                if senders.is_empty() || receivers.is_empty() {
                    continue;
                }
                let (sent, received) = (senders.pop_front(), receivers.pop_front());
                let (Some((send_at, send_s)), Some((receive_at, receive_s))) = (sent, received)
                else {
                    continue;
                };
                let [from, to] = [from, to].map(|rank| rank as usize);
                let [sender, receiver] = [&steps[from][send_at], &steps[to][receive_at]];
                let arrival_s = send_s.max(receive_s) + self.message_s([sender, receiver]);
                ranks[from].sent_s = Some(arrival_s);
                ranks[to].received_s = Some(arrival_s);
                is_moving = true;
            }
            for (steps, rank) in steps.iter().zip(&mut ranks) {
                let Some(step) = steps.get(rank.at).filter(|_| rank.posted_s.is_some()) else {
                    continue;
                };
                let is_complete = step.send.is_some() == rank.sent_s.is_some()
                    && step.receive.is_some() == rank.received_s.is_some();
                if !is_complete {
                    continue;
                }
                let arrived_s = rank.sent_s.into_iter().chain(rank.received_s);
                let added = step.receive.as_ref().filter(|_| step.add);
                let added_s = added
                    .filter(|_| arithmetic == Arithmetic::Host)
                    .map_or(0.0, |of| WORD_BYTES * of.range.len() as f64 * self.add_byte_s);
                let now_s = arrived_s.fold(rank.now_s, f64::max) + added_s;
                *rank = Progress { at: rank.at + 1, now_s, ..Progress::default() };
                is_moving = true;
            }
        }
        let is_done = ranks.iter().zip(&steps).all(|(rank, steps)| rank.at == steps.len());
        assert!(is_done, "ranks wait for one another without end: {exchange:?}");
        ranks.iter().map(|rank| rank.now_s).fold(0.0, f64::max)
    }

    /// Returns the seconds of a message between these steps of its sender and its receiver.
    fn message_s(&self, [sender, receiver]: [&Step; 2]) -> f64 {
        let words = sender.send.as_ref().map_or(0, |send| send.range.len());
        let is_both = |step: &Step| step.send.is_some() && step.receive.is_some();
        let factor =
            if is_both(sender) || is_both(receiver) { self.bidirectional_factor } else { 1.0 };
        self.message_s + factor * WORD_BYTES * words as f64 * self.byte_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINKS: Links = Links {
        ranks: 4,
        message_s: 1e-6,
        byte_s: 1e-9,
        bidirectional_factor: 1.5,
        add_byte_s: 0.25e-9,
        library_ring_bytes: 1 << 16,
    };

    fn seconds(links: Links, pattern: Pattern, words: u32) -> f64 {
        let exchange = Exchange { pattern, words, traffic: None };
        links.exchange_s(exchange, |_, _| 0.0)
    }

    fn all_reduce(algorithm: Algorithm) -> Pattern {
        Pattern::AllReduce { algorithm, arithmetic: Arithmetic::Host }
    }

    #[test]
    fn the_schedules_take_what_their_formulas_say() {
        let near = |found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 1e-9, "{found} and not {expected}");
        };
        let (words, bytes) = (4096, 16384.0);
        // Three steps with additions and three without, each with a quarter of the message.
        let step_s = 1e-6 + 1.5e-9 * bytes / 4.0;
        let ring_s = 6.0 * step_s + 3.0 * 0.25e-9 * bytes / 4.0;
        near(seconds(LINKS, all_reduce(Algorithm::Ring), words), ring_s);
        let whole_s = 1e-6 + 1.5e-9 * bytes + 0.25e-9 * bytes;
        near(seconds(LINKS, all_reduce(Algorithm::Doubling), words), 2.0 * whole_s);
        let one_way_s = 1e-6 + 1e-9 * bytes;
        let naive_s = 6.0 * one_way_s + 3.0 * 0.25e-9 * bytes;
        near(seconds(LINKS, all_reduce(Algorithm::Naive), words), naive_s);
        near(seconds(LINKS, Pattern::PingPong, words), 4.0 * one_way_s);
        near(seconds(LINKS, Pattern::Shift { regions: 2 }, words), 1e-6 + 1.5e-9 * bytes);
        // With three ranks, one of them is folded into another: two more steps, each in one direction.
        let three = Links { ranks: 3, ..LINKS };
        let folded_s = 2.0 * one_way_s + 0.25e-9 * bytes + whole_s;
        near(seconds(three, all_reduce(Algorithm::Doubling), words), folded_s);
    }

    #[test]
    fn the_library_chooses_by_the_length_of_the_message() {
        for (words, own) in [(1024, Algorithm::Doubling), (1 << 20, Algorithm::Ring)] {
            let library_s = seconds(LINKS, all_reduce(Algorithm::Library), words);
            assert_eq!(library_s, seconds(LINKS, all_reduce(own), words));
        }
        let forced_s = seconds(LINKS, all_reduce(Algorithm::LibraryRing), 1024);
        assert_eq!(forced_s, seconds(LINKS, all_reduce(Algorithm::Ring), 1024));
    }
}
