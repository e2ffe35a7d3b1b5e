//! One rank: runs exchanges, checks them, and takes their time.

use std::ops::Range;
use std::time::Instant;

use super::command::{Answer, Command, Wrong, from_bytes, to_bytes};
use super::device::{Device, parts_of};
use super::link::Link;
use super::schedule::{Step, Transfer, array_words, part, region, schedules, traffic};
use super::values::{contribution, fill, first_wrong, sum};
use super::watchdog::Watchdog;
use crate::gpu::{Algorithm, Arithmetic, DeviceWork, Exchange, Pattern, Traffic};

/// A rank with its link, its device and what it has loaded.
pub struct Participant {
    link: Box<dyn Link>,
    device: Option<Device>,
    loaded: Vec<Loaded>,
    /// The rank's own message or messages.
    array: Vec<f32>,
    /// Receives what is added, and the sums of the message library.
    other: Vec<f32>,
    watchdog: Watchdog,
}

struct Loaded {
    exchange: Exchange,
    repeats: u32,
    schedules: Vec<Vec<Step>>,
}

impl Participant {
    /// Creates a rank. Without a device, exchanges that need one are refused.
    #[must_use]
    pub fn new(link: Box<dyn Link>, device: Option<Device>) -> Self {
        let watchdog = Watchdog::new(link.rank());
        Self { link, device, loaded: Vec::new(), array: Vec::new(), other: Vec::new(), watchdog }
    }

