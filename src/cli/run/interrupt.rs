//! Ctrl-C and termination signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Installs a handler for Ctrl-C and for termination signals, and returns the flag that it sets.
///
/// The first signal sets the flag, and the run stops after the current round. The second signal ends the
/// process with exit code 130.
pub(super) fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    on_interrupt(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    stop
}

/// Calls `handle` at each Ctrl-C and each termination signal.
pub(super) fn on_interrupt(handle: impl FnMut() + Send + 'static) {
    // This fails only if an earlier run of this process has installed its handler, which stays in place.
    let _already_set = ctrlc::set_handler(handle);
}
