//! The laws: pure functions from parameters to predicted figures.
//!
//! Nothing here has seen a device. Each file holds one law with its formula, symbols, units, domain of
//! validity, source and a worked example that runs as a doctest. Times are seconds, sizes are counts,
//! and a parameter outside the domain is the caller's error: it panics in debug builds with the
//! violated bound, because a prediction from nonsense would be judged as if it were sense.

pub mod amdahl;
pub mod batching;
pub mod contention;
pub mod coordination;
pub mod dependence;
pub mod divergence;
pub mod imbalance;
pub mod latency;
pub mod overlap;
pub mod ring;
pub mod simt;
pub mod speculation;
pub mod traffic;
