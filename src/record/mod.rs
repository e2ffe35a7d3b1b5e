//! The record: the versioned result of a run, the contract every reader relies on.

mod machine;
mod schema;
mod store;

pub use machine::Machine;
pub use schema::{
    Adapter, Case, Clock, Control, Experiment, Finding, Parameter, Point, Quantity, Record, Schema,
    Status, SubgroupSize, Tool, Value,
};
pub use store::{RecordError, default_path, read, write};
