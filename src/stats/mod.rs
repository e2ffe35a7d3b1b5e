//! Statistics: estimates, intervals and verdicts from raw samples.
//!
//! All functions are pure. They use no device and no clock.

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
