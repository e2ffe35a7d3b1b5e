//! The profiler: where a shader loses lanes.
//!
//! A copy of the shader has [probes](Probed) that log the decisions of each lane. It runs with the user's data on the GPU and
//! writes a [`Log`]. The host then [replays](crate::simt::Replay) the decisions in lockstep, for subgroups of any width.

mod accesses;
mod analysis;
mod attachment;
mod depends;
mod device;
mod error;
#[cfg(feature = "cli")]
mod inputs;
mod lines;
mod log;
mod makespan;
mod price;
mod probes;
mod proof;
mod record;
mod reflect;
mod replaying;
mod rewriting;
mod session;
mod sorting;
mod text;
mod timing;
mod work;

pub use analysis::{Request, profile_of_log};
pub use attachment::{Attach, Attachment};
pub use device::{BoundBuffer, check_workgroups};
pub use error::ProfileError;
#[cfg(feature = "cli")]
pub use inputs::{Number, Size, Source, Spec, Value, Workgroups, pair};
pub use log::{Decisions, Log, LogLayout};
pub use price::Costs;
pub use probes::Probed;
pub use record::{Recorded, Recording};
pub use reflect::{Access, Layout, NeededBuffer, NeededConstant, Needs, Scalar, workgroup_size};
pub use session::profile;
