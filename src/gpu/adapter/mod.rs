//! Adapters: their properties, the choice of one, and those that cannot be measured.

mod facts;
mod hidden;
mod limits;
mod selection;
mod signs;
mod workers;

pub use facts::AdapterFacts;
pub(crate) use facts::TIMESTAMPS;
pub use hidden::Hidden;
pub use limits::{DeviceLimits, LimitSet};
pub(crate) use selection::choose;
pub use selection::{Selection, list};
pub use signs::signs_of_gpus;
pub use workers::{WantedWorkers, Workers};
