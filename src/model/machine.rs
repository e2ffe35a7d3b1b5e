//! The host a record was made on.

use serde::{Deserialize, Serialize};

/// Operating system and processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Name and version of the operating system.
    pub os: String,
    /// Processor's brand; absent where the system does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Cores this process may use.
    pub cores: u32,
}

impl Machine {
    /// This host.
    #[must_use]
    pub fn here() -> Self {
        let brand = sysinfo::System::new().ok().and_then(|mut system| {
            system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
            system.cpus().first().map(|cpu| cpu.brand().trim().to_owned())
        });
        Self {
            os: sysinfo::System::long_os_version()
                .unwrap_or_else(|_| std::env::consts::OS.to_owned()),
            cpu: brand.filter(|brand| !brand.is_empty()),
            cores: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
        }
    }
}
