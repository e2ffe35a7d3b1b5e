//! Runs of threads instead of processes, with the simulated device.

mod threads;

use std::cell::RefCell;
use std::process::exit;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::thread::{JoinHandle, spawn};

use threads::{Threads, threads};
use warplaw::bench::{Profile, Session, run};
use warplaw::experiments::find;
use warplaw::experiments::ring::law;
use warplaw::gpu::{
    Algorithm, Arithmetic, Check, Contents, Exchange, Executor, Pattern, Ranks, Timing, Traffic,
    Workload,
};
use warplaw::model::Status;
use warplaw::ranks::{Greeting, Leader, Link, Participant, end};
use warplaw::sim::{Machine, Simulator};

/// A link that changes every message that it receives, from the one of this number on.
struct Wrong {
    link: Threads,
    from: usize,
    received: usize,
}

impl Link for Wrong {
    fn rank(&self) -> u32 {
        self.link.rank()
    }

    fn ranks(&self) -> u32 {
        self.link.ranks()
    }

    fn transfer(&mut self, send: Option<(u32, &[f32])>, receive: Option<(u32, &mut [f32])>) {
        match receive {
            Some((from, place)) => {
                self.link.transfer(send, Some((from, &mut *place)));
                if let Some(word) = place.last_mut().filter(|_| self.received >= self.from) {
                    *word += 1.0;
                }
                self.received += 1;
            }
            None => self.link.transfer(send, None),
        }
    }

    fn barrier(&mut self) {
        self.link.barrier();
    }

    fn all_reduce(&mut self, by_ring: bool, input: &[f32], output: &mut [f32]) {
        self.link.all_reduce(by_ring, input, output);
    }

    fn forces_ring(&self) -> bool {
        self.link.forces_ring()
    }

    fn broadcast(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        self.link.broadcast(bytes)
    }

    fn gather(&mut self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        self.link.gather(bytes)
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
            spawn(move || Participant::new(link, exit).follow())
        };
        let others = links.map(follow).collect();
        let participant = Rc::new(RefCell::new(Participant::new(Box::new(first), exit)));
        let device = Box::new(Simulator::new(Machine::lawful(32)));
        let ranks = Ranks { count, forces_ring: true, oversubscribed: None, links_differ: false };
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
        Pattern::PingPong,
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
    let mut group = Group::new(3, |link| match link.rank() {
        2 => Box::new(Wrong { link, from: 0, received: 0 }),
        _ => Box::new(link),
    });
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
        assert!(verified.is_err_and(|wrong| wrong.rank.is_some()), "{}", workload.label());
    }
    group.end();
}

#[test]
fn a_wrong_word_of_the_last_region_is_found() {
    let mut group = Group::new(2, |link| Box::new(Wrong { link, from: 2, received: 0 }));
    let shift = workload(Pattern::Shift { regions: 3 }, 100, None);
    group.leader.load(std::slice::from_ref(&shift)).expect("the ranks load");
    let verified = group.leader.verify(0, &shift).expect("the ranks verify");
    assert_eq!(verified.map_err(|wrong| (wrong.rank, wrong.index)), Err((Some(1), 99)));
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

#[test]
fn an_experiment_goes_on_without_what_a_single_rank_refuses() {
    let Group { leader, participant, others } = Group::new(2, |link| Box::new(link));
    // The clock of the simulated device stands still while the ranks send messages.
    let profile = Profile { least_rounds: 3, most_rounds: 3, ..Profile::QUICK };
    let mut session = Session::open(Box::new(leader), profile, 1).expect("the device opens");
    let ring = find("ring").expect("the experiment is registered");
    let outcome = run(&mut session, ring, &AtomicBool::new(false), &mut |_| ());
    let outcome = outcome.expect("the ranks measure");
    assert_eq!(outcome.status, Status::Measured, "{:?}", outcome.reason);
    for case in &outcome.cases {
        assert_eq!(
            case.verified,
            !case.id.starts_with("device."),
            "{}: {:?}",
            case.id,
            case.failure
        );
    }
    let refused = "rank 0: the rank has opened no device";
    assert!(outcome.diagnosis.iter().any(|line| line.contains(refused)), "{:?}", outcome.diagnosis);
    drop(session);
    end(&participant);
    others.into_iter().for_each(|other| other.join().expect("the thread ends"));
}

fn greeting(build: &str) -> Greeting {
    let (host, build) = ("a".to_owned(), build.to_owned());
    Greeting { host, build, cores: None, core_count: 2 }
}

/// Lets ranks meet, of which the last one says `last`, and returns what each of the others hears.
fn meet(count: u32, last: fn(&mut Threads)) -> Vec<Result<Vec<Greeting>, String>> {
    let mut links = threads(count);
    let mut odd = links.pop().expect("there is a last rank");
    let odd = spawn(move || last(&mut odd));
    let meet =
        |link: Threads| spawn(move || Participant::new(Box::new(link), exit).meet(&greeting("1")));
    let others: Vec<_> = links.into_iter().map(meet).collect();
    let heard = others.into_iter().map(|other| other.join().expect("the thread ends")).collect();
    odd.join().expect("the thread ends");
    heard
}

/// Says this in place of a greeting, and hears the answer.
fn say(link: &mut Threads, bytes: &[u8]) {
    link.gather(bytes.to_vec());
    link.broadcast(Vec::new());
}

#[test]
fn ranks_of_another_build_are_refused_by_number_even_if_nothing_they_say_can_be_read() {
    let same = meet(3, |link| say(link, &serde_json::to_vec(&greeting("1")).expect("it is text")));
    assert!(same.iter().all(|heard| heard.as_ref().is_ok_and(|all| all.len() == 3)), "{same:?}");
    let older = meet(3, |link| say(link, &serde_json::to_vec(&greeting("0")).expect("it is text")));
    let expected =
        "rank 2 on host `a` runs 0, and rank 0 on host `a` 1: install one build on all hosts";
    assert_eq!(older, vec![Err(expected.to_owned()); 2]);
    let unreadable = meet(3, |link| say(link, b"{}"));
    let expected =
        "rank 2 runs another build, and rank 0 on host `a` 1: install one build on all hosts";
    assert_eq!(unreadable, vec![Err(expected.to_owned()); 2]);
}

#[test]
fn a_rank_without_an_adapter_is_named_on_every_rank() {
    let opened = [Ok("GPU".to_owned()), Err("no adapter".to_owned()), Ok("GPU".to_owned())];
    let ranks = threads(3).into_iter().zip(opened).map(|(link, opened)| {
        spawn(move || {
            let mut rank = Participant::new(Box::new(link), exit);
            let greetings = rank.meet(&greeting("1")).expect("the builds are equal");
            rank.compare_adapters(&opened, &greetings)
        })
    });
    let ranks: Vec<_> = ranks.collect();
    for rank in ranks {
        let heard = rank.join().expect("the thread ends");
        assert_eq!(heard, Err("rank 1 on host `a`: no adapter".to_owned()));
    }
}
