//! One rank: runs exchanges, and takes their time.

use std::ops::Range;
use std::time::Instant;

use super::command::{Answer, Command, from_bytes, to_bytes};
use super::device::{Device, parts_of};
use super::link::{Counting, Link};
use super::schedule::{Step, Transfer, array_words, part, region, schedules};
use super::watchdog::{Exit, Watchdog};
use crate::gpu::{Algorithm, Arithmetic, DeviceWork, Exchange, Pattern};

/// A rank with its link, its device and what it has loaded.
pub struct Participant {
    pub(super) link: Counting,
    pub(super) watchdog: Watchdog,
    /// The device, or the reason why the rank has none.
    pub(super) device: Result<Device, String>,
    pub(super) loaded: Vec<Loaded>,
    /// The rank's own message or messages.
    pub(super) array: Vec<f32>,
    /// Receives what is added, and the sums of the message library.
    pub(super) other: Vec<f32>,
}

pub(super) struct Loaded {
    pub(super) exchange: Exchange,
    repeats: u32,
    schedules: Vec<Vec<Step>>,
}

impl Participant {
    /// Creates a rank without a device. Exchanges that need one are refused.
    ///
    /// `exit` ends the process if another rank does not answer.
    #[must_use]
    pub fn new(link: Box<dyn Link>, exit: Exit) -> Self {
        Self {
            watchdog: Watchdog::new(link.rank(), exit),
            link: Counting::new(link),
            device: Err("the rank has opened no device".to_owned()),
            loaded: Vec::new(),
            array: Vec::new(),
            other: Vec::new(),
        }
    }

    /// Gives the rank a device for its additions, or the reason why it has none. What is loaded must be loaded again.
    pub fn use_device(&mut self, device: Result<Device, String>) {
        self.device = device;
    }

    /// Executes the commands of the first rank until there are no more.
    pub fn follow(&mut self) {
        loop {
            self.watchdog.expect("a command of rank 0");
            let command: Command = from_bytes(&self.link.broadcast(Vec::new()));
            let is_last = command == Command::End;
            let answer = self.execute(&command);
            self.link.gather(to_bytes(&answer));
            if is_last {
                return;
            }
        }
    }

    /// Makes all ranks execute `command`, and returns their answers. Only the first rank may call it.
    pub(super) fn lead(&mut self, command: &Command) -> Vec<Answer> {
        const WHAT: &str = "answers of all ranks";
        self.watchdog.expect(WHAT);
        self.link.broadcast(to_bytes(command));
        let own = self.execute(command);
        self.watchdog.expect(WHAT);
        let answers = self.link.gather(to_bytes(&own));
        self.watchdog.rest();
        answers.iter().map(|answer| from_bytes(answer)).collect()
    }

    fn execute(&mut self, command: &Command) -> Answer {
        self.watchdog.rest();
        let answer = match command {
            Command::Load(exchanges) => Answer::Loaded(self.load(exchanges)),
            &Command::Verify(index) => Answer::Verified(self.verify(index)),
            Command::Time(order) => Answer::Timed(self.time(order)),
            Command::End => Answer::Ended,
        };
        self.watchdog.rest();
        answer
    }

    fn load(&mut self, exchanges: &[(Exchange, u32)]) -> Vec<Option<String>> {
        let (ranks, rank) = (self.link.ranks(), self.link.rank());
        self.loaded = exchanges
            .iter()
            .map(|&(exchange, repeats)| Loaded {
                exchange,
                repeats,
                schedules: schedules(exchange, ranks, rank),
            })
            .collect();
        let of_each =
            |of: fn(Exchange) -> usize| exchanges.iter().map(move |&(of_it, _)| of(of_it));
        let words = |exchange: Exchange| exchange.words as usize;
        let fitting =
            [fit(&mut self.array, of_each(array_words)), fit(&mut self.other, of_each(words))];
        let of_device = self.prepare_device(exchanges);
        let refused = |exchange: Exchange| {
            if array_words(exchange) > fitting[0] || words(exchange) > fitting[1] {
                return Some(format!("the rank has no memory for {} words", array_words(exchange)));
            }
            of_device.as_ref().err().filter(|_| needs_device(exchange)).cloned()
        };
        exchanges.iter().map(|&(exchange, _)| refused(exchange)).collect()
    }

    fn prepare_device(&mut self, exchanges: &[(Exchange, u32)]) -> Result<(), String> {
        let lengths: Vec<u32> = exchanges
            .iter()
            .filter(|(exchange, _)| needs_device(*exchange))
            .map(|(exchange, _)| exchange.words)
            .collect();
        let Some(&most) = lengths.iter().max() else { return Ok(()) };
        let device = self.device.as_mut().map_err(|reason| reason.clone())?;
        device.prepare(most, &parts_of(lengths, self.link.ranks()))
    }

    /// Takes one sample of each exchange in `order`. A rank whose device fails sends what it has, so that no other rank waits.
    fn time(&mut self, order: &[usize]) -> Result<Vec<f64>, String> {
        let mut failure = None;
        let mut samples = Vec::with_capacity(order.len());
        for &index in order {
            self.watchdog.expect("an exchange that is timed");
            let repeats = self.loaded[index].repeats;
            self.link.barrier();
            let start = Instant::now();
            for repeat in 0..repeats {
                if let Err(reason) = self.run(index, repeat as usize) {
                    failure.get_or_insert(reason);
                }
            }
            samples.push(start.elapsed().as_secs_f64());
        }
        failure.map_or(Ok(samples), Err)
    }

