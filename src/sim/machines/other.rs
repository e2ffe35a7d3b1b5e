//! Machines like GPUs that share the memory of the host, and one like a software device.

use super::discrete::DISCRETE;
use super::{GB_PER_S, KIB, MIB, NS, US, hashed, memory, private, shared};
use crate::gpu::Merging;
use crate::model::DeviceType;
use crate::sim::{Atomics, Governor, Machine, Memory, Queue, Units};

impl Machine {
    /// Like an M2: no overlap in a pass, a clock that needs work to rise, timestamps 41.67 ns apart (Apple, Metal
    /// documentation; the other parameters are of a plausible size).
    pub(super) fn apple() -> Self {
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
                multiply_slots: 4.0,
                latency_s: 4.0 * cycle_s,
                barrier_s: 30.0 * NS,
                barrier_issue_s: 2.0 * cycle_s,
                workgroup_s: 10.0 * NS,
                subgroup_s: 2.0 * cycle_s,
                code_bytes: 64.0 * KIB,
                code_miss_s: 60.0 * NS,
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
            atomics: hashed(3.0 * NS, 8, Merging::Any),
            queue: Queue {
                dispatch_s: 4.0 * US,
                issue_dispatch_s: 4.0 * US,
                issues_ahead: false,
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
    pub(super) fn mobile() -> Self {
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
                multiply_slots: 4.0,
                latency_s: 4.0 * cycle_s,
                barrier_s: 60.0 * NS,
                barrier_issue_s: 2.0 * cycle_s,
                workgroup_s: 20.0 * NS,
                subgroup_s: 4.0 * cycle_s,
                code_bytes: 8.0 * KIB,
                code_miss_s: 120.0 * NS,
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
            atomics: hashed(5.0 * NS, 4, Merging::Any),
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

    /// Like lavapipe on two cores: two threads with fixed shares of the workgroups.
    pub(super) fn lavapipe() -> Self {
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
                multiply_slots: 1.0,
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
                issues_ahead: false,
                slots: 1,
                pass_s: 10.0 * US,
                submit_s: 20.0 * US,
                wait_s: 60.0 * US,
                wake_up_s: 18.0 * US,
                write_byte_s: 0.1 * NS,
                copy_byte_s: 0.1 * NS,
                ..DISCRETE
            },
            ..Self::lawful(8)
        }
    }
}
