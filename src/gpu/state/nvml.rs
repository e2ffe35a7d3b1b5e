//! State of a GPU of NVIDIA, from the library that its driver brings.

use nvml_wrapper::Nvml;
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};

use crate::model::DeviceState;

/// A GPU of NVIDIA, by its number in the library.
pub(in crate::gpu) struct NvidiaCard {
    library: Box<Nvml>,
    number: u32,
}

impl NvidiaCard {
    /// Finds the GPU with this PCI bus id, or the only GPU of the machine.
    ///
    /// Returns `None` without the library or without such a GPU.
    pub(super) fn find(pci_bus_id: Option<&str>) -> Option<Self> {
        let library = Box::new(Nvml::init().ok()?);
        let number = match pci_bus_id {
            Some(id) => library.device_by_pci_bus_id(id).ok()?.index().ok()?,
            None if library.device_count().ok()? == 1 => 0,
            None => return None,
        };
        Some(Self { library, number })
    }

    pub(super) fn read(&self) -> DeviceState {
        let Ok(device) = self.library.device_by_index(self.number) else {
            return DeviceState::default();
        };
        let mhz = |clock| device.clock_info(clock).ok().map(f64::from);
        // Without load, a low clock is no throttling.
        let usual = ThrottleReasons::GPU_IDLE | ThrottleReasons::NONE;
        let reasons = device.current_throttle_reasons().unwrap_or(ThrottleReasons::NONE) - usual;
        let names = reasons.iter_names().map(|(name, _)| name.to_lowercase().replace('_', " "));
        DeviceState {
            core_mhz: mhz(Clock::SM),
            memory_mhz: mhz(Clock::Memory),
            temperature_c: device.temperature(TemperatureSensor::Gpu).ok().map(f64::from),
            power_w: device.power_usage().ok().map(|milliwatts| f64::from(milliwatts) / 1e3),
            throttled_by: names.collect(),
        }
    }
}
