//! Machines like graphics cards and accelerators, which have memory of their own.

use super::{GB_PER_S, KIB, MIB, NS, US, hashed, memory, private, shared};
use crate::gpu::Merging;
use crate::model::DeviceType;
use crate::sim::{Machine, Memory, Queue, Units};

/// What the host of a GPU in a slot of its own takes, as on a desktop computer with Vulkan.
pub(super) const DISCRETE: Queue = Queue {
    dispatch_s: 2.0 * US,
    issue_dispatch_s: 0.2 * US,
    issues_ahead: true,
    slots: 64,
    pass_s: 12.0 * US,
    submit_s: 15.0 * US,
    wait_s: 30.0 * US,
    asynchronous: true,
    wake_up_s: 8.0 * US,
    map_s: 60.0 * US,
    word_s: 0.5 * NS,
    write_byte_s: 0.06 * NS,
    copy_byte_s: 0.04 * NS,
    compile_s: 20e-3,
};

impl Machine {
    /// Like an H100: 132 multiprocessors of four schedulers, 50 MB of L2 cache (NVIDIA, "H100 Tensor Core GPU
    /// Architecture"; latencies as in W. Luo et al., "Benchmarking and Dissecting the Nvidia Hopper GPU Architecture via
    /// Microbenchmarking", 2024, rounded).
    pub(super) fn nvidia_large() -> Self {
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
                multiply_slots: 2.0,
                latency_s: 4.0 * cycle_s,
                barrier_s: 20.0 * NS,
                barrier_issue_s: 2.0 * cycle_s,
                workgroup_s: 1.0 * NS,
                subgroup_s: cycle_s,
                code_bytes: 128.0 * KIB,
                code_miss_s: 40.0 * NS,
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
            atomics: hashed(0.73 * NS, 96, Merging::All),
            queue: DISCRETE,
            tick_s: 32.0 * NS,
            binding_bytes: 1 << 31,
            ..Self::lawful(32)
        }
    }

    /// Like an RTX 4090: fewer resident subgroups, 72 MB of L2 cache and slower memory (NVIDIA, "Ada GPU Architecture").
    pub(super) fn nvidia_small() -> Self {
        let cycle_s = 1.0 / 2.52e9;
        let large = Self::nvidia_large();
        Self {
            name: "NVIDIA-like, 72 MB of L2 cache",
            units: Units {
                count: 128,
                subgroups: 12,
                workgroups: 24,
                issue_s: cycle_s,
                multiply_slots: 2.0,
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
            atomics: hashed(0.6 * NS, 48, Merging::All),
            ..large
        }
    }

    /// Like an RX 7900 XTX: subgroups of 32 or 64 lanes by pipeline, issued 32 at a time, 96 MB of last-level cache (AMD,
    /// "RDNA3 Instruction Set Architecture").
    pub(super) fn rdna() -> Self {
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
                multiply_slots: 4.0,
                latency_s: 5.0 * cycle_s,
                barrier_s: 30.0 * NS,
                barrier_issue_s: 2.0 * cycle_s,
                workgroup_s: 1.5 * NS,
                subgroup_s: cycle_s,
                code_bytes: 32.0 * KIB,
                code_miss_s: 60.0 * NS,
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
            atomics: hashed(1.6 * NS, 48, Merging::Any),
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
    pub(super) fn cdna() -> Self {
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
                multiply_slots: 4.0,
                latency_s: 8.0 * cycle_s,
                barrier_s: 40.0 * NS,
                barrier_issue_s: 4.0 * cycle_s,
                workgroup_s: 1.0 * NS,
                subgroup_s: cycle_s,
                code_bytes: 64.0 * KIB,
                code_miss_s: 80.0 * NS,
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
            atomics: hashed(2.0 * NS, 128, Merging::Any),
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

    /// Like an Arc B580: 20 cores of eight engines that issue 16 lanes at a time, and 32 lanes under one control flow (Intel,
    /// "Xe2 and Lunar Lake" at Tech Tour 2024).
    pub(super) fn intel() -> Self {
        let cycle_s = 1.0 / 2.67e9;
        Self {
            name: "Intel-like",
            device_type: DeviceType::Discrete,
            units: Units {
                count: 20,
                schedulers: 8,
                subgroups: 8,
                workgroups: 16,
                width: 32,
                issue_width: 16,
                skips_inactive: false,
                issue_s: cycle_s,
                multiply_slots: 4.0,
                latency_s: 6.0 * cycle_s,
                barrier_s: 40.0 * NS,
                barrier_issue_s: 4.0 * cycle_s,
                workgroup_s: 2.0 * NS,
                subgroup_s: 2.0 * cycle_s,
                code_bytes: 96.0 * KIB,
                code_miss_s: 60.0 * NS,
                ..Self::lawful(32).units
            },
            memory: Memory {
                levels: vec![
                    private("L1", 192.0 * KIB, 70.0 * NS, 8_000.0 * GB_PER_S),
                    shared("L2", 18.0 * MIB, 200.0 * NS, 2_000.0 * GB_PER_S),
                    memory(400.0 * NS, 456.0 * GB_PER_S),
                ],
                line_bytes: 64,
                sector_bytes: 64,
                line_s: 2.0 * cycle_s,
            },
            atomics: hashed(2.0 * NS, 16, Merging::Any),
            queue: Queue { dispatch_s: 6.0 * US, issue_dispatch_s: 1.5 * US, slots: 8, ..DISCRETE },
            tick_s: 52.0 * NS,
            binding_bytes: 1 << 30,
            ..Self::lawful(32)
        }
    }
}
