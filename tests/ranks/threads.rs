//! A link between threads of one process, for the tests.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};

use warplaw::ranks::Link;

/// A link between threads.
pub(crate) struct Threads {
    rank: u32,
    barrier: Arc<Barrier>,
    to: BTreeMap<u32, Sender<Vec<u8>>>,
    from: BTreeMap<u32, Receiver<Vec<u8>>>,
}

/// Returns the links of `ranks` threads.
pub(crate) fn threads(ranks: u32) -> Vec<Threads> {
    let barrier = Arc::new(Barrier::new(ranks as usize));
    let mut all: Vec<Threads> = (0..ranks)
        .map(|rank| Threads {
            rank,
            barrier: Arc::clone(&barrier),
            to: BTreeMap::new(),
            from: BTreeMap::new(),
        })
        .collect();
    for from in 0..ranks {
        for to in 0..ranks {
            let (sender, receiver) = channel();
            all[from as usize].to.insert(to, sender);
            all[to as usize].from.insert(from, receiver);
        }
    }
    all
}

impl Threads {
    fn send(&self, to: u32, bytes: &[u8]) {
        self.to[&to].send(bytes.to_vec()).expect("the other thread runs");
    }

    fn receive(&self, from: u32) -> Vec<u8> {
        self.from[&from].recv().expect("the other thread runs")
    }
}

impl Link for Threads {
    fn rank(&self) -> u32 {
        self.rank
    }

    fn ranks(&self) -> u32 {
        self.to.len() as u32
    }

    fn transfer(&mut self, send: Option<(u32, &[f32])>, receive: Option<(u32, &mut [f32])>) {
        if let Some((to, message)) = send {
            self.send(to, bytemuck::cast_slice(message));
        }
        if let Some((from, place)) = receive {
            bytemuck::cast_slice_mut(place).copy_from_slice(&self.receive(from));
        }
    }

    fn barrier(&mut self) {
        self.barrier.wait();
    }

    fn all_reduce(&mut self, _by_ring: bool, input: &[f32], output: &mut [f32]) {
        for to in 0..self.ranks() {
            self.send(to, bytemuck::cast_slice(input));
        }
        output.fill(0.0);
        for from in 0..self.ranks() {
            let bytes = self.receive(from);
            let message: &[f32] = bytemuck::cast_slice(&bytes);
            output.iter_mut().zip(message).for_each(|(sum, word)| *sum += word);
        }
    }

    fn forces_ring(&self) -> bool {
        true
    }

    fn broadcast(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        if self.rank > 0 {
            return self.receive(0);
        }
        (1..self.ranks()).for_each(|rank| self.send(rank, &bytes));
        bytes
    }

    fn gather(&mut self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if self.rank > 0 {
            self.send(0, &bytes);
            return Vec::new();
        }
        let others = (1..self.ranks()).map(|rank| self.receive(rank));
        std::iter::once(bytes).chain(others).collect()
    }
}
