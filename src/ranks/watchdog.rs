//! A watchdog that ends a rank whose partners do not answer.

use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Seconds without an answer after which a rank ends. The longest exchange may take a fifth of it.
pub const PATIENCE_S: u64 = 60;

/// Exit code of a rank that gives up.
const GAVE_UP: i32 = 2;

/// How often the watchdog looks.
const INTERVAL: Duration = Duration::from_millis(500);

/// What a rank waits for, and since when.
type Waiting = Option<(&'static str, Instant)>;

/// Ends the process if it waits longer than [`PATIENCE_S`] for what it expects. An exchange between processes can be ended in
/// no other way if one of them is gone.
pub(super) struct Watchdog {
    waiting: Arc<Mutex<Waiting>>,
    is_over: Arc<AtomicBool>,
}

impl Watchdog {
    pub(super) fn new(rank: u32) -> Self {
        let waiting: Arc<Mutex<Waiting>> = Arc::default();
        let is_over: Arc<AtomicBool> = Arc::default();
        let (watched, over) = (Arc::clone(&waiting), Arc::clone(&is_over));
        // Without the thread, nothing limits a wait. The run is possible nevertheless.
        let _thread = thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            while !over.load(Ordering::Relaxed) {
                thread::sleep(INTERVAL);
                let waiting = *watched.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(what) = overdue(waiting) {
                    eprintln!(
                        "error: rank {rank} waited {PATIENCE_S} s for {what}: another rank or its host hangs or is gone"
                    );
                    exit(GAVE_UP);
                }
            }
        });
        Self { waiting, is_over }
    }

    /// Begins to wait for `what`.
    pub(super) fn expect(&self, what: &'static str) {
        self.set(Some((what, Instant::now())));
    }

    /// Ends waiting.
    pub(super) fn rest(&self) {
        self.set(None);
    }

    fn set(&self, waiting: Waiting) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Returns what has been waited for too long.
fn overdue(waiting: Waiting) -> Option<&'static str> {
    let (what, since) = waiting?;
    (since.elapsed() > Duration::from_secs(PATIENCE_S)).then_some(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_wait_is_overdue() {
        let ago = |seconds| Instant::now().checked_sub(Duration::from_secs(seconds));
        assert_eq!(overdue(None), None);
        assert_eq!(overdue(ago(PATIENCE_S - 5).map(|since| ("x", since))), None);
        assert_eq!(overdue(ago(PATIENCE_S + 1).map(|since| ("x", since))), Some("x"));
    }
}
