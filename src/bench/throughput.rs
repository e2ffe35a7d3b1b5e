//! An estimate of how fast the device is, so that nothing is tried that may near a watchdog.

use crate::gpu::{Timing, Workload};

/// Half of what Windows allows a dispatch.
pub(super) const WATCHDOG_S: f64 = 1.0;

/// How fast the device is, as far as it has shown, so that nothing is tried that may near a watchdog.
#[derive(Debug, Clone, Copy)]
pub(super) struct Throughput {
    /// Seconds in which a subgroup issues an instruction; 0 while it is not known.
    pub(super) issue_s: f64,
    /// Lanes in a subgroup.
    pub(super) width: u32,
    /// Workgroups' worth of instructions that it has issued at once.
    at_once: f64,
}

impl Throughput {
    /// Nothing is known yet.
    pub(super) const UNKNOWN: Self = Self::new(0.0, 1);

    /// A lone workgroup's throughput.
    pub(super) const fn new(issue_s: f64, width: u32) -> Self {
        Self { issue_s, width, at_once: 1.0 }
    }

    /// Seconds of issuing in each of the workload's dispatches, one workgroup after another, and workgroups.
    fn issuing(self, workload: &Workload) -> impl Iterator<Item = (f64, f64)> {
        workload.dispatches.iter().map(move |dispatch| {
            let cost_model = (dispatch.cost_model)(self.width);
            (
                self.issue_s * cost_model.issues.max(cost_model.dependent),
                cost_model.workgroups.max(1.0),
            )
        })
    }

    /// What the longest of a workload's dispatches takes, if more of them run at once than ever did before.
    pub(super) fn expected_s(self, workload: &Workload) -> f64 {
        const MORE: f64 = 1.5;
        let at_once = |workgroups: f64| workgroups.min(MORE * self.at_once);
        let each = self.issuing(workload).map(|(serial_s, groups)| serial_s / at_once(groups));
        each.fold(0.0, f64::max)
    }

    /// Learns from what a workload took, if its dispatches are what was timed.
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
