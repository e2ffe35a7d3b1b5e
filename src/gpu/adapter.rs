//! Which adapters there are and which one is meant.

use std::fmt;

use wgpu::{Backend, Backends, PowerPreference};

use super::GpuError;
use crate::model::{ClockKind, DeviceType};

/// Limits that plans must respect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceLimits {
    /// Invocations in a workgroup.
    pub max_workgroup_size: u32,
    /// Workgroups in one dimension of a dispatch.
    pub workgroups: u32,
    /// Bytes in one storage binding.
    pub binding_bytes: u64,
}

/// Which limits a device is opened with: what an adapter offers, or what a portable program asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LimitSet {
    /// All that the adapter offers.
    #[default]
    Adapter,
    /// WebGPU's default limits.
    Default,
    /// wgpu's limits for older hardware.
    Downlevel,
}

impl LimitSet {
    /// Its name in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adapter => "adapter",
            Self::Default => "default",
            Self::Downlevel => "downlevel",
        }
    }

    /// The limits, none beyond what the adapter offers.
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

/// What is known of an adapter without running anything on it.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterFacts {
    /// Name as the driver gives it.
    pub name: String,
    /// PCI vendor id, or the backend's own.
    pub vendor_id: u32,
    /// PCI device id, or the backend's own.
    pub device_id: u32,
    /// `discrete`, `integrated`, `virtual`, `cpu` or `other`.
    pub device_type: DeviceType,
    /// `vulkan`, `metal`, `dx12`, `gl` or `fake`.
    pub backend: &'static str,
    /// Driver name.
    pub driver: String,
    /// Driver version and build.
    pub driver_info: String,
    /// Smallest subgroup the driver reports; `None` without the feature.
    pub subgroup_min: Option<u32>,
    /// Largest subgroup the driver reports; `None` without the feature.
    pub subgroup_max: Option<u32>,
    /// Features in use: `timestamp-query`, `subgroup`.
    pub features: Vec<&'static str>,
    /// Whether wgpu's injected shader checks are on.
    pub shader_checks: bool,
    /// What brackets a span.
    pub clock: ClockKind,
    /// Nanoseconds per timestamp tick.
    pub period_ns: f64,
    /// Why its timestamps are not used, where it has some.
    pub clock_fault: Option<String>,
    /// Limits.
    pub limits: DeviceLimits,
    /// Which limits these are.
    pub limit_set: LimitSet,
}

/// What the user asked for.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Part of the adapter's name, any case.
    pub adapter: Option<String>,
    /// Backends, comma separated: `vulkan,metal,dx12,gl`.
    pub backend: Option<String>,
}

impl AdapterFacts {
    /// What `adapter` says of itself, with timestamps if they are wanted and offered.
    pub(crate) fn of(adapter: &wgpu::Adapter, want_timestamps: bool) -> Self {
        let info = adapter.get_info();
        let has = |feature| adapter.features().contains(feature);
        let timestamps = want_timestamps && has(wgpu::Features::TIMESTAMP_QUERY);
        let subgroups = has(wgpu::Features::SUBGROUP);
        let integers_of_64_bits = has(wgpu::Features::SHADER_INT64);
        Self {
            name: info.name,
            vendor_id: info.vendor,
            device_id: info.device,
            device_type: device_type(info.device_type),
            backend: backend_word(info.backend),
            driver: info.driver,
            driver_info: info.driver_info,
            subgroup_min: subgroups.then_some(info.subgroup_min_size),
            subgroup_max: subgroups.then_some(info.subgroup_max_size),
            features: [
                (timestamps, TIMESTAMPS),
                (subgroups, SUBGROUPS),
                (integers_of_64_bits, INTEGERS_OF_64_BITS),
            ]
            .into_iter()
            .filter_map(|(on, word)| on.then_some(word))
            .collect(),
            shader_checks: false,
            clock: if timestamps { ClockKind::TimestampQuery } else { ClockKind::Host },
            period_ns: 1.0,
            clock_fault: None,
            limits: DeviceLimits::of(&adapter.limits()),
            limit_set: LimitSet::Adapter,
        }
    }

    /// Takes up how long a tick is, as the driver says. One that cannot be leaves the host's clock.
    pub(crate) fn set_period(&mut self, period_ns: f64) {
        // No counter that times a dispatch ticks once a second.
        if period_ns > 0.0 && period_ns < 1e9 {
            self.period_ns = period_ns;
            return;
        }
        self.clock = ClockKind::Host;
        self.clock_fault = Some(format!(
            "the driver says that a tick of its timestamps is {period_ns} ns: the host's clock is used instead"
        ));
    }

    /// Whether GPU timestamps bracket spans.
    #[must_use]
    pub fn has_timestamps(&self) -> bool {
        self.features.contains(&TIMESTAMPS)
    }

    /// Whether shaders may use subgroup operations.
    #[must_use]
    pub fn has_subgroups(&self) -> bool {
        self.features.contains(&SUBGROUPS)
    }

    /// Whether shaders may calculate with integers of 64 bits.
    #[must_use]
    pub fn has_u64(&self) -> bool {
        self.features.contains(&INTEGERS_OF_64_BITS)
    }
}

pub(crate) const TIMESTAMPS: &str = "timestamp-query";
pub(crate) const SUBGROUPS: &str = "subgroup";
pub(crate) const INTEGERS_OF_64_BITS: &str = "shader-int64";

