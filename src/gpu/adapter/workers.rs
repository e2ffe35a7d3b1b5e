//! Workers of software devices: the threads that run workgroups.

use crate::gpu::unchecked;

/// The workers of a software device: the threads that run its workgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workers {
    /// Number of workgroups that run at the same time.
    pub count: u32,
    /// Whether the device can be opened with another number. It cannot if the user has set the number, if the program
    /// opened the device, or if an attempt to change the number failed.
    pub adjustable: bool,
}

/// How many workers to open a software device with. Other devices ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WantedWorkers {
    /// One worker, whose times repeat best.
    #[default]
    One,
    /// One worker per core of the processor.
    PerCore,
}

/// Largest number of threads that lavapipe uses, however many cores there are (`LP_MAX_THREADS`, since Mesa 22.3).
const MOST_LAVAPIPE_THREADS: u32 = 32;

/// Name of lavapipe's driver.
const LAVAPIPE_DRIVER: &str = "llvmpipe";

impl Workers {
    /// Returns the workers of a device of `driver` that is opened now; `None` if they are unknown.
    pub(super) fn of(driver: &str) -> Option<Self> {
        (driver == LAVAPIPE_DRIVER).then(Self::of_lavapipe)
    }

    fn of_lavapipe() -> Self {
        let set = std::env::var(unchecked::LAVAPIPE_THREADS).ok();
        let threads = set.and_then(|threads| threads.parse().ok()).unwrap_or_else(cores);
        // Without threads of its own, lavapipe runs workgroups on the thread of the queue.
        Self {
            count: threads.clamp(1, MOST_LAVAPIPE_THREADS),
            adjustable: unchecked::may_set_lavapipe_threads(),
        }
    }

    /// Returns whether there are as many workers as `wanted`, on this machine.
    #[must_use]
    pub fn are(self, wanted: WantedWorkers) -> bool {
        (self.count > 1) == (wanted == WantedWorkers::PerCore && cores() > 1)
    }
}

impl WantedWorkers {
    /// Applies the choice to lavapipe devices that are opened from now on.
    pub(in crate::gpu) fn apply(self) {
        unchecked::set_lavapipe_threads(match self {
            Self::One => 0,
            Self::PerCore => cores(),
        });
    }
}

/// Returns the number of cores that this process may use.
fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
}
