//! Description of the host.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// Operating system and processor of the host on which a record was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Name and version of the operating system.
    pub os: String,
    /// Version of the kernel; absent if the system does not report one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// `mains` or `battery`; absent if the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<String>,
    /// Brand of the processor; absent if the system does not report one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Number of cores that the process may use.
    pub cores: u32,
}

impl Machine {
    /// Describes this host.
    #[must_use]
    pub fn here() -> Self {
        let brand = sysinfo::System::new().ok().and_then(|mut system| {
            system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
            system.cpus().first().map(|cpu| cpu.brand().trim().to_owned())
        });
        Self {
            os: sysinfo::System::long_os_version()
                .unwrap_or_else(|_| std::env::consts::OS.to_owned()),
            kernel: sysinfo::System::kernel_long_version().ok().filter(|kernel| !kernel.is_empty()),
            power: power(Path::new("/sys/class/power_supply")),
            cpu: brand.filter(|brand| !brand.is_empty()),
            cores: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
        }
    }
}

/// Returns `mains` or `battery`, by the folder in which Linux lists sources of power; `None` if it lists none.
fn power(folder: &Path) -> Option<String> {
    let read = |path: &Path, name: &str| {
        std::fs::read_to_string(path.join(name)).map(|text| text.trim().to_owned()).ok()
    };
    let sources: Vec<_> = std::fs::read_dir(folder).ok()?.flatten().map(|e| e.path()).collect();
    let is = |path: &Path, kind: &str| read(path, "type").is_some_and(|found| found == kind);
    let mains = sources.iter().filter(|path| is(path, "Mains") || is(path, "USB"));
    let on = mains.filter_map(|path| read(path, "online")).any(|online| online == "1");
    let has_battery = sources.iter().any(|path| {
        is(path, "Battery") && read(path, "scope").is_none_or(|scope| scope != "Device")
    });
    match (on, has_battery) {
        (true, _) => Some("mains".to_owned()),
        (false, true) => Some("battery".to_owned()),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(folder: &Path, name: &str, files: &[(&str, &str)]) {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        for (file, text) in files {
            std::fs::write(folder.join(file), format!("{text}\n")).expect("a file can be written");
        }
    }

    #[test]
    fn a_laptop_runs_on_mains_or_on_its_battery() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let at = folder.path();
        assert_eq!(power(at), None);
        assert_eq!(power(&at.join("missing")), None);
        // The battery of a wireless mouse says nothing about the machine.
        source(at, "hid-mouse", &[("type", "Battery"), ("scope", "Device")]);
        assert_eq!(power(at), None);
        source(at, "BAT0", &[("type", "Battery")]);
        source(at, "AC", &[("type", "Mains"), ("online", "0")]);
        assert_eq!(power(at).as_deref(), Some("battery"));
        source(at, "AC", &[("type", "Mains"), ("online", "1")]);
        assert_eq!(power(at).as_deref(), Some("mains"));
    }
}
