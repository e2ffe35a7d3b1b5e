//! All of the crate's unsafe code: what the compiler cannot check, each with what makes it sound.

#![expect(unsafe_code, reason = "the one module that may")]

/// Sets what drivers read from the environment, unless the user has. Call it first thing in `main`.
///
/// On Linux, where drivers are Mesa's:
/// - `MESA_SHADER_CACHE_DISABLE=true` keeps Mesa from reusing machine code that was compiled for another
///   vector width. lavapipe's on-disk shader cache is not keyed by `LP_NATIVE_VECTOR_WIDTH`: code
///   compiled for 4 lanes is run while the driver reports 16, and every width-dependent figure is then a
///   fiction.
/// - `XDG_RUNTIME_DIR`: without it drivers that look for a display complain on standard error, and no
///   display is wanted here.
///
/// Does nothing elsewhere, or where another thread may be reading the environment.
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
            // SAFETY: nothing may read the environment meanwhile, and there is no other thread that could.
            unsafe { std::env::set_var(variable, value) };
        }
    }
}

/// Whether the process has no thread but this one, as far as Linux tells.
fn is_only_thread() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}

/// The module without wgpu's injected bounds, division and loop checks, which would be timed as the law's own.
pub(super) fn shader_module(
    device: &wgpu::Device,
    descriptor: wgpu::ShaderModuleDescriptor<'_>,
) -> wgpu::ShaderModule {
    // SAFETY: only this crate can make a `Shader` or bind a `Workload`'s buffers: loops end by a counter or by a
    // swap that must succeed, and indices stay in the buffers that `kernels` sizes for them.
    unsafe {
        device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_another_thread_about_the_environment_is_left_alone() {
        // The test harness is that other thread.
        assert!(!is_only_thread());
    }
}
