//! What the first rank tells the others to do, and what they answer.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::gpu::{Exchange, Traffic};

/// A command of the first rank to all ranks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Command {
    /// Replace the loaded exchanges, each with its repeats in a sample.
    Load(Vec<(Exchange, u32)>),
    /// Run a loaded exchange from every place in an array, and check what it computed.
    Verify(usize),
    /// Take one sample of each of these loaded exchanges.
    Time(Vec<usize>),
    /// Nothing more will come.
    End,
}

/// Answer of a rank to a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// For each exchange, the reason why it cannot run.
    Loaded(Vec<Option<String>>),
    /// What the rank has sent; or the first wrong word, or a failure of the device.
    Verified(Result<Traffic, Wrong>),
    /// Seconds of each sample, or a failure of the device.
    Timed(Result<Vec<f64>, String>),
    /// The rank goes on to the end.
    Ended,
}

/// Why an exchange is wrong on a rank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Wrong {
    /// The device of the rank failed.
    Failed(String),
    /// The index of a word, the bits of its value and those of the expected value.
    Word(usize, u32, u32),
}

pub(super) fn to_bytes(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("a message has only keys that are text")
}

/// Reads a message of another rank, which runs the same build.
pub(super) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> T {
    serde_json::from_slice(bytes).expect("all ranks run the same build")
}
