//! Enumeration and selection of adapters, and their properties.

use std::fmt;

use wgpu::{Backend, Backends, PowerPreference};

use super::{GpuError, unchecked};
use crate::model::{ClockKind, DeviceType};

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

/// The workers of a software device: the threads that run its workgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workers {
    /// Number of workgroups that run at the same time.
    pub count: u32,
    /// Whether the device can be opened with another number. It cannot if the user has set the number, if the program
    /// opened the device, or if an attempt to change the number failed.
    pub adjustable: bool,
}

/// How many workers to open a software device with. Other devices ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WantedWorkers {
    /// One worker, whose times repeat best.
    #[default]
    One,
    /// One worker per core of the processor.
    PerCore,
}

/// Properties of an adapter that are known without running a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterFacts {
    /// Name reported by the driver.
    pub name: String,
    /// PCI vendor id, or an id defined by the backend.
    pub vendor_id: u32,
    /// PCI device id, or an id defined by the backend.
    pub device_id: u32,
    /// Device type: `discrete`, `integrated`, `virtual`, `cpu` or `other`.
    pub device_type: DeviceType,
    /// Backend: `vulkan`, `metal`, `dx12`, `gl`, `webgpu`, `noop`, or `fake` for the simulator.
    pub backend: &'static str,
    /// Driver name.
    pub driver: String,
    /// Driver version and build.
    pub driver_info: String,
    /// Smallest subgroup size that the driver reports. `None` without the subgroup feature.
    pub subgroup_min: Option<u32>,
    /// Largest subgroup size that the driver reports. `None` without the subgroup feature.
    pub subgroup_max: Option<u32>,
    /// Features in use: `timestamp-query`, `subgroup`, `shader-int64`.
    pub features: Vec<&'static str>,
    /// Whether shaders contain the bounds, division and loop checks that wgpu injects.
    pub shader_checks: bool,
    /// The clock that times a compute pass.
    pub clock: ClockKind,
    /// Nanoseconds per timestamp tick.
    pub period_ns: f64,
    /// Reason why the timestamps of the adapter are not used, if it offers unusable ones.
    pub clock_fault: Option<String>,
    /// Workers of the device; `None` if they are unknown, as on every GPU.
    pub workers: Option<Workers>,
    /// Limits of the device.
    pub limits: DeviceLimits,
    /// The set that `limits` was taken from.
    pub limit_set: LimitSet,
}

/// The user's choice of adapter and backend.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Part of the adapter's name. The comparison ignores case.
    pub adapter: Option<String>,
    /// Comma-separated list of backends: `vulkan`, `metal`, `dx12`, `gl`.
    pub backend: Option<String>,
}

/// Largest number of threads that lavapipe uses, however many cores there are (`LP_MAX_THREADS`, since Mesa 22.3).
const MOST_LAVAPIPE_THREADS: u32 = 32;

/// Name of lavapipe's driver.
const LAVAPIPE_DRIVER: &str = "llvmpipe";

impl Workers {
    /// Returns the workers of a lavapipe device that is opened now.
    fn of_lavapipe() -> Self {
        let set = std::env::var(unchecked::LAVAPIPE_THREADS).ok();
        let threads = set.and_then(|threads| threads.parse().ok()).unwrap_or_else(cores);
        // Without threads of its own, lavapipe runs workgroups on the thread of the queue.
        Self {
            count: threads.clamp(1, MOST_LAVAPIPE_THREADS),
            adjustable: unchecked::may_set_lavapipe_threads(),
        }
    }

    /// Returns whether there are as many workers as `wanted`, on this machine.
    #[must_use]
    pub fn are(self, wanted: WantedWorkers) -> bool {
        (self.count > 1) == (wanted == WantedWorkers::PerCore && cores() > 1)
    }
}

impl WantedWorkers {
    /// Applies the choice to lavapipe devices that are opened from now on.
    pub(super) fn apply(self) {
        unchecked::set_lavapipe_threads(match self {
            Self::One => 0,
            Self::PerCore => cores(),
        });
    }
}

/// Returns the number of cores that this process may use.
fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
}

