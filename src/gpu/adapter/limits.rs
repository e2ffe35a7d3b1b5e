//! Limits of a device.

/// Device limits that every plan respects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceLimits {
    /// Maximum number of invocations per workgroup, for workgroups of one dimension.
    pub max_workgroup_size: u32,
    /// Maximum number of workgroups in one dimension of a dispatch.
    pub workgroups: u32,
    /// Maximum size of a storage buffer binding in bytes.
    pub binding_bytes: u64,
}

/// The limits with which a device is opened: all that the adapter offers, or those of a portable program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LimitSet {
    /// All limits that the adapter offers.
    #[default]
    Adapter,
    /// WebGPU's default limits.
    Default,
    /// wgpu's limits for older hardware.
    Downlevel,
}

impl LimitSet {
    /// Returns the name of this set of limits in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adapter => "adapter",
            Self::Default => "default",
            Self::Downlevel => "downlevel",
        }
    }

    /// Returns the limits of this set, each lowered to what the adapter offers if necessary.
    pub(crate) fn of(self, adapter: &wgpu::Adapter) -> wgpu::Limits {
        let offered = adapter.limits();
        match self {
            Self::Adapter => offered,
            Self::Default => wgpu::Limits::default().or_worse_values_from(&offered),
            Self::Downlevel => wgpu::Limits::downlevel_defaults().or_worse_values_from(&offered),
        }
    }
}

impl DeviceLimits {
    pub(crate) fn of(limits: &wgpu::Limits) -> Self {
        Self {
            max_workgroup_size: limits
                .max_compute_invocations_per_workgroup
                .min(limits.max_compute_workgroup_size_x),
            workgroups: limits.max_compute_workgroups_per_dimension,
            binding_bytes: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
        }
    }
}
