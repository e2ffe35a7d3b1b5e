//! What must be set before a driver is loaded.

/// Sets what drivers read from the environment, unless the user has.
///
/// - `MESA_SHADER_CACHE_DISABLE=true` keeps Mesa from reusing machine code that was compiled for another
///   vector width. lavapipe's on-disk shader cache is not keyed by `LP_NATIVE_VECTOR_WIDTH`: code
///   compiled for 4 lanes is run while the driver reports 16, and every width-dependent figure is then a
///   fiction.
/// - On Unix, `XDG_RUNTIME_DIR`: without it drivers that look for a display complain on standard error,
///   and no display is wanted here.
///
/// Call it first thing in `main`, before any wgpu instance exists.
///
/// # Safety
/// No other thread may run yet: it writes the process environment.
#[expect(unsafe_code, reason = "drivers read the process environment and nothing else")]
pub unsafe fn prepare_environment() {
    // SAFETY: the caller is the only thread.
    unsafe {
        set_unless_set("MESA_SHADER_CACHE_DISABLE", "true".as_ref());
        if cfg!(unix) {
            set_unless_set("XDG_RUNTIME_DIR", std::env::temp_dir().as_os_str());
        }
    }
}

#[expect(unsafe_code, reason = "see `prepare_environment`")]
unsafe fn set_unless_set(variable: &str, value: &std::ffi::OsStr) {
    if std::env::var_os(variable).is_none() {
        // SAFETY: the caller is the only thread.
        unsafe {
            std::env::set_var(variable, value);
        }
    }
}
