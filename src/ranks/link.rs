//! The interface of a message library.

use crate::gpu::Traffic;

/// Sends messages between the ranks of a run. Each rank has one.
///
/// Messages of a pair of ranks arrive in the order in which they were sent. A failure of the library ends the process.
pub trait Link {
    /// Returns the number of this rank, from 0.
    fn rank(&self) -> u32;

    /// Returns the number of ranks.
    fn ranks(&self) -> u32;

    /// Sends to one rank and receives from one, at the same time, and waits for both.
    fn transfer(&mut self, send: Option<(u32, &[f32])>, receive: Option<(u32, &mut [f32])>);

    /// Waits until all ranks have come here.
    fn barrier(&mut self);

    /// Sums `input` over all ranks into the `output` of each, by the collective operation of the library. `by_ring` tells it to
    /// use a ring.
    fn all_reduce(&mut self, by_ring: bool, input: &[f32], output: &mut [f32]);

    /// Returns whether the library can be told to use a ring.
    fn forces_ring(&self) -> bool;

    /// Sends `bytes` of the first rank to all others, and returns them. A rank that waits leaves its core to other threads.
    fn broadcast(&mut self, bytes: Vec<u8>) -> Vec<u8>;

    /// Sends the bytes of each rank to the first one, which gets them by rank. The others get nothing. A rank that waits leaves
    /// its core to other threads.
    fn gather(&mut self, bytes: Vec<u8>) -> Vec<Vec<u8>>;
}

/// A link that counts the messages which its rank sends by [`transfer`](Link::transfer).
pub(super) struct Counting {
    link: Box<dyn Link>,
    sent: Traffic,
}

impl Counting {
    pub(super) fn new(link: Box<dyn Link>) -> Self {
        Self { link, sent: Traffic::default() }
    }

    /// Returns what the rank has sent since the last call.
    pub(super) fn take_sent(&mut self) -> Traffic {
        std::mem::take(&mut self.sent)
    }
}

impl Link for Counting {
    fn rank(&self) -> u32 {
        self.link.rank()
    }

    fn ranks(&self) -> u32 {
        self.link.ranks()
    }

    fn transfer(&mut self, send: Option<(u32, &[f32])>, receive: Option<(u32, &mut [f32])>) {
        if let Some((_, message)) = send {
            self.sent.messages += 1;
            self.sent.words += message.len() as u64;
        }
        self.link.transfer(send, receive);
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
