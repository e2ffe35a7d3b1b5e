//! Threads of the host that wake each other.
//!
//! A driver hands work to a thread that sleeps, and a host that waits for the device sleeps too. On a virtual machine such
//! a wake-up takes longer than the rest of a launch, and no program can see it in the time of a launch.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, Thread};
use std::time::Instant;

/// Returns the seconds in which two threads wake each other, each the other `turns` times.
///
/// # Errors
/// Returns the error of the system if it does not start a thread.
pub(super) fn wake_ups_s(turns: u32) -> io::Result<f64> {
    // Even numbers are the turns of this thread, odd ones those of the other.
    let turn = AtomicU32::new(0);
    let last = 2 * turns;
    let host = thread::current();
    thread::scope(|scope| {
        let answer = || {
            for mine in (1..=last + 1).step_by(2) {
                // The first turn only says that this thread runs.
                wait_for(&turn, mine - 1);
                wake(&turn, mine, &host);
            }
        };
        let other = thread::Builder::new().spawn_scoped(scope, answer)?;
        wait_for(&turn, 1);
        let start = Instant::now();
        for mine in (2..=last).step_by(2) {
            wake(&turn, mine, other.thread());
            wait_for(&turn, mine + 1);
        }
        Ok(start.elapsed().as_secs_f64())
    })
}

/// Sleeps until it is turn `at`.
fn wait_for(turn: &AtomicU32, at: u32) {
    while turn.load(Ordering::Acquire) < at {
        thread::park();
    }
}

/// Makes it turn `next` and wakes the thread that waits for it.
fn wake(turn: &AtomicU32, next: u32, waiting: &Thread) {
    turn.store(next, Ordering::Release);
    waiting.unpark();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_wake_each_other_and_come_to_an_end() {
        for turns in [0, 1, 2, 100] {
            let taken_s = wake_ups_s(turns).expect("the system starts a thread");
            assert!((0.0..10.0).contains(&taken_s), "{turns} turns: {taken_s} s");
        }
        // A wake-up is not free, so that many of them take longer than none.
        let none_s = wake_ups_s(0).expect("the system starts a thread");
        let many_s = wake_ups_s(1000).expect("the system starts a thread");
        assert!(many_s > none_s, "{many_s} s and {none_s} s");
    }
}
