//! The simulated machines: one without a model in reality, on which every law holds, and some like GPUs that people have.
//!
//! Their parameters are of the size that is public for such GPUs, from vendors' specifications and from published
//! measurements. How the large NVIDIA-like machine merges atomics and how long one takes was measured on an H200. A machine
//! is not a prediction of the GPU that it is like.

mod discrete;
mod other;

use super::links::Links;
use super::machine::{Atomics, Governor, Level, Machine, Memory, Queue, Units};
use super::noise::Noise;
use crate::gpu::Merging;
use crate::model::DeviceType;

const KIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * 1024.0;
const NS: f64 = 1e-9;
const US: f64 = 1e-6;
const GB_PER_S: f64 = 1e9;

/// A cache that all units share.
const fn shared(name: &'static str, bytes: f64, latency_s: f64, bytes_per_s: f64) -> Level {
    Level { name, bytes, latency_s, bytes_per_s, private: false }
}

/// A cache of each unit. `bytes_per_s` is that of all of them.
const fn private(name: &'static str, bytes: f64, latency_s: f64, bytes_per_s: f64) -> Level {
    Level { name, bytes, latency_s, bytes_per_s, private: true }
}

/// The atomics of a GPU: a request takes `request_s` seconds, on an address and on a slice.
const fn hashed(request_s: f64, slices: u32, merging: Merging) -> Atomics {
    let (address_s, slice_s) = (request_s, request_s);
    Atomics { address_s, slices, slice_s, hashed: true, merging, blocking: false }
}

/// Memory, which holds everything.
const fn memory(latency_s: f64, bytes_per_s: f64) -> Level {
    Level { name: "memory", bytes: f64::INFINITY, latency_s, bytes_per_s, private: false }
}

impl Machine {
    /// Creates a machine of the given subgroup width that obeys every law, with little noise.
    #[must_use]
    pub fn lawful(width: u32) -> Self {
        Self {
            // The special characters test the escaping of names in reports.
            name: "Simulated <GPU> & Device | 1",
            device_type: DeviceType::Other,
            units: Units {
                count: 4,
                schedulers: 1,
                subgroups: 32,
                workgroups: 32,
                width,
                narrow_width: None,
                issue_width: width,
                skips_inactive: true,
                issue_s: 0.15 * NS,
                multiply_slots: 1.0,
                latency_s: 0.6 * NS,
                barrier_s: 0.0,
                // Chosen so that a barrier of a workgroup costs the same at every subgroup width.
                barrier_issue_s: f64::from(width) / 320.0 * NS,
                workgroup_s: 5.0 * NS,
                subgroup_s: 1.0 * NS,
                code_bytes: f64::INFINITY,
                code_miss_s: 0.0,
                shares_fixed: false,
            },
            memory: Memory {
                levels: vec![memory(400.0 * NS, 51.2 * GB_PER_S)],
                line_bytes: 128,
                sector_bytes: 32,
                line_s: 0.01 * NS,
            },
            atomics: Atomics {
                address_s: 2.0 * NS,
                slices: 32,
                slice_s: 2.0 * NS,
                hashed: false,
                merging: Merging::Any,
                blocking: false,
            },
            queue: Queue {
                dispatch_s: 5.0 * US,
                issue_dispatch_s: 1.0 * US,
                issues_ahead: true,
                slots: 8,
                pass_s: 2.0 * US,
                submit_s: 20.0 * US,
                wait_s: 50.0 * US,
                asynchronous: false,
                wake_up_s: 8.0 * US,
                map_s: 60.0 * US,
                word_s: 1.0 * NS,
                write_byte_s: 0.2 * NS,
                copy_byte_s: 0.0,
                compile_s: 0.0,
            },
            links: Some(Links {
                ranks: 4,
                message_s: 2.0 * US,
                byte_s: 0.1 * NS,
                bidirectional_factor: 1.25,
                add_byte_s: 0.05 * NS,
                library_ring_bytes: 1 << 16,
            }),
            governor: Governor::STEADY,
            tick_s: 1.0 * NS,
            binding_bytes: 1 << 27,
            reported_width: Some(width),
            slowness: 1.0,
            noise: Noise::QUIET,
            seed: 7,
        }
    }

    /// Returns seven machines like GPUs of several makers and one like a software device, with little noise.
    #[must_use]
    pub fn like_real_ones() -> Vec<Self> {
        vec![
            Self::nvidia_large(),
            Self::nvidia_small(),
            Self::rdna(),
            Self::cdna(),
            Self::intel(),
            Self::apple(),
            Self::mobile(),
            Self::lavapipe(),
        ]
    }
}
