//! All unsafe code of the crate. A comment at each block states why the block is sound.

#![expect(unsafe_code, reason = "this is the only module with unsafe code")]

/// Sets environment variables that Mesa's drivers read on Linux, unless the user has set them.
///
/// Call this function at the start of `main`. It sets:
/// - `MESA_SHADER_CACHE_DISABLE=true`, so that Mesa does not reuse machine code that was compiled for another
///   vector width. lavapipe's on-disk shader cache is not keyed by `LP_NATIVE_VECTOR_WIDTH`. It may therefore
///   run code compiled for 4 lanes while the driver reports 16, which makes every width-dependent figure
///   wrong.
/// - `XDG_RUNTIME_DIR`, the folder for temporary files. Without this variable, drivers that look for a
///   display print warnings to standard error. warplaw needs no display.
///
/// The function does nothing on other operating systems, or if the process has another thread, which might
/// read the environment at the same time.
pub fn prepare_environment() {
    if !cfg!(target_os = "linux") || !is_only_thread() {
        return;
    }
    let runtime_dir = std::env::temp_dir();
    let wanted = [
        ("MESA_SHADER_CACHE_DISABLE", "true".as_ref()),
        ("XDG_RUNTIME_DIR", runtime_dir.as_os_str()),
    ];
    for (variable, value) in wanted {
        if std::env::var_os(variable).is_none() {
            // SAFETY: no other thread exists that could access the environment during this call.
            unsafe { std::env::set_var(variable, value) };
        }
    }
}

/// Returns `true` if Linux lists exactly one thread for this process.
fn is_only_thread() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
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
        assert!(!is_only_thread());
    }
}
