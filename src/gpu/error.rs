//! Errors of adapter selection and of the device.

/// An error of adapter selection or of the device.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// The machine has no GPU adapter.
    #[error(
        "no GPU adapter found: install a Vulkan, Metal or DX12 driver, \
         or software Vulkan with `sh setup.sh --lavapipe`"
    )]
    NoAdapter,
    /// No adapter matches the request.
    #[error("no adapter matches {wanted}; available adapters: {available}")]
    NoMatch {
        /// The request as text.
        wanted: String,
        /// Names and backends of all available adapters.
        available: String,
    },
    /// Several adapters match the request.
    #[error(
        "`{wanted}` matches several adapters: {candidates}; choose one by its number or its PCI bus id"
    )]
    Ambiguous {
        /// What the user typed.
        wanted: String,
        /// Numbers, names, backends and PCI bus ids of the adapters that match.
        candidates: String,
    },
    /// The adapter executes nothing.
    #[error(
        "`{adapter}` compiles shaders but executes nothing, so it cannot be measured; \
         unset RADV_FORCE_FAMILY and AMD_FORCE_FAMILY"
    )]
    NullDevice {
        /// Adapter name.
        adapter: String,
    },
    /// An environment variable or option has a value that wgpu does not know.
    #[error("{name}={value} is not valid: use one of {accepted}")]
    BadSetting {
        /// Name of the variable or option.
        name: &'static str,
        /// The invalid value.
        value: String,
        /// The valid values.
        accepted: &'static str,
    },
    /// The device did not finish a submission in time.
    #[error(
        "the device `{adapter}` did not finish within {seconds} s; \
         each submission is planned to take less than 1 s"
    )]
    Hung {
        /// Adapter name.
        adapter: String,
        /// Seconds after which the wait was given up.
        seconds: u64,
    },
    /// The adapter did not open, or the device failed while it was in use.
    #[error("the device `{adapter}` failed: {reason}")]
    Device {
        /// Adapter name.
        adapter: String,
        /// The message of wgpu, or a description of the failure.
        reason: String,
    },
}

/// Returns `text` with every run of white space, line breaks included, replaced by one space.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
