//! Load of the host by other processes.

use std::time::Instant;

use sysinfo::{
    CpuRefreshKind, MINIMUM_CPU_UPDATE_INTERVAL, Pid, ProcessRefreshKind, ProcessesToUpdate, System,
};

/// Measures how busy other processes keep the cores of the host.
pub(super) struct HostLoad {
    system: System,
    own: Pid,
    /// Time of the last call that counts.
    last: Option<Instant>,
}

impl HostLoad {
    /// Returns `None` on a system that does not tell the load.
    pub(super) fn new() -> Option<Self> {
        Some(Self {
            system: System::new().ok()?,
            own: sysinfo::get_current_pid().ok()?,
            last: None,
        })
    }

    /// Returns the number of cores that other processes kept busy on average since the last call.
    ///
    /// Returns `None` at the first call and on a system that does not tell. A call less than a fifth of a second after
    /// the last one returns `None` too and does not count, because the system's figures are too coarse for it.
    pub(super) fn since_last(&mut self) -> Option<f64> {
        if self.last.is_some_and(|last| last.elapsed() < MINIMUM_CPU_UPDATE_INTERVAL) {
            return None;
        }
        let is_first = self.last.replace(Instant::now()).is_none();
        let usage = CpuRefreshKind::nothing().with_usage();
        self.system.refresh_cpu_specifics(usage);
        self.system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[self.own]),
            false,
            ProcessRefreshKind::nothing().with_cpu(),
        );
        if is_first {
            return None;
        }
        let cores = self.system.cpus();
        let all: f64 = cores.iter().map(|core| f64::from(core.usage()) / 100.0).sum();
        let own = f64::from(self.system.process(self.own)?.cpu_usage()) / 100.0;
        (!cores.is_empty()).then(|| (all - own).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_work_of_this_process_is_not_counted() {
        let mut load = HostLoad::new().expect("the system tells its load");
        assert_eq!([load.since_last(), load.since_last()], [None, None]);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    let begin = Instant::now();
                    while begin.elapsed() < Duration::from_millis(300) {
                        std::hint::spin_loop();
                    }
                });
            }
        });
        let others = load.since_last().expect("the second call knows");
        // Other tests may keep other processes busy, but this process kept every core busy.
        assert!(others < 0.6 * cores as f64, "{others} of {cores} cores");
    }
}