    /// Runs one repeat of a loaded exchange.
    pub(super) fn run(&mut self, index: usize, repeat: usize) -> Result<(), String> {
        let Self { link, device, loaded, array, other, .. } = self;
        let Loaded { exchange, schedules, .. } = &loaded[index];
        let words = exchange.words as usize;
        let device = || device.as_ref().map_err(Clone::clone);
        match exchange.pattern {
            Pattern::Nothing => (),
            Pattern::Add { regions } => {
                let at = (repeat % regions as usize) as u32;
                add(&mut array[region(*exchange, at)], &other[..words]);
            }
            Pattern::Device(work) => {
                let done = device()
                    .and_then(|device| work_on(device, work, &mut array[..words], &other[..words]));
                // As in an all-reduce, no rank begins its next work before its neighbour has done this one.
                let (rank, ranks) = (link.rank(), link.ranks());
                let mut received = [0.0];
                link.transfer(
                    Some(((rank + 1) % ranks, &[1.0])),
                    Some(((rank + ranks - 1) % ranks, &mut received)),
                );
                return done;
            }
            Pattern::AllReduce { algorithm: Algorithm::Library, .. } => {
                link.all_reduce(false, &array[..words], &mut other[..words]);
            }
            Pattern::AllReduce { algorithm: Algorithm::LibraryRing, .. } => {
                link.all_reduce(true, &array[..words], &mut other[..words]);
            }
            Pattern::AllReduce { arithmetic: Arithmetic::Device, .. } => {
                return ring_on_device(link, &device(), &schedules[0], array, other, *exchange);
            }
            Pattern::PingPong
            | Pattern::Shift { .. }
            | Pattern::AllReduce { arithmetic: Arithmetic::Host, .. } => {
                for step in &schedules[repeat % schedules.len()] {
                    run_step(link, step, array, other);
                }
            }
        }
        Ok(())
    }
}

/// Works on a message that is in `array` before and after, and partly in `other`.
fn work_on(
    device: &Device,
    work: DeviceWork,
    array: &mut [f32],
    other: &[f32],
) -> Result<(), String> {
    match work {
        DeviceWork::Upload => device.upload(0, other),
        DeviceWork::ReadBack => device.read_back(0, array),
        DeviceWork::Step => device.step(&(0..array.len()), other, array),
    }
}

pub(super) fn needs_device(exchange: Exchange) -> bool {
    let pattern = exchange.pattern;
    matches!(
        pattern,
        Pattern::Device(_) | Pattern::AllReduce { arithmetic: Arithmetic::Device, .. }
    )
}

/// Sets the length of an array to the longest of these for which there is memory, and touches all of it. Returns the length.
fn fit(array: &mut Vec<f32>, lengths: impl Iterator<Item = usize>) -> usize {
    let mut lengths: Vec<usize> = lengths.collect();
    lengths.sort_unstable();
    array.clear();
    let fitting = lengths.into_iter().rev().find(|&words| array.try_reserve_exact(words).is_ok());
    let words = fitting.unwrap_or(0);
    array.resize(words, 1.0);
    words
}

fn add(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

/// Sends and receives the messages of a step. What is to be added arrives in `other`, and is added on the host.
fn run_step(link: &mut Counting, step: &Step, array: &mut [f32], other: &mut [f32]) {
    if !step.add {
        replace(link, step, array);
        return;
    }
    receive(link, step, array, other);
    if let Some(receive) = &step.receive {
        let place = receive.range.clone();
        let received = &other[..place.len()];
        add(&mut array[place], received);
    }
}

/// Sends a message from `array`, and receives one in `other`.
fn receive(link: &mut Counting, step: &Step, array: &[f32], other: &mut [f32]) {
    let send = step.send.as_ref().map(|send| (send.peer, &array[send.range.clone()]));
    let receive = step.receive.as_ref().map(|receive| {
        let words = receive.range.len();
        (receive.peer, &mut other[..words])
    });
    link.transfer(send, receive);
}

/// Sends a message from `array`, and receives one in another place of it.
fn replace(link: &mut Counting, step: &Step, array: &mut [f32]) {
    match (&step.send, &step.receive) {
        (Some(send), Some(receive)) => {
            let places = [send.range.clone(), receive.range.clone()];
            let [from, to] =
                array.get_disjoint_mut(places).expect("a step sends and receives different words");
            link.transfer(Some((send.peer, from)), Some((receive.peer, to)));
        }
        (Some(send), None) => link.transfer(Some((send.peer, &array[send.range.clone()])), None),
        (None, Some(receive)) => {
            link.transfer(None, Some((receive.peer, &mut array[receive.range.clone()])));
        }
        (None, None) => (),
    }
}

/// Runs a ring whose additions the device does. The message is in its memory, before and after.
///
/// All messages are sent even if the device fails.
fn ring_on_device(
    link: &mut Counting,
    device: &Result<&Device, String>,
    steps: &[Step],
    array: &mut [f32],
    other: &mut [f32],
    exchange: Exchange,
) -> Result<(), String> {
    let mut outcome = device.as_ref().map(|_| ()).map_err(Clone::clone);
    let mut attempt = |work: &mut dyn FnMut(&Device) -> Result<(), String>| {
        if let (Ok(device), Ok(())) = (device, &outcome) {
            outcome = work(device);
        }
    };
    let own: Range<usize> = part(exchange.words, link.ranks(), link.rank());
    attempt(&mut |device| device.read_back(own.start, &mut array[own.clone()]));
    for step in steps {
        let Some(Transfer { range, .. }) = &step.receive else { continue };
        if step.add {
            receive(link, step, array, other);
            attempt(&mut |device| {
                device.step(range, &other[..range.len()], &mut array[range.clone()])
            });
        } else {
            replace(link, step, array);
            attempt(&mut |device| device.upload(range.start, &array[range.clone()]));
        }
    }
    outcome
}
