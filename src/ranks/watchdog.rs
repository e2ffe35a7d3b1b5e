//! A watchdog that ends a rank whose partners do not answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Seconds without an answer after which a rank ends. The longest exchange may take a sixth of it.
pub const PATIENCE_S: u64 = 60;

/// Seconds for which ranks whose devices are open wait for the others. A cold driver takes long on some hosts.
pub const OPENING_S: u64 = 300;

/// Ends the process at once with an exit code. It is called from another thread than the one that waits for a message.
pub type Exit = fn(i32) -> !;

/// Exit code of a rank that gives up.
const GAVE_UP: i32 = 2;

/// Milliseconds from one look of the watchdog to the next.
const INTERVAL_MS: u64 = 500;

/// What a rank waits for, and how often the watchdog has found it waiting. So the time in which the whole process stands still
/// does not count.
#[derive(Debug, Clone, Copy, Default)]
struct Waiting {
    what: Option<&'static str>,
    patience_s: u64,
    looks: u64,
}

/// Ends the process if it waits too long for what it expects. An exchange between processes can be ended in
/// no other way if one of them is gone.
pub(super) struct Watchdog {
    waiting: Arc<Mutex<Waiting>>,
    is_over: Arc<AtomicBool>,
}

impl Watchdog {
    pub(super) fn new(rank: u32, exit: Exit) -> Self {
        let waiting: Arc<Mutex<Waiting>> = Arc::default();
        let is_over: Arc<AtomicBool> = Arc::default();
        let (watched, over) = (Arc::clone(&waiting), Arc::clone(&is_over));
        // Without the thread, nothing limits a wait. The run is possible nevertheless.
        let _thread = thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            while !over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(INTERVAL_MS));
                if let Some((what, patience_s)) = lock(&watched).overdue() {
                    eprintln!(
                        "error: rank {rank} waited {patience_s} s for {what}: another rank or its host hangs or is gone"
                    );
                    exit(GAVE_UP);
                }
            }
        });
        Self { waiting, is_over }
    }

    /// Begins to wait for `what`, [`PATIENCE_S`] at most.
    pub(super) fn expect(&self, what: &'static str) {
        self.expect_for(PATIENCE_S, what);
    }

    /// Begins to wait for `what`, `patience_s` seconds at most.
    pub(super) fn expect_for(&self, patience_s: u64, what: &'static str) {
        *lock(&self.waiting) = Waiting { what: Some(what), patience_s, looks: 0 };
    }

    /// Ends waiting.
    pub(super) fn rest(&self) {
        *lock(&self.waiting) = Waiting::default();
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

fn lock(waiting: &Mutex<Waiting>) -> std::sync::MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Waiting {
    /// Counts a look. Returns what has been waited for too long, and the seconds.
    fn overdue(&mut self) -> Option<(&'static str, u64)> {
        self.looks += 1;
        let is_over = self.looks * INTERVAL_MS > self.patience_s * 1000;
        self.what.filter(|_| is_over).map(|what| (what, self.patience_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_wait_is_overdue() {
        let looks = PATIENCE_S * 1000 / INTERVAL_MS;
        let mut waiting = Waiting { what: Some("x"), patience_s: PATIENCE_S, looks: 0 };
        assert!((0..looks).all(|_| waiting.overdue().is_none()));
        assert_eq!(waiting.overdue(), Some(("x", PATIENCE_S)));
        let mut resting = Waiting::default();
        assert!((0..2 * looks).all(|_| resting.overdue().is_none()));
    }
}
