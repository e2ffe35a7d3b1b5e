//! Statistics: estimates, intervals and verdicts from raw samples.
//!
//! All functions are pure. They use no device and no clock.

mod level;
mod limits;
mod order;
mod robust;
mod verdict;

pub use level::{Row, columns_of, levels};
pub use limits::{add_up, contributions, square_and_add};
pub use order::{median, median_interval, quantile, quantile_interval};
pub use robust::{UNDISTURBED, spread, undisturbed, weighted_quantile};
pub use verdict::{combine, is_near, judge};
