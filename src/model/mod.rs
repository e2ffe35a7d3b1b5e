//! The data model: metrics, verdicts, and the versioned record of a run that every reader relies on.
//!
//! This module imports no other module of the crate.

mod accesses;
mod ascii;
mod compressed;
mod experiment;
pub mod figures;
mod interval;
mod lines;
mod list;
mod machine;
mod metric;
mod nanoseconds;
mod plain;
mod point;
mod ranks;
mod schema;
mod shader_profile;
mod state;
mod store;
mod v1;
mod verdict;
mod whole_file;

pub use accesses::{AccessKind, AccessedLine, Accesses, Memory, Together, Transfers};
pub use ascii::to_ascii;
pub use experiment::{
    Case, Category, Check, Control, Costs, Experiment, Search, Status, StoppedBy, Tried,
};
pub use interval::Interval;
pub use machine::Machine;
pub use metric::{About, Better, Metric};
pub(crate) use plain::MAX_CHARS;
pub use plain::{plain, plain_to};
pub use point::{Curve, Over, Point, Quantity, Trace};
pub use ranks::{Member, Ranks};
pub use schema::{Adapter, Clock, ClockKind, DeviceType, Record, Schema, SubgroupSize, Tool};
pub use shader_profile::{
    AtWidth, Bin, Call, CallPath, Decision, DecisionKind, Depends, Iterated, LanesSource, Line,
    Loop, Median, Output, Price, ProfiledDispatch, Sample, ShaderProfile, Sorting, SubgroupLanes,
    Times, Totals, Work,
};
pub use state::DeviceState;
pub use store::{MAX_BYTES, RecordError, default_path, new_file, parse, read, write};
pub(crate) use store::{free_name, slug};
pub use v1::ALIASES;
pub use verdict::Verdict;
pub use whole_file::{WholeFile, write_whole};
