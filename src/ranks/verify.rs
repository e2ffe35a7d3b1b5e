//! Verification of exchanges: a rank compares every word that it receives or computes.

use std::ops::Range;

use super::command::Wrong;
use super::link::Link;
use super::participant::{Participant, needs_device};
use super::schedule::{array_words, region, regions};
use super::values::{contribution, fill, first_wrong, sum};
use crate::gpu::{Algorithm, Arithmetic, DeviceWork, Exchange, Pattern, Traffic};

impl Participant {
    /// Runs an exchange from each region of the array in turn, and compares every word with what it must be. Returns what the
    /// rank has sent.
    ///
    /// A rank that finds a wrong word or whose device fails takes part to the end, so that no other rank waits for it.
    pub(super) fn verify(&mut self, index: usize) -> Result<Traffic, Wrong> {
        let exchange = self.loaded[index].exchange;
        self.array[..array_words(exchange)].fill(f32::NAN);
        self.link.take_sent();
        let mut outcome = Ok(());
        for repeat in 0..regions(exchange.pattern) {
            self.watchdog.expect("an exchange that is verified");
            let prepared = self.set_known(exchange, repeat);
            self.link.barrier();
            let done = prepared.and(self.run(index, repeat as usize)).map_err(Wrong::Failed);
            let checked = done.and_then(|()| self.check(exchange, repeat));
            outcome = outcome.and(checked);
        }
        outcome.map(|()| self.link.take_sent())
    }

    /// Sets the words that the rank contributes to a repeat. Places of words that are to be received or read back get none that
    /// could pass for them.
    fn set_known(&mut self, exchange: Exchange, repeat: u32) -> Result<(), String> {
        let words = exchange.words as usize;
        let own = contribution(self.link.rank());
        self.array[place(exchange, repeat + 1)].fill(f32::NAN);
        fill(&mut self.array[place(exchange, repeat)], own);
        if exchange.pattern == Pattern::PingPong && self.link.rank() > 0 {
            self.array[..words].fill(f32::NAN);
        }
        match exchange.pattern {
            Pattern::AllReduce { .. } => self.other[..words].fill(f32::NAN),
            _ => fill(&mut self.other[..words], 1),
        }
        let Ok(device) = &self.device else { return Ok(()) };
        if !needs_device(exchange) {
            return Ok(());
        }
        let uploaded = device.upload(0, &self.array[..words]);
        self.array[..words].fill(f32::NAN);
        uploaded
    }

    /// Compares what a repeat has received or computed with what it must be.
    fn check(&self, exchange: Exchange, repeat: u32) -> Result<(), Wrong> {
        let (ranks, rank) = (self.link.ranks(), self.link.rank());
        let (own, words) = (contribution(rank), exchange.words as usize);
        let previous = (rank + ranks - 1) % ranks;
        let compare = |words: &[f32], times| match first_wrong(words, times) {
            Some((at, found, expected)) => {
                Err(Wrong::Word(at, found.to_bits(), expected.to_bits()))
            }
            None => Ok(()),
        };
        let of_array = |at: u32| &self.array[place(exchange, at)];
        match exchange.pattern {
            Pattern::Nothing => Ok(()),
            // The first rank receives its own message in another place than the one that it sent.
            Pattern::PingPong if rank == 0 => compare(of_array(repeat + 1), own),
            Pattern::PingPong => compare(of_array(0), contribution(0)),
            Pattern::Shift { .. } => compare(of_array(repeat + 1), contribution(previous)),
            Pattern::Add { .. } => compare(of_array(repeat), own + 1),
            Pattern::AllReduce {
                algorithm: Algorithm::Library | Algorithm::LibraryRing, ..
            } => compare(&self.other[..words], sum(ranks)),
            Pattern::AllReduce { arithmetic: Arithmetic::Host, .. } => {
                compare(of_array(0), sum(ranks))
            }
            Pattern::AllReduce { arithmetic: Arithmetic::Device, .. } => {
                compare(&self.read_back(words)?, sum(ranks))
            }
            Pattern::Device(DeviceWork::Upload) => compare(&self.read_back(words)?, 1),
            Pattern::Device(DeviceWork::ReadBack) => compare(of_array(0), own),
            Pattern::Device(DeviceWork::Step) => {
                compare(of_array(0), own + 1)?;
                compare(&self.read_back(words)?, own + 1)
            }
        }
    }

    fn read_back(&self, words: usize) -> Result<Vec<f32>, Wrong> {
        let mut found = vec![0.0; words];
        let device = self.device.as_ref().map_err(|reason| Wrong::Failed(reason.clone()))?;
        device.read_back(0, &mut found).map_err(Wrong::Failed)?;
        Ok(found)
    }
}

/// Returns the place in an array from which repeat `at` sends. It receives in the next one.
fn place(exchange: Exchange, at: u32) -> Range<usize> {
    region(exchange, at % regions(exchange.pattern))
}
