//! Schedules: the messages of an exchange as one rank sends and receives them, step by step.
//!
//! A schedule is pure data. A rank executes its own over a [`Link`](super::Link), and the simulator follows those of all ranks.
//!
//! # Source
//! R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective communication operations in MPICH", International
//! Journal of High Performance Computing Applications, 2005. It describes the ring, recursive doubling, and how ranks beyond a
//! power of two are folded into the others.

use std::ops::Range;

use crate::gpu::{Algorithm, Exchange, Pattern, Traffic};

/// A message to or from another rank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The other rank.
    pub peer: u32,
    /// Place of the message in the array of this rank, in 32-bit floats. It may be empty.
    pub range: Range<usize>,
}

/// A step of a rank: it sends and receives at the same time, and waits for both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The message that the rank sends.
    pub send: Option<Transfer>,
    /// The message that the rank receives.
    pub receive: Option<Transfer>,
    /// Whether the received message is added to what is in its place. Otherwise it replaces that.
    pub add: bool,
}

impl Step {
    fn new(
        send: Option<(u32, Range<usize>)>,
        receive: Option<(u32, Range<usize>)>,
        add: bool,
    ) -> Self {
        let transfer = |(peer, range)| Transfer { peer, range };
        Self { send: send.map(transfer), receive: receive.map(transfer), add }
    }
}

/// Returns the place of part `index` of an array of `words` words in `parts` parts. Their lengths differ by at most one.
#[must_use]
pub fn part(words: u32, parts: u32, index: u32) -> Range<usize> {
    let start = |index: u32| (u64::from(words) * u64::from(index) / u64::from(parts)) as usize;
    start(index)..start(index + 1)
}

/// Returns the length of the longest of `parts` parts of an array of `words` words.
#[must_use]
pub fn longest_part(words: u32, parts: u32) -> u32 {
    words.div_ceil(parts)
}

/// Returns the schedules of `rank` among `ranks` ranks. Repeats use them in turn.
///
/// They are empty if the exchange sends no messages, or if the message library chooses them.
#[must_use]
pub fn schedules(exchange: Exchange, ranks: u32, rank: u32) -> Vec<Vec<Step>> {
    let words = exchange.words as usize;
    let next = (rank + 1) % ranks;
    let previous = (rank + ranks - 1) % ranks;
    match exchange.pattern {
        Pattern::PingPong => {
            // The first rank sends what it received before, so that every message is one that has just arrived.
            let ping_pong = |index| {
                let send = |place| Step::new(Some((next, place)), None, false);
                let receive = |place| Step::new(None, Some((previous, place)), false);
                if rank == 0 {
                    return vec![
                        send(region(exchange, index)),
                        receive(region(exchange, (index + 1) % 2)),
                    ];
                }
                vec![receive(0..words), send(0..words)]
            };
            (0..2).map(ping_pong).collect()
        }
        Pattern::Shift { regions } => {
            let shift = |index| {
                let send = (next, region(exchange, index));
                let receive = (previous, region(exchange, (index + 1) % regions));
                vec![Step::new(Some(send), Some(receive), false)]
            };
            (0..regions).map(shift).collect()
        }
        Pattern::AllReduce { algorithm: Algorithm::Ring, .. } => {
            vec![ring(exchange.words, ranks, rank)]
        }
        Pattern::AllReduce { algorithm: Algorithm::Doubling, .. } => {
            vec![doubling(words, ranks, rank)]
        }
        Pattern::AllReduce { algorithm: Algorithm::Naive, .. } => vec![naive(words, ranks, rank)],
        Pattern::AllReduce { algorithm: Algorithm::Library | Algorithm::LibraryRing, .. }
        | Pattern::Nothing
        | Pattern::Add { .. }
        | Pattern::Device(_) => Vec::new(),
    }
}

/// Words by multiples of which regions are apart, which are 4096 bytes. A core that copies from one place to another takes a
/// load for one of what it has just stored if the last twelve bits of their addresses are equal, so that a copy by a few
/// words more than a multiple is slower than all others.
const APART: usize = 1024;

/// Returns the place of region `index` of a rank's array for this exchange.
#[must_use]
pub(super) fn region(exchange: Exchange, index: u32) -> Range<usize> {
    let start = index as usize * region_step(exchange);
    start..start + exchange.words as usize
}

/// Returns the distance in words from the start of a region to that of the next one.
fn region_step(exchange: Exchange) -> usize {
    (exchange.words as usize).next_multiple_of(APART)
}

/// Returns the number of words in a rank's array for this exchange.
#[must_use]
pub fn array_words(exchange: Exchange) -> usize {
    region(exchange, regions(exchange.pattern) - 1).end
}

