//! Why a device could not do what was asked.

/// Why a device could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// There is no adapter at all.
    #[error(
        "no GPU adapter found: install a Vulkan, Metal or DX12 driver, or software Vulkan with `sh setup.sh --lavapipe`"
    )]
    NoAdapter,
    /// No adapter matches what was asked for.
    #[error("no adapter matches {wanted}; there is: {available}")]
    NoMatch {
        /// What was asked for, in words.
        wanted: String,
        /// The adapters there are.
        available: String,
    },
    /// An environment variable or option that names nothing wgpu knows.
    #[error("{name}={value} is not understood: use one of {accepted}")]
    BadSetting {
        /// Variable or option.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would do.
        accepted: &'static str,
    },
    /// The device was given work and never finished it.
    #[error(
        "the device `{adapter}` did not finish within {seconds} s what takes a fraction of one"
    )]
    Hung {
        /// Adapter name.
        adapter: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The adapter refused to open or the device failed while working.
    #[error("the device `{adapter}` failed: {reason}")]
    Device {
        /// Adapter name.
        adapter: String,
        /// What wgpu said.
        reason: String,
    },
}

/// What wgpu says, without its line breaks.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