const BACKENDS: &str = "vulkan, metal, dx12, gl";

impl Selection {
    /// Fills what was not given from `WGPU_ADAPTER_NAME` and `WGPU_BACKEND`.
    fn or_environment(&self) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
        Self {
            adapter: self.adapter.clone().or_else(|| variable("WGPU_ADAPTER_NAME")),
            backend: self.backend.clone().or_else(|| variable("WGPU_BACKEND")),
        }
    }

    fn backends(&self) -> Result<Backends, GpuError> {
        let Some(text) = &self.backend else {
            return Ok(Backends::all());
        };
        // One word at a time: wgpu passes over the words it does not know.
        text.split(',').try_fold(Backends::empty(), |all, word| {
            let backend = Backends::from_comma_list(word);
            if backend.is_empty() {
                return Err(GpuError::BadSetting {
                    name: "backend (--backend or WGPU_BACKEND)",
                    value: word.to_owned(),
                    accepted: BACKENDS,
                });
            }
            Ok(all | backend)
        })
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.adapter, &self.backend) {
            (Some(name), Some(backend)) => write!(f, "name `{name}` on backend `{backend}`"),
            (Some(name), None) => write!(f, "name `{name}`"),
            (None, Some(backend)) => write!(f, "backend `{backend}`"),
            (None, None) => write!(f, "any adapter"),
        }
    }
}

/// Every adapter that matches the backend asked for, best first: hardware before software, Vulkan,
/// Metal and DX12 before GL, then by power preference.
///
/// # Errors
/// An unknown backend or power preference, or no adapter.
pub fn list(selection: &Selection) -> Result<Vec<AdapterFacts>, GpuError> {
    let adapters = ranked(selection)?;
    if adapters.is_empty() {
        return Err(nothing_matches(&selection.or_environment()));
    }
    Ok(adapters.iter().map(|adapter| AdapterFacts::of(adapter, true)).collect())
}

fn ranked(selection: &Selection) -> Result<Vec<wgpu::Adapter>, GpuError> {
    let selection = selection.or_environment();
    let preference = power_preference()?;
    let mut adapters = enumerate(selection.backends()?);
    adapters.sort_by_key(|adapter| rank(&adapter.get_info(), preference));
    Ok(adapters)
}

fn enumerate(backends: Backends) -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    descriptor.backends = backends;
    let instance = wgpu::Instance::new(descriptor);
    pollster::block_on(instance.enumerate_adapters(backends))
}

/// The best adapter whose name contains what was asked for.
pub(crate) fn choose(selection: &Selection) -> Result<wgpu::Adapter, GpuError> {
    let wanted = selection.or_environment();
    let adapters = ranked(selection)?;
    let chosen = adapters.iter().position(|adapter| match &wanted.adapter {
        Some(name) => adapter.get_info().name.to_lowercase().contains(&name.to_lowercase()),
        None => true,
    });
    match chosen {
        Some(index) => Ok(adapters.into_iter().nth(index).expect("position is in range")),
        None => Err(nothing_matches(&wanted)),
    }
}

fn nothing_matches(wanted: &Selection) -> GpuError {
    let names: Vec<String> = enumerate(Backends::all())
        .iter()
        .map(|adapter| {
            let info = adapter.get_info();
            format!("`{}` ({})", info.name, backend_word(info.backend))
        })
        .collect();
    if names.is_empty() {
        return GpuError::NoAdapter;
    }
    GpuError::NoMatch { wanted: wanted.to_string(), available: names.join(", ") }
}

fn power_preference() -> Result<PowerPreference, GpuError> {
    match std::env::var("WGPU_POWER_PREF").unwrap_or_default().to_lowercase().as_str() {
        "" | "none" => Ok(PowerPreference::None),
        "low" => Ok(PowerPreference::LowPower),
        "high" => Ok(PowerPreference::HighPerformance),
        other => Err(GpuError::BadSetting {
            name: "WGPU_POWER_PREF",
            value: other.to_owned(),
            accepted: "low, high, none",
        }),
    }
}

/// Smaller is better.
fn rank(info: &wgpu::AdapterInfo, preference: PowerPreference) -> (bool, bool, u8) {
    let kind = match (info.device_type, preference) {
        (wgpu::DeviceType::IntegratedGpu, PowerPreference::LowPower) => 0,
        (wgpu::DeviceType::DiscreteGpu, _) => 1,
        (wgpu::DeviceType::IntegratedGpu, _) => 2,
        _ => 3,
    };
    (info.device_type == wgpu::DeviceType::Cpu, info.backend == Backend::Gl, kind)
}

fn device_type(device_type: wgpu::DeviceType) -> DeviceType {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => DeviceType::Discrete,
        wgpu::DeviceType::IntegratedGpu => DeviceType::Integrated,
        wgpu::DeviceType::VirtualGpu => DeviceType::Virtual,
        wgpu::DeviceType::Cpu => DeviceType::Cpu,
        wgpu::DeviceType::Other => DeviceType::Other,
    }
}

fn backend_word(backend: Backend) -> &'static str {
    match backend {
        Backend::Vulkan => "vulkan",
        Backend::Metal => "metal",
        Backend::Dx12 => "dx12",
        Backend::Gl => "gl",
        Backend::BrowserWebGpu => "webgpu",
        Backend::Noop => "noop",
    }
}