/// Returns the number of regions in a rank's array, which the repeats of an exchange use in turn.
pub(super) fn regions(pattern: Pattern) -> u32 {
    match pattern {
        Pattern::PingPong => 2,
        Pattern::Shift { regions } | Pattern::Add { regions } => regions,
        Pattern::Nothing | Pattern::AllReduce { .. } | Pattern::Device(_) => 1,
    }
}

/// Returns what a rank sends by this schedule.
#[must_use]
pub fn traffic(steps: &[Step]) -> Traffic {
    let sent = steps.iter().filter_map(|step| step.send.as_ref());
    sent.fold(Traffic::default(), |all, send| Traffic {
        messages: all.messages + 1,
        words: all.words + send.range.len() as u64,
    })
}

/// p − 1 steps in which each part is added up as it goes around the ring, and p − 1 steps in which the sums go around.
fn ring(words: u32, ranks: u32, rank: u32) -> Vec<Step> {
    let (next, previous) = ((rank + 1) % ranks, (rank + ranks - 1) % ranks);
    // The part that a rank sends in a step; it receives the one before it.
    let step = |sent: u32, add| {
        let of = |index: u32| part(words, ranks, index % ranks);
        Step::new(Some((next, of(sent))), Some((previous, of(sent + ranks - 1))), add)
    };
    let adding = (0..ranks - 1).map(|at| step(rank + ranks - at, true));
    let gathering = (0..ranks - 1).map(|at| step(rank + ranks + 1 - at, false));
    adding.chain(gathering).collect()
}

/// Pairs exchange and add whole messages, at twice the distance in each step. Ranks beyond a power of two give their message
/// to a neighbour first, and receive the sum last.
fn doubling(words: usize, ranks: u32, rank: u32) -> Vec<Step> {
    let paired = 1 << ranks.ilog2();
    let beyond = ranks - paired;
    let all = 0..words;
    let is_folded = rank < 2 * beyond;
    if is_folded && rank.is_multiple_of(2) {
        return vec![
            Step::new(Some((rank + 1, all.clone())), None, false),
            Step::new(None, Some((rank + 1, all)), false),
        ];
    }
    let mut steps = Vec::new();
    if is_folded {
        steps.push(Step::new(None, Some((rank - 1, all.clone())), true));
    }
    let place = if is_folded { rank / 2 } else { rank - beyond };
    let rank_at = |place: u32| if place < beyond { 2 * place + 1 } else { place + beyond };
    for bit in 0..paired.ilog2() {
        let peer = rank_at(place ^ (1 << bit));
        steps.push(Step::new(Some((peer, all.clone())), Some((peer, all.clone())), true));
    }
    if is_folded {
        steps.push(Step::new(Some((rank - 1, all)), None, false));
    }
    steps
}

