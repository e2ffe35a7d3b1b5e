//! Contention: atomics on few addresses.
//!
//! # Formula
//! T = max((N / c)·t_s, N·t_p). Requests on one address run one after another, and the throughput of the
//! hardware limits all addresses together. The knee is at c = t_s / t_p counters; more counters give no
//! further speed-up.
//!
//! - N: number of requests
//! - c: addresses over which the requests are spread evenly, c ≥ 1
//! - t_s: seconds from one request to the next on the same address
//! - t_p: seconds per request on saturated hardware, with no two requests on one address
//!
//! A GPU may merge the atomics of a subgroup on one address into one request: [`Merging`] says which, and [`Merging::requests`]
//! is the number of requests on each address.
//!
//! The law applies if addresses share neither a cache line nor a unit that performs atomics.
//!
//! # Source
//! A roofline of two serial resources, as in S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful
//! visual performance model", Communications of the ACM, 2009.

pub use crate::gpu::Merging;

impl Merging {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Nothing, Self::All, Self::Any];

    /// Returns the atomics that are merged, in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::All => "those of all lanes",
            Self::Any => "those of any lanes",
        }
    }

    /// Returns what is merged, from the times per atomic on one counter and on two that the lanes of each subgroup use by
    /// turns.
    ///
    /// Two counters halve the time if nothing is merged, and keep it if any atomics are. If only those of all `width` lanes
    /// are merged, two counters take `width / 2` times as long as one. The borders lie in the middle, as factors.
    ///
    /// ```
    /// use warplaw::experiments::contention::law::Merging;
    /// assert_eq!(Merging::of_times(1.0, 0.52, 32.0), Merging::Nothing);
    /// assert_eq!(Merging::of_times(1.0, 1.03, 32.0), Merging::Any);
    /// assert_eq!(Merging::of_times(1.0, 16.0, 32.0), Merging::All);
    /// ```
    #[must_use]
    pub fn of_times(one: f64, two: f64, width: f64) -> Self {
        let longer = two / one;
        if longer < 0.5f64.sqrt() {
            Self::Nothing
        } else if longer < (width / 2.0).sqrt() {
            Self::Any
        } else {
            Self::All
        }
    }

    /// Returns the requests on each of `counters` counters, per atomic of all lanes, if the `width` lanes of a subgroup use
    /// the counters by turns.
    ///
    /// ```
    /// use warplaw::experiments::contention::law::Merging;
    /// assert_eq!(Merging::Nothing.requests(1.0, 32.0), 1.0);
    /// assert_eq!(Merging::All.requests(1.0, 32.0), 1.0 / 32.0);
    /// assert_eq!(Merging::All.requests(2.0, 32.0), 0.5);
    /// assert_eq!(Merging::Any.requests(2.0, 32.0), 1.0 / 32.0);
    /// assert_eq!(Merging::Any.requests(64.0, 32.0), 1.0 / 64.0);
    /// ```
    #[must_use]
    pub fn requests(self, counters: f64, width: f64) -> f64 {
        let each = 1.0 / counters;
        match self {
            Self::Nothing => each,
            Self::All if counters > 1.0 => each,
            Self::All | Self::Any => each.min(1.0 / width),
        }
    }
}

/// Returns the mean seconds per request, or per atomic, over `counters` addresses.
///
/// ```
/// use warplaw::experiments::contention::law::atomic_time;
/// assert_eq!(atomic_time(8.0, 0.5, 1.0), 8.0);
/// assert_eq!(atomic_time(8.0, 0.5, 4.0), 2.0);
/// assert_eq!(atomic_time(8.0, 0.5, 1024.0), 0.5);
/// ```
#[must_use]
pub fn atomic_time(serial_s: f64, parallel_s: f64, counters: f64) -> f64 {
    debug_assert!(counters >= 1.0, "counters={counters}");
    (serial_s / counters).max(parallel_s)
}

/// Returns the number of addresses from which more addresses give no further speed-up: t_s / t_p, and at
/// least 1.
///
/// ```
/// use warplaw::experiments::contention::law::counters_to_spread;
/// assert_eq!(counters_to_spread(8.0, 0.5), 16.0);
/// assert_eq!(counters_to_spread(1.0, 2.0), 1.0);
/// ```
#[must_use]
pub fn counters_to_spread(serial_s: f64, parallel_s: f64) -> f64 {
    (serial_s / parallel_s).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counters_help_up_to_the_knee_and_no_further(
            serial in 0.1..100f64, parallel in 0.01..10f64, c in 1.0..1e4f64,
        ) {
            let knee = counters_to_spread(serial, parallel);
            let speed_up = atomic_time(serial, parallel, 1.0) / atomic_time(serial, parallel, c);
            prop_assert!(speed_up <= c.min(knee) + 1e-9);
            prop_assert!(atomic_time(serial, parallel, 2.0 * c) <= atomic_time(serial, parallel, c));
        }
    }
}
