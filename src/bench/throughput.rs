//! Throughput estimate of the device, which prevents trials of dispatches that could come near a watchdog.

use crate::gpu::{Timing, Workload};

/// Longest expected time of a dispatch that is tried, in seconds: half of the limit in Windows.
pub(super) const WATCHDOG_S: f64 = 1.0;

/// Throughput estimate of the device from its samples so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Throughput {
    /// Seconds that a subgroup takes to issue one instruction; 0 if unknown.
    pub(super) issue_s: f64,
    /// Subgroup width in lanes.
    pub(super) width: u32,
    /// Largest number of workgroups that the device has run concurrently so far: the speed-up over issuing
    /// all instructions one workgroup after another.
    at_once: f64,
}

impl Throughput {
    /// Estimate for a device about which nothing is known.
    pub(super) const UNKNOWN: Self = Self::new(0.0, 1);

    /// Creates an estimate in which one workgroup runs at a time.
    pub(super) const fn new(issue_s: f64, width: u32) -> Self {
        Self { issue_s, width, at_once: 1.0 }
    }

    /// Returns two figures for each dispatch of the workload: the seconds of issuing its instructions one
    /// workgroup after another, and its number of workgroups.
    fn issuing(self, workload: &Workload) -> impl Iterator<Item = (f64, f64)> {
        workload.dispatches.iter().map(move |dispatch| {
            let cost_model = dispatch.costs_at(self.width);
            (
                self.issue_s * cost_model.issues.max(cost_model.dependent),
                cost_model.workgroups.max(1.0),
            )
        })
    }

    /// Returns the expected time of the workload's longest dispatch, in seconds.
    ///
    /// The estimate assumes that at most 1.5 times as many workgroups run concurrently as in any sample so
    /// far.
    pub(super) fn expected_s(self, workload: &Workload) -> f64 {
        const GROWTH: f64 = 1.5;
        let at_once = |workgroups: f64| workgroups.min(GROWTH * self.at_once);
        let each = self.issuing(workload).map(|(serial_s, groups)| serial_s / at_once(groups));
        each.fold(0.0, f64::max)
    }

    /// Updates the estimate with the sample time of a workload. A workload whose timing covers more than its
    /// dispatches is ignored.
    pub(super) fn learn(&mut self, workload: &Workload, sample_s: f64) {
        if !matches!(workload.timing, Timing::Pass { .. }) {
            return;
        }
        let serial_s: f64 = self.issuing(workload).map(|(serial_s, _)| serial_s).sum();
        if sample_s > 0.0 && sample_s.is_finite() {
            self.at_once = self.at_once.max(serial_s / sample_s);
        }
    }
}
