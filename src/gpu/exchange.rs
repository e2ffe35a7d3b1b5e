//! Exchanges: what the ranks of a run send to one another and compute, in one repeat.
//!
//! A rank is one of several processes that run an experiment together, on one host or on many. An exchange is plain data, so
//! that the first rank can tell the others what to do.

use serde::{Deserialize, Serialize};

/// What each rank does in one repeat, with messages of a given length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Exchange {
    /// What the ranks do.
    pub pattern: Pattern,
    /// Length of a message in 32-bit floats.
    pub words: u32,
    /// What all ranks together must send in one repeat; `None` if it is not counted.
    pub traffic: Option<Traffic>,
}

/// What the ranks of an [`Exchange`] do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Pattern {
    /// Nothing, after they have waited for one another.
    Nothing,
    /// A ping-pong: one message goes from rank to rank, once around the ring, and again in the next repeat.
    PingPong,
    /// Each rank sends a message to the next one and receives one from the previous one, all at the same time.
    Shift {
        /// Regions of a rank's array. The messages leave them in turn.
        regions: u32,
    },
    /// Each rank adds an array as long as a message to one of its own. No message is sent.
    Add {
        /// Regions of a rank's array. The additions go to them in turn.
        regions: u32,
    },
    /// Each rank contributes a message, and all receive the sum.
    AllReduce {
        /// Who sends what to whom.
        algorithm: Algorithm,
        /// What adds the messages. A library adds on the host alone.
        arithmetic: Arithmetic,
    },
    /// Each rank uses its device as in a step of an all-reduce, and then exchanges one word with its neighbours, as the next
    /// message of an all-reduce makes it wait for them.
    Device(DeviceWork),
}

/// An algorithm that sums messages of all ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// Messages in p parts go around the ring twice: once while they are added, once with the sums.
    Ring,
    /// Ranks in pairs exchange whole messages, at twice the distance in each step.
    Doubling,
    /// The first rank receives all messages one after another, and sends the sum back in the same way.
    Naive,
    /// The collective operation of the message library, which chooses an algorithm.
    Library,
    /// The collective operation of the message library, which is told to use a ring.
    LibraryRing,
}

/// What adds the messages of an all-reduce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Arithmetic {
    /// One thread of the host.
    Host,
    /// The device of each rank: received messages are uploaded, and sums are read back before they are sent.
    Device,
}

/// A part of a step of an all-reduce on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeviceWork {
    /// Uploads a message and waits.
    Upload,
    /// Reads a message back.
    ReadBack,
    /// Uploads a message, adds it to another one, and reads the sum back.
    Step,
}

/// What all ranks together send in one repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Number of messages.
    pub messages: u64,
    /// 32-bit floats in all messages.
    pub words: u64,
}

/// The ranks of a run, as a plan needs to know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranks {
    /// Number of ranks, at least two.
    pub count: u32,
    /// Whether the message library can be told to use a ring.
    pub forces_ring: bool,
    /// The host that has more ranks than cores, with the reason why times of messages cannot be trusted there; `None` if no host
    /// has.
    pub oversubscribed: Option<String>,
    /// Whether some links are within a host and others between hosts.
    pub links_differ: bool,
}
