//! The record: the versioned result of a run, the contract every reader relies on.

mod machine;
mod performance;
mod plain;
mod schema;
mod store;
mod value;

pub use machine::Machine;
pub use performance::{Figures, Performance};
pub use plain::{plain, plain_to};
pub use schema::{
    Adapter, Case, Clock, Control, Costs, Experiment, Finding, Parameter, Point, Quantity, Record,
    Schema, Search, Status, SubgroupSize, Tool, Trace, Tried,
};
pub use store::{MOST_BYTES, RecordError, default_path, parse, read, write, write_whole};
pub use value::Value;
