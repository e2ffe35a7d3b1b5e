//! The simulated machines: one without a model in reality, on which every law holds, and some like GPUs that people have.
//!
//! Their parameters are of the size that is public for such GPUs, from vendors' specifications and from published
//! measurements. They are no measurements of ours, and a machine is not a prediction of the GPU that it is like.

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

/// Memory, which holds everything.
const fn memory(latency_s: f64, bytes_per_s: f64) -> Level {
    Level { name: "memory", bytes: f64::INFINITY, latency_s, bytes_per_s, private: false }
}

/// What the host of a GPU in a slot of its own takes, as on a desktop computer with Vulkan.
const DISCRETE: Queue = Queue {
    dispatch_s: 2.0 * US,
    issue_dispatch_s: 0.2 * US,
    slots: 64,
    pass_s: 12.0 * US,
    submit_s: 15.0 * US,
    wait_s: 30.0 * US,
    asynchronous: true,
    map_s: 60.0 * US,
    word_s: 0.5 * NS,
    write_byte_s: 0.06 * NS,
    copy_byte_s: 0.04 * NS,
    compile_s: 20e-3,
};

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
                latency_s: 0.6 * NS,
                barrier_s: 0.0,
                // As much for every workgroup, however wide its subgroups are.
                barrier_issue_s: f64::from(width) / 320.0 * NS,
                workgroup_s: 5.0 * NS,
                subgroup_s: 1.0 * NS,
                code_bytes: f64::INFINITY,
                code_miss_s: 0.0,
                shares_fixed: false,
                overlaps_memory: true,
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
                slots: 8,
                pass_s: 2.0 * US,
                submit_s: 20.0 * US,
                wait_s: 50.0 * US,
                asynchronous: false,
                map_s: 60.0 * US,
                word_s: 1.0 * NS,
                write_byte_s: 0.2 * NS,
                copy_byte_s: 0.0,
                compile_s: 0.0,
            },
            governor: Governor::STEADY,
            tick_s: 1.0 * NS,
            binding_bytes: 1 << 27,
            reported_width: Some(width),
            slowness: 1.0,
            noise: Noise::QUIET,
            seed: 7,
        }
    }

    /// Returns a machine for each kind of GPU that people have, and a software device, with little noise.
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

    /// Like an H100: 132 multiprocessors of four schedulers, 50 MB of L2 cache (NVIDIA, "H100 Tensor Core GPU
    /// Architecture"; latencies as in published microbenchmarks of Hopper).
    fn nvidia_large() -> Self {
        let cycle_s = 1.0 / 1.98e9;
        Self {
            name: "NVIDIA-like, 132 units",
            device_type: DeviceType::Discrete,
            units: Units {
                count: 132,
                schedulers: 4,
                subgroups: 16,
                workgroups: 32,
                width: 32,
                issue_width: 32,
                issue_s: cycle_s,
                latency_s: 4.0 * cycle_s,
                barrier_s: 20.0 * NS,
                barrier_issue_s: 2.0 * cycle_s,
                workgroup_s: 1.0 * NS,
                subgroup_s: cycle_s,
                code_bytes: 128.0 * KIB,
                code_miss_s: 40.0 * NS,
                overlaps_memory: true,
                ..Self::lawful(32).units
            },
            memory: Memory {
                levels: vec![
                    private("L1", 256.0 * KIB, 17.0 * NS, 33_000.0 * GB_PER_S),
                    shared("L2", 50.0 * MIB, 130.0 * NS, 5_600.0 * GB_PER_S),
                    memory(300.0 * NS, 3_350.0 * GB_PER_S),
                ],
                line_bytes: 128,
                sector_bytes: 32,
                line_s: cycle_s,
            },
            atomics: Atomics {
                address_s: 0.73 * NS,
                slices: 96,
                slice_s: 0.73 * NS,
                hashed: true,
                merging: Merging::All,
                blocking: false,
            },
            queue: DISCRETE,
            tick_s: 32.0 * NS,
            binding_bytes: 1 << 31,
            ..Self::lawful(32)
        }
    }

    /// Like an RTX 4090: fewer resident subgroups, 72 MB of L2 cache and slower memory (NVIDIA, "Ada GPU Architecture").
    fn nvidia_small() -> Self {
        let cycle_s = 1.0 / 2.52e9;
        let large = Self::nvidia_large();
        Self {
            name: "NVIDIA-like, 72 MB of L2 cache",
            units: Units {
                count: 128,
                subgroups: 12,
                workgroups: 24,
                issue_s: cycle_s,
                latency_s: 4.0 * cycle_s,
                barrier_issue_s: 2.0 * cycle_s,
                subgroup_s: cycle_s,
                ..large.units
            },
            memory: Memory {
                levels: vec![
                    private("L1", 128.0 * KIB, 13.0 * NS, 41_000.0 * GB_PER_S),
                    shared("L2", 72.0 * MIB, 110.0 * NS, 5_000.0 * GB_PER_S),
                    memory(260.0 * NS, 1_008.0 * GB_PER_S),
                ],
                line_s: cycle_s,
                ..large.memory
            },
            atomics: Atomics {
                address_s: 0.6 * NS,
                slices: 48,
                slice_s: 0.6 * NS,
                ..large.atomics
            },
            ..large
        }
    }

    /// Like an RX 7900 XTX: subgroups of 32 or 64 lanes by pipeline, issued 32 at a time, 96 MB of last-level cache (AMD,
    /// "RDNA3 Instruction Set Architecture").
    fn rdna() -> Self {
        let cycle_s = 1.0 / 2.5e9;
        Self {
            name: "RDNA-like",
            device_type: DeviceType::Discrete,
            units: Units {
                count: 96,
                schedulers: 2,
                subgroups: 16,
                workgroups: 16,
                width: 64,
                narrow_width: Some(32),
                issue_width: 32,
                issue_s: cycle_s,
                latency_s: 5.0 * cycle_s,
                barrier_s: 30.0 * NS,
                barrier_issue_s: 2.0 * cycle_s,
                workgroup_s: 1.5 * NS,
                subgroup_s: cycle_s,
                code_bytes: 32.0 * KIB,
                code_miss_s: 60.0 * NS,
                overlaps_memory: true,
                ..Self::lawful(64).units
            },
            memory: Memory {
                levels: vec![
                    private("L0", 32.0 * KIB, 50.0 * NS, 30_000.0 * GB_PER_S),
                    shared("L2", 6.0 * MIB, 85.0 * NS, 3_700.0 * GB_PER_S),
                    shared("last-level cache", 96.0 * MIB, 160.0 * NS, 2_700.0 * GB_PER_S),
                    memory(270.0 * NS, 960.0 * GB_PER_S),
                ],
                line_bytes: 128,
                sector_bytes: 64,
                line_s: cycle_s,
            },
            atomics: Atomics {
                address_s: 1.6 * NS,
                slices: 48,
                slice_s: 1.6 * NS,
                hashed: true,
                merging: Merging::Any,
                blocking: false,
            },
            queue: Queue {
                dispatch_s: 3.0 * US,
                issue_dispatch_s: 0.4 * US,
                slots: 32,
                ..DISCRETE
            },
            tick_s: 10.0 * NS,
            binding_bytes: 1 << 31,
            ..Self::lawful(64)
        }
    }

    /// Like an MI300X: 64 lanes issued over four cycles whether they are active or not, 256 MB of last-level cache (AMD, "CDNA3 Architecture").
    fn cdna() -> Self {
        let cycle_s = 1.0 / 2.1e9;
        Self {
            name: "CDNA-like",
            device_type: DeviceType::Discrete,
            units: Units {
                count: 304,
                schedulers: 4,
                subgroups: 8,
                workgroups: 16,
                width: 64,
                issue_width: 64,
                issue_s: 4.0 * cycle_s,
                latency_s: 8.0 * cycle_s,
                barrier_s: 40.0 * NS,
                barrier_issue_s: 4.0 * cycle_s,
                workgroup_s: 1.0 * NS,
                subgroup_s: cycle_s,
                code_bytes: 64.0 * KIB,
                code_miss_s: 80.0 * NS,
                overlaps_memory: true,
                ..Self::lawful(64).units
            },
            memory: Memory {
                levels: vec![
                    private("L1", 32.0 * KIB, 60.0 * NS, 40_000.0 * GB_PER_S),
                    shared("L2", 32.0 * MIB, 120.0 * NS, 16_000.0 * GB_PER_S),
                    shared("last-level cache", 256.0 * MIB, 220.0 * NS, 11_900.0 * GB_PER_S),
                    memory(380.0 * NS, 4_300.0 * GB_PER_S),
                ],
                line_bytes: 128,
                sector_bytes: 64,
                line_s: cycle_s,
            },
            atomics: Atomics {
                address_s: 2.0 * NS,
                slices: 128,
                slice_s: 2.0 * NS,
                hashed: true,
                merging: Merging::Any,
                blocking: false,
            },
            queue: Queue {
                dispatch_s: 5.0 * US,
                issue_dispatch_s: 0.6 * US,
                slots: 32,
                ..DISCRETE
            },
            tick_s: 10.0 * NS,
            binding_bytes: 1 << 31,
            ..Self::lawful(64)
        }
    }

    /// Like an Arc A770: 32 lanes under one control flow, issued 16 at a time (Intel, "Xe-HPG Microarchitecture").
    fn intel() -> Self {
        let cycle_s = 1.0 / 2.1e9;
        Self {
            name: "Intel-like",
            device_type: DeviceType::Discrete,
            units: Units {
                count: 32,
                schedulers: 16,
                subgroups: 8,
                workgroups: 16,
                width: 32,
                issue_width: 16,
                skips_inactive: false,
                issue_s: cycle_s,
                latency_s: 6.0 * cycle_s,
                barrier_s: 40.0 * NS,
                barrier_issue_s: 4.0 * cycle_s,
                workgroup_s: 2.0 * NS,
                subgroup_s: 2.0 * cycle_s,
                code_bytes: 96.0 * KIB,
                code_miss_s: 60.0 * NS,
                overlaps_memory: true,
                ..Self::lawful(32).units
            },
            memory: Memory {
                levels: vec![
                    private("L1", 192.0 * KIB, 70.0 * NS, 8_000.0 * GB_PER_S),
                    shared("L2", 16.0 * MIB, 200.0 * NS, 2_000.0 * GB_PER_S),
                    memory(400.0 * NS, 560.0 * GB_PER_S),
                ],
                line_bytes: 64,
                sector_bytes: 64,
                line_s: 2.0 * cycle_s,
            },
            atomics: Atomics {
                address_s: 2.0 * NS,
                slices: 16,
                slice_s: 2.0 * NS,
                hashed: true,
                merging: Merging::Any,
                blocking: false,
            },
            queue: Queue { dispatch_s: 6.0 * US, issue_dispatch_s: 1.5 * US, slots: 8, ..DISCRETE },
            tick_s: 52.0 * NS,
            binding_bytes: 1 << 30,
            ..Self::lawful(32)
        }
    }

    /// Like an M2: no overlap in a pass, a clock that needs work to rise, timestamps 41.67 ns apart (Apple, Metal
    /// documentation; measurements of Asahi Linux and of others).
    fn apple() -> Self {
        let cycle_s = 1.0 / 1.4e9;
        Self {
            name: "Apple-like",
            device_type: DeviceType::Integrated,
            units: Units {
                count: 10,
                schedulers: 4,
                subgroups: 24,
                workgroups: 32,
                width: 32,
                issue_width: 32,
                issue_s: cycle_s,
                latency_s: 4.0 * cycle_s,
                barrier_s: 30.0 * NS,
                barrier_issue_s: 2.0 * cycle_s,
                workgroup_s: 10.0 * NS,
                subgroup_s: 2.0 * cycle_s,
                code_bytes: 64.0 * KIB,
                code_miss_s: 60.0 * NS,
                overlaps_memory: true,
                ..Self::lawful(32).units
            },
            memory: Memory {
                levels: vec![
                    private("L1", 8.0 * KIB, 60.0 * NS, 900.0 * GB_PER_S),
                    shared("last-level cache", 8.0 * MIB, 200.0 * NS, 300.0 * GB_PER_S),
                    memory(350.0 * NS, 100.0 * GB_PER_S),
                ],
                line_bytes: 128,
                sector_bytes: 128,
                line_s: cycle_s,
            },
            atomics: Atomics {
                address_s: 3.0 * NS,
                slices: 8,
                slice_s: 3.0 * NS,
                hashed: true,
                merging: Merging::Any,
                blocking: false,
            },
            queue: Queue {
                dispatch_s: 4.0 * US,
                issue_dispatch_s: 4.0 * US,
                slots: 1,
                pass_s: 20.0 * US,
                submit_s: 40.0 * US,
                wait_s: 100.0 * US,
                ..DISCRETE
            },
            governor: Governor { low: 3.0, up_s: 0.1, down_s: 5e-3 },
            tick_s: 41.67 * NS,
            binding_bytes: 1 << 30,
            ..Self::lawful(32)
        }
    }

    /// Like the GPU of a telephone: 16 lanes, few units, bindings of 128 MiB, a small instruction cache.
    fn mobile() -> Self {
        let cycle_s = 1.0 / 0.85e9;
        Self {
            name: "mobile",
            device_type: DeviceType::Integrated,
            units: Units {
                count: 10,
                schedulers: 2,
                subgroups: 16,
                workgroups: 8,
                width: 16,
                issue_width: 16,
                issue_s: cycle_s,
                latency_s: 4.0 * cycle_s,
                barrier_s: 60.0 * NS,
                barrier_issue_s: 2.0 * cycle_s,
                workgroup_s: 20.0 * NS,
                subgroup_s: 4.0 * cycle_s,
                code_bytes: 8.0 * KIB,
                code_miss_s: 120.0 * NS,
                overlaps_memory: true,
                ..Self::lawful(16).units
            },
            memory: Memory {
                levels: vec![
                    private("L1", 32.0 * KIB, 60.0 * NS, 500.0 * GB_PER_S),
                    shared("L2", 2.0 * MIB, 180.0 * NS, 200.0 * GB_PER_S),
                    memory(400.0 * NS, 45.0 * GB_PER_S),
                ],
                line_bytes: 64,
                sector_bytes: 64,
                line_s: cycle_s,
            },
            atomics: Atomics {
                address_s: 5.0 * NS,
                slices: 4,
                slice_s: 5.0 * NS,
                hashed: true,
                merging: Merging::Any,
                blocking: false,
            },
            queue: Queue {
                dispatch_s: 12.0 * US,
                issue_dispatch_s: 6.0 * US,
                slots: 2,
                pass_s: 40.0 * US,
                submit_s: 80.0 * US,
                wait_s: 150.0 * US,
                ..DISCRETE
            },
            governor: Governor { low: 2.0, up_s: 0.05, down_s: 20e-3 },
            tick_s: 52.0 * NS,
            binding_bytes: 1 << 27,
            ..Self::lawful(16)
        }
    }

    /// Like lavapipe on two cores: two threads with fixed shares of the workgroups, which compute or load.
    fn lavapipe() -> Self {
        Self {
            name: "lavapipe-like",
            device_type: DeviceType::Cpu,
            units: Units {
                count: 2,
                schedulers: 1,
                subgroups: 1,
                workgroups: 1,
                width: 8,
                issue_width: 8,
                issue_s: 0.3 * NS,
                latency_s: 1.0 * NS,
                barrier_s: 0.0,
                barrier_issue_s: 20.0 * NS,
                workgroup_s: 0.0,
                subgroup_s: 5.0 * NS,
                shares_fixed: true,
                ..Self::lawful(8).units
            },
            memory: Memory {
                levels: vec![
                    private("L2", MIB, 5.0 * NS, 60.0 * GB_PER_S),
                    shared("L3", 32.0 * MIB, 20.0 * NS, 40.0 * GB_PER_S),
                    memory(100.0 * NS, 10.0 * GB_PER_S),
                ],
                line_bytes: 64,
                sector_bytes: 64,
                line_s: 1.0 * NS,
            },
            atomics: Atomics {
                address_s: 8.0 * NS,
                slices: 2,
                slice_s: 8.0 * NS,
                hashed: false,
                merging: Merging::Nothing,
                blocking: true,
            },
            queue: Queue {
                dispatch_s: 30.0 * US,
                issue_dispatch_s: 30.0 * US,
                slots: 1,
                pass_s: 10.0 * US,
                submit_s: 20.0 * US,
                wait_s: 60.0 * US,
                write_byte_s: 0.1 * NS,
                copy_byte_s: 0.1 * NS,
                ..DISCRETE
            },
            ..Self::lawful(8)
        }
    }
}
