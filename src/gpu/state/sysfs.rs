//! State of a GPU of AMD or Intel, from the files of its kernel driver.

use std::path::{Path, PathBuf};

use crate::model::DeviceState;

/// A GPU with its folders in sysfs.
pub(in crate::gpu) struct Card {
    /// Folder of the PCI device.
    device: PathBuf,
    /// Folder of its sensors.
    sensors: Option<PathBuf>,
    /// Folder of its graphics node.
    node: Option<PathBuf>,
}

impl Card {
    /// Finds the GPU with this PCI bus id among `devices`, the folder of all PCI devices.
    pub(super) fn find(devices: &Path, pci_bus_id: &str) -> Option<Self> {
        let device = devices.join(pci_bus_id.to_lowercase());
        let first = |folder: PathBuf, prefix: &str| {
            let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
                .ok()?
                .flatten()
                .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
                .map(|entry| entry.path())
                .collect();
            found.sort();
            found.into_iter().next()
        };
        device.is_dir().then(|| Self {
            sensors: first(device.join("hwmon"), "hwmon"),
            node: first(device.join("drm"), "card"),
            device,
        })
    }

    pub(super) fn read(&self) -> DeviceState {
        let number = |folder: &Option<PathBuf>, name: &str| -> Option<f64> {
            std::fs::read_to_string(folder.as_ref()?.join(name)).ok()?.trim().parse().ok()
        };
        let sensor = |name: &str, unit: f64| number(&self.sensors, name).map(|value| value * unit);
        // amdgpu tells its clocks in hertz, or marks the current level of a list with a star. i915 and xe tell MHz.
        let core = sensor("freq1_input", 1e-6)
            .or_else(|| self.current_level("pp_dpm_sclk"))
            .or_else(|| number(&self.node, "gt_act_freq_mhz"))
            .or_else(|| number(&self.node, "gt_cur_freq_mhz"));
        DeviceState {
            core_mhz: core,
            memory_mhz: sensor("freq2_input", 1e-6).or_else(|| self.current_level("pp_dpm_mclk")),
            temperature_c: sensor("temp1_input", 1e-3),
            power_w: sensor("power1_average", 1e-6).or_else(|| sensor("power1_input", 1e-6)),
            throttled_by: self.throttle_reasons(),
        }
    }

    /// Returns the clock in MHz of the current level of a list, which ends with `*`: `1: 1800Mhz *`.
    fn current_level(&self, name: &str) -> Option<f64> {
        let levels = std::fs::read_to_string(self.device.join(name)).ok()?;
        let line = levels.lines().find(|line| line.trim_end().ends_with('*'))?;
        let (_, clock) = line.split_once(':')?;
        clock.trim().to_lowercase().split("mhz").next()?.trim().parse().ok()
    }

    /// Returns the reasons that i915 lists: a file for each, with 1 if it applies.
    fn throttle_reasons(&self) -> Vec<String> {
        const PREFIX: &str = "throttle_reason_";
        let Some(files) =
            self.node.as_ref().and_then(|node| std::fs::read_dir(node.join("gt/gt0")).ok())
        else {
            return Vec::new();
        };
        let mut reasons: Vec<String> = files
            .flatten()
            .filter(|file| {
                std::fs::read_to_string(file.path()).is_ok_and(|text| text.trim() == "1")
            })
            .filter_map(|file| {
                let name = file.file_name().to_string_lossy().into_owned();
                let reason = name.strip_prefix(PREFIX).filter(|reason| *reason != "status")?;
                Some(reason.replace('_', " "))
            })
            .collect();
        reasons.sort();
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0000:03:00.0";

    /// Makes a folder of PCI devices, in which the device [`ID`] has these files.
    fn devices(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for (name, text) in files {
            let path = folder.path().join(ID).join(name);
            std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("made");
            std::fs::write(path, format!("{text}\n")).expect("written");
        }
        folder
    }

    fn state(files: &[(&str, &str)]) -> DeviceState {
        let devices = devices(files);
        Card::find(devices.path(), ID).expect("the device is there").read()
    }

    #[test]
    fn amdgpu_tells_clocks_temperature_and_power() {
        let found = state(&[
            ("hwmon/hwmon4/freq1_input", "2450000000"),
            ("hwmon/hwmon4/freq2_input", "1249000000"),
            ("hwmon/hwmon4/temp1_input", "61000"),
            ("hwmon/hwmon4/power1_average", "187000000"),
        ]);
        let expected = DeviceState {
            core_mhz: Some(2450.0),
            memory_mhz: Some(1249.0),
            temperature_c: Some(61.0),
            power_w: Some(187.0),
            throttled_by: Vec::new(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn the_current_level_of_amdgpu_has_a_star() {
        let found = state(&[("pp_dpm_sclk", "0: 500Mhz\n1: 1800Mhz *\n2: 2505Mhz")]);
        assert_eq!(found.core_mhz, Some(1800.0));
    }

    #[test]
    fn i915_tells_its_clock_and_why_it_throttles() {
        let found = state(&[
            ("drm/card0/gt_act_freq_mhz", "1150"),
            ("drm/card0/gt/gt0/throttle_reason_status", "1"),
            ("drm/card0/gt/gt0/throttle_reason_thermal", "1"),
            ("drm/card0/gt/gt0/throttle_reason_pl1", "0"),
        ]);
        assert_eq!(found.core_mhz, Some(1150.0));
        assert_eq!(found.throttled_by, ["thermal"]);
    }

    #[test]
    fn what_the_system_does_not_tell_is_absent() {
        assert!(state(&[("hwmon/hwmon0/temp1_input", "not a number")]).is_empty());
        let empty = tempfile::tempdir().expect("a folder can be made");
        assert!(Card::find(empty.path(), ID).is_none());
    }
}
