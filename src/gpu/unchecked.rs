//! All unsafe code of the crate, but for the tool interface of MPI. A comment at each block states why the block is sound.

#![expect(unsafe_code, reason = "this module holds the unsafe code of the crate")]

use std::ffi::OsStr;
#[cfg(feature = "mpi")]
use std::ffi::OsString;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Variable with the number of threads on which lavapipe runs workgroups; 0 for the thread of the queue alone.
pub(super) const LAVAPIPE_THREADS: &str = "LP_NUM_THREADS";

/// Whether this process may set [`LAVAPIPE_THREADS`]: the user did not, and no attempt has failed.
static MAY_SET_THREADS: AtomicBool = AtomicBool::new(false);

/// Variables that [`prepare_environment`] has set.
static PREPARED: OnceLock<Vec<&str>> = OnceLock::new();

/// Longest wait for the threads of a closed device to end.
const THREADS_END: Duration = Duration::from_secs(2);

/// Sets environment variables that Mesa's drivers read on Linux, unless the user has set them.
///
/// Call this function at the start of `main`. It sets:
/// - `LP_NUM_THREADS=0`, so that lavapipe runs all workgroups on one thread. With a pool of threads, lavapipe splits
///   a dispatch among them once and for all: one thread that starts late doubles the time of a sample. An
///   experiment that needs several workers opens the device again with a thread per core.
/// - `MESA_SHADER_CACHE_DISABLE=true`, so that Mesa does not reuse machine code that was compiled for another
///   vector width. lavapipe's on-disk shader cache is not keyed by `LP_NATIVE_VECTOR_WIDTH`. It may therefore
///   run code compiled for 4 lanes while the driver reports 16, which makes every width-dependent figure
///   wrong.
/// - `XDG_RUNTIME_DIR`, the folder for temporary files. Without this variable, drivers that look for a
///   display print warnings to standard error. warplaw needs no display.
///
/// The function does nothing on other operating systems, or if the process has another thread, which might
/// read the environment at the same time. A handler that the program gives to the crate `ctrlc` must not read it.
pub fn prepare_environment() {
    if !cfg!(target_os = "linux") || !is_environment_unused() {
        return;
    }
    MAY_SET_THREADS.store(std::env::var_os(LAVAPIPE_THREADS).is_none(), Ordering::Relaxed);
    let runtime_dir = std::env::temp_dir();
    let wanted = [
        (LAVAPIPE_THREADS, "0".as_ref()),
        ("MESA_SHADER_CACHE_DISABLE", "true".as_ref()),
        ("XDG_RUNTIME_DIR", runtime_dir.as_os_str()),
    ];
    let _of_an_earlier_call = PREPARED.set(set_all(wanted));
}

/// Sets variables that the user has not set, and returns their names. No other thread may exist that could access the
/// environment.
fn set_all<T: AsRef<OsStr>>(
    wanted: impl IntoIterator<Item = (&'static str, T)>,
) -> Vec<&'static str> {
    let mut set = Vec::new();
    for (variable, value) in wanted {
        if std::env::var_os(variable).is_none() {
            // SAFETY: no other thread exists that could access the environment during this call, as both callers know.
            unsafe { std::env::set_var(variable, value) };
            set.push(variable);
        }
    }
    set
}

/// Sets variables that the user has not set. Does nothing if other threads might read the environment at the same time, and
/// outside Linux, where that is not known.
#[cfg(feature = "mpi")]
pub(crate) fn set_unless_set(wanted: impl IntoIterator<Item = (&'static str, OsString)>) {
    if cfg!(target_os = "linux") && is_environment_unused() {
        set_all(wanted);
    }
}

/// Returns the variables that [`prepare_environment`] has set, and the user has not.
#[cfg(feature = "cli")]
pub(crate) fn prepared_variables() -> &'static [&'static str] {
    PREPARED.get().map_or(&[], Vec::as_slice)
}

/// Returns whether [`set_lavapipe_threads`] may change the number of lavapipe's threads.
pub(super) fn may_set_lavapipe_threads() -> bool {
    MAY_SET_THREADS.load(Ordering::Relaxed)
}

/// Sets the number of threads of lavapipe devices that are opened from now on.
///
/// Does nothing if the user has set the number. If other threads that might read the environment do not end, the number
/// stays as it is for the rest of the process. No device may be open, because drivers have threads.
pub(super) fn set_lavapipe_threads(count: u32) {
    let is_set = std::env::var(LAVAPIPE_THREADS).is_ok_and(|set| set == count.to_string());
    if is_set || !may_set_lavapipe_threads() {
        return;
    }
    // The threads of a device that was just closed take a while to end.
    let begin = Instant::now();
    while !is_environment_unused() {
        if begin.elapsed() > THREADS_END {
            MAY_SET_THREADS.store(false, Ordering::Relaxed);
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // SAFETY: no thread exists that accesses the environment during this call. The thread of the crate `ctrlc`, if
    // there is one, blocks until a signal arrives. The first signal sets a flag. The second one ends the process, and
    // what its exit handlers read no longer matters.
    unsafe { std::env::set_var(LAVAPIPE_THREADS, count.to_string()) };
}

/// Name of the thread that waits for signals in the crate `ctrlc`. It does not access the environment.
const SIGNAL_THREAD: &str = "ctrl-c";

/// Returns `true` if Linux lists no thread for this process that could access the environment, other than this one.
fn is_environment_unused() -> bool {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return false };
    let name = |thread: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(thread?.path().join("comm"))
    };
    let names = threads.map(name);
    names.filter(|name| !name.as_ref().is_ok_and(|name| name.trim() == SIGNAL_THREAD)).count() == 1
}

/// Creates a shader module without the bounds, division and loop checks that wgpu injects.
///
/// The checks would add to the measured times.
pub(super) fn shader_module(
    device: &wgpu::Device,
    descriptor: wgpu::ShaderModuleDescriptor<'_>,
) -> wgpu::ShaderModule {
    // SAFETY: only this crate can create a `Shader` that asks for no checks, or bind buffers to one: workloads of
    // other crates get checked copies (`Workload::checked`). Every loop in this crate's shaders ends by a counter or by a compare-and-swap that eventually succeeds. Every index is inside its
    // buffer, because the kernels size the buffers for their indices.
    unsafe {
        device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_thread_is_detected() {
        // The test harness runs this test on a second thread.
        assert!(!is_environment_unused());
    }
}
