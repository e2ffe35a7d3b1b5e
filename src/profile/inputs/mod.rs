//! What to feed a shader: sources of buffers, values of members and constants, in a file or on a command line.

mod npy;
mod source;
mod spec;

pub use source::{Size, Source};
pub use spec::{Number, Spec, Value, Workgroups, pair};
