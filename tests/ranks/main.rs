//! Runs of threads instead of processes, with the simulated device.

mod threads;

use std::cell::RefCell;
use std::rc::Rc;
use std::thread::{JoinHandle, spawn};

use threads::{Threads, threads};
use warplaw::experiments::ring::law;
use warplaw::gpu::{
    Algorithm, Arithmetic, Check, Contents, Exchange, Executor, Pattern, Ranks, Timing, Traffic,
    Workload,
};
use warplaw::ranks::{Leader, Link, Participant, end};
use warplaw::sim::{Machine, Simulator};

/// A link that changes what it receives.
struct Wrong(Threads);

impl Link for Wrong {
    fn rank(&self) -> u32 {
        self.0.rank()
    }

    fn ranks(&self) -> u32 {
        self.0.ranks()
    }

    fn transfer(&mut self, send: Option<(u32, &[f32])>, receive: Option<(u32, &mut [f32])>) {
        match receive {
            Some((from, place)) => {
                self.0.transfer(send, Some((from, &mut *place)));
                if let Some(word) = place.last_mut() {
                    *word += 1.0;
                }
            }
            None => self.0.transfer(send, None),
        }
    }

    fn barrier(&mut self) {
        self.0.barrier();
    }

    fn all_reduce(&mut self, by_ring: bool, input: &[f32], output: &mut [f32]) {
        self.0.all_reduce(by_ring, input, output);
    }

    fn forces_ring(&self) -> bool {
        self.0.forces_ring()
    }

    fn broadcast(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.broadcast(bytes)
    }

    fn gather(&mut self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        self.0.gather(bytes)
    }
}

/// The first rank as an executor, and the threads of the others. `of` may replace the link of a rank.
struct Group {
    leader: Leader,
    participant: Rc<RefCell<Participant>>,
    others: Vec<JoinHandle<()>>,
}

impl Group {
    fn new(count: u32, of: fn(Threads) -> Box<dyn Link + Send>) -> Self {
        let mut links = threads(count).into_iter();
        let first = links.next().expect("there is a first rank");
        let follow = |link: Threads| {
            let link = of(link);
            spawn(move || Participant::new(link, None).follow())
        };
        let others = links.map(follow).collect();
        let participant = Rc::new(RefCell::new(Participant::new(Box::new(first), None)));
        let device = Box::new(Simulator::new(Machine::lawful(32)));
        let ranks = Ranks { count, forces_ring: true, doubt: None };
        let leader = Leader::new(device, Rc::clone(&participant), ranks);
        Self { leader, participant, others }
    }

    fn end(self) {
        end(&self.participant);
        self.others.into_iter().for_each(|other| other.join().expect("the thread ends"));
    }
}

fn workload(pattern: Pattern, words: u32, traffic: Option<Traffic>) -> Workload {
    let exchange = Exchange { pattern, words, traffic };
    let check = Check::new(vec![0], || vec![0]);
    Workload::checked(
        format!("{pattern:?}"),
        Vec::new(),
        vec![Contents::Zeroed(words as usize)],
        check,
    )
    .timed(Timing::Exchange { exchange, repeats: 3 })
}

fn all_reduce(algorithm: Algorithm) -> Pattern {
    Pattern::AllReduce { algorithm, arithmetic: Arithmetic::Host }
}

fn patterns() -> Vec<Pattern> {
    let algorithms = [
        Algorithm::Ring,
        Algorithm::Doubling,
        Algorithm::Naive,
        Algorithm::Library,
        Algorithm::LibraryRing,
    ];
    let of_messages = [
        Pattern::Nothing,
        Pattern::Relay,
        Pattern::Shift { regions: 2 },
        Pattern::Shift { regions: 3 },
        Pattern::Add { regions: 1 },
        Pattern::Add { regions: 4 },
    ];
    of_messages.into_iter().chain(algorithms.map(all_reduce)).collect()
}

#[test]
fn every_exchange_is_right_at_every_length_and_is_timed() {
    for count in [2, 3, 4, 5, 8] {
        let mut group = Group::new(count, |link| Box::new(link));
        let workloads: Vec<Workload> = [1, 3, 1000, 1024, 20_011]
            .into_iter()
            .flat_map(|words| patterns().into_iter().map(move |of| workload(of, words, None)))
            .collect();
        let refusals = group.leader.load(&workloads).expect("the ranks load");
        assert!(refusals.iter().all(Option::is_none), "{refusals:?}");
        for (index, workload) in workloads.iter().enumerate() {
            let verified = group.leader.verify(index, workload).expect("the ranks verify");
            assert_eq!(verified, Ok(()), "{count} ranks, {}", workload.label());
        }
        let order: Vec<usize> = (0..workloads.len()).rev().collect();
        let spans = group.leader.round(&order).expect("the ranks take samples");
        assert!(spans.iter().all(|span| span.is_ok_and(|s| s > 0.0)), "{spans:?}");
        group.end();
    }
}

#[test]
fn a_wrong_word_of_any_rank_is_found() {
    let mut group =
        Group::new(3, |link| if link.rank() == 2 { Box::new(Wrong(link)) } else { Box::new(link) });
    let with_messages: Vec<Pattern> = patterns()
        .into_iter()
        .filter(|pattern| !matches!(pattern, Pattern::Nothing | Pattern::Add { .. }))
        .filter(|pattern| {
            let of_library = [Algorithm::Library, Algorithm::LibraryRing].map(all_reduce);
            !of_library.contains(pattern)
        })
        .collect();
    let workloads: Vec<Workload> =
        with_messages.iter().map(|&pattern| workload(pattern, 100, None)).collect();
    group.leader.load(&workloads).expect("the ranks load");
    for (index, workload) in workloads.iter().enumerate() {
        let verified = group.leader.verify(index, workload).expect("the ranks verify");
        assert!(verified.is_err(), "{}", workload.label());
    }
    group.end();
}

#[test]
fn a_wrong_number_of_messages_is_found() {
    let mut group = Group::new(4, |link| Box::new(link));
    let law = law::traffic(Algorithm::Ring, 4, 100);
    let off = law.map(|law| Traffic { messages: law.messages - 1, ..law });
    let workloads = [law, off].map(|traffic| workload(all_reduce(Algorithm::Ring), 100, traffic));
    group.leader.load(&workloads).expect("the ranks load");
    assert_eq!(group.leader.verify(0, &workloads[0]).expect("the ranks verify"), Ok(()));
    let error = group.leader.verify(1, &workloads[1]).expect_err("the count is wrong");
    assert!(error.to_string().contains("24 messages of 600 words"), "{error}");
    group.end();
}

#[test]
fn additions_on_a_device_are_refused_without_one() {
    let mut group = Group::new(2, |link| Box::new(link));
    let pattern = Pattern::AllReduce { algorithm: Algorithm::Ring, arithmetic: Arithmetic::Device };
    let workloads = [pattern, all_reduce(Algorithm::Ring)].map(|of| workload(of, 64, None));
    let refusals = group.leader.load(&workloads).expect("the ranks load");
    assert_eq!(refusals[0].as_deref(), Some("rank 0: the rank has opened no device"));
    assert_eq!(refusals[1], None);
    group.end();
}
