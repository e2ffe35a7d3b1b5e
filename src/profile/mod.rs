//! The profiler: where a shader loses lanes.
//!
//! A copy of the shader has [probes](Probed) that log the decisions of each lane. It runs with the user's data on the GPU and
//! writes a [`Log`]. The host then [replays](crate::simt::Replay) the decisions in lockstep, for subgroups of any width.

mod error;
mod lines;
mod log;
mod probes;
mod record;

pub use error::ProfileError;
pub use lines::Line;
pub use log::{Decisions, Log, LogLayout};
pub use probes::Probed;
pub use record::{BoundBuffer, Recorded, Recording};
