//! State of the device: clocks, temperature, power and reasons to throttle, as far as the system tells them without
//! privileges.

mod nvml;
mod sysfs;

use std::path::Path;

use nvml::NvidiaCard;
use sysfs::Card;

use super::AdapterFacts;
use crate::model::DeviceState;

/// Vendor id of NVIDIA.
const NVIDIA: u32 = 0x10de;

/// A source of the device's state.
pub(super) enum Source {
    Nvidia(NvidiaCard),
    Sysfs(Card),
}

impl Source {
    /// Returns the source for an adapter, or `None` if the system has none for it.
    pub(super) fn of(facts: &AdapterFacts) -> Option<Self> {
        let id = facts.pci_bus_id.as_deref();
        if facts.vendor_id == NVIDIA {
            return NvidiaCard::find(id).map(Self::Nvidia);
        }
        Card::find(Path::new("/sys/bus/pci/devices"), id?).map(Self::Sysfs)
    }

    /// Returns the state now; `None` if the system tells nothing.
    pub(super) fn read(&self) -> Option<DeviceState> {
        let state = match self {
            Self::Nvidia(card) => card.read(),
            Self::Sysfs(card) => card.read(),
        };
        Some(state).filter(|state| !state.is_empty())
    }
}
