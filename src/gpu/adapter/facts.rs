//! Properties of an adapter.

use wgpu::Backend;

use super::limits::{DeviceLimits, LimitSet};
use super::workers::Workers;
use crate::gpu::{Ranks, ShaderFeature};
use crate::model::{Adapter, ClockKind, DeviceType, SubgroupSize};

/// Properties of an adapter that are known without running a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterFacts {
    /// Name reported by the driver.
    pub name: String,
    /// PCI vendor id, or an id defined by the backend.
    pub vendor_id: u32,
    /// PCI device id, or an id defined by the backend.
    pub device_id: u32,
    /// Address on the PCI bus, such as `0000:01:00.0`, which tells equal adapters apart. `None` if the backend does
    /// not tell it.
    pub pci_bus_id: Option<String>,
    /// Device type: `discrete`, `integrated`, `virtual`, `cpu` or `other`.
    pub device_type: DeviceType,
    /// Backend: `vulkan`, `metal`, `dx12`, `gl`, `webgpu`, `noop`, or `fake` for the simulator.
    pub backend: &'static str,
    /// Driver name.
    pub driver: String,
    /// Driver version and build.
    pub driver_info: String,
    /// Shader compiler of a DX12 device: `dxc` or `fxc`.
    pub compiler: Option<&'static str>,
    /// Smallest subgroup size that the driver reports. `None` without the subgroup feature.
    pub subgroup_min: Option<u32>,
    /// Largest subgroup size that the driver reports. `None` without the subgroup feature.
    pub subgroup_max: Option<u32>,
    /// Features in use: `timestamp-query`, and those of [`ShaderFeature`].
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
    /// The ranks that run together; `None` if this process runs alone.
    pub ranks: Option<Ranks>,
    /// Limits of the device.
    pub limits: DeviceLimits,
    /// The set that `limits` was taken from.
    pub limit_set: LimitSet,
}

impl AdapterFacts {
    /// Returns the properties of `adapter` if its device has these features.
    pub(crate) fn of(adapter: &wgpu::Adapter, features: wgpu::Features) -> Self {
        let info = adapter.get_info();
        let workers = Workers::of(&info.driver);
        let has = |feature| features.contains(feature);
        let timestamps = has(wgpu::Features::TIMESTAMP_QUERY);
        let subgroups = has(wgpu::Features::SUBGROUP);
        // wgpu offers subgroup operations on DX12 only with DXC.
        let compiler =
            if adapter.features().contains(wgpu::Features::SUBGROUP) { "dxc" } else { "fxc" };
        let of_shaders = ShaderFeature::ALL.into_iter().filter(|feature| has(feature.wgpu()));
        let of_shaders = of_shaders.map(ShaderFeature::as_str);
        Self {
            name: info.name,
            vendor_id: info.vendor,
            device_id: info.device,
            pci_bus_id: Some(info.device_pci_bus_id).filter(|id| !id.is_empty()),
            device_type: device_type(info.device_type),
            backend: backend_name(info.backend),
            driver: info.driver,
            driver_info: info.driver_info,
            compiler: (info.backend == Backend::Dx12).then_some(compiler),
            subgroup_min: subgroups.then_some(info.subgroup_min_size),
            subgroup_max: subgroups.then_some(info.subgroup_max_size),
            features: timestamps.then_some(TIMESTAMPS).into_iter().chain(of_shaders).collect(),
            shader_checks: false,
            clock: if timestamps { ClockKind::TimestampQuery } else { ClockKind::Host },
            period_ns: 1.0,
            clock_fault: None,
            workers,
            ranks: None,
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

    /// Returns the properties as records have them, with the subgroup size that a shader observed.
    #[must_use]
    pub fn described(&self, observed: Option<u32>) -> Adapter {
        Adapter {
            name: self.name.clone(),
            vendor_id: self.vendor_id,
            device_id: self.device_id,
            pci_bus_id: self.pci_bus_id.clone(),
            device_type: self.device_type,
            backend: self.backend.to_owned(),
            driver: self.driver.clone(),
            driver_info: self.driver_info.clone(),
            compiler: self.compiler.map(str::to_owned),
            subgroup_size: SubgroupSize {
                min: self.subgroup_min,
                max: self.subgroup_max,
                observed,
            },
            features: self.features.iter().map(|&feature| feature.to_owned()).collect(),
            shader_checks: self.shader_checks,
            limits: self.limit_set.as_str().to_owned(),
        }
    }

    /// Returns `true` if shaders may use the feature.
    #[must_use]
    pub fn has(&self, feature: ShaderFeature) -> bool {
        self.features.contains(&feature.as_str())
    }
}

pub(crate) const TIMESTAMPS: &str = "timestamp-query";

fn device_type(device_type: wgpu::DeviceType) -> DeviceType {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => DeviceType::Discrete,
        wgpu::DeviceType::IntegratedGpu => DeviceType::Integrated,
        wgpu::DeviceType::VirtualGpu => DeviceType::Virtual,
        wgpu::DeviceType::Cpu => DeviceType::Cpu,
        wgpu::DeviceType::Other => DeviceType::Other,
    }
}

pub(super) fn backend_name(backend: Backend) -> &'static str {
    match backend {
        Backend::Vulkan => "vulkan",
        Backend::Metal => "metal",
        Backend::Dx12 => "dx12",
        Backend::Gl => "gl",
        Backend::BrowserWebGpu => "webgpu",
        Backend::Noop => "noop",
    }
}
