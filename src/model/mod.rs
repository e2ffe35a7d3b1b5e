//! The model: what an experiment found, and the versioned record of it that every reader relies on.

mod experiment;
pub mod figures;
mod interval;
mod lines;
mod machine;
mod metric;
mod nanoseconds;
mod performance;
mod plain;
mod schema;
mod store;
mod v1;
mod verdict;

pub use experiment::{
    Case, Category, Check, Control, Costs, Curve, Experiment, Over, Point, Quantity, Search,
    Status, StoppedBy, Trace, Tried,
};
pub use interval::Interval;
pub use machine::Machine;
pub use metric::{About, Better, Metric};
pub use performance::{Figures, Performance};
pub use plain::{plain, plain_to};
pub use schema::{Adapter, Clock, ClockKind, DeviceType, Record, Schema, SubgroupSize, Tool};
pub(crate) use store::slug;
pub use store::{MAX_BYTES, RecordError, default_path, parse, read, write, write_whole};
pub use v1::ALIASES;
pub use verdict::Verdict;
