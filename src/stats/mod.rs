//! Statistics: from raw samples to an estimate, an interval and a verdict. Pure; no device, no clock.

mod level;
mod limits;
mod order;
mod robust;
mod verdict;

pub use level::levels;
pub use limits::{add_up, square_and_add};
pub use order::median_interval;
pub use robust::{median, middle, weighted_median};
pub use verdict::{combine, judge};
