//! Optional features of WGSL: what a shader may need and an adapter may lack.

/// An optional feature of WGSL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShaderFeature {
    /// Subgroup operations.
    Subgroups,
    /// 64-bit integers.
    U64,
    /// 16-bit floating-point numbers.
    F16,
}

impl ShaderFeature {
    /// All features.
    pub const ALL: [Self; 3] = [Self::Subgroups, Self::U64, Self::F16];

    /// Returns the name of the feature in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subgroups => "subgroup",
            Self::U64 => "shader-int64",
            Self::F16 => "shader-f16",
        }
    }

    /// Returns a word by which the feature is known in the WGSL of other crates.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Subgroups => "subgroup",
            Self::U64 => "u64",
            Self::F16 => "f16",
        }
    }

    /// Returns the feature of wgpu.
    pub(super) fn wgpu(self) -> wgpu::Features {
        match self {
            Self::Subgroups => wgpu::Features::SUBGROUP,
            Self::U64 => wgpu::Features::SHADER_INT64,
            Self::F16 => wgpu::Features::SHADER_F16,
        }
    }

    /// Returns why a shader that needs the feature cannot run without it.
    pub(crate) fn missing(self) -> String {
        let offer = match self {
            Self::Subgroups => "subgroup operations",
            Self::U64 => "64-bit integers",
            Self::F16 => "16-bit floating-point numbers",
        };
        format!("the adapter offers no {offer}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::Hardware;

    #[test]
    fn a_device_is_opened_with_all_features() {
        for feature in ShaderFeature::ALL {
            assert!(Hardware::OPTIONAL_FEATURES.contains(feature.wgpu()), "{feature:?}");
        }
    }
}
