//! Ranks: several processes, on one host or on many, that run one experiment together.
//!
//! The ranks meet first, and find out whether they can measure together. Then the first rank leads. It runs the plan, tells the other ranks which exchanges to load, to verify and to time, and judges the
//! times. The others follow. So every choice, such as which case to sample next, is made once.
//!
//! A [`Link`] sends the messages. With the feature `mpi`, one is made of MPI. A program can bring another one.

mod command;
mod device;
mod hosts;
mod leader;
mod link;
mod meeting;
#[cfg(feature = "mpi")]
mod mpi;
mod participant;
mod schedule;
mod values;
mod verify;
mod watchdog;

pub use device::Device;
pub use hosts::{links_differ, oversubscription};
pub use leader::{Leader, end};
pub use link::Link;
pub use meeting::Greeting;
#[cfg(feature = "mpi")]
pub use mpi::Mpi;
pub use participant::Participant;
pub use schedule::{Step, Transfer, array_words, longest_part, part, schedules, traffic};
pub use values::{MOST_RANKS, PERIOD, contribution, sum, values};
pub use watchdog::{Exit, OPENING_S, PATIENCE_S};