/// The first rank receives and adds one message after another, and then sends the sum to one rank after another.
fn naive(words: usize, ranks: u32, rank: u32) -> Vec<Step> {
    let all = 0..words;
    if rank == 0 {
        let receive = |from| Step::new(None, Some((from, all.clone())), true);
        let send = |to| Step::new(Some((to, all.clone())), None, false);
        return (1..ranks).map(receive).chain((1..ranks).map(send)).collect();
    }
    vec![Step::new(Some((0, all.clone())), None, false), Step::new(None, Some((0, all)), false)]
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, VecDeque};

    use proptest::prelude::*;

    use super::*;
    use crate::gpu::Arithmetic;

    fn all_reduce(algorithm: Algorithm, words: u32) -> Exchange {
        let pattern = Pattern::AllReduce { algorithm, arithmetic: Arithmetic::Host };
        Exchange { pattern, words, traffic: None }
    }

    /// Executes one repeat of all ranks on `arrays`, without regard to time. Messages of a pair arrive in order.
    fn execute(exchange: Exchange, repeat: usize, arrays: &mut [Vec<f64>]) -> Traffic {
        let ranks = arrays.len() as u32;
        let schedules: Vec<Vec<Step>> = (0..ranks)
            .map(|rank| {
                let all = schedules(exchange, ranks, rank);
                all[repeat % all.len()].clone()
            })
            .collect();
        let mut on_the_way: HashMap<(u32, u32), VecDeque<Vec<f64>>> = HashMap::new();
        let mut at = vec![0; arrays.len()];
        let mut has_sent = vec![false; arrays.len()];
        loop {
            let mut progressed = false;
            for rank in 0..arrays.len() {
                let Some(step) = schedules[rank].get(at[rank]) else { continue };
                if let Some(send) = step.send.as_ref().filter(|_| !has_sent[rank]) {
                    let message = arrays[rank][send.range.clone()].to_vec();
                    on_the_way.entry((rank as u32, send.peer)).or_default().push_back(message);
                    progressed = true;
                }
                has_sent[rank] = true;
                if let Some(receive) = &step.receive {
                    let queue = on_the_way.entry((receive.peer, rank as u32)).or_default();
                    let Some(message) = queue.pop_front() else { continue };
                    let place = &mut arrays[rank][receive.range.clone()];
                    assert_eq!(place.len(), message.len());
                    for (word, received) in place.iter_mut().zip(message) {
                        *word = received + if step.add { *word } else { 0.0 };
                    }
                }
                (at[rank], has_sent[rank], progressed) = (at[rank] + 1, false, true);
            }
            if !progressed {
                break;
            }
        }
        assert!(at.iter().zip(&schedules).all(|(&at, steps)| at == steps.len()), "ranks wait");
        assert!(on_the_way.values().all(VecDeque::is_empty), "messages are left");
        let sent = schedules.iter().map(|steps| traffic(steps));
        sent.fold(Traffic::default(), |a, b| Traffic {
            messages: a.messages + b.messages,
            words: a.words + b.words,
        })
    }

    proptest! {
        #[test]
        fn every_algorithm_gives_every_rank_the_sum(ranks in 2..20u32, words in 0..70u32) {
            let of = |rank: u32, word: u32| f64::from(1 + rank) * f64::from(1 + word % 7);
            let total = f64::from(ranks * (ranks + 1) / 2);
            for algorithm in [Algorithm::Ring, Algorithm::Doubling, Algorithm::Naive] {
                let array = |rank| (0..words).map(|word| of(rank, word)).collect::<Vec<_>>();
                let mut arrays: Vec<_> = (0..ranks).map(array).collect();
                execute(all_reduce(algorithm, words), 0, &mut arrays);
                for (rank, array) in arrays.iter().enumerate() {
                    for (word, &sum) in array.iter().enumerate() {
                        let expected = total * of(0, word as u32);
                        prop_assert_eq!(sum, expected, "{:?}, rank {}, word {}", algorithm, rank, word);
                    }
                }
            }
        }
    }

    #[test]
    fn a_ring_sends_as_the_law_says_even_if_there_are_fewer_words_than_ranks() {
        for (ranks, words) in [(2u32, 1000u32), (3, 1000), (4, 3), (7, 1), (5, 0)] {
            let mut arrays = vec![vec![1.0; words as usize]; ranks as usize];
            let sent = execute(all_reduce(Algorithm::Ring, words), 0, &mut arrays);
            let steps = 2 * u64::from(ranks - 1);
            let expected =
                Traffic { messages: u64::from(ranks) * steps, words: steps * u64::from(words) };
            assert_eq!(sent, expected);
        }
    }

    #[test]
    fn a_ping_pong_visits_every_rank_and_a_shift_moves_every_region_by_one_rank() {
        let of_rank = |words: usize| (0..3).map(|rank| vec![f64::from(rank); words]).collect();
        let ping_pong = Exchange { pattern: Pattern::PingPong, words: 2, traffic: None };
        let mut arrays: Vec<Vec<f64>> = of_rank(array_words(ping_pong));
        execute(ping_pong, 0, &mut arrays);
        let regions = |arrays: &[Vec<f64>], exchange, count| -> Vec<Vec<f64>> {
            let of =
                |array: &Vec<f64>| (0..count).map(|at| array[region(exchange, at).start]).collect();
            arrays.iter().map(of).collect()
        };
        assert_eq!(regions(&arrays, ping_pong, 2), [[0.0, 0.0], [0.0, 1.0], [0.0, 2.0]]);

        let shift = Exchange { pattern: Pattern::Shift { regions: 3 }, words: 1, traffic: None };
        let mut arrays: Vec<Vec<f64>> = of_rank(array_words(shift));
        execute(shift, 0, &mut arrays);
        let expected = [[0.0, 2.0, 0.0], [1.0, 0.0, 1.0], [2.0, 1.0, 2.0]];
        assert_eq!(regions(&arrays, shift, 3), expected);
        execute(shift, 1, &mut arrays);
        let expected = [[0.0, 2.0, 1.0], [1.0, 0.0, 2.0], [2.0, 1.0, 0.0]];
        assert_eq!(regions(&arrays, shift, 3), expected);
    }

    #[test]
    fn parts_cover_an_array_and_differ_by_at_most_one() {
        for (words, parts) in [(10, 3), (2, 5), (0, 4), (u32::MAX, 7)] {
            let all: Vec<_> = (0..parts).map(|index| part(words, parts, index)).collect();
            assert!(all.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert_eq!((all[0].start, all[parts as usize - 1].end), (0, words as usize));
            let longest = all.iter().map(Range::len).max().unwrap_or(0);
            assert_eq!(longest as u32, longest_part(words, parts));
            assert!(all.iter().all(|part| part.len() + 1 >= longest));
        }
    }
}
