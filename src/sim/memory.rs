//! The time of the memory accesses of a dispatch: by latency, by lookups, and by the bandwidth of each level.

use super::machine::{Atomics, Level, Memory};
use crate::gpu::CostModel;

impl Memory {
    /// Returns, for each level, the share of accesses that reach it when they range over `footprint` bytes at random.
    /// `private` tells whether the accesses of a unit stay in what it loaded before.
    fn reaching(&self, footprint: f64, private: bool) -> Vec<f64> {
        let mut missed = 1.0f64;
        let levels = self.levels.iter().map(|level: &Level| {
            let reached = missed;
            if level.private && !private {
                return reached;
            }
            // A cache holds a random part of what does not fit.
            missed = missed.min((1.0 - level.bytes / footprint).max(0.0));
            reached
        });
        levels.collect()
    }

    /// Returns the mean latency of a load from `footprint` bytes, in seconds. `private` tells whether the loads of a unit
    /// stay in what it loaded before.
    #[must_use]
    pub fn latency_s(&self, footprint: f64, private: bool) -> f64 {
        let reaching = self.reaching(footprint, private);
        let mut latency_s = 0.0;
        for (index, level) in self.levels.iter().enumerate() {
            let beyond = reaching.get(index + 1).copied().unwrap_or(0.0);
            latency_s += (reaching[index] - beyond) * level.latency_s;
        }
        latency_s
    }

    /// Returns the time of the longest chain of dependent loads of a subgroup, in seconds.
    pub(super) fn chain_s(&self, work: &CostModel) -> f64 {
        if work.load_chain == 0.0 {
            return 0.0;
        }
        let lines = work.lines / (work.subgroups * work.load_chain);
        let load_s = self.latency_s(work.footprint, true) + (lines - 1.0).max(0.0) * self.line_s;
        work.load_chain * load_s
    }

    /// Returns the seconds for which memory is busy with a dispatch, of which `resident` workgroups run at a time on
    /// `units` units.
    pub(super) fn busy_s(&self, work: &CostModel, units: f64, resident: f64) -> f64 {
        let looked_up_s = work.lines * self.line_s / units.min(work.workgroups.max(1.0));
        // Only chains of loads return to what their unit loaded before.
        let scattered = work.sectors * f64::from(self.sector_bytes);
        let scattered_s = self.delivered_s(scattered, work.footprint, work.load_chain > 0.0);
        let streamed_s = self.delivered_s(work.bytes, work.footprint, false);
        let waited_s = if work.bytes_in_flight > 0.0 {
            let groups = resident.min(work.workgroups);
            let latency_s = self.latency_s(work.footprint, false);
            work.bytes * latency_s / (work.bytes_in_flight * groups)
        } else {
            0.0
        };
        looked_up_s.max(scattered_s).max(streamed_s).max(waited_s)
    }

    /// Returns the bytes per second that stream from `footprint` bytes.
    #[must_use]
    pub fn bandwidth(&self, footprint: f64) -> f64 {
        1.0 / self.delivered_s(1.0, footprint, false)
    }

    /// Returns the seconds in which the levels deliver `bytes` out of `footprint` bytes: that of the slowest level.
    fn delivered_s(&self, bytes: f64, footprint: f64, private: bool) -> f64 {
        if bytes == 0.0 {
            return 0.0;
        }
        let reaching = self.reaching(footprint, private);
        let used = self.levels.iter().zip(reaching).filter(|(level, _)| private || !level.private);
        used.map(|(level, share)| bytes * share / level.bytes_per_s).fold(0.0, f64::max)
    }
}

impl Atomics {
    /// Returns the seconds for which the atomic requests of a dispatch keep their address or their slice busy.
    pub(super) fn busy_s(&self, work: &CostModel) -> f64 {
        if work.atomics == 0.0 {
            return 0.0;
        }
        let all = work.atomics_anywhere.max(work.atomics);
        let addresses = (all / work.atomics).round().max(1.0);
        let on_a_slice = f64::from(self.fullest(addresses as u32)) * all / addresses;
        (work.atomics * self.address_s).max(on_a_slice * self.slice_s)
    }

    /// Returns the number of addresses on the slice that has the most, of `addresses` addresses.
    fn fullest(&self, addresses: u32) -> u32 {
        if !self.hashed {
            return addresses.div_ceil(self.slices);
        }
        let hash = |address: u32, factor: u32| {
            let mixed = address.wrapping_add(1).wrapping_mul(factor);
            let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x85EB_CA77);
            ((mixed ^ (mixed >> 13)) % self.slices) as usize
        };
        let mut slices = vec![0u32; self.slices as usize];
        for address in 0..addresses {
            // The emptier one of two slices. This stands for a hash that spreads many addresses evenly.
            let [one, other] = [0x9E37_79B1, 0xC2B2_AE3D].map(|factor| hash(address, factor));
            let emptier = if slices[one] <= slices[other] { one } else { other };
            slices[emptier] += 1;
        }
        slices.into_iter().max().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Machine;
    use super::*;

    fn memory() -> Memory {
        let level = |bytes, latency_s, bytes_per_s, private| Level {
            name: "level",
            bytes,
            latency_s,
            bytes_per_s,
            private,
        };
        Memory {
            levels: vec![
                level(100.0, 1.0, 1000.0, true),
                level(1000.0, 10.0, 100.0, false),
                level(f64::INFINITY, 50.0, 20.0, false),
            ],
            ..Machine::lawful(32).memory
        }
    }

    #[test]
    fn a_cache_holds_a_part_of_what_does_not_fit() {
        assert_eq!(memory().latency_s(100.0, true), 1.0);
        // Half is in the private cache.
        assert_eq!(memory().latency_s(200.0, true), 5.5);
        assert_eq!(memory().latency_s(2000.0, false), 0.5 * 10.0 + 0.5 * 50.0);
    }

    #[test]
    fn the_slowest_level_that_is_reached_bounds_the_bandwidth() {
        assert_eq!(memory().bandwidth(500.0), 100.0);
        // A tenth of the bytes misses the cache, and memory delivers that tenth in half of the time.
        assert!((memory().bandwidth(1000.0 / 0.9) - 100.0).abs() < 1e-9);
        assert!((memory().bandwidth(2000.0) - 40.0).abs() < 1e-9);
    }

    #[test]
    fn few_addresses_share_slices_by_chance_and_many_spread_evenly() {
        let atomics = Atomics { slices: 64, hashed: true, ..Machine::lawful(32).atomics };
        assert!(atomics.fullest(64) >= 2);
        let even = 64_000 / 64;
        assert!((even..even + 5).contains(&atomics.fullest(64_000)));
        assert_eq!(Atomics { hashed: false, ..atomics }.fullest(64), 1);
    }

    #[test]
    fn bytes_in_flight_bound_what_a_workgroup_streams() {
        let work = CostModel {
            workgroups: 1.0,
            bytes: 1000.0,
            footprint: 1000.0,
            bytes_in_flight: 50.0,
            ..CostModel::default()
        };
        // Twenty times the latency of 10 s.
        assert_eq!(memory().busy_s(&work, 4.0, 4.0), 200.0);
    }
}