    /// Executes the commands of the first rank until there are no more.
    pub fn follow(&mut self) {
        loop {
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
        self.link.broadcast(to_bytes(command));
        let own = self.execute(command);
        self.watchdog.expect("answers of all ranks");
        let answers = self.link.gather(to_bytes(&own));
        self.watchdog.rest();
        answers.iter().map(|answer| from_bytes(answer)).collect()
    }

    fn execute(&mut self, command: &Command) -> Answer {
        let answer = match command {
            Command::Load(exchanges) => Answer::Loaded(self.load(exchanges)),
            &Command::Verify(index) => {
                self.watchdog.expect("an exchange that is verified");
                Answer::Verified(self.verify(index))
            }
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
        let most = |of: fn(Exchange) -> usize| {
            exchanges.iter().map(|&(exchange, _)| of(exchange)).max().unwrap_or(0)
        };
        let lengths = [most(array_words), most(|exchange| exchange.words as usize)];
        let refusal = [(&mut self.array, lengths[0]), (&mut self.other, lengths[1])]
            .into_iter()
            .find_map(|(array, words)| resize(array, words).err());
        let of_device = self.prepare_device(exchanges);
        let refused = |exchange: Exchange| {
            let by_device = of_device.as_ref().err().filter(|_| needs_device(exchange));
            refusal.as_ref().or(by_device).cloned()
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
        let device = self.device.as_mut().ok_or_else(|| NO_DEVICE.to_owned())?;
        device.prepare(most, &parts_of(lengths, self.link.ranks()))
    }

    /// Runs an exchange once from known arrays, and compares every word with what it must be. Returns what the rank has sent.
    fn verify(&mut self, index: usize) -> Result<Traffic, Wrong> {
        let exchange = self.loaded[index].exchange;
        let (ranks, rank) = (self.link.ranks(), self.link.rank());
        let (own, words) = (contribution(rank), exchange.words as usize);
        // What is to be received or read back must not be there before.
        self.array.fill(f32::NAN);
        fill(&mut self.array[..words], own);
        fill(&mut self.other, 1);
        let mut uploaded = Ok(());
        if let Some(device) = self.device.as_ref().filter(|_| needs_device(exchange)) {
            uploaded = device.upload(0, &self.array[..words]);
            self.array.fill(f32::NAN);
        }
        // A rank whose device fails takes part nevertheless, so that no other rank waits for it.
        self.link.barrier();
        let done = self.run(index, 0);
        uploaded.and(done).map_err(Wrong::Failed)?;

        let previous = (rank + ranks - 1) % ranks;
        let compare = |words: &[f32], start, times| match first_wrong(words, start, times) {
            Some((at, found, expected)) => {
                Err(Wrong::Word(at, found.to_bits(), expected.to_bits()))
            }
            None => Ok(()),
        };
        let array = &self.array;
        match exchange.pattern {
            Pattern::Nothing => Ok(()),
            // The first rank receives its own message in another place than the one that it sent.
            Pattern::Relay if rank == 0 => compare(&array[region(exchange, 1)], 0, own),
            Pattern::Relay => compare(&array[..words], 0, contribution(0)),
            Pattern::Shift { .. } => {
                compare(&array[region(exchange, 1)], 0, contribution(previous))
            }
            Pattern::Add { .. } => compare(&array[..words], 0, own + 1),
            Pattern::AllReduce {
                algorithm: Algorithm::Library | Algorithm::LibraryRing, ..
            } => compare(&self.other[..words], 0, sum(ranks)),
            Pattern::AllReduce { arithmetic: Arithmetic::Host, .. } => {
                compare(&array[..words], 0, sum(ranks))
            }
            Pattern::AllReduce { arithmetic: Arithmetic::Device, .. } => {
                compare(&self.read_back(words)?, 0, sum(ranks))
            }
            Pattern::Device(DeviceWork::Upload) => compare(&self.read_back(words)?, 0, 1),
            Pattern::Device(DeviceWork::ReadBack) => compare(&array[..words], 0, own),
            Pattern::Device(DeviceWork::Step) => {
                compare(&array[..words], 0, own + 1)?;
                compare(&self.read_back(words)?, 0, own + 1)
            }
        }?;
        let sent = self.loaded[index].schedules.first();
        Ok(sent.map_or_else(Traffic::default, |steps| traffic(steps)))
    }

    fn read_back(&self, words: usize) -> Result<Vec<f32>, Wrong> {
        let mut found = vec![0.0; words];
        let device = self.device.as_ref().ok_or_else(|| Wrong::Failed(NO_DEVICE.to_owned()))?;
        device.read_back(0, &mut found).map_err(Wrong::Failed)?;
        Ok(found)
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
    fn run(&mut self, index: usize, repeat: usize) -> Result<(), String> {
        let Self { link, device, loaded, array, other, .. } = self;
        let Loaded { exchange, schedules, .. } = &loaded[index];
        let words = exchange.words as usize;
        let device = || device.as_ref().ok_or_else(|| NO_DEVICE.to_owned());
        match exchange.pattern {
            Pattern::Nothing => (),
            Pattern::Add { regions } => {
                let place = region(*exchange, (repeat % regions as usize) as u32);
                add(&mut array[place], &other[..words]);
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
                return ring_on_device(
                    &mut **link,
                    &device(),
                    &schedules[0],
                    array,
                    other,
                    *exchange,
                );
            }
            Pattern::Relay
            | Pattern::Shift { .. }
            | Pattern::AllReduce { arithmetic: Arithmetic::Host, .. } => {
                for step in &schedules[repeat % schedules.len()] {
                    run_step(&mut **link, step, array, other);
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

const NO_DEVICE: &str = "the rank has opened no device";

fn needs_device(exchange: Exchange) -> bool {
    let pattern = exchange.pattern;
    matches!(
        pattern,
        Pattern::Device(_) | Pattern::AllReduce { arithmetic: Arithmetic::Device, .. }
    )
}

/// Sets the length of an array, and touches all of it.
fn resize(array: &mut Vec<f32>, words: usize) -> Result<(), String> {
    array.clear();
    let reserved = array.try_reserve_exact(words);
    reserved.map_err(|_| format!("the rank has no memory for {words} words"))?;
    array.resize(words, 1.0);
    Ok(())
}

fn add(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

/// Sends and receives the messages of a step. What is to be added arrives in `other`, and is added on the host.
fn run_step(link: &mut dyn Link, step: &Step, array: &mut [f32], other: &mut [f32]) {
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
fn receive(link: &mut dyn Link, step: &Step, array: &[f32], other: &mut [f32]) {
    let send = step.send.as_ref().map(|send| (send.peer, &array[send.range.clone()]));
    let receive = step.receive.as_ref().map(|receive| {
        let words = receive.range.len();
        (receive.peer, &mut other[..words])
    });
    link.transfer(send, receive);
}

/// Sends a message from `array`, and receives one in another place of it.
fn replace(link: &mut dyn Link, step: &Step, array: &mut [f32]) {
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
    link: &mut dyn Link,
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
