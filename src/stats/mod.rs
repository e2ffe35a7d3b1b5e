//! Statistics: from raw samples to an estimate, an interval and a verdict. Pure; no device, no clock.

mod bootstrap;
mod robust;
pub mod tolerance;
mod verdict;

pub use bootstrap::median_interval;
pub use robust::{mad, median, quantile, relative_spread};
pub use verdict::{Interval, Verdict, combine, judge};
