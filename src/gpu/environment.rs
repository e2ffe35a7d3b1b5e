//! What must be set before a driver is loaded.

/// Keeps Mesa from reusing machine code that was compiled for another vector width.
///
/// lavapipe's on-disk shader cache is not keyed by `LP_NATIVE_VECTOR_WIDTH`: code compiled for 4 lanes
/// is run while the driver reports 16, and every width-dependent figure is then a fiction. Unless the
/// user has set it, `MESA_SHADER_CACHE_DISABLE` becomes `true`.
///
/// Call it first thing in `main`, before any thread and any wgpu instance exists.
pub fn disable_stale_shader_caches() {
    const VARIABLE: &str = "MESA_SHADER_CACHE_DISABLE";
    if std::env::var_os(VARIABLE).is_none() {
        #[expect(unsafe_code, reason = "drivers read the process environment and nothing else")]
        // SAFETY: called first thing in `main`, while this is the only thread.
        unsafe {
            std::env::set_var(VARIABLE, "true");
        }
    }
}