impl AdapterFacts {
    /// Returns the properties of `adapter` if its device has these features.
    pub(crate) fn of(adapter: &wgpu::Adapter, features: wgpu::Features) -> Self {
        let info = adapter.get_info();
        let workers = (info.driver == LAVAPIPE_DRIVER).then(Workers::of_lavapipe);
        let has = |feature| features.contains(feature);
        let timestamps = has(wgpu::Features::TIMESTAMP_QUERY);
        let subgroups = has(wgpu::Features::SUBGROUP);
        let integers_of_64_bits = has(wgpu::Features::SHADER_INT64);
        Self {
            name: info.name,
            vendor_id: info.vendor,
            device_id: info.device,
            device_type: device_type(info.device_type),
            backend: backend_name(info.backend),
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
            .filter_map(|(is_on, name)| is_on.then_some(name))
            .collect(),
            shader_checks: false,
            clock: if timestamps { ClockKind::TimestampQuery } else { ClockKind::Host },
            period_ns: 1.0,
            clock_fault: None,
            workers,
            limits: DeviceLimits::of(&adapter.limits()),
            limit_set: LimitSet::Adapter,
        }
    }

    /// Sets the timestamp period in nanoseconds. An impossible period selects the host clock instead.
    pub(crate) fn set_period(&mut self, period_ns: f64) {
        // A counter that ticks once a second or less often cannot time a dispatch.
        if period_ns > 0.0 && period_ns < 1e9 {
            self.period_ns = period_ns;
            return;
        }
        self.clock = ClockKind::Host;
        self.clock_fault = Some(format!(
            "the driver reports a timestamp period of {period_ns} ns, so the host clock times all samples"
        ));
    }

    /// Returns `true` if the device is opened with the timestamp feature.
    ///
    /// The timestamps may still be unusable: see [`AdapterFacts::clock`] and [`AdapterFacts::clock_fault`].
    #[must_use]
    pub fn has_timestamps(&self) -> bool {
        self.features.contains(&TIMESTAMPS)
    }

    /// Returns `true` if shaders may use subgroup operations.
    #[must_use]
    pub fn has_subgroups(&self) -> bool {
        self.features.contains(&SUBGROUPS)
    }

    /// Returns `true` if shaders may use 64-bit integers.
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
    /// Returns the selection with missing fields taken from `WGPU_ADAPTER_NAME` and `WGPU_BACKEND`.
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
        // wgpu ignores unknown names in a list, so each name is parsed alone to detect them.
        text.split(',').try_fold(Backends::empty(), |all, name| {
            let backend = Backends::from_comma_list(name);
            if backend.is_empty() {
                return Err(GpuError::BadSetting {
                    name: "backend (--backend or WGPU_BACKEND)",
                    value: name.to_owned(),
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

/// Returns every adapter of the selected backends, best first.
///
/// Hardware adapters come before software adapters. Vulkan, Metal and DX12 come before GL. The power
/// preference decides among the remaining equals.
///
/// # Errors
/// Returns an error if the backend or the power preference is unknown, or if no backend has an adapter.
pub fn list(selection: &Selection) -> Result<Vec<AdapterFacts>, GpuError> {
    let adapters = ranked(selection)?;
    if adapters.is_empty() {
        return Err(no_match(&selection.or_environment()));
    }
    Ok(adapters.iter().map(|adapter| AdapterFacts::of(adapter, adapter.features())).collect())
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

/// Returns the best adapter whose name contains the requested name.
///
/// # Errors
/// Returns an error if the backend or the power preference is unknown, or if no adapter matches.
pub(crate) fn choose(selection: &Selection) -> Result<wgpu::Adapter, GpuError> {
    let wanted = selection.or_environment();
    let adapters = ranked(selection)?;
    let chosen = adapters.iter().position(|adapter| match &wanted.adapter {
        Some(name) => adapter.get_info().name.to_lowercase().contains(&name.to_lowercase()),
        None => true,
    });
    match chosen {
        Some(index) => Ok(adapters.into_iter().nth(index).expect("the index is in range")),
        None => Err(no_match(&wanted)),
    }
}

fn no_match(wanted: &Selection) -> GpuError {
    let names: Vec<String> = enumerate(Backends::all())
        .iter()
        .map(|adapter| {
            let info = adapter.get_info();
            format!("`{}` ({})", info.name, backend_name(info.backend))
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

/// Returns the sort key of an adapter. A smaller key is better.
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

fn backend_name(backend: Backend) -> &'static str {
    match backend {
        Backend::Vulkan => "vulkan",
        Backend::Metal => "metal",
        Backend::Dx12 => "dx12",
        Backend::Gl => "gl",
        Backend::BrowserWebGpu => "webgpu",
        Backend::Noop => "noop",
    }
}
