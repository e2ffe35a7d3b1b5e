//! Wake-ups of a sleeping thread of the host.
//!
//! A driver hands work to a thread that sleeps, and a host that waits for the device sleeps too. On a virtual machine such
//! a wake-up can take longer than the rest of a launch, and nothing in the time of a launch tells it apart.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Time for which the thread sleeps before it is woken. The core of a thread that has slept for less may not be idle yet.
const SLEEP: Duration = Duration::from_micros(300);

/// Returns the seconds from the call that wakes a sleeping thread to its first instruction, added up over `count` times.
///
/// # Errors
/// Returns the error of the system if it does not start a thread.
pub(super) fn wake_ups_s(count: u32) -> io::Result<f64> {
    let start = Instant::now();
    let now_ns = || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    // How often the thread has been called, how often it has answered, and when it last did.
    let (called, answered) = (AtomicU32::new(0), AtomicU32::new(0));
    let woken_ns = AtomicU64::new(0);
    thread::scope(|scope| {
        let sleeper = thread::Builder::new().spawn_scoped(scope, || {
            for call in 1..=count {
                while called.load(Ordering::Acquire) < call {
                    thread::park();
                }
                woken_ns.store(now_ns(), Ordering::Relaxed);
                answered.store(call, Ordering::Release);
            }
        })?;
        let mut all_ns = 0;
        for call in 1..=count {
            // This thread stays awake, so that only the other one has to wake up.
            let slept = Instant::now();
            while slept.elapsed() < SLEEP {
                std::hint::spin_loop();
            }
            let called_ns = now_ns();
            called.store(call, Ordering::Release);
            sleeper.thread().unpark();
            while answered.load(Ordering::Acquire) < call {
                thread::yield_now();
            }
            all_ns += woken_ns.load(Ordering::Relaxed).saturating_sub(called_ns);
        }
        Ok(all_ns as f64 * 1e-9)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_woken_as_often_as_it_is_called_and_each_time_takes_time() {
        let of = |count| wake_ups_s(count).expect("the system starts a thread");
        assert_eq!(of(0), 0.0);
        for count in [1, 2, 20] {
            let taken_s = of(count);
            assert!(taken_s > 0.0 && taken_s < f64::from(count), "{count}: {taken_s} s");
        }
    }
}
